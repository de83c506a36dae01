"""Which piece of each piecewise activation is active at θ, and where θ sits exactly on a kink.

A unit is *tied* in an example when its pre-activation is zero, or so close to zero that rounding decides its sign:
|z| ≤ c u reach, with u the unit roundoff of the dtype the witnesses compute in. There, frameworks differ by
convention (leaky_relu'(0) is 0.01 in PyTorch and 1 in JAX; relu'(0) is 0), and every slope between the two sides is a
subgradient. Ties are rare in data but common in constructed cases: zero inputs, zero initialisation, an example whose
units are all dropped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from xcheck.network import ActivationName, Network
from xcheck.oracle.forward import LEFT_SLOPE, PIECEWISE, Trace
from xcheck.parameters import Vector

# Rounding of a sum of n products is below n u reach; in practice it grows like √n. Twice that is called a tie.
_TIE = 2.0


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces at θ, in one or more variants.

    Attributes:
        slopes: per layer the pieces for `xcheck.oracle.forward.continued`, shape (variants, m, nₗ); None where the
            activation is smooth. There is one variant unless units are tied: then one for each combination of
            conventions (left or right slope, per activation).
        ties: number of tied units, over all examples.
    """

    slopes: list[Vector | None]
    ties: int

    @property
    def variants(self) -> int:
        """Number of variants."""
        return next((len(slope) for slope in self.slopes if slope is not None), 1)


def find_pieces(network: Network, trace: Trace, roundoff: float) -> Pieces:
    """Read the active pieces off the pre-activations at θ."""
    ties = [
        _tied(layer.activation, np.asarray(z), np.asarray(reach), width, roundoff)
        for layer, z, reach, width in zip(network.layers, trace.z, trace.reach, network.widths, strict=False)
    ]
    tied_kinds = sorted({layer.activation for layer, tie in zip(network.layers, ties, strict=True) if tie.any()})
    conventions = [dict(zip(tied_kinds, sides, strict=True)) for sides in product((0, 1), repeat=len(tied_kinds))]
    slopes = [
        _slopes(layer.activation, np.asarray(z), tie, conventions)
        for layer, z, tie in zip(network.layers, trace.z, ties, strict=True)
    ]
    return Pieces(slopes, sum(int(tie.sum()) for tie in ties))


def _tied(name: ActivationName, z: Vector, reach: Vector, inputs: int, roundoff: float) -> NDArray[np.bool_]:
    if name not in LEFT_SLOPE:
        return np.zeros(z.shape, dtype=bool)
    return np.asarray(np.abs(z) <= _TIE * np.sqrt(inputs + 1) * roundoff * reach)


def _slopes(
    name: ActivationName,
    z: Vector,
    tie: NDArray[np.bool_],
    conventions: Sequence[dict[ActivationName, int]],
) -> Vector | None:
    if name not in PIECEWISE:
        return None
    right = z > 0
    left_slope = LEFT_SLOPE.get(name, 0.0)
    slopes = np.where(right, 1.0, left_slope)
    sides = [(left_slope, 1.0)[convention.get(name, 0)] for convention in conventions]
    return np.stack([np.where(tie, side, slopes) for side in sides])
