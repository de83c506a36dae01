"""Derivatives of functions of one value that are forgotten, taken twice, or another one."""

import numpy as np
import pytest

from tests.diagnose.rules.steps.programs import program_of, texts_of
from xcheck.diagnose.rules.steps.slopes import mistaken_slopes_of_steps

W, X = np.array([[0.3, -0.7, 0.2], [1.1, 0.9, -0.4]]), np.array([[0.5, 0.1], [0.2, -0.3], [0.6, 0.8], [-0.9, 0.4]])


@pytest.mark.parametrize(
    ("factor", "text"),
    [
        (lambda h: 1.0, "1: no derivative at all"),
        (lambda h: (1 - h**2) ** 2, "its square: it is there twice"),
        (lambda h: h * (1 - h), "a (1 − a)"),
        (lambda h: -(1 - h**2), "its opposite"),
    ],
)
def test_the_derivative_of_tanh(factor: object, text: str) -> None:
    """What stands in its place is named."""
    h = np.tanh(X @ W)
    wrong = X.T @ (2 * h * factor(h))  # type: ignore[operator]
    texts = texts_of(
        mistaken_slopes_of_steps, program_of(lambda p: np.sum(np.tanh(X @ p["W"]) ** 2), {"W": W}), {"W": wrong}
    )
    assert any(found.startswith("the derivative of tanh at ") and found.endswith(text) for found in texts)


def test_a_chain_of_several_operations() -> None:
    """Its derivative as a whole is forgotten, although it is no activation that has a name."""
    h = np.log1p(np.exp(np.sin(X @ W)))
    program = program_of(lambda p: np.sum(np.log1p(np.exp(np.sin(X @ p["W"]))) ** 2), {"W": W})
    texts = texts_of(mistaken_slopes_of_steps, program, {"W": X.T @ (2 * h)})
    assert any(text.startswith("the derivative of what ends in `np.log1p`") for text in texts)


def test_a_number_is_no_derivative() -> None:
    """A factor that is the same everywhere has rules of its own."""
    assert not list(mistaken_slopes_of_steps(program_of(lambda p: np.sum(0.3 * p["W"]), {"W": W})))
