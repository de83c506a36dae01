"""Evaluations that repeat each other bitwise, and numbers that no dtype can hold."""

import numpy as np
import pytest

from tests.compare.test_comparer import TRUE, estimate
from xcheck.compare.evaluation import Evaluation, largest_intermediate, overflows
from xcheck.oracle.network.forward import Trace


def test_bitwise_the_same_is_a_repetition() -> None:
    """nan repeats nan; a last bit does not."""
    first = Evaluation("numpy", np.nan, np.array([1.0, np.nan]))
    assert first.repeats(Evaluation("numpy", np.nan, np.array([1.0, np.nan])))
    assert not first.repeats(Evaluation("numpy", np.nan, np.array([np.nextafter(1.0, 2.0), np.nan])))
    assert not first.repeats(Evaluation("numpy", 1.0, np.array([1.0, np.nan])))


def test_outputs_are_squared_and_summed_on_the_way() -> None:
    """Two examples with outputs of 1e20."""
    trace = Trace(a=[np.ones((2, 1)), np.full((2, 1), 1e20)], z=[], magnitude_bound=[], losses=np.ones(2))
    assert largest_intermediate(estimate(trace=trace)) == pytest.approx(2e40)


@pytest.mark.parametrize(
    ("loss", "answer", "largest", "expected"),
    [(0.7, np.nan, 1.0, True), (0.7, np.nan, 1e3, False), (0.7, 0.7, 1.0, False), (np.inf, 0.7, 1e3, True)],
)
def test_only_what_a_dtype_cannot_hold_overflows(loss: float, answer: float, largest: float, *, expected: bool) -> None:
    """A witness that is finite has held everything; without a loss of the oracle nothing is known."""
    assert overflows(estimate(loss=loss), [Evaluation("numpy", answer, TRUE)], largest) is expected
