"""Numerical gradients of arbitrary functions, in which one-sided slopes show the kinks.

Let D⁺(h) and D⁻(h) be the slopes to the right and to the left, D = (D⁺ + D⁻)/2 the central difference and
S(h) = D⁺(h) − D⁻(h). Where J is smooth, S(h) = h J'' + O(h³), so

    K(h) = 2 S(h) − S(2h) = O(h³)

With a kink at θ, K stays at the jump of the slope, however short the step; with a kink at a distance t, K is of the
size of the jump while t is inside the step and vanishes once the step is shorter. The central difference alone cannot
show this: at a kink, D(h) is the mean of the two slopes at every h, and looks perfectly converged.

A component whose K is larger than noise, and does not shrink like h³, is measured again with shorter steps: until K
vanishes (then the kink is outside the step, and the component is decided as usual), or until noise would hide K. In the
latter case the kink is at θ, or too close to it to be told apart: any slope in [R − |K|/2, R + |K|/2] is a subgradient.

The scale of an arbitrary function is a guess, and may be wrong by many powers of ten. So a bar that is far too wide
makes the step much shorter at once, and a narrow bar that contradicts a wider one is not believed. Before a gradient is
called wrong, `remeasure_disputed` shortens the step until noise is nearly as large as the dispute, in case J has a
feature inside the step.

Source: central differences at a kink: Clarke, "Optimization and Nonsmooth Analysis", 1983, section 2.1.
"""

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, too_wide
from xcheck.oracle.estimators.refinement import ROUNDS, Refinement, is_still
from xcheck.oracle.estimators.sides import OneSidedGradient, Sides, least_noise, measure_sides
from xcheck.oracle.estimators.two_step import draw_samples, estimate_two_step


def estimate_one_sided(engine: FunctionEngine, noise: Vector, *, tolerance: float) -> OneSidedGradient:
    """Estimate all components, each from both sides; see the module.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: as in `xcheck.oracle.estimators.central.estimate`.
    """
    # Samples may happen to be equal to the last bit: one rounding is the least.
    noise = np.maximum(noise, least_noise(engine))
    sides, two_step = _first_pass(engine, noise)
    state = Refinement(engine, noise, sides, np.full(len(two_step), np.nan))
    in_full = np.flatnonzero(two_step & too_wide(engine, state.best, tolerance))
    state.measure_in_full(in_full)
    two_step[in_full] = False
    if state.unsettled(tolerance).any():
        everything = np.arange(len(two_step))
        state.converge(everything, tolerance)
        state.improve_from_one_side(everything, tolerance)
    return state.result(two_step)


def measure_in_full(
    engine: FunctionEngine, noise: Vector, found: OneSidedGradient, places: Indices, *, tolerance: float
) -> OneSidedGradient:
    """Return the gradient with components that were measured with two steps measured with three, and refined."""
    noise = np.maximum(noise, least_noise(engine))
    state, two_step = Refinement.of(engine, noise, found), found.two_step.copy()
    state.measure_in_full(places)
    state.converge(places, tolerance)
    state.improve_from_one_side(places, tolerance)
    two_step[places] = False
    return state.result(two_step)


def _first_pass(engine: FunctionEngine, noise: Vector) -> tuple[Sides, Flags]:
    """Measure all components once: small tensors and samples of large ones with three steps, the rest with two."""
    start = engine.first_step * engine.scale
    two_step = np.zeros(engine.layout.size, dtype=bool)
    samples = draw_samples(engine.layout)
    chosen = np.concatenate([*samples.values(), np.zeros(0, dtype=np.intp)])
    first = measure_sides(engine, chosen, start[chosen], noise[chosen])
    parts, suspects = [first], []
    for tensor, sample in samples.items():
        if len(sample) == tensor.size:
            continue
        rest = np.setdiff1d(np.arange(tensor.span.start, tensor.span.stop), sample)
        own = np.isin(chosen, sample)
        # A sample with kinks, or without values, says nothing about the others' truncation.
        if first.kinked[own].any() or not np.isfinite(first.truncation[own]).all():
            suspects.append(rest)
            continue
        truncation, jump = float(first.truncation[own].max()), float(first.jump[own].max())
        measured, suspicious, curvature = estimate_two_step(engine, rest, start[rest], noise[rest], truncation, jump)
        parts.append(Sides.of(measured, curvature))
        two_step[rest[~suspicious]] = True
        suspects.append(rest[suspicious])
    # In one batch: calls of the function are few and large.
    remaining = np.concatenate([*suspects, np.zeros(0, dtype=np.intp)])
    if len(remaining):
        parts.append(measure_sides(engine, remaining, start[remaining], noise[remaining]))
    return Sides.latest(parts, engine.layout.size), two_step


def remeasure_disputed(
    engine: FunctionEngine,
    noise: Vector,
    found: OneSidedGradient,
    disputed: Indices,
    gradient: Vector,
    *,
    tolerance: float,
) -> OneSidedGradient:
    """Return the gradient with disputed components measured with steps as short as the noise allows.

    A function may have a feature inside the first step that its derivative shows and its differences do not. Where
    shorter steps give the same value, the dispute stands; where they do not, the shorter steps are believed.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        found: the gradient as longer steps measured it.
        disputed: components, shape (k,).
        gradient: the witness's, shape (n,).
        tolerance: as in `estimate_one_sided`.
    """
    noise = np.maximum(noise, least_noise(engine))
    state = Refinement.of(engine, noise, found)
    pending, step = disputed, state.best.step.copy()
    for _ in range(ROUNDS):
        best = state.best
        gap = np.abs(gradient - best.value)[pending]
        # Sixteen times shorter each: a feature is met within a few rounds, whatever its size.
        step[pending] /= 16
        # An eighth of the gap: shorter steps than that could no longer tell the two sides of the dispute apart.
        visible = NOISE_MULTIPLE * state.noise[pending] / step[pending] < gap / 8
        pending = pending[visible & ~state.sides.kinked[pending]]
        if not len(pending) or engine.late:
            break
        again = measure_sides(engine, pending, step[pending], state.noise[pending])
        with np.errstate(invalid="ignore"):
            apart = np.abs(again.measured.value - best.value[pending])
            other = apart > again.measured.bar + best.bar[pending]
            narrower = again.measured.bar < best.bar[pending]
        # J is a staircase: steps shorter than its treads show nothing.
        flat = other & is_still(best, again.measured, pending)
        stairs = pending[flat]
        state.widen(stairs, np.maximum(best.bar, np.abs(best.value))[stairs])
        state.take(again, pending, (other | narrower | again.kinked) & ~flat)
        pending = pending[~flat]
    # What looks like a kink with a shorter step may be a feature that still lies within it.
    state.converge(
        disputed[state.sides.kinked[disputed] & (state.best.step < found.measured.step)[disputed]], tolerance
    )
    return state.result(found.two_step)
