"""Slopes of several outputs at once: of those that are smooth and quiet, which need no second measurement.

All outputs come with every call of a function, so that the first step of `xcheck.oracle.estimators.one_sided` is
measured for all of them together, with the same formulas. An output is *settled* if its noise is read off these losses
(`xcheck.oracle.estimators.even_part`) and no component of it has a kink, a bar that is too wide, or a noise that
matters (`xcheck.oracle.estimators.refinement`): measured by itself it would have the same slopes and bars, to the last
bit.
"""

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.even_part import quiet_noises
from xcheck.oracle.estimators.refinement import Refinement
from xcheck.oracle.estimators.sides import OneSidedGradient, least_noise, measure_sides
from xcheck.oracle.estimators.two_step import draw_samples


def estimate_outputs(engine: FunctionEngine, *, tolerance: float) -> tuple[OneSidedGradient, Vector, Flags] | None:
    """Return the gradients of all outputs, their noise, and which of them are settled; None where that cannot be told.

    Args:
        engine: evaluates the losses of all outputs at once.
        tolerance: as in `xcheck.oracle.estimators.one_sided.estimate_one_sided`.

    Returns:
        Slopes, shape (outputs, n); σ of each output, shape (outputs, 1); and flags, shape (outputs,).
    """
    size = engine.layout.size
    # Of a large tensor most components are measured with two steps, and what these show depends on the output.
    if sum(len(sample) for sample in draw_samples(engine.layout).values()) < size:
        return None
    quiet = quiet_noises(engine)
    if quiet is None:
        return None
    noise = np.broadcast_to(np.maximum(quiet, least_noise(engine)), (len(quiet), size))
    sides = measure_sides(engine, np.arange(size), engine.first_step * engine.scale, noise)
    state = Refinement(engine, noise, sides, np.full(noise.shape, np.nan))
    settled = np.isfinite(quiet[:, 0]) & ~state.unsettled(tolerance).any(axis=-1)
    return state.result(np.zeros(size, dtype=bool)), quiet, settled
