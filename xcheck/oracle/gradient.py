"""The numerical gradient of a problem: the choice of an engine that stands its audit."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from xcheck.oracle.choose import choose, more_direct, predict
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.network_engine import NetworkEngine
from xcheck.oracle.noise import sampled_differences
from xcheck.oracle.options import OracleOptions
from xcheck.oracle.sitting import Sitting, Stopwatch
from xcheck.parameters import Layout
from xcheck.problem import Problem

# So many budgets an engine may take that steps in for one that failed its audit.
_PATIENCE = 30

if TYPE_CHECKING:
    from xcheck.oracle.audit import Audit


def planned_differences(layout: Layout) -> int:
    """Return how many differences will be taken at least: noise samples, and θ once with each of three steps."""
    return sampled_differences(layout) + 3 * layout.size


def numerical_gradient(
    problem: Problem,
    options: OracleOptions | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """Estimate ∂J/∂θ of a network by differences of its loss.

    Args:
        problem: the network at θ.
        options: how.
        progress: called after each batch with the number of differences in it.

    Returns:
        The estimate with its error bars.

    Raises:
        DeviceError: the device is not there.
    """
    options = options or OracleOptions()
    predicted = predict(problem, planned_differences(problem.layout))
    chosen = choose(options.engine, predicted, options.budget, nodes=options.extrapolates)
    estimate = judged(chosen, problem, options, progress=progress)
    return replace(estimate, predicted=predicted) if options.engine == "auto" else estimate


def judged(
    engine: type[NetworkEngine],
    problem: Problem,
    options: OracleOptions,
    *,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """Return the estimate of an engine; if it fails its audit, that of the next more direct one.

    An engine that is contradicted is not believed in anything. Where the next one would take hours, nothing is known:
    the error bars are infinite, and every component is undecided.
    """
    clock = Stopwatch(progress)
    predicted = predict(problem, planned_differences(problem.layout))
    audits: list[Audit] = []
    while True:
        sitting = Sitting(engine, problem, options, clock)
        audits += sitting.audits
        estimate = sitting.estimate(audits)
        if all(audit.passed for audit in sitting.audits):
            return estimate
        engine = more_direct(engine)
        if predicted[engine.name] > _PATIENCE * options.budget:
            return replace(estimate, error_bar=np.full_like(estimate.error_bar, np.inf))
