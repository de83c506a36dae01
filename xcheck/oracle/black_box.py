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

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from xcheck.oracle.engine import Indices
from xcheck.oracle.estimators import Flags, Measurement, copied, error_bar, extrapolated, take_over, too_wide
from xcheck.oracle.function_engine import FunctionEngine, LoopEngine
from xcheck.oracle.noise import noise_nearby
from xcheck.parameters import Layout, Vector

_ROUNDS = 10
_NOISE_OF_BAR = 8.0
# 2 S(h) − S(2h) carries noise of 5.5 σ/h; six times that is no accident.
_NOISE_OF_K = 33.0


@dataclass(frozen=True, slots=True)
class Sides:
    """Central measurement and jump of the slope of some components.

    Attributes:
        measured: with a common slope for both sides.
        jump: |K|, shape (k,).
        kinked: where it is more than noise and truncation.
    """

    measured: Measurement
    jump: Vector
    kinked: Flags


@dataclass(frozen=True, slots=True)
class BlackBoxGradient:
    """The numerical gradient of any function.

    Attributes:
        measured: slopes with bars; at a kink `lower` and `upper` are the two one-sided slopes.
        kink: distance within which there is a kink, along the component: 0 if it could not be told from θ, nan if there
            is none in sight; shape (n,).
    """

    measured: Measurement
    kink: Vector


def black_box_gradient(
    loss: Callable[[Vector], float], theta: Vector, layout: Layout, *, tolerance: float = 1e-7, seed: int = 0
) -> BlackBoxGradient:
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
    return one_sided(engine, noise, tolerance=tolerance)


def one_sided(engine: FunctionEngine, noise: Vector, *, tolerance: float) -> BlackBoxGradient:
    """Estimate all components, looking at both sides of each; see the module.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: as in `xcheck.oracle.estimators.automatic`.
    """
    everything = np.arange(engine.layout.size)
    noise, start = np.maximum(noise, _least(engine)), engine.first_step * engine.scale
    state = _State(engine, noise, _both(engine, everything, start, noise), np.full(len(everything), np.nan))
    pending = everything
    for _ in range(_ROUNDS):
        pending = pending[(state.kinked | too_wide(engine, state.best, tolerance))[pending]]
        pending = pending[state.hopeful(pending)]
        if not len(pending):
            break
        pending = state.refine(pending)
    return state.result()


class _State:
    """What is known so far of all components, and the step that each was last measured with."""

    def __init__(self, engine: FunctionEngine, noise: Vector, sides: Sides, kink: Vector) -> None:
        self.engine, self.noise, self.kink = engine, noise, kink
        self.best, self.jump, self.kinked = sides.measured, sides.jump, sides.kinked
        self.step = self.best.step.copy()
        self.evaluations = self.best.evaluations

    def noisy(self, places: Indices) -> Flags:
        """Return where noise dominates the bar: a shorter step would make it wider."""
        noise = _NOISE_OF_BAR * self.noise[places] / self.step[places]
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
        shorter = np.select([bar <= 1e-3 * value, bar <= value], [1 / 4, 1 / 16], 1 / 256)
        shorter = np.where(self.kinked[places], 1 / 16, shorter)
        return np.where(self.noisy(places), 4.0, shorter)

    def refine(self, places: Indices) -> Indices:
        """Measure again, take over what is better, and return where it is worth going on."""
        best = self.best
        self.step[places] *= self.factor(places)
        again = _both(self.engine, places, self.step[places], self.noise[places])
        self.evaluations += again.measured.evaluations
        distrusted = _reconciled(best, again.measured, places)
        with np.errstate(invalid="ignore"):
            narrower = (again.measured.bar < best.bar[places]) | np.isnan(best.bar[places])
            better = distrusted | narrower
            gross = ~(best.bar[places] <= 1e-3 * np.abs(best.value[places]))
        # A kink that stays is known best from the longer step.
        outside, inside = self.kinked[places] & ~again.kinked, self.kinked[places] & again.kinked
        self.take(again, places, outside | (better & (again.kinked | ~self.kinked[places])))
        return places[better | outside | inside | gross]

    def take(self, again: Sides, places: Indices, taken: Flags) -> None:
        """Take over a measurement; where a kink was and is no more, it lies outside the step."""
        left = self.kinked[places] & ~again.kinked & taken
        self.kink[places[left]] = 4 * self.best.step[places[left]]
        take_over(self.best, again.measured, places, taken)
        self.jump[places[taken]], self.kinked[places[taken]] = again.jump[taken], again.kinked[taken]

    def result(self) -> BlackBoxGradient:
        """Return the gradient."""
        self.kink[self.kinked] = 0.0
        best = replace(self.best, evaluations=self.evaluations)
        return BlackBoxGradient(_with_jumps(best, self.jump, self.kinked), self.kink)


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


def reconsidered(
    engine: FunctionEngine, noise: Vector, found: BlackBoxGradient, disputed: Indices, gradient: Vector
) -> BlackBoxGradient:
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
    noise, measured = np.maximum(noise, _least(engine)), found.measured
    best = copied(measured)
    sides = Sides(best, best.upper - best.lower, best.upper > best.lower)
    state = _State(engine, noise, sides, found.kink.copy())
    pending, step = disputed, best.step.copy()
    for _ in range(_ROUNDS):
        gap = np.abs(gradient - best.value)[pending]
        step[pending] /= 16
        visible = _NOISE_OF_BAR * noise[pending] / step[pending] < gap / 8
        pending = pending[visible & ~state.kinked[pending]]
        if not len(pending):
            break
        again = _both(engine, pending, step[pending], noise[pending])
        state.evaluations += again.measured.evaluations
        with np.errstate(invalid="ignore"):
            apart = np.abs(again.measured.value - best.value[pending])
            other = apart > again.measured.bar + best.bar[pending]
        state.take(again, pending, other | again.kinked)
    return state.result()


def _least(engine: FunctionEngine) -> float:
    """Return the least noise there can be: one rounding of the loss."""
    return engine.roundoff * float(np.abs(engine.losses).mean())


def _both(engine: FunctionEngine, indices: Indices, step: Vector, noise: Vector) -> Sides:
    """Measure both sides with h, 2h and 4h."""
    zero = np.zeros_like(step)
    right = [engine.differences(indices, factor * step, zero) for factor in (1, 2, 4)]
    left = [engine.differences(indices, zero, -factor * step) for factor in (1, 2, 4)]
    central = [(up.slope + down.slope) / 2 for up, down in zip(right, left, strict=True)]
    apart = [up.slope - down.slope for up, down in zip(right, left, strict=True)]
    value, coarse = extrapolated(central[0], central[1]), extrapolated(central[1], central[2])
    jump, wider = np.abs(2 * apart[0] - apart[1]), np.abs(2 * apart[1] - apart[2])
    magnitude = np.maximum(right[0].magnitude, left[0].magnitude)
    bar = error_bar(engine, np.abs(value - coarse), noise, step, right[2].level, magnitude)
    accident = _NOISE_OF_K * noise / step + 8 * engine.roundoff * magnitude
    # A smooth function has an eight times larger K at twice the step.
    kinked = (jump > accident) & (jump > wider / 4)
    harmless = np.where(kinked, 0.0, jump / 2)
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
    return Sides(measured, jump, kinked)


def _with_jumps(measured: Measurement, jump: Vector, kinked: Flags) -> Measurement:
    """Open the interval of slopes at kinks; frameworks choose either end or the middle."""
    half = np.where(kinked, jump / 2, 0.0)
    lower, upper = measured.value - half, measured.value + half
    return replace(measured, lower=lower, upper=upper, conventions=np.stack([lower, measured.value, upper]))
