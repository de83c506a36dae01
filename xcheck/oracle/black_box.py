"""Numerical gradients of functions that nothing is known about: kinks show in one-sided slopes.

Let D⁺(h) and D⁻(h) be the slopes to the right and to the left, D = (D⁺ + D⁻)/2 the central difference and
S(h) = D⁺(h) − D⁻(h). Where J is smooth, S(h) = h J'' + O(h³), so

    K(h) = 2 S(h) − S(2h) = O(h³)

With a kink at θ, K stays at the jump of the slope, however short the step; with one at a distance t, K is of the size
of the jump while t is inside the step and vanishes once the step is shorter. So K is what the central difference
alone does not have: at a kink, D(h) is the mean of the two slopes at every h, and looks perfectly converged.

A component whose K is more than noise, and does not behave like h³, is measured again with a sixteenth of the step:
until K is gone (then it is decided as usual, with the kink outside the step), or until the noise would hide it. What is
left is a kink at θ, or closer than can be told: any slope in [R − |K|/2, R + |K|/2] is a subgradient.

Source: central differences at a kink: Clarke, "Optimization and Nonsmooth Analysis", 1983, section 2.1.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from xcheck.oracle.engine import Engine, Indices, LoopEngine
from xcheck.oracle.estimators import Flags, Measurement, error_bar, extrapolated, take_over, too_wide
from xcheck.oracle.noise import loss_noise
from xcheck.parameters import Layout, Vector

_ROUNDS = 6
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
    noise = loss_noise(engine, engine.first_step * engine.scale, np.random.default_rng(seed))
    return one_sided(engine, noise, tolerance=tolerance)


def one_sided(engine: Engine, noise: Vector, *, tolerance: float) -> BlackBoxGradient:
    """Estimate all components, looking at both sides of each; see the module.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: as in `xcheck.oracle.estimators.automatic`.
    """
    everything = np.arange(engine.layout.size)
    sides = _both(engine, everything, engine.first_step * engine.scale, noise)
    best, jump, kinked = sides.measured, sides.jump, sides.kinked
    evaluations = best.evaluations
    kink = np.full(len(everything), np.nan)
    pending = everything
    for _ in range(_ROUNDS):
        pending = pending[(kinked | too_wide(engine, best, tolerance))[pending]]
        # A shorter step must leave the jump visible, or nothing is learnt from its absence.
        hidden = kinked[pending] & (_NOISE_OF_K * noise[pending] * 16 / best.step[pending] > jump[pending])
        pending = pending[~hidden]
        if not len(pending):
            break
        noisy = ~kinked[pending] & (16 * noise[pending] / best.step[pending] > best.bar[pending])
        factor = np.where(kinked[pending], 1 / 16, np.where(noisy, 4.0, 1 / 4))
        again = _both(engine, pending, factor * best.step[pending], noise[pending])
        evaluations += again.measured.evaluations
        left = kinked[pending] & ~again.kinked
        kink[pending[left]] = 4 * best.step[pending[left]]
        taken = kinked[pending] | again.kinked | (again.measured.bar < best.bar[pending])
        take_over(best, again.measured, pending, taken)
        jump[pending[taken]], kinked[pending[taken]] = again.jump[taken], again.kinked[taken]
        pending = pending[taken]
    kink[kinked] = 0.0
    return BlackBoxGradient(_with_jumps(replace(best, evaluations=evaluations), jump, kinked), kink)


def _both(engine: Engine, indices: Indices, step: Vector, noise: Vector) -> Sides:
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
    accident = _NOISE_OF_K * noise / step + 4 * np.finfo(np.float64).eps * magnitude
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
