"""Run the check of a declared network: call the witnesses and the oracle, then compare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.backend.contract import Backend
from xcheck.caveats import CheckedPoint
from xcheck.caveats.layers import layers_of
from xcheck.checks.networks.report import build_report
from xcheck.checks.networks.witnesses import Witnesses, call_witnesses
from xcheck.checks.report import Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import tensor_coverage
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import largest_of, roundoff_of
from xcheck.findings import CONSTANT_FEATURE
from xcheck.layout import Vector
from xcheck.networks.definition import CheckSettings, Loaded
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate, OracleOptions, numerical_gradient, planned_differences
from xcheck.oracle.extended_precision import settle_disputes
from xcheck.progress import Progress, counted


@dataclass(frozen=True, slots=True, eq=False)
class NetworkAnswers:
    """A check of a declared network that is done.

    Attributes:
        loaded: what was checked.
        witnesses: what they say.
        comparer: holds it against the oracle.
        point: what is known at θ.
    """

    loaded: Loaded
    witnesses: Witnesses
    comparer: Comparer
    point: CheckedPoint

    def report(self, command: Sequence[str] = ()) -> Report:
        """Return the report."""
        return build_report(self.loaded, self.witnesses, self.comparer, self.point, command)


@np.errstate(all="ignore")  # a network that overflows at θ is a result
def run_network(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    progress: Progress | None = None,
) -> NetworkAnswers:
    """Ask the witnesses and the oracle; see `verify`."""
    problem, check = loaded.problem, loaded.check
    options = _options(check)
    witnesses = call_witnesses(problem, check, backends)
    estimate = numerical_gradient(problem, options, progress=counted(progress, planned_differences(problem, options)))
    tolerance = tolerance_for(
        check.tolerance,
        roundoff_of(check.dtype),
        extrapolates=options.extrapolates,
        largest=largest_of(check.dtype),
    )
    comparer = Comparer(estimate, problem.layout, tolerance, worst=worst)
    if options.extrapolates:
        disputes = [comparer.disputes(evaluation) for evaluation in witnesses.evaluations]
        estimate = _settled(problem, estimate, disputes, tolerance.relative)
        comparer = comparer.given(estimate)
    point = CheckedPoint(
        problem=problem,
        estimate=estimate,
        layers=layers_of(problem, estimate),
        tensors=tensor_coverage(problem.layout, estimate, comparer.settled(witnesses.evaluations)),
        evaluations=witnesses.evaluations,
        dtype=check.dtype,
        tolerance=tolerance.effective,
        constant=sum(int(warning.value or 0) for warning in loaded.warnings if warning.code == CONSTANT_FEATURE),
    )
    return NetworkAnswers(loaded, witnesses, comparer, point)


def _options(check: CheckSettings) -> OracleOptions:
    return OracleOptions(
        epsilon=check.epsilon,
        difference=check.difference,
        tolerance=check.tolerance,
        device=check.device,
        dtype=check.dtype,
        engine=check.engine,
        budget=check.budget,
    )


def _settled(problem: Problem, estimate: Estimate, disputes: Sequence[Vector], tolerance: float) -> Estimate:
    """Return the estimate after the referee has had its say on what is in dispute."""
    return settle_disputes(problem, estimate, np.max(disputes, axis=0), tolerance=tolerance) if disputes else estimate
