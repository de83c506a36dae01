"""Bounds: how far each component of a gradient may be from the oracle's slopes, and what follows where it is.

With g the value to be checked, [lower, upper] the oracle's slopes there (one number except at a kink), β its error bar
and u the unit roundoff of the dtype that g was computed in, a component is *wrong* when g lies further outside than

    β + floor + τ max(|g|, |value|)        τ = max(tolerance, 2¹⁰ u)

The floor is what rounding may do in a careful implementation (`xcheck.oracle.estimators.rounding`). Tolerances never
grow with n.

A component within these bounds is *undecided* where that means nothing:

- noise: β and floor together are wider than a millionth of its tensor's largest magnitude (more with a fixed step, or
  in float32);
- kink: g is a subgradient, and none that a framework would choose; or several kinks meet, and nothing bounds g;
- jump: J jumps there, or has a vertical tangent: it has no derivative that g could be;
- not finite: the oracle has no number there, or numbers overflow on the way;
- random: two calls at the same θ give different losses.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Layout, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.columns import finite_numbers
from xcheck.oracle.engines.lines import DIRECTIONS

Flags = NDArray[np.bool_]
# Why a component is undecided; see above.
Reason = Literal["noise", "kink", "jump", "not finite", "random"]

# Where no loss moves with a parameter a gradient of zero is right. So is one this far below the largest slope: what
# cancels to zero in the oracle may leave a few roundings in a witness. A guess: 8,192 roundings of float64.
_NEGLIGIBLE = 2.0**-40
# In coarser dtypes the same is 64 roundings: a guess, chosen so that sums of a thousand terms of random signs pass.
_NEGLIGIBLE_ROUNDINGS = 64
# How uncertain a random direction may be, in units of the largest slope along any: a report says in any case how large
# an error the directions would have shown, so that they need not see as sharply as a component. A guess.
_OF_DIRECTIONS = 1e-5
# A component that is out of bounds by more than this is wrong however sharply the oracle looks. A guess: with a bar a
# thousand times too narrow, the oracle would have failed its own audits.
_HOPELESS = 1e3


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """One gradient held against the oracle, or against another one.

    Attributes:
        excess: distance from the oracle's slopes, shape (n,).
        uncertainty: the part of it that error bar and rounding account for, shape (n,).
        allowed: the part of it that is allowed: the same, and the tolerance, shape (n,).
        wrong: where the excess is larger than what is allowed.
        undecided: where it is not, but where that does not show that the component is right.
        disputed: where a more precise oracle might decide otherwise.
        reasons: why components are undecided, each component under one reason.
    """

    excess: Vector
    uncertainty: Vector
    allowed: Vector
    wrong: Flags
    undecided: Flags
    disputed: Flags
    reasons: Mapping[Reason, Flags] = field(default_factory=dict)

    @property
    def ratio(self) -> Vector:
        """The excess in units of what is allowed, shape (n,)."""
        return _ratio(self.excess, self.allowed)

    @property
    def apart(self) -> float:
        """The largest excess in units of error bar and rounding, among components that are known at all."""
        known = np.isfinite(self.uncertainty)
        return float(_ratio(self.excess[known], self.uncertainty[known]).max(initial=0.0))

    def without_verdicts(self, reason: Reason | None = None) -> "Bounds":
        """Return the same distances with nothing called wrong, and everything undecided if there is a reason."""
        undecided = np.full_like(self.wrong, reason is not None)
        reasons: Mapping[Reason, Flags] = {reason: undecided} if reason else {}
        return replace(self, wrong=np.zeros_like(self.wrong), undecided=undecided, reasons=reasons)


def _ratio(excess: Vector, allowed: Vector) -> Vector:
    with np.errstate(all="ignore"):  # what overflows is infinitely far off
        return np.divide(excess, allowed, out=np.where(excess > 0, np.inf, 0.0), where=allowed > 0)


@dataclass(frozen=True, eq=False)
class OracleBounds:
    """The bounds that an estimate of the oracle sets to any gradient.

    Attributes:
        estimate: the oracle's gradient.
        layout: names of the components.
        tolerance: how close is close enough.
    """

    estimate: Estimate
    layout: Layout
    tolerance: Tolerance

    @cached_property
    def largest(self) -> Vector:
        """For each component the largest magnitude in its tensor, shape (n,)."""
        return self.layout.largest(self.estimate.magnitude)

    @cached_property
    def directions(self) -> Flags:
        """Which components are slopes along random directions, shape (n,)."""
        flags = np.zeros(self.layout.size, dtype=bool)
        for tensor in self.layout:
            flags[tensor.span] = tensor.name == DIRECTIONS
        return flags

    @cached_property
    def floor(self) -> Vector:
        """What rounding in the witness may do, shape (n,).

        Where the oracle knows nothing (an infinite loss), witnesses are still compared with each other.
        """
        return finite_numbers(self.estimate.rounding.gradient)

    @cached_property
    def uncertainty(self) -> Vector:
        """How uncertain each component is: error bar and rounding, shape (n,)."""
        return self.estimate.error_bar + self.floor

    @cached_property
    def widest(self) -> Vector:
        """How uncertain each component may be and still be decided, shape (n,)."""
        resolution = self.tolerance.resolution
        return np.where(self.directions, max(resolution, _OF_DIRECTIONS), resolution) * self.largest

    @np.errstate(all="ignore")  # what overflows here is not finite, and treated as such
    def of(self, g: Vector) -> Bounds:
        """Hold a gradient, shape (n,), against the oracle."""
        oracle = self.estimate
        outside = np.maximum(oracle.lower - g, g - oracle.upper)
        excess = np.where(np.isfinite(g), np.maximum(outside, 0.0), np.inf)
        known = np.isfinite(oracle.value) & np.isfinite(oracle.error_bar)
        allowed = self.uncertainty + self.tolerance.effective * _finite_size(g, oracle.value)
        wrong = known & ~(excess <= allowed)
        # Where a fit has confirmed a witness the slope is within `excess` and the bar of g: the floor is what rounding
        # might have done to g, and has not.
        fitted = np.zeros_like(known) if oracle.fitted is None else oracle.fitted
        too_wide = (self.uncertainty > self.widest) & ~(fitted & (excess + oracle.error_bar <= self.widest))
        unconventional = self._unconventional(g, allowed)
        # Without ends, an interval of slopes bounds nothing; without a value in its middle it is that of a jump.
        unbounded = np.isneginf(oracle.lower) & np.isposinf(oracle.upper)
        undecided = ~wrong & ~self._unmoved(g) & (too_wide | unconventional | unbounded | ~known)
        jump = unbounded & ~np.isfinite(oracle.value)
        reasons: dict[Reason, Flags] = {
            "jump": undecided & jump,
            "not finite": undecided & ~np.isfinite(oracle.value) & ~jump,
            "kink": undecided & known & (unconventional | unbounded) & ~too_wide,
        }
        reasons["noise"] = undecided & known & ~reasons["kink"]
        # A narrower bar would help where rounding of the witness alone is narrow enough.
        disputed = (wrong & (excess <= _HOPELESS * allowed)) | (too_wide & (self.floor <= self.widest))
        return Bounds(excess, self.uncertainty, allowed, wrong, undecided, disputed, reasons)

    @np.errstate(all="ignore")
    def between(self, a: Vector, b: Vector) -> Bounds:
        """Hold two gradients against each other; at a kink they may differ by as much as the slopes do."""
        distance = np.abs(a - b)
        kink = finite_numbers(self.estimate.upper - self.estimate.lower)
        uncertainty = 2 * self.floor + kink
        allowed = (
            self.tolerance.effective * np.where(np.isfinite(distance), np.maximum(np.abs(a), np.abs(b)), 0)
            + uncertainty
        )
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        excess = np.where(np.isfinite(distance), distance, np.where(same, 0.0, np.inf))
        wrong = ~(excess <= allowed) & ~same
        return Bounds(excess, uncertainty, allowed, wrong, np.zeros_like(wrong), np.zeros_like(wrong))

    def _unmoved(self, g: Vector) -> Flags:
        """Return where g and the oracle are zero because nothing depends on the parameter, as behind a dead unit."""
        roundings = max(_NEGLIGIBLE, _NEGLIGIBLE_ROUNDINGS * self.tolerance.roundoff)
        magnitude, terms = self.estimate.magnitude, self.estimate.terms
        negligible = roundings * np.maximum(magnitude.max(initial=0.0), terms)
        return np.asarray((np.abs(g) <= negligible) & (magnitude == 0))

    def _unconventional(self, g: Vector, allowed: Vector) -> Flags:
        """Return where g is a subgradient at a kink, but not one that any framework would choose."""
        oracle = self.estimate
        if oracle.near:
            return np.zeros(g.shape, dtype=bool)  # every unit has chosen for itself
        choices = oracle.conventions[:, None] + np.array([[-1.0], [0.0], [1.0]]) * oracle.spread
        return ~(np.abs(g - choices).min(axis=(0, 1)) <= allowed)


def _finite_size(g: Vector, value: Vector) -> Vector:
    """Return max(|g|, |value|); 0 where it is not finite, so that no number makes its own tolerance infinite."""
    size = np.maximum(np.abs(g), np.abs(value))
    return np.where(np.isfinite(size), size, 0.0)
