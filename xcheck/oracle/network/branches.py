"""Branches: the side of its kink that each unit with a piecewise activation is on at θ, and the units at a kink.

A unit is *tied* in an example when its pre-activation is zero, or so close to zero that rounding decides its sign:
|z| ≤ c u Σⱼ |Wᵢⱼ aⱼ|, with u the unit roundoff of the dtype the witnesses compute in. There, frameworks differ by
convention (leaky_relu'(0) is 0.01 in PyTorch and 1 in JAX; relu'(0) is 0), and every slope between the two sides is a
subgradient. Ties are common in constructed cases (zero inputs, zero initialisation, an example whose units are all
dropped) and above a layer that is dead for an example.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from xcheck.dtypes import FLOAT32
from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, Network
from xcheck.oracle.columns import Flags
from xcheck.oracle.network.forward import LEFT_SLOPE, PIECEWISE, Parameters, Trace

# Rounding of a sum of n products is below n u Σ|Wa|; in practice it grows like √n. Twice that is called a tie.
_TIE = 2.0
# Above it the witnesses compute in half precision: float32 has 2⁻²⁴, float16 2⁻¹¹.
_NARROW = 2.0**-20

# What a unit that is tied is given: 0 its left slope, 1 its right one, ½ their mean; or the slope of the side that it
# is on as computed, or of the other side.
_AS_COMPUTED, _MIRRORED = "as computed", "mirrored"
Convention = dict[ActivationName, float] | str


@dataclass(frozen=True, slots=True)
class Branches:
    """The branches that are active at θ, in one or more variants.

    Attributes:
        per_layer: the branches for `xcheck.oracle.network.forward.evaluate_branch`, shape (variants, m, nₗ); None
            where the activation is smooth. There is one variant unless units are tied: then one for each combination of
            conventions (left or right slope, per activation), one with the mean of both, and, where a tie is not
            exactly at zero, the sides as computed and as mirrored.
        ties: number of tied units, over all examples.
        near: whether any of them is not exactly at zero, so that rounding decides for each unit alone.
    """

    per_layer: list[Vector | None]
    ties: int
    near: bool

    @property
    def variants(self) -> int:
        """Number of variants."""
        return next((len(slope) for slope in self.per_layer if slope is not None), 1)

    @property
    def each(self) -> list[list[Vector | None]]:
        """The branches of all layers, shape (m, nₗ) or None, one variant after the other."""
        return [[None if slope is None else slope[v] for slope in self.per_layer] for v in range(self.variants)]


def find_branches(network: Network, parameters: Parameters, trace: Trace, roundoff: float) -> Branches:
    """Return the branches that the pre-activations at θ are on.

    Args:
        network: the network.
        parameters: (W, b) of each layer.
        trace: what the network computes at θ.
        roundoff: unit roundoff of the dtype that the witnesses compute in.
    """
    names = [layer.activation for layer in network.layers]
    z = trace.z
    ties = [
        _find_ties(name, pre, uncertainty)
        for name, pre, uncertainty in zip(names, z, _uncertainties(network, parameters, trace, roundoff), strict=True)
    ]
    # A tie that is not exactly zero may fall on either side in a witness, unit by unit.
    near = any(bool((pre[tie] != 0).any()) for pre, tie in zip(z, ties, strict=True))
    tied = sorted({name for name, tie in zip(names, ties, strict=True) if tie.any()})
    conventions = _conventions(tied, near=near)
    slopes = [_variants_of(name, pre, tie, conventions) for name, pre, tie in zip(names, z, ties, strict=True)]
    return Branches(slopes, sum(int(tie.sum()) for tie in ties), near)


def find_dead(network: Network, branches: Branches, keeps: Sequence[Vector | None]) -> list[Flags]:
    """Return per layer which units are dead: zero in all examples however far z moves on its branch; shapes (nₗ,).

    In each example such a unit is a relu with z < 0, however its ties are decided, or it is dropped. Nothing below it
    can move the loss through it. leaky_relu and elu are never dead.

    Args:
        network: the network.
        branches: at θ.
        keeps: mask/keep_prob per activation, from the inputs on, None where nothing is dropped.
    """
    dead = []
    for layer, slope, keep in zip(network.layers, branches.per_layer, keeps[1:], strict=True):
        # One row broadcasts over any number of examples.
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
    # jax.numpy.maximum(z, 0) has the mean of both slopes at a tie.
    if tied:
        conventions.append(dict.fromkeys(tied, 0.5))
    if near:
        conventions += [_AS_COMPUTED, _MIRRORED]
    return conventions


def _uncertainties(network: Network, parameters: Parameters, trace: Trace, roundoff: float) -> Iterator[Vector]:
    """Yield per layer the uncertainty of z, shape (m, nₗ): how far rounding may move it.

    Products of bfloat16 numbers are exact in float32, and PyTorch and XLA sum them in float32 as well. So if bfloat16
    holds the inputs exactly, W x is known to float32 and is rounded to bfloat16 once before b is added and once after;
    the second rounding never changes the sign.
    """
    exact = network.input_keep_prob == 1
    for (_, b), magnitude, width in zip(parameters, trace.magnitude_bound, network.widths, strict=False):
        growth = _TIE * np.sqrt(width + 1)
        if roundoff > _NARROW and exact:
            yield growth * FLOAT32 * magnitude + _TIE * roundoff * np.abs(b)
        else:
            yield growth * roundoff * magnitude
        # Activations are rounded, so only the inputs can be exact.
        exact = False


def _find_ties(name: ActivationName, z: Vector, uncertainty: Vector) -> Flags:
    if name not in LEFT_SLOPE:
        return np.zeros(z.shape, dtype=bool)
    return np.asarray(np.abs(z) <= uncertainty)


def _variants_of(name: ActivationName, z: Vector, tie: Flags, conventions: Sequence[Convention]) -> Vector | None:
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
