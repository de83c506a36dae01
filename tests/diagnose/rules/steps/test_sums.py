"""Sums over another axis, and sums that are not whole."""

import numpy as np
import pytest

from tests.diagnose.rules.steps.programs import program_of, texts_of
from xcheck.diagnose.rules.steps.sums import mistaken_sums, name_axes, sets_of_axes

RNG = np.random.default_rng(3)
X, B = RNG.standard_normal((3, 3)), RNG.standard_normal(3)
Y = np.tanh(X + B)
DZ = 2 * Y * (1 - Y**2)


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        (DZ.sum(1), "is summed over axis 1; it should be summed over axis 0"),
        (DZ.mean(0), "is averaged over axis 0; it should be summed over axis 0"),
        (np.full(3, DZ.sum()), "is summed over axes 0 and 1; it should be summed over axis 0"),
        (DZ[0], "is not the sum over all of axis 0: the first alone is there"),
        (DZ[:-1].sum(0), "is not the sum over all of axis 0: the last is missing"),
    ],
)
def test_what_goes_back_to_a_bias(wrong: np.ndarray, text: str) -> None:
    """It is added to each of three rows of three numbers, so that every sum fits."""
    program = program_of(lambda p: np.sum(np.tanh(X + p["b"]) ** 2), {"b": B})
    assert any(found.endswith(text) for found in texts_of(mistaken_sums, program, {"b": wrong}))


def test_what_goes_back_to_the_terms_of_a_sum() -> None:
    """Sums over the rows of a square array, repeated along the columns."""
    program = program_of(lambda p: np.sum(np.tanh(p["x"].sum(axis=0)) ** 2), {"x": X})
    s = np.tanh(X.sum(0))
    wrong = np.repeat((2 * s * (1 - s**2))[:, None], 3, axis=1)
    (text,) = texts_of(mistaken_sums, program, {"x": wrong})
    assert text.endswith("is over axis 0, and what goes back to its terms is repeated along axis 1")


def test_the_right_gradient_is_no_mistake() -> None:
    """Every change makes another gradient."""
    assert not texts_of(
        mistaken_sums, program_of(lambda p: np.sum(np.tanh(X + p["b"]) ** 2), {"b": B}), {"b": DZ.sum(0)}
    )


def test_axes_have_names() -> None:
    """One, or several."""
    assert [name_axes(axes) for axes in sets_of_axes(2)] == ["axis 0", "axis 1", "axes 0 and 1"]
