"""The oracle of a Jacobian: the gradients of all outputs that need no measurement of their own.

What the first step says of all outputs at once settles those that are smooth and quiet
(`xcheck.oracle.estimators.outputs`). The others are functions of their own, and measured as such.
"""

import time
from collections.abc import Callable, Mapping

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.outputs import estimate_outputs
from xcheck.oracle.function_estimate import estimates_of
from xcheck.oracle.options import FunctionOptions


def measure_settled_outputs(
    evaluator: Evaluator,
    theta: Vector,
    layout: Layout,
    outputs: int,
    *,
    roundoffs: Mapping[str, float],
    options: FunctionOptions,
    name: str,
    progress: Callable[[int], None] | None = None,
) -> dict[int, Estimate]:
    """Measure all outputs at once, and return the estimates of those that are settled, by number.

    Args:
        evaluator: the function, with losses of shape (outputs, k).
        theta: θ, shape (n,).
        layout: names of its components.
        outputs: how many there are.
        roundoffs: per tensor the unit roundoff of what the witnesses compute in.
        options: with the tolerance; only steps that are chosen settle anything.
        name: of the engine, as in reports.
        progress: called with the number of differences after each batch.
    """
    start = time.perf_counter()
    if options.epsilon != "auto":
        return {}
    lines = Lines.all_of(layout)
    engine = FunctionEngine(evaluator, theta, lines, progress=progress, outputs=outputs)
    with np.errstate(all="ignore"):
        found = estimate_outputs(engine, tolerance=options.tolerance)
    if found is None:
        return {}
    gradient, noise, settled = found
    seconds = time.perf_counter() - start
    estimates = estimates_of(engine, lines, gradient, noise, roundoffs, name=name, seconds=seconds)
    return {number: estimates[number] for number in np.flatnonzero(settled).tolist()}
