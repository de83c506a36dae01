"""Which piece of each piecewise activation is active at θ, and where θ sits exactly on a kink.

A unit is *tied* in an example when its pre-activation is zero, or so close to zero that rounding decides its sign:
|z| ≤ c u reach, with u the unit roundoff of the dtype the witnesses compute in. There, frameworks differ by
convention (leaky_relu'(0) is 0.01 in PyTorch and 1 in JAX; relu'(0) is 0), and every slope between the two sides is a
subgradient. Ties are common in constructed cases (zero inputs, zero initialisation, an example whose units are all
dropped) and behind a layer that is dead for an example.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, Network
from xcheck.oracle.columns import Flags
from xcheck.oracle.network.forward import LEFT_SLOPE, PIECEWISE, Parameters, Trace

# Rounding of a sum of n products is below n u reach; in practice it grows like √n. Twice that is called a tie.
_TIE = 2.0
_FLOAT32, _NARROW = 2.0**-24, 2.0**-20

# What a unit that is tied is given: 0 its left slope, 1 its right one, ½ their mean; or the slope of the side that it
# is on as computed, or of the other side.
_AS_COMPUTED, _MIRRORED = "as computed", "mirrored"
Convention = dict[ActivationName, float] | str


@dataclass(frozen=True, slots=True)
class Branches:
    """The pieces at θ, in one or more variants.

    Attributes:
        slopes: per layer the pieces for `xcheck.oracle.network.forward.continued`, shape (variants, m, nₗ); None
            where the activation is smooth. There is one variant unless units are tied: then one for each combination of
            conventions (left or right slope, per activation), one with the mean of both, and, where a tie is not
            exactly at zero, the sides as computed and as mirrored.
        ties: number of tied units, over all examples.
        near: whether any of them is not exactly at zero, so that rounding decides for each unit alone.
    """

    slopes: list[Vector | None]
    ties: int
    near: bool

    @property
    def variants(self) -> int:
        """Number of variants."""
        return next((len(slope) for slope in self.slopes if slope is not None), 1)

    @property
    def each(self) -> list[list[Vector | None]]:
        """The pieces of all layers, shape (m, nₗ) or None, for one variant after the other."""
        return [[None if slope is None else slope[v] for slope in self.slopes] for v in range(self.variants)]


def find_branches(network: Network, parameters: Parameters, trace: Trace, roundoff: float) -> Branches:
    """Read the active pieces off the pre-activations at θ."""
    names = [layer.activation for layer in network.layers]
    z = trace.z
    ties = [
        _tied(name, pre, blur)
        for name, pre, blur in zip(names, z, _blurs(network, parameters, trace, roundoff), strict=True)
    ]
    near = any(bool((pre[tie] != 0).any()) for pre, tie in zip(z, ties, strict=True))
    tied = sorted({name for name, tie in zip(names, ties, strict=True) if tie.any()})
    conventions = _conventions(tied, near=near)
    slopes = [_slopes(name, pre, tie, conventions) for name, pre, tie in zip(names, z, ties, strict=True)]
    return Branches(slopes, sum(int(tie.sum()) for tie in ties), near)


def find_dead(network: Network, pieces: Branches, keeps: Sequence[Vector | None]) -> list[Flags]:
    """Return per layer which units answer zero however far z moves on its piece, in all examples, shapes (nₗ,).

    A relu unit with z < 0, whichever way its ties are decided, or a unit that is dropped; in some examples the one and
    in the others the other. What is above such a unit never learns of it. leaky_relu and elu are never dead.

    Args:
        network: the network.
        pieces: at θ.
        keeps: mask/keep_prob per activation, from the inputs on, None where nothing is dropped.
    """
    dead = []
    for layer, slope, keep in zip(network.layers, pieces.slopes, keeps[1:], strict=True):
        idle: Flags = np.zeros((1, layer.units), dtype=bool)  # for any number of examples
        if slope is not None and LEFT_SLOPE.get(layer.activation) == 0:
            idle = idle | (slope == 0).all(axis=0)
        if keep is not None:
            idle = idle | (keep == 0)
        dead.append(np.asarray(idle.all(axis=0)))
    return dead


def _conventions(tied: Sequence[ActivationName], *, near: bool) -> list[Convention]:
    conventions: list[Convention] = [
        dict(zip(tied, sides, strict=True)) for sides in product((0.0, 1.0), repeat=len(tied))
    ]
    if tied:
        conventions.append(dict.fromkeys(tied, 0.5))
    if near:
        conventions += [_AS_COMPUTED, _MIRRORED]
    return conventions


def _blurs(network: Network, parameters: Parameters, trace: Trace, roundoff: float) -> Iterator[Vector]:
    """Yield per layer how far rounding may move z, shape (m, nₗ).

    Of bfloat16, products are exact in float32, where PyTorch and XLA sum them, too. Of inputs that bfloat16 holds, the
    sum is so precise, and rounded once before b is added and once after: the latter never changes its sign.
    """
    exact = network.input_keep_prob == 1
    for (_, b), reach, width in zip(parameters, trace.reach, network.widths, strict=False):
        growth = _TIE * np.sqrt(width + 1)
        if roundoff > _NARROW and exact:
            yield growth * _FLOAT32 * reach + _TIE * roundoff * np.abs(b)
        else:
            yield growth * roundoff * reach
        exact = False


def _tied(name: ActivationName, z: Vector, blur: Vector) -> Flags:
    if name not in LEFT_SLOPE:
        return np.zeros(z.shape, dtype=bool)
    return np.asarray(np.abs(z) <= blur)


def _slopes(name: ActivationName, z: Vector, tie: Flags, conventions: Sequence[Convention]) -> Vector | None:
    if name not in PIECEWISE:
        return None
    left = LEFT_SLOPE.get(name, 0.0)
    here, there = np.where(z > 0, 1.0, left), np.where(z > 0, left, 1.0)
    variants = []
    for convention in conventions:
        if isinstance(convention, str):
            at_ties = here if convention == _AS_COMPUTED else there
        else:
            at_ties = np.full_like(z, left + convention.get(name, 0.0) * (1.0 - left))
        variants.append(np.where(tie, at_ties, here))
    return np.stack(variants)
