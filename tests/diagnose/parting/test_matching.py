"""Values of two forward passes are matched by their numbers alone."""

import numpy as np
import pytest

from tests.diagnose.parting.flows import flow, number_of, numbers
from xcheck.diagnose.parting.matching import Catalogue, key_of, match_flows
from xcheck.trace.model import Array

X = numbers(4, 6)


def alike(one: Array, other: Array) -> bool:
    """Whether two arrays have the same numbers, seen from both."""
    a, b = key_of(one), key_of(other)
    return a is not None and b is not None and a.is_like(b) and b.is_like(a)


@pytest.mark.parametrize(
    "other",
    [X.T, X.reshape(2, 12), X * (1 + 1e-14), np.broadcast_to(X, (3, 4, 6)), X[::-1]],
    ids=["transposed", "reshaped", "rounded", "broadcast", "reversed"],
)
def test_the_order_of_numbers_does_not_matter(other: Array) -> None:
    """Nor does their rounding, nor how often they are repeated."""
    assert alike(X, other)


@pytest.mark.parametrize(
    "other",
    [2 * X, X + 1e-6, X[:, :5], np.where(np.arange(24).reshape(4, 6) == 7, X + 1e-5, X), np.concatenate([X, X[:1]])],
    ids=["a factor", "all of them", "fewer", "one of them", "some twice"],
)
def test_other_numbers_are_others(other: Array) -> None:
    """A difference far above rounding is one, also in one number."""
    assert not alike(X, other)


@pytest.mark.parametrize("array", [np.zeros(3), np.eye(4), np.array([np.inf, 2.0]), np.zeros((0, 2))])
def test_zeros_and_ones_say_nothing(array: Array) -> None:
    """They are alike by chance."""
    assert key_of(array) is None


def test_masks_are_alike() -> None:
    """Of -1e4, -1e9 and -inf the exponential is zero."""
    mask = np.tril(np.ones((4, 6), dtype=bool))
    for low in (-1e4, -1e9, float(np.finfo(np.float64).min)):
        assert alike(np.where(mask, X, low), np.where(mask, X, -np.inf))
    assert not alike(np.where(mask, X, -np.inf), np.where(mask.copy(), 2 * X, -np.inf))


def test_parameters_are_matched_by_name() -> None:
    """Also where their numbers are zeros; other values by their numbers."""
    one = flow("a.py", {"w": X, "b": np.zeros(6)}, {}, [("tanh", np.tanh, ["w"]), ("sum", np.sum, ["tanh"])])
    other = flow("b.py", {"b": np.zeros(6), "w": X}, {}, [("moved", np.transpose, ["w"]), ("tanh", np.tanh, ["moved"])])
    mine, theirs = match_flows(one, other)
    assert [mine.partners[number] for number in (0, 1)] == [[1, 2], [0]]
    assert mine.partners[number_of(one, "tanh")] == [number_of(other, "tanh")]
    assert not mine.is_known(one.loss)
    assert theirs.is_known(other.loss)


def test_a_catalogue_finds_all_that_are_alike() -> None:
    """What has another size is not compared."""
    catalogue = Catalogue(flow("a.py", {"w": X, "v": X[:2]}, {}, [("moved", np.transpose, ["w"])]))
    key = key_of(X.ravel())
    assert key is not None
    assert catalogue.matches(key) == [0, 2]


def test_numbers_beside_zeros_are_no_masks() -> None:
    """Scores less their largest, and log probabilities of which one is picked, have nothing but zeros beside them."""
    shifted = X - X.max(1, keepdims=True)
    assert not alike(shifted, 2 * shifted)
    picked = np.where(np.arange(6) == 2, shifted - 1.0, 0.0)
    assert not alike(picked, 3 * picked)
