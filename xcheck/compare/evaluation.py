"""Evaluation: loss and gradient of a witness at θ, and whether any dtype can hold the numbers on the way to them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.dtypes import same_numbers
from xcheck.layout import Vector
from xcheck.oracle import Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """Loss and gradient of one witness at θ.

    Attributes:
        name: of the witness.
        loss: J(θ).
        gradient: ∂J/∂θ, shape (n,).
        again: what another call at the same θ gave, where that is not bitwise the same.
        elsewhere: whether the function had been called at another θ before that call.
        rerun_of: name of the witness whose own dtype is narrower, where this is the same function asked again in
            float64; None for an answer in the dtype that was handed over.
        outputs: of a whole Jacobian the losses of its outputs, shape (k,), whose sum is `loss`; None otherwise.
    """

    name: str
    loss: float
    gradient: Vector
    again: "Evaluation | None" = None
    elsewhere: bool = False
    rerun_of: str | None = None
    outputs: Vector | None = None

    def repeats(self, other: "Evaluation") -> bool:
        """Return whether another call gave bitwise the same."""
        same = self.loss == other.loss or (np.isnan(self.loss) and np.isnan(other.loss))
        return bool(same) and same_numbers(self.gradient, other.gradient)

    @property
    def calls(self) -> tuple["Evaluation", ...]:
        """This call, and the second one where it differs."""
        return (self,) if self.again is None else (self, self.again)

    @property
    def finite(self) -> bool:
        """Whether loss and gradient are numbers."""
        return bool(np.isfinite(self.loss) and np.isfinite(self.gradient).all())


def overflows(estimate: Estimate, evaluations: Sequence[Evaluation], largest: float) -> bool:
    """Return whether numbers overflow at this θ: in the oracle's loss, or in the witnesses' dtype on the way to theirs.

    Args:
        estimate: the oracle's gradient.
        evaluations: of witnesses; where all are finite, nothing has overflowed.
        largest: number of the dtype that the witnesses compute in.
    """
    if not np.isfinite(estimate.loss):
        return True
    return not all(evaluation.finite for evaluation in evaluations) and largest_intermediate(estimate) > largest


@np.errstate(all="ignore")  # a bound that overflows is larger than any dtype's largest number
def largest_intermediate(estimate: Estimate) -> float:
    """Return a bound of the numbers on the way to loss and gradient: squares of outputs, summed over the examples."""
    trace = estimate.trace
    sums = [*trace.magnitude_bound, *trace.a, trace.losses, estimate.magnitude]
    largest = max((float(np.abs(each).max(initial=0.0)) for each in sums), default=0.0)
    squared = float(np.square(trace.a[-1]).max(initial=0.0)) if trace.a else 0.0
    return max(largest, squared) * max(1, len(trace.losses))
