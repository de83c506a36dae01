"""Slopes to both sides of θ, along many components at a time: the central difference, and the jump between the sides.

The formulas are those of `xcheck.oracle.estimators.one_sided`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Columns, Flags, Indices, finite_numbers
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, Measurement, error_bar, extrapolate, truncation_error

# Growth of K when the step is halved, from which on slopes grow without bound: √|θ| has 1.41 and a jump of J has 2,
# while a kink has 1. A guess between them.
_GROWTH = 1.2
# 2 S(h) − S(2h) carries noise of 5.5 σ/h. Normal noise exceeds six times that in 2 of 10⁹ components.
NOISE_OF_JUMP = 33.0
# Steps over which rounding may repeat itself and not be seen by samples up to two steps away, with a factor of eight.
_UNSEEN = 32


@dataclass(frozen=True, slots=True, eq=False)
class Sides(Columns):
    """Central measurements of some components, and the jumps between their one-sided slopes.

    Attributes:
        measured: with a common slope for both sides.
        jump: |K|, shape (k,).
        kinked: where the jump is larger than noise and truncation can make it.
        steep: where it grows as the step becomes shorter, as it does where J itself jumps, or has a vertical tangent.
        truncation: truncation of R, shape (k,).
        irregular: where J is not as smooth as the extrapolation assumes.
        curvature: |S(h)|/h, the size of ∂²J along the component, shape (k,).
    """

    measured: Measurement
    jump: Vector
    kinked: Flags
    steep: Flags
    truncation: Vector
    irregular: Flags
    curvature: Vector

    @classmethod
    def of(cls, measured: Measurement, curvature: Vector) -> "Sides":
        """Return a measurement that found no jumps."""
        zero, nowhere = np.zeros(len(measured.indices)), np.zeros(len(measured.indices), dtype=bool)
        return cls(measured, zero, nowhere, nowhere, zero, nowhere, curvature)

    @classmethod
    def latest(cls, parts: Sequence["Sides"], size: int) -> "Sides":
        """Return one measurement of all components from those of some; later parts replace earlier ones."""
        if len(parts) == 1 and np.array_equal(parts[0].measured.indices, np.arange(size)):
            return parts[0]
        joined, rows = cls.concatenate(parts), np.zeros(size, dtype=np.intp)
        rows[joined.measured.indices] = np.arange(len(joined.jump))
        return joined.take(rows)


@dataclass(frozen=True, slots=True, eq=False)
class OneSidedGradient(Columns):
    """The numerical gradient of an arbitrary function.

    Attributes:
        measured: slopes with bars; at a kink `lower` and `upper` are the two one-sided slopes. Where J jumps it has no
            slope: the value is nan, and `lower` and `upper` are infinite.
        kink: distance within which there is a kink, along the component: 0 if it is at θ or too close to be told apart,
            nan if no kink was met; shape (n,).
        steep: components along which J jumps at θ, or has a vertical tangent, shape (n,).
        two_step: components that were measured with two steps (`xcheck.oracle.estimators.two_step`), shape (n,).
        curvature: size of ∂²J along each component, shape (n,).
        fitted: components where a fit has confirmed a witness (`xcheck.oracle.estimators.confirmation`), shape (n,).
    """

    measured: Measurement
    kink: Vector
    steep: Flags
    two_step: Flags
    curvature: Vector
    fitted: Flags

    @classmethod
    def smooth(cls, measured: Measurement) -> "OneSidedGradient":
        """Return a gradient for which neither kinks nor curvatures were measured."""
        size = len(measured.value)
        nowhere = np.zeros(size, dtype=bool)
        return cls(measured, np.full(size, np.nan), nowhere, nowhere, np.zeros(size), nowhere)

    @classmethod
    def at_jumps(cls, sides: Sides, kink: Vector, two_step: Flags) -> "OneSidedGradient":
        """Return the gradient with an interval of slopes at each kink; frameworks choose either end or the middle."""
        measured, half = sides.measured, np.where(sides.kinked, sides.jump / 2, 0.0)
        steep = sides.kinked & sides.steep
        half[steep] = np.inf
        lower, upper = measured.value - half, measured.value + half
        value = np.where(steep, np.nan, measured.value)
        measured = replace(measured, value=value, lower=lower, upper=upper, conventions=np.stack([lower, value, upper]))
        kink, nowhere = np.where(sides.kinked, 0.0, kink), np.zeros_like(steep)
        return cls(measured, kink, steep, two_step, sides.curvature, nowhere)


def least_noise(engine: FunctionEngine) -> Vector:
    """Return the least noise there can be, one rounding of the loss, shape (1,); of several outputs (outputs, 1)."""
    return engine.roundoff * engine.size_of_losses


@np.errstate(all="ignore")  # what is not finite adds no noise
def unseen_noise(engine: FunctionEngine, slope: Vector) -> Vector:
    """Return the noise that rounding of θ may have and no sample shows, shape (n,).

    Rounding that repeats itself every p ≫ h is the same at all samples, and errs by u |θᵢ ∂ᵢJ|/p at most: with a noise
    of u |θᵢ ∂ᵢJ|/32 the bar of a step h covers it from p = 4h on.

    Args:
        engine: evaluates the losses.
        slope: along each line, shape (n,).
    """
    return finite_numbers(engine.roundoff * engine.sizes * np.abs(slope) / _UNSEEN, infinite=0.0)


def measure_sides(engine: FunctionEngine, indices: Indices, step: Vector, noise: Vector) -> Sides:
    """Measure components from both sides, with h, 2h and 4h.

    Args:
        engine: evaluates the losses, of one function or of several outputs at once.
        indices: components, shape (k,).
        step: h, shape (k,).
        noise: σ of J, shape (..., k).
    """
    sides = engine.both_sides(indices, [factor * step for factor in (1, 2, 4)])
    right, left = [pair[0] for pair in sides], [pair[1] for pair in sides]
    # The central difference needs no losses of its own: it is the mean of the two sides.
    central = [(up.slope + down.slope) / 2 for up, down in zip(right, left, strict=True)]
    apart = [up.slope - down.slope for up, down in zip(right, left, strict=True)]
    value = extrapolate(central[0], central[1])
    jump, wider = np.abs(2 * apart[0] - apart[1]), np.abs(2 * apart[1] - apart[2])
    magnitude = np.maximum(right[0].magnitude, left[0].magnitude)
    truncation, irregular = truncation_error(central, NOISE_MULTIPLE * noise / step)
    # At 4h losses may be larger than at θ, and noisier.
    bar = error_bar(engine, truncation, noise, step, right[2].level, magnitude)
    # Eight roundings of the slopes, which are subtracted four times.
    noise_of_jump = NOISE_OF_JUMP * noise / step + 8 * engine.roundoff * magnitude
    # A smooth function has an eight times larger K at twice the step.
    # What changes no bit of J within h has its kink outside: K shows it, because it looks as far as 2h.
    kinked = (jump > noise_of_jump) & (jump > wider / 4) & (magnitude > 0)
    steep = kinked & (jump > _GROWTH * wider + noise_of_jump)
    # At two thirds of the step a kink leaves K nothing to show, though R is off by a ninth of its jump: K at twice the
    # step shows half of it.
    hidden = np.where(wider > 12 * jump, wider / 4, 0.0)
    # A jump that is within noise is not reported as a kink; the bar covers it instead.
    harmless = np.where(kinked, 0.0, np.maximum(jump / 2, hidden))
    measured = Measurement(
        indices,
        value,
        value.copy(),
        value.copy(),
        value[None].copy(),
        magnitude,
        bar + harmless,
        step,
        6 * len(indices),
    )
    return Sides(measured, jump, kinked, steep, truncation, irregular, np.abs(apart[0]) / step)
