"""Batches: losses at many θ one by one, and what confirms those that came at once."""

import numpy as np
import pytest

from xcheck.backend.batches import confirms, evaluate_one_by_one
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.layout import Vector

THETAS = np.array([[1.0], [-1.0], [4.0]])


def root(theta: Vector) -> float:
    """Raise where there is no real root."""
    if theta[0] < 0:
        raise ArithmeticError("no root")
    return float(np.sqrt(theta[0]))


def test_a_point_outside_the_domain_is_nan() -> None:
    """The others are computed."""
    assert np.array_equal(evaluate_one_by_one(root, THETAS, "numpy"), [1.0, np.nan, 2.0], equal_nan=True)


def test_a_function_that_raises_everywhere_fails() -> None:
    """With its own words, and the first cause."""
    with pytest.raises(BackendError, match="numpy: ArithmeticError: no root") as caught:
        evaluate_one_by_one(root, -np.abs(THETAS), "numpy")
    assert isinstance(caught.value.__cause__, ArithmeticError)


def test_a_value_that_is_no_loss_is_not_taken_for_nan() -> None:
    """What a person has to mend is said, wherever it happens."""

    def loss(theta: Vector) -> float:
        if theta[0] > 1:
            raise DefinitionError(Complaint("the loss has shape (2,)"))
        return 0.0

    with pytest.raises(DefinitionError, match="has shape"):
        evaluate_one_by_one(loss, THETAS, "numpy")


@pytest.mark.parametrize(
    ("off", "wide", "expected"),
    [(1e-9, True, True), (1e-4, True, False), (1e-4, False, True), (1e-2, False, False)],
)
def test_rounding_confirms_a_batch_and_more_does_not(off: float, wide: bool, expected: bool) -> None:
    """Less of it is allowed in 64 bits; nan is confirmed by nan."""
    singly = np.array([1e-8, 3.0, np.nan])
    assert confirms(singly * (1 + off), singly, wide=wide) is expected


def test_a_small_loss_is_compared_by_its_own_size() -> None:
    """Two losses near zero are not alike because both are small."""
    assert not confirms(np.array([1e-12]), [2e-12], wide=True)
