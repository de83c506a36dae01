"""Coverage: how many components of each tensor a passing check covers, in that a mistake there would have shown.

A component is verified when every witness is right there and the oracle could decide it, unless

- its gradient is zero because neither an example's loss nor a penalty moves with it (a dead unit, a blank input): any
  backward pass multiplies by zero there; or
- the gradient of its whole tensor is *below the noise*: nowhere in it would an error of 1 % of the gradient, or of the
  terms that cancel in it, exceed the error bar and the witness's rounding. What is zero because terms cancel, as at a
  minimum, is verified like the others: an error of its terms would show.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.layout import Layout, Vector
from xcheck.oracle import Estimate

# The smallest mistake that must show for a tensor to count as covered: one example of a hundred that is not counted, a
# factor of 1.01. A guess at what people get wrong; a smaller one would call tensors uncovered that are well checked.
FAULT = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorCoverage:
    """How much of one tensor a check covers.

    Attributes:
        name: of the tensor.
        of: its number of components.
        verified: how many of them are verified.
        zero: how many have a gradient of zero because nothing depends on them.
        below_noise: whether all that agrees in it is below the noise, so that none of it is verified.
    """

    name: str
    of: int
    verified: int
    zero: int
    below_noise: bool


def steepest(estimate: Estimate) -> Vector:
    """Return the size of each slope, at a kink that of the steeper side, shape (n,); 0 where it is not known."""
    size = np.max([np.abs(estimate.lower), np.abs(estimate.value), np.abs(estimate.upper)], axis=0)
    return np.where(np.isfinite(size), size, 0.0)


def tensor_coverage(layout: Layout, estimate: Estimate, confirmed: Flags) -> tuple[TensorCoverage, ...]:
    """Return the coverage of each tensor.

    Args:
        layout: the tensors.
        estimate: the oracle's gradient.
        confirmed: the components that are decided, and right in every witness, shape (n,).
    """
    # Magnitudes are sums of sizes: they are zero only if no term moves, not if terms cancel.
    moved = estimate.magnitude > 0
    with np.errstate(invalid="ignore"):
        size = np.fmax(steepest(estimate), np.where(moved, estimate.terms, 0.0))
        distinct = FAULT * size > estimate.error_bar + estimate.rounding.gradient
    coverage = []
    for tensor in layout:
        span = tensor.span
        shown = int((confirmed & moved)[span].sum())
        below_noise = bool(shown and not distinct[span].any())
        verified = 0 if below_noise else shown
        zero = int((estimate.magnitude[span] == 0).sum())
        coverage.append(
            TensorCoverage(name=tensor.name, of=tensor.size, verified=verified, zero=zero, below_noise=below_noise)
        )
    return tuple(coverage)
