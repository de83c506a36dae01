"""Estimators: which steps, which combination of differences, and how far the result can be trusted.

Let D(h) = (J(θ + h eᵢ) − J(θ − h eᵢ))/2h. Its error is h² ∂³J/6 + O(h⁴) from truncation and about σ/(√2 h) from the
noise σ of J. The bar promised with each estimate covers both:

- *automatic* (`epsilon = "auto"`): h, 2h and 4h give two extrapolated values, each of fourth order,

      R = (4 D(h) − D(2h))/3        R' = (4 D(2h) − D(4h))/3

  whose errors are −h⁴ ∂⁵J/30 and −16 h⁴ ∂⁵J/30: |R − R'| is fifteen times the error of R. bar = |R − R'| + c σ/h.
  The first h moves no pre-activation by more than 2⁻¹⁰, where both parts are about equal for well-scaled networks.
  A component whose bar is too wide for its tolerance is measured again, alone, with a shorter step when truncation
  dominates and a longer one when noise does, until the bar stops shrinking.
- *fixed* (`epsilon = 1e-7`): plain D(ε) with the step of the lecture notes, bar = |D(ε) − D(2ε)| + c σ/ε, where
  |D(ε) − D(2ε)| is three times the truncation error. One-sided differences D⁺ err by h ∂²J/2 = |D⁺(ε) − D⁺(2ε)|:
  twice that is their bar; with `epsilon = "auto"` they take ε = 2⁻²⁶ = √u, where truncation and noise balance.

Source: the extrapolation is Richardson's, "The approximate arithmetical solution by finite differences", 1911.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from xcheck.oracle.engine import Differences, Engine, Indices
from xcheck.parameters import Vector

DifferenceName = Literal["central", "forward"]

FIRST_STEP = 2.0**-10

# R = (4 D(h) − D(2h))/3 carries noise of 0.95 σ/h, one-sided differences 1.41 σ/h, and σ itself is a measurement.
_NOISE_MULTIPLE = 8.0
FORWARD_STEP = 2.0**-26
_ROUNDS = 4


@dataclass(frozen=True, slots=True)
class Measurement:
    """Estimated slopes of some components, with the bar that their errors are promised not to exceed.

    Attributes:
        value, lower, upper, magnitude: as in `xcheck.oracle.engine.Differences`, shape (k,).
        bar: shape (k,).
        step: the h that was used, shape (k,).
        evaluations: losses evaluated.
    """

    value: Vector
    lower: Vector
    upper: Vector
    magnitude: Vector
    bar: Vector
    step: Vector
    evaluations: int


def _bar(engine: Engine, truncation: Vector, noise: Vector, step: Vector, taken: Differences) -> Vector:
    """Add up truncation, noise, and the rounding of the sum of data term and penalty.

    The noise was measured near θ. A long step may lead to where the loss is larger: there u |J| is added.
    """
    eps = np.finfo(np.float64).eps
    here = float(np.abs(engine.losses).mean())
    far = eps * np.maximum(taken.level - 2 * here, 0.0)
    return np.asarray(truncation + _NOISE_MULTIPLE * (noise + far) / step + eps * taken.magnitude)


def _central(engine: Engine, indices: Indices, step: Vector) -> Differences:
    return engine.differences(indices, step, -step)


def _extrapolated(engine: Engine, indices: Indices, step: Vector, noise: Vector) -> Measurement:
    """Measure with h, 2h and 4h."""
    once, twice, thrice = (_central(engine, indices, factor * step) for factor in (1, 2, 4))

    def combined(fine: Vector, coarse: Vector) -> Vector:
        return fine + (fine - coarse) / 3

    value = combined(once.slope, twice.slope)
    lower, upper = combined(once.lower, twice.lower), combined(once.upper, twice.upper)
    disagreement = np.max(
        [
            np.abs(value - combined(twice.slope, thrice.slope)),
            np.abs(lower - combined(twice.lower, thrice.lower)),
            np.abs(upper - combined(twice.upper, thrice.upper)),
        ],
        axis=0,
    )
    bar = _bar(engine, disagreement, noise, step, thrice)
    # At a kink the extrapolated ends may have changed places by a rounding.
    lower, upper = np.minimum(lower, value), np.maximum(upper, value)
    return Measurement(value, lower, upper, once.magnitude, bar, step, 6 * len(indices))


def automatic(engine: Engine, noise: Vector, *, tolerance: float) -> Measurement:
    """Estimate all components with extrapolation, and those again whose bar is too wide.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: relative tolerance that a gradient will be held to; a bar of a quarter of it, or of 1e-9 of the
            tensor's largest magnitude, is narrow enough.
    """
    everything = np.arange(engine.layout.size)
    step = FIRST_STEP * engine.scale
    best = _extrapolated(engine, everything, step, noise)
    enough = 1e-9 * engine.layout.largest(best.magnitude)
    evaluations = best.evaluations
    # What moves no example's loss at all (a dead unit, a blank input) has slope zero: no step will make it better.
    pending = everything[best.magnitude > 0]
    for _ in range(_ROUNDS):
        wide = best.bar[pending] > np.maximum(tolerance / 4 * np.abs(best.value[pending]), enough[pending])
        pending = pending[wide]
        if not len(pending):
            break
        noisy = 2 * _NOISE_MULTIPLE * noise[pending] / best.step[pending] > best.bar[pending]
        step = best.step[pending] * np.where(noisy, 4.0, 0.25)
        again = _extrapolated(engine, pending, step, noise[pending])
        evaluations += again.evaluations
        better = again.bar < best.bar[pending]
        pending = _improve(best, again, pending, better)
    return Measurement(best.value, best.lower, best.upper, best.magnitude, best.bar, best.step, evaluations)


def _improve(best: Measurement, again: Measurement, pending: Indices, better: NDArray[np.bool_]) -> Indices:
    """Take over what has become better, and return its indices."""
    improved: Indices = pending[better]
    for name in ("value", "lower", "upper", "magnitude", "bar", "step"):
        getattr(best, name)[improved] = getattr(again, name)[better]
    return improved


def fixed(engine: Engine, noise: Vector, *, epsilon: float, difference: DifferenceName) -> Measurement:
    """Estimate all components with the same step: the lecture's formula, as it stands.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        epsilon: the step ε.
        difference: "central", or "forward" to show how much worse that is.
    """
    everything = np.arange(engine.layout.size)
    step = np.full(engine.layout.size, epsilon)
    minus = -step if difference == "central" else np.zeros_like(step)
    fine = engine.differences(everything, step, minus)
    coarse = engine.differences(everything, 2 * step, 2 * minus)
    multiple = 1.0 if difference == "central" else 2.0
    truncation = multiple * np.max(
        [np.abs(getattr(fine, name) - getattr(coarse, name)) for name in ("slope", "lower", "upper")], axis=0
    )
    bar = _bar(engine, truncation, noise, step, coarse)
    return Measurement(fine.slope, fine.lower, fine.upper, fine.magnitude, bar, step, 4 * len(everything))
