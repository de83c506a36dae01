"""The numerical gradient of a problem: the choice of an engine that stands its audit."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from xcheck.networks.problem import Problem
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.selection import choose, more_direct, predict
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.noise import sampled_differences
from xcheck.oracle.options import OracleOptions
from xcheck.oracle.sitting import NetworkOracle, Stopwatch

# So many budgets an engine may take that steps in for one that failed its audit.
_PATIENCE = 30

if TYPE_CHECKING:
    from xcheck.oracle.estimators.audit import Audit


def planned_differences(problem: Problem, options: OracleOptions) -> int:
    """Return how many differences will be taken at least: noise samples, and all of θ, or all units, with three steps.

    Audits and refinements come on top.
    """
    by_unit = options.extrapolates and issubclass(_chosen(problem, options), NodeEngine)
    return _differences(problem, sum(problem.network.widths[1:]) if by_unit else problem.layout.size)


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
    estimate = judged(_chosen(problem, options), problem, options, progress=progress)
    return replace(estimate, predicted=_predicted(problem)) if options.engine == "auto" else estimate


def _differences(problem: Problem, perturbed: int) -> int:
    return sampled_differences(problem.layout) + 3 * perturbed


def _predicted(problem: Problem) -> dict[str, float]:
    """Return about how many seconds the engines take that perturb all of θ."""
    return predict(problem, _differences(problem, problem.layout.size))


def _chosen(problem: Problem, options: OracleOptions) -> type[NetworkEngine]:
    return choose(options.engine, _predicted(problem), options.budget, nodes=options.extrapolates)


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
    predicted = _predicted(problem)
    audits: list[Audit] = []
    while True:
        sitting = NetworkOracle(engine, problem, options, clock)
        audits += sitting.audits
        estimate = sitting.estimate(audits)
        if all(audit.passed for audit in sitting.audits):
            return estimate
        engine = more_direct(engine)
        if predicted[engine.name] > _PATIENCE * options.budget:
            return replace(estimate, error_bar=np.full_like(estimate.error_bar, np.inf))
