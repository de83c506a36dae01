"""Estimators: which steps, which combination of differences, and how far the result can be trusted.

Let D(h) = (J(θ + h eᵢ) − J(θ − h eᵢ))/2h. Its error is h² ∂³J/6 + O(h⁴) from truncation and about σ/(√2 h) from the
noise σ of J. The bar promised with each estimate covers both:

- *automatic* (`epsilon = "auto"`): h, 2h and 4h give two extrapolated values, each of fourth order,

      R = (4 D(h) − D(2h))/3        R' = (4 D(2h) − D(4h))/3

  whose errors are −h⁴ ∂⁵J/30 and −16 h⁴ ∂⁵J/30: |R − R'| is fifteen times the error of R. bar = |R − R'| + c σ/h.
  The first h moves no pre-activation by more than 2⁻¹⁰, where both parts are about equal for well-scaled networks.
  A component whose bar is too wide for its tolerance is measured again, alone, with a shorter step when truncation
  dominates and a longer one when noise does, until the bar stops shrinking.
- *fixed* (`epsilon = 1e-7`): plain D(ε) with the step of the lecture notes, whose truncation error is a third of
  |D(ε) − D(2ε)|; bar = 4 max(|D(ε) − D(2ε)|, |D(2ε) − D(4ε)|/4) + c σ/ε. One-sided differences D⁺ err by
  h ∂²J/2 = |D⁺(ε) − D⁺(2ε)|; bar = 8 max(|D⁺(ε) − D⁺(2ε)|, |D⁺(2ε) − D⁺(4ε)|/2) + c σ/ε, and with `epsilon = "auto"`
  they take ε = 2⁻²⁶ = √u, where truncation and noise balance.

Source: the extrapolation is Richardson's, "The approximate arithmetical solution by finite differences", 1911.
"""

from dataclasses import dataclass, replace
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
        conventions: likewise, shape (variants, k).
        bar: shape (k,).
        step: the h that was used, shape (k,).
        evaluations: losses evaluated.
    """

    value: Vector
    lower: Vector
    upper: Vector
    conventions: Vector
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
    conventions = combined(once.conventions, twice.conventions)
    disagreement = np.max(
        [
            np.abs(value - combined(twice.slope, thrice.slope)),
            np.abs(lower - combined(twice.lower, thrice.lower)),
            np.abs(upper - combined(twice.upper, thrice.upper)),
            np.abs(conventions - combined(twice.conventions, thrice.conventions)).max(0),
        ],
        axis=0,
    )
    bar = _bar(engine, disagreement, noise, step, thrice)
    # At a kink the extrapolated ends may have changed places by a rounding.
    lower, upper = np.minimum(lower, value), np.maximum(upper, value)
    return Measurement(value, lower, upper, conventions, once.magnitude, bar, step, 6 * len(indices))


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
        # A narrower bar that contradicts the wider one is a coincidence, not an improvement.
        consistent = np.abs(again.value - best.value[pending]) <= again.bar + best.bar[pending]
        pending = _improve(best, again, pending, consistent & (again.bar < best.bar[pending]))
    return replace(best, evaluations=evaluations)


def _improve(best: Measurement, again: Measurement, pending: Indices, better: NDArray[np.bool_]) -> Indices:
    """Take over what has become better, and return its indices."""
    improved: Indices = pending[better]
    for name in ("value", "lower", "upper", "magnitude", "bar", "step"):
        getattr(best, name)[improved] = getattr(again, name)[better]
    best.conventions[:, improved] = again.conventions[:, better]
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
    fine, double, coarse = (engine.differences(everything, k * step, k * minus) for k in (1, 2, 4))
    # Truncation errors grow like ε² or ε; one pair of steps alone could agree by coincidence.
    growth, multiple = (4.0, 4.0) if difference == "central" else (2.0, 8.0)
    names = ("slope", "lower", "upper")
    near = np.max([np.abs(getattr(fine, name) - getattr(double, name)) for name in names], axis=0)
    far = np.max([np.abs(getattr(double, name) - getattr(coarse, name)) for name in names], axis=0)
    bar = _bar(engine, multiple * np.maximum(near, far / growth), noise, step, coarse)
    return Measurement(
        fine.slope, fine.lower, fine.upper, fine.conventions, fine.magnitude, bar, step, 6 * len(everything)
    )
