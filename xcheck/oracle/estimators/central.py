"""Central estimates: derivatives from differences with one or several steps, each with an error bar.

Let D(h) = (J(θ + h eᵢ) − J(θ − h eᵢ))/2h. Its error is h² ∂³J/6 + O(h⁴) from truncation and about σ/(√2 h) from the
noise σ of J. The bar promised with each estimate covers both:

- *automatic* (`epsilon = "auto"`): h, 2h and 4h give two extrapolated values, each of fourth order,

      R = (4 D(h) − D(2h))/3        R' = (4 D(2h) − D(4h))/3

  whose errors are −h⁴ ∂⁵J/30 and −16 h⁴ ∂⁵J/30: |R − R'| is fifteen times the error of R. bar = |R − R'| + c σ/h.
  The first h moves no pre-activation by more than 2⁻¹⁰, where both parts are about equal for well-scaled networks;
  2⁻¹³ for engines that do not subtract losses, where a short step loses no digits.
  A component whose bar is too wide for its tolerance is measured again, alone, with a shorter step when truncation
  dominates and a longer one when noise does, until the bar stops shrinking.
- *fixed* (`epsilon = 1e-7`): plain D(ε) with the step of the lecture notes, whose truncation error is a third of
  |D(ε) − D(2ε)|; bar = 4 max(|D(ε) − D(2ε)|, |D(2ε) − D(4ε)|/4) + c σ/ε. One-sided differences D⁺ err by
  h ∂²J/2 = |D⁺(ε) − D⁺(2ε)|; bar = 8 max(|D⁺(ε) − D⁺(2ε)|, |D⁺(2ε) − D⁺(4ε)|/2) + c σ/ε, and with `epsilon = "auto"`
  they take ε = 2⁻²⁶ = √u, where truncation and noise balance.

Source: the extrapolation is Richardson's, "The approximate arithmetical solution by finite differences", 1911.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import TOTAL, Columns, Flags, Indices
from xcheck.oracle.engines.base import Differences, Engine

DifferenceName = Literal["central", "forward"]

# R = (4 D(h) − D(2h))/3 carries noise of 0.95 σ/h, one-sided differences 1.41 σ/h, and σ itself is a measurement.
NOISE_MULTIPLE = 8.0
# Truncation h J''/2 and noise 2u |J|/h of a one-sided difference are about equal at h = √u = 2⁻²⁶·⁵.
FORWARD_STEP = 2.0**-26


@dataclass(frozen=True, slots=True, eq=False)
class Measurement(Columns):
    """Estimated slopes of some components, with the bar that their errors are promised not to exceed.

    Attributes:
        indices: of the components, shape (k,).
        value, lower, upper, magnitude: as in `xcheck.oracle.engines.base.Differences`, shape (k,).
        conventions: likewise, shape (variants, k).
        bar: shape (k,).
        step: the h that was used, shape (k,).
        evaluations: losses evaluated.
    """

    indices: Indices
    value: Vector
    lower: Vector
    upper: Vector
    conventions: Vector
    magnitude: Vector
    bar: Vector
    step: Vector
    evaluations: int = field(metadata=TOTAL)


def error_bar(
    engine: Engine, truncation: Vector, noise: Vector, step: Vector, level: Vector | float, magnitude: Vector
) -> Vector:
    """Add up truncation, noise, and the rounding of the sum of data term and penalty.

    The noise was measured near θ. It is at least one rounding of the losses that are subtracted. A long step may lead
    to larger losses, for which u |J| is added.
    """
    eps = 2 * engine.roundoff
    if not engine.subtracts:
        # The part that is even in the step cancels when the two sides are subtracted; its rounding stays.
        return np.asarray(truncation + NOISE_MULTIPLE * np.maximum(noise, eps * level) / step + eps * magnitude)
    here = engine.size_of_losses
    far = eps * np.maximum(level - 2 * here, 0.0)
    noise = np.maximum(noise, eps / 2 * np.minimum(level, here)) + far
    return np.asarray(truncation + NOISE_MULTIPLE * noise / step + eps * magnitude)


def _central(engine: Engine, indices: Indices, step: Vector) -> Differences:
    return engine.differences(indices, step, -step)


def extrapolate(fine: Vector, coarse: Vector) -> Vector:
    """Return the fourth-order value R from D(h) and D(2h)."""
    return fine + (fine - coarse) / 3


def truncation_error(differences: Sequence[Vector], noise: Vector) -> tuple[Vector, Flags]:
    """Return a bound of the truncation of R, and where J is not as smooth as extrapolation assumes.

    Where J is smooth enough, D(4h) − D(2h) is four times D(2h) − D(h), and the bound is |R − R'|. Elsewhere (kinks of
    many examples, powers that are not whole) extrapolation gains nothing, and R and R' may be close by coincidence: the
    bound is twice the larger of the two differences, which is never less than |R − R'|.

    Args:
        differences: D(h), D(2h) and D(4h), shape (k,) each.
        noise: the noise in them, shape (k,).
    """
    fine, double, coarse = differences
    near, far = np.abs(double - fine), np.abs(coarse - double)
    # With x the share of the next order, far/near = 4 (1 + 4x)/(1 + x): from 3.5 to 4.6 means −0.04 < x < 0.05, where
    # the sixth order is negligible and |R − R'| is what it is taken for.
    regular = ((near >= far / 4.6) & (near <= far / 3.5)) | (np.maximum(near, far) <= noise)
    disagreement = np.abs(extrapolate(fine, double) - extrapolate(double, coarse))
    return np.where(regular, disagreement, np.maximum(disagreement, 2 * np.maximum(near, far))), ~regular


def _measured(engine: Engine, indices: Indices, step: Vector, noise: Vector) -> Measurement:
    """Measure with h, 2h and 4h."""
    # Three steps for two extrapolated values: the second is there to tell how far off the first may be.
    once, twice, thrice = (_central(engine, indices, factor * step) for factor in (1, 2, 4))

    value = extrapolate(once.slope, twice.slope)
    lower, upper = extrapolate(once.lower, twice.lower), extrapolate(once.upper, twice.upper)
    conventions = extrapolate(once.conventions, twice.conventions)
    disagreement = np.max(
        [
            np.abs(value - extrapolate(twice.slope, thrice.slope)),
            np.abs(lower - extrapolate(twice.lower, thrice.lower)),
            np.abs(upper - extrapolate(twice.upper, thrice.upper)),
            np.abs(conventions - extrapolate(twice.conventions, thrice.conventions)).max(0),
        ],
        axis=0,
    )
    # Losses that are subtracted are as noisy as they are large where the longest step leads.
    level = thrice.level if engine.subtracts else once.level
    bar = error_bar(engine, disagreement, noise, step, level, thrice.magnitude)
    # At a kink the extrapolated ends may have changed places by a rounding.
    lower, upper = np.minimum(lower, value), np.maximum(upper, value)
    return Measurement(indices, value, lower, upper, conventions, once.magnitude, bar, step, 6 * len(indices))


def estimate_central(
    engine: Engine,
    noise: Vector,
    *,
    tolerance: float,
    indices: Indices | None = None,
    first: Measurement | None = None,
    lengthen: bool = True,
    rounds: int = 4,
) -> Measurement:
    """Estimate components with extrapolation, and those again whose bar is too wide.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: relative tolerance that a gradient will be held to; see `too_wide`.
        indices: of the components, shape (k,); by default all.
        first: a measurement of them that is there already, to be improved where it must.
        lengthen: whether to try longer steps where noise dominates; otherwise such components are left as they are.
        rounds: how often at most a component is measured again.
    """
    chosen = np.arange(engine.layout.size) if indices is None else indices
    noise = noise[chosen]
    best = first or _measured(engine, chosen, engine.first_step * engine.scale[chosen], noise)
    evaluations = best.evaluations
    # A component that changes no example's loss at all (a dead unit, a blank input) has slope zero for certain.
    pending = np.flatnonzero(too_wide(engine, best, tolerance) & (best.magnitude > 0))
    for _ in range(rounds):
        # Noise is more than half of the bar: a shorter step would make it wider.
        noisy = 2 * NOISE_MULTIPLE * noise[pending] / best.step[pending] > best.bar[pending]
        hopeful = ~noisy | lengthen
        pending, noisy = pending[hopeful], noisy[hopeful]
        if not len(pending):
            break
        # A quarter takes 1/256 of the truncation, four times the step a quarter of the noise.
        step = best.step[pending] * np.where(noisy, 4.0, 0.25)
        again = _measured(engine, chosen[pending], step, noise[pending])
        evaluations += again.evaluations
        best, better = merge_better(best, again, pending)
        pending = pending[better]
        pending = pending[too_wide(engine, best, tolerance)[pending]]
    return replace(best, evaluations=evaluations)


def too_wide(engine: Engine, measured: Measurement, tolerance: float) -> Flags:
    """Return where a bar exceeds both a quarter of the tolerance and 4e-10 of the tensor's largest magnitude."""
    magnitude = np.zeros((*measured.magnitude.shape[:-1], engine.layout.size))
    magnitude[..., measured.indices] = measured.magnitude
    # A quarter of the tolerance leaves three quarters to the gradient. 4e-10 of the tensor's largest is a guess,
    # chosen so that components that hardly matter cost no further losses: 250 times finer than the default tolerance.
    enough = 4e-10 * engine.layout.largest(magnitude)[..., measured.indices]
    with np.errstate(invalid="ignore"):  # nan is too wide
        return np.asarray(~(measured.bar <= np.maximum(tolerance / 4 * np.abs(measured.value), enough)))


def merge_better(best: Measurement, again: Measurement, places: Indices) -> tuple[Measurement, Flags]:
    """Return `best` with the better measurements of `again` at `places`, and which of them were taken.

    A narrower bar that contradicts the wider one is a coincidence, not an improvement. Where there was no value (the
    step vanished beside θᵢ), every finite value is an improvement.
    """
    # Two promises that exclude each other cannot both be kept; the wider one is the safer.
    consistent = np.abs(again.value - best.value[places]) <= again.bar + best.bar[places]
    unknown = np.isnan(best.value[places]) & np.isfinite(again.value)
    better = (consistent & (again.bar < best.bar[places])) | unknown
    return best.put(places[better], again.take(better)), better


def estimate_fixed_step(engine: Engine, noise: Vector, *, epsilon: float, difference: DifferenceName) -> Measurement:
    """Estimate all components with the same step: the lecture's formula, as it stands.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        epsilon: the step ε.
        difference: "central", or "forward" to show how much worse that is.
    """
    everything = np.arange(engine.layout.size)
    step = np.full(engine.layout.size, epsilon)
    # One-sided: the other side is θ itself.
    minus = -step if difference == "central" else np.zeros_like(step)
    fine, double, coarse = (engine.differences(everything, k * step, k * minus) for k in (1, 2, 4))
    # Truncation errors grow like ε² or ε; one pair of steps alone could agree by coincidence.
    # An error of order p grows 2ᵖ-fold with the step doubled, and is 1/(2ᵖ − 1) of the difference: a third, or all
    # of it; the bar is twelve and eight times that.
    growth, multiple = (4.0, 4.0) if difference == "central" else (2.0, 8.0)
    names = ("slope", "lower", "upper")
    near = np.max([np.abs(getattr(fine, name) - getattr(double, name)) for name in names], axis=0)
    far = np.max([np.abs(getattr(double, name) - getattr(coarse, name)) for name in names], axis=0)
    truncation = multiple * np.maximum(near, far / growth)
    bar = error_bar(engine, truncation, noise, step, coarse.level, coarse.magnitude)
    # Errors grow like a power of the step only as long as it is shorter than the distance over which J bends.
    bar[step > engine.scale] = np.inf
    return Measurement(
        everything, fine.slope, fine.lower, fine.upper, fine.conventions, fine.magnitude, bar, step, 6 * len(step)
    )
