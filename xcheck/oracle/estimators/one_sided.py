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

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, too_wide
from xcheck.oracle.estimators.refinement import ROUNDS, Refinement, is_still
from xcheck.oracle.estimators.sides import OneSidedGradient, Sides, least_noise, measure_sides
from xcheck.oracle.estimators.two_step import estimate_two_step, sample_of


def estimate_one_sided(engine: FunctionEngine, noise: Vector, *, tolerance: float) -> OneSidedGradient:
    """Estimate all components, looking at both sides of each; see the module.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        tolerance: as in `xcheck.oracle.estimators.central.estimate`.
    """
    noise = np.maximum(noise, least_noise(engine))
    sides, brief = _first_pass(engine, noise)
    state = Refinement(engine, noise, sides, np.full(len(brief), np.nan))
    in_full = np.flatnonzero(brief & too_wide(engine, state.best, tolerance))
    state.measure_in_full(in_full)
    brief[in_full] = False
    state.converge(np.arange(len(brief)), tolerance)
    return state.result(brief)


def in_full(
    engine: FunctionEngine, noise: Vector, found: OneSidedGradient, places: Indices, *, tolerance: float
) -> OneSidedGradient:
    """Return the gradient after components that had a brief look were measured in full."""
    noise = np.maximum(noise, least_noise(engine))
    state, brief = Refinement.of(engine, noise, found), found.brief.copy()
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
    first = measure_sides(engine, chosen, start[chosen], noise[chosen])
    parts, suspects = [first], []
    for tensor, sample in samples.items():
        rest = np.setdiff1d(np.arange(tensor.span.start, tensor.span.stop), sample)
        own = np.isin(chosen, sample)
        if not len(rest) or first.kinked[own].any() or not np.isfinite(first.apart[own]).all():
            suspects.append(rest)
            continue
        truncation, jump = float(first.apart[own].max()), float(first.jump[own].max())
        measured, suspicious, bend = estimate_two_step(engine, rest, start[rest], noise[rest], truncation, jump)
        parts.append(Sides.of(measured, bend))
        brief[rest[~suspicious]] = True
        suspects.append(rest[suspicious])
    remaining = np.concatenate([*suspects, np.zeros(0, dtype=np.intp)])
    if len(remaining):
        parts.append(measure_sides(engine, remaining, start[remaining], noise[remaining]))
    return Sides.latest(parts, engine.layout.size), brief


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
    noise = np.maximum(noise, least_noise(engine))
    state = Refinement.of(engine, noise, found)
    pending, step = disputed, state.best.step.copy()
    for _ in range(ROUNDS):
        best = state.best
        gap = np.abs(gradient - best.value)[pending]
        step[pending] /= 16
        # An eighth of the gap: shorter steps than that could no longer tell the two sides of the dispute apart.
        visible = NOISE_MULTIPLE * noise[pending] / step[pending] < gap / 8
        pending = pending[visible & ~state.sides.kinked[pending]]
        if not len(pending) or engine.late:
            break
        again = measure_sides(engine, pending, step[pending], noise[pending])
        with np.errstate(invalid="ignore"):
            apart = np.abs(again.measured.value - best.value[pending])
            other = apart > again.measured.bar + best.bar[pending]
            narrower = again.measured.bar < best.bar[pending]
        # A staircase: nothing can be told from steps that are shorter than its own.
        flat = other & is_still(best, again.measured, pending)
        stairs = pending[flat]
        state.widen(stairs, np.maximum(best.bar, np.abs(best.value))[stairs])
        state.take(again, pending, (other | narrower | again.kinked) & ~flat)
        pending = pending[~flat]
    return state.result(found.brief)
