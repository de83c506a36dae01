"""What a passing check has proved: per tensor, how many components are not only right but would be seen to be wrong.

A component is verified when every witness is right there and the oracle could decide it, unless

- its gradient is zero because neither an example's loss nor a penalty moves with it (a dead unit, a blank input): any
  backward pass multiplies by zero there; or
- the gradient of its whole tensor is *below the noise*: nowhere in it would an error of 1 % leave the error bar and the
  witness's rounding. One component that cancels to zero in a tensor of others is as good as any.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Layout
from xcheck.oracle import Estimate

Flags = NDArray[np.bool_]

# The smallest fault that people make and must still see: one example of a hundred not counted, a factor of 1.01.
FAULT = 1e-2


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorCoverage:
    """What is proved about one tensor.

    Attributes:
        name: of the tensor.
        of: its number of components.
        verified: how many of them are verified.
        zero: how many have a gradient of zero because nothing depends on them.
        below_noise: whether nothing of it is verified only because its gradient is below the noise.
    """

    name: str
    of: int
    verified: int
    zero: int
    below_noise: bool


def tensor_coverage(layout: Layout, estimate: Estimate, settled: Flags) -> tuple[TensorCoverage, ...]:
    """Return the proofs, tensor by tensor.

    Args:
        layout: the tensors.
        estimate: the oracle's gradient.
        settled: the components that are decided, and right in every witness, shape (n,).
    """
    moved = estimate.magnitude > 0
    with np.errstate(invalid="ignore"):
        distinct = FAULT * np.abs(estimate.value) > estimate.error_bar + estimate.rounding.gradient
    proofs = []
    for tensor in layout:
        span = tensor.span
        shown = int((settled & moved)[span].sum())
        below_noise = bool(shown and not distinct[span].any())
        verified = 0 if below_noise else shown
        zero = int((estimate.magnitude[span] == 0).sum())
        proofs.append(
            TensorCoverage(name=tensor.name, of=tensor.size, verified=verified, zero=zero, below_noise=below_noise)
        )
    return tuple(proofs)
