"""Numerical gradients of functions that nothing is known about: kinks show in one-sided slopes.

Let D⁺(h) and D⁻(h) be the slopes to the right and to the left, D = (D⁺ + D⁻)/2 the central difference and
S(h) = D⁺(h) − D⁻(h). Where J is smooth, S(h) = h J'' + O(h³), so

    K(h) = 2 S(h) − S(2h) = O(h³)

With a kink at θ, K stays at the jump of the slope, however short the step; with one at a distance t, K is of the size
of the jump while t is inside the step and vanishes once the step is shorter. So K is what the central difference
alone does not have: at a kink, D(h) is the mean of the two slopes at every h, and looks perfectly converged.

A component whose K is more than noise, and does not behave like h³, is measured again with a shorter step: until K is
gone (then it is decided as usual, with the kink outside the step), or until the noise would hide it. What is left is a
kink at θ, or closer than can be told: any slope in [R − |K|/2, R + |K|/2] is a subgradient.

The scale of a black box is a guess, and may be wrong by many powers of ten. So a bar that is far too wide makes the
step much shorter at once, one that contradicts a narrower one is not believed, and before a gradient is called wrong,
`reconsidered` looks whether J has a feature inside the step: down to steps whose noise is just short of the dispute.

Source: central differences at a kink: Clarke, "Optimization and Nonsmooth Analysis", 1983, section 2.1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine, LoopEngine
from xcheck.oracle.estimators.central import (
    NOISE_MULTIPLE,
    Measurement,
    copied,
    error_bar,
    extrapolated,
    take_over,
    too_wide,
    truncation_error,
)
from xcheck.oracle.estimators.noise import noise_nearby
from xcheck.oracle.estimators.two_step import estimate_two_step, sample_of

# Each round makes the step at least four times shorter: twelve reach 2⁻²⁴ of the first one, where noise has the say.
_ROUNDS = 12
# 2 S(h) − S(2h) carries noise of 5.5 σ/h; six times that is no accident.
_NOISE_OF_K = 33.0


@dataclass(frozen=True, slots=True)
class Sides:
    """Central measurement and jump of the slope of some components.

    Attributes:
        measured: with a common slope for both sides.
        jump: |K|, shape (k,).
        kinked: where it is more than noise and truncation.
        apart: truncation of R, shape (k,).
        irregular: where J is not as smooth as the extrapolation takes for granted.
        bend: |S(h)|/h, the size of ∂²J along the component, shape (k,).
    """

    measured: Measurement
    jump: Vector
    kinked: Flags
    apart: Vector
    irregular: Flags
    bend: Vector


@dataclass(frozen=True, slots=True)
class OneSidedGradient:
    """The numerical gradient of any function.

    Attributes:
        measured: slopes with bars; at a kink `lower` and `upper` are the two one-sided slopes.
        kink: distance within which there is a kink, along the component: 0 if it could not be told from θ, nan if there
            is none in sight; shape (n,).
        brief: what had a brief look only (`xcheck.oracle.estimators.two_step`), shape (n,).
        bend: size of ∂²J along each component, shape (n,).
    """

    measured: Measurement
    kink: Vector
    brief: Flags
    bend: Vector


def black_box_gradient(
    loss: Callable[[Vector], float], theta: Vector, layout: Layout, *, tolerance: float = 1e-7, seed: int = 0
) -> OneSidedGradient:
    """Estimate the gradient of `loss` at `theta` by differences, with error bars and kinks.

    Args:
        loss: θ, shape (n,), -> J(θ).
        theta: shape (n,).
        layout: names of its components.
        tolerance: relative tolerance that a gradient will be held to.
        seed: of the components that the noise is measured along.
    """
    engine = LoopEngine(loss, theta, layout)
    noise = noise_nearby(engine, np.random.default_rng(seed))
    return estimate_one_sided(engine, noise, tolerance=tolerance)


def estimate_one_sided(engine: FunctionEngine, noise: Vector, *, tolerance: float) -> OneSidedGradient:
    """Estimate all components, looking at both sides of each; see the module.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: as in `xcheck.oracle.estimators.central.estimate`.
    """
    noise = np.maximum(noise, _least(engine))
    sides, brief = _first_pass(engine, noise)
    state = _State(engine, noise, sides, np.full(len(brief), np.nan))
    in_full = np.flatnonzero(brief & too_wide(engine, state.best, tolerance))
    state.measure_in_full(in_full)
    brief[in_full] = False
    state.converge(np.arange(len(brief)), tolerance)
    return state.result(brief)


def in_full(
    engine: FunctionEngine, noise: Vector, found: OneSidedGradient, places: Indices, *, tolerance: float
) -> OneSidedGradient:
    """Return the gradient after components that had a brief look were measured in full."""
    noise = np.maximum(noise, _least(engine))
    state, brief = _State.of(engine, noise, found), found.brief.copy()
    state.measure_in_full(places)
    state.converge(places, tolerance)
    brief[places] = False
    return state.result(brief)


def _first_pass(engine: FunctionEngine, noise: Vector) -> tuple[Sides, Flags]:
    """Measure everything once: small tensors and samples in full, the rest of large ones briefly."""
    rng, start = np.random.default_rng(engine.layout.size), engine.first_step * engine.scale
    brief = np.zeros(engine.layout.size, dtype=bool)
    samples = {tensor: sample_of(tensor, rng) for tensor in engine.layout if tensor.size}
    chosen = np.concatenate([*samples.values(), np.zeros(0, dtype=np.intp)])
    first = _both(engine, chosen, start[chosen], noise[chosen])
    parts, suspects = [first], []
    for tensor, sample in samples.items():
        rest = np.setdiff1d(np.arange(tensor.span.start, tensor.span.stop), sample)
        own = np.isin(chosen, sample)
        if not len(rest) or first.kinked[own].any() or not np.isfinite(first.apart[own]).all():
            suspects.append(rest)
            continue
        truncation, jump = float(first.apart[own].max()), float(first.jump[own].max())
        measured, suspicious, bend = estimate_two_step(engine, rest, start[rest], noise[rest], truncation, jump)
        parts.append(_unsided(measured, bend))
        brief[rest[~suspicious]] = True
        suspects.append(rest[suspicious])
    remaining = np.concatenate([*suspects, np.zeros(0, dtype=np.intp)])
    if len(remaining):
        parts.append(_both(engine, remaining, start[remaining], noise[remaining]))
    return _assembled(parts, engine.layout.size), brief


def _unsided(measured: Measurement, bend: Vector) -> Sides:
    zero = np.zeros(len(measured.indices))
    return Sides(measured, zero, zero.astype(bool), zero, zero.astype(bool), bend)


def _assembled(parts: Sequence[Sides], size: int) -> Sides:
    """Put measurements of some components each together; later ones replace earlier ones."""
    unknown = np.full(size, np.nan)
    evaluations = sum(part.measured.evaluations for part in parts)
    nothing = Measurement(
        np.arange(size), unknown, unknown, unknown, unknown[None], unknown, unknown, unknown, evaluations
    )
    whole = copied(nothing)
    (jump, bend), (kinked, irregular) = np.zeros((2, size)), np.zeros((2, size), dtype=bool)
    for part in parts:
        places = part.measured.indices
        take_over(whole, part.measured, places, np.ones(len(places), dtype=bool))
        jump[places], kinked[places], irregular[places] = part.jump, part.kinked, part.irregular
        bend[places] = part.bend
    return Sides(whole, jump, kinked, jump, irregular, bend)


class _State:
    """What is known so far of all components, and the step that each was last measured with."""

    def __init__(self, engine: FunctionEngine, noise: Vector, sides: Sides, kink: Vector) -> None:
        self.engine, self.noise, self.kink = engine, noise, kink
        self.best, self.jump, self.kinked = sides.measured, sides.jump, sides.kinked
        self.irregular, self.bend = sides.irregular, sides.bend
        self.step = self.best.step.copy()
        self.evaluations = self.best.evaluations

    @classmethod
    def of(cls, engine: FunctionEngine, noise: Vector, found: OneSidedGradient) -> "_State":
        """Return what is known at the end of an earlier measurement."""
        best = copied(found.measured)
        jump = best.upper - best.lower
        return cls(
            engine,
            noise,
            Sides(best, jump, jump > 0, jump, np.zeros(len(jump), dtype=bool), found.bend.copy()),
            found.kink.copy(),
        )

    def measure_in_full(self, places: Indices) -> None:
        """Measure with the first step, and take that over."""
        if not len(places):
            return
        self.step[places] = self.engine.first_step * self.engine.scale[places]
        again = _both(self.engine, places, self.step[places], self.noise[places])
        self.evaluations += again.measured.evaluations
        self.take(again, places, np.ones(len(places), dtype=bool))

    def converge(self, pending: Indices, tolerance: float) -> None:
        """Measure again, with other steps, what is not sharp enough."""
        for _ in range(_ROUNDS):
            pending = pending[(self.kinked | too_wide(self.engine, self.best, tolerance))[pending]]
            # What moves J by not a single bit is zero, unless J is a staircase.
            still = (self.best.magnitude[pending] == 0) & (self.noise[pending] <= _least(self.engine))
            pending = pending[self.hopeful(pending) & ~still]
            if not len(pending) or self.engine.late:
                return
            pending = self.refine(pending)

    def noisy(self, places: Indices) -> Flags:
        """Return where noise dominates the bar: a shorter step would make it wider."""
        noise = NOISE_MULTIPLE * self.noise[places] / self.step[places]
        return np.asarray(~self.kinked[places] & (2 * noise > self.best.bar[places]))

    def hopeful(self, places: Indices) -> Flags:
        """Return where another step may tell more: one that leaves a jump visible, or its absence would be no news."""
        with np.errstate(all="ignore"):
            hidden = _NOISE_OF_K * self.noise[places] * 16 / self.step[places] > self.jump[places]
        longest = self.noisy(places) & (self.step[places] >= self.engine.scale[places])
        shortest = self.step[places] < self.engine.shortest[places]
        return np.asarray(~(self.kinked[places] & hidden) & ~longest & ~shortest)

    @np.errstate(all="ignore")  # what is not finite leads to a shorter step
    def factor(self, places: Indices) -> Vector:
        """Return by how much to change the steps: the further off, the more."""
        bar, value = self.best.bar[places], np.abs(self.best.value[places])
        # Truncation falls with the fourth power: a quarter of the step gains 1/256. A bar as wide as the value, or
        # wider, says that the step is longer than whatever J does there: 16 and 256 times shorter at once. Powers of
        # four, so that θ + h is exact.
        shorter = np.select([bar <= 1e-3 * value, bar <= value], [1 / 4, 1 / 16], 1 / 256)
        shorter = np.where(self.irregular[places], np.minimum(shorter, 1 / 16), shorter)
        shorter = np.where(self.kinked[places] & (bar <= self.jump[places]), 1 / 16, shorter)
        return np.where(self.noisy(places), 4.0, shorter)

    def refine(self, places: Indices) -> Indices:
        """Measure again, take over what is better, and return where it is worth going on."""
        best = self.best
        self.step[places] *= self.factor(places)
        again = _both(self.engine, places, self.step[places], self.noise[places])
        self.evaluations += again.measured.evaluations
        distrusted = _reconciled(best, again.measured, places)
        # One that is regular after one that was not may be so by coincidence: the next will tell.
        lucky = self.irregular[places] & ~again.irregular
        apart = np.abs(again.measured.value - best.value[places])
        again.measured.bar[lucky] = np.maximum(again.measured.bar, apart)[lucky]
        with np.errstate(invalid="ignore"):
            narrower = (again.measured.bar < best.bar[places]) | np.isnan(best.bar[places])
            shorter = again.measured.step < best.step[places]
            better = distrusted | narrower | (self.irregular[places] & shorter)
            better &= ~_still(best, again.measured, places)
            gross = ~(best.bar[places] <= 1e-3 * np.abs(best.value[places]))
        # A kink that stays is known best from the longer step.
        outside, inside = self.kinked[places] & ~again.kinked, self.kinked[places] & again.kinked
        self.take(again, places, outside | (better & (again.kinked | ~self.kinked[places])))
        self.irregular[places] = again.irregular
        return places[better | outside | inside | gross | lucky | again.irregular]

    def take(self, again: Sides, places: Indices, taken: Flags) -> None:
        """Take over a measurement; where a kink was and is no more, it lies outside the step."""
        left = self.kinked[places] & ~again.kinked & taken
        self.kink[places[left]] = 4 * self.best.step[places[left]]
        take_over(self.best, again.measured, places, taken)
        self.jump[places[taken]], self.kinked[places[taken]] = again.jump[taken], again.kinked[taken]
        self.bend[places[taken]] = again.bend[taken]

    def result(self, brief: Flags) -> OneSidedGradient:
        """Return the gradient."""
        self.kink[self.kinked] = 0.0
        best = replace(self.best, evaluations=self.evaluations)
        return OneSidedGradient(_with_jumps(best, self.jump, self.kinked), self.kink, brief, self.bend)


@np.errstate(invalid="ignore")
def _reconciled(best: Measurement, again: Measurement, places: Indices) -> Flags:
    """Return where a shorter step contradicts a longer one, and widen the bar by as much.

    The longer step may have jumped over something, or the shorter one agrees with itself by coincidence: a third
    measurement will tell.
    """
    apart = np.abs(again.value - best.value[places])
    shorter = again.step < best.step[places]
    contradicted = shorter & (apart > again.bar + best.bar[places])
    again.bar[contradicted] = np.maximum(again.bar, apart)[contradicted]
    return np.asarray(contradicted)


def _still(best: Measurement, again: Measurement, places: Indices) -> Flags:
    """Return where a shorter step moves J by not a single bit, although a longer one did."""
    return np.asarray((again.magnitude == 0) & (best.magnitude[places] > 0) & (again.step < best.step[places]))


def reconsidered(
    engine: FunctionEngine, noise: Vector, found: OneSidedGradient, disputed: Indices, gradient: Vector
) -> OneSidedGradient:
    """Return the gradient after disputed components were measured with steps as short as the noise allows.

    A function may have a feature inside the first step that its derivative sees and its differences do not. Where
    shorter steps say the same, the dispute stands; where they do not, they are believed.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        found: what longer steps say.
        disputed: components, shape (k,).
        gradient: what the witness says, shape (n,).
    """
    noise = np.maximum(noise, _least(engine))
    state = _State.of(engine, noise, found)
    best = state.best
    pending, step = disputed, best.step.copy()
    for _ in range(_ROUNDS):
        gap = np.abs(gradient - best.value)[pending]
        step[pending] /= 16
        # An eighth of the gap: shorter steps than that could no longer tell the two sides of the dispute apart.
        visible = NOISE_MULTIPLE * noise[pending] / step[pending] < gap / 8
        pending = pending[visible & ~state.kinked[pending]]
        if not len(pending) or engine.late:
            break
        again = _both(engine, pending, step[pending], noise[pending])
        state.evaluations += again.measured.evaluations
        with np.errstate(invalid="ignore"):
            apart = np.abs(again.measured.value - best.value[pending])
            other = apart > again.measured.bar + best.bar[pending]
            narrower = again.measured.bar < best.bar[pending]
        # A staircase: nothing can be told from steps that are shorter than its own.
        flat = other & _still(best, again.measured, pending)
        best.bar[pending[flat]] = np.maximum(best.bar, np.abs(best.value))[pending[flat]]
        state.take(again, pending, (other | narrower | again.kinked) & ~flat)
        pending = pending[~flat]
    return state.result(found.brief)


def _least(engine: FunctionEngine) -> float:
    """Return the least noise there can be: one rounding of the loss."""
    return engine.roundoff * float(np.abs(engine.losses).mean())


def _both(engine: FunctionEngine, indices: Indices, step: Vector, noise: Vector) -> Sides:
    """Measure both sides with h, 2h and 4h."""
    sides = [engine.both_sides(indices, factor * step) for factor in (1, 2, 4)]
    right, left = [pair[0] for pair in sides], [pair[1] for pair in sides]
    central = [(up.slope + down.slope) / 2 for up, down in zip(right, left, strict=True)]
    apart = [up.slope - down.slope for up, down in zip(right, left, strict=True)]
    value = extrapolated(central[0], central[1])
    jump, wider = np.abs(2 * apart[0] - apart[1]), np.abs(2 * apart[1] - apart[2])
    magnitude = np.maximum(right[0].magnitude, left[0].magnitude)
    truncation, irregular = truncation_error(central, NOISE_MULTIPLE * noise / step)
    bar = error_bar(engine, truncation, noise, step, right[2].level, magnitude)
    # Eight roundings of the slopes, which are subtracted four times.
    accident = _NOISE_OF_K * noise / step + 8 * engine.roundoff * magnitude
    # A smooth function has an eight times larger K at twice the step.
    kinked = (jump > accident) & (jump > wider / 4)
    # At two thirds of the step a kink leaves K nothing to show, though R is off by a ninth of its jump: K at twice the
    # step shows half of it.
    hidden = np.where(wider > 12 * jump, wider / 4, 0.0)
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
    return Sides(measured, jump, kinked, truncation, irregular, np.abs(apart[0]) / step)


def _with_jumps(measured: Measurement, jump: Vector, kinked: Flags) -> Measurement:
    """Open the interval of slopes at kinks; frameworks choose either end or the middle."""
    half = np.where(kinked, jump / 2, 0.0)
    lower, upper = measured.value - half, measured.value + half
    return replace(measured, lower=lower, upper=upper, conventions=np.stack([lower, measured.value, upper]))
