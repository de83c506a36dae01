"""Precision: how far a gradient in float32 is from the oracle's in float64, in units of what rounding may do.

The bound is that of `xcheck.oracle.estimators.rounding`: a first-order analysis of a careful implementation, layer
by layer. A tensor is *within rounding* if no component of it is further off than the bound.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.compare.evaluation import Evaluation
from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle import Estimate


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorPrecision:
    """How far one tensor of one witness is from the oracle.

    Attributes:
        witness: its name.
        tensor: name of the tensor.
        error: largest distance from the reference.
        units: the same in units of the rounding bound there, the largest over the components.
    """

    witness: str
    tensor: str
    error: float
    units: float

    @property
    def within_rounding(self) -> bool:
        """Whether rounding explains the whole error."""
        return self.units <= 1.0


def precisions(evaluations: Sequence[Evaluation], estimate: Estimate, layout: Layout) -> tuple[TensorPrecision, ...]:
    """Return the precision of every tensor of every witness.

    Args:
        evaluations: loss and gradient of each witness, in its own dtype.
        estimate: the reference in float64, with its bars and the rounding bound of that dtype.
        layout: the tensors.
    """
    return tuple(
        _of_tensor(evaluation, tensor, error, units)
        for evaluation in evaluations
        for error, units in [_errors(evaluation.gradient, estimate)]
        for tensor in layout
    )


@np.errstate(all="ignore")  # a gradient may be anything
def _errors(gradient: Vector, estimate: Estimate) -> tuple[Vector, Vector]:
    """Return how far each component is outside slopes and bars, and that in units of the rounding bound."""
    outside = np.maximum(estimate.lower - gradient, gradient - estimate.upper)
    # What the oracle itself does not know is not held against the witness.
    error, bound = np.maximum(outside - estimate.error_bar, 0.0), estimate.rounding.gradient
    return error, np.divide(error, bound, out=np.where(error > 0, np.inf, 0.0), where=bound > 0)


def _of_tensor(evaluation: Evaluation, tensor: Tensor, error: Vector, units: Vector) -> TensorPrecision:
    return TensorPrecision(
        witness=evaluation.name,
        tensor=tensor.name,
        error=float(error[tensor.span].max(initial=0.0)),
        units=float(units[tensor.span].max(initial=0.0)),
    )
