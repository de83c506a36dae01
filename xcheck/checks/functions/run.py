"""Hearing: every function is examined, the oracle measures one of them, and what both say is laid side by side.

A loss that returns an array y is heard through a cotangent v, as Re Σ v̄ y; or, for the whole Jacobian, once for every
output, with v a unit vector.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.jacobian import _cotangents, _joined
from xcheck.checks.functions.oracle import (
    OracleRun,
    differentiable_candidates,
    locate_errors,
    remeasure_disputes,
    run_oracle,
)
from xcheck.checks.functions.purity import Answer, call_and_probe
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.estimators.rounding import Rounding


def run_functions(contenders: Sequence[Implementation], arguments: Arguments, options: FunctionCheckOptions) -> Answers:
    """Hear everybody.

    Raises:
        DefinitionError: a function does not fit its parameters, or an array-valued loss is asked for what it is not.
    """
    cotangents = _cotangents(contenders, arguments, options)
    parts = [_heard_through(cotangent, contenders, arguments, options) for cotangent in cotangents]
    return parts[0] if not options.jacobian or cotangents == [None] else _joined(parts, cotangents)


def strict_estimate(found: Answers) -> Estimate:
    """Return the estimate for those that were asked again in float64: their rounding is that of float64."""
    return _strict(found.judgement, found.estimate, found.roundoff)


def _strict(judgement: OracleRun, estimate: Estimate, roundoff: float) -> Estimate:
    own = max(FLOAT64, judgement.roundoff)
    return replace(estimate, rounding=_scaled(estimate.rounding, own / roundoff))


def _strict_comparer(judgement: OracleRun, options: FunctionCheckOptions, roundoff: float) -> Comparer:
    own, estimate = max(FLOAT64, judgement.roundoff), _strict(judgement, judgement.estimate, roundoff)
    return _comparer(estimate, judgement.lines.layout, options, own)


def comparers(found: Answers, options: FunctionCheckOptions) -> tuple[Comparer, Comparer]:
    """Return who compares the witnesses, and who those that were asked again in float64."""
    own = max(FLOAT64, found.judgement.roundoff)
    return (
        _comparer(found.estimate, found.layout, options, found.roundoff),
        _comparer(strict_estimate(found), found.layout, options, own),
    )


def _comparer(estimate: Estimate, layout: Layout, options: FunctionCheckOptions, roundoff: float) -> Comparer:
    extrapolates = options.differences.epsilon == "auto"
    tolerance = tolerance_for(options.differences.tolerance, roundoff, extrapolates=extrapolates)
    return Comparer(estimate, layout, tolerance, worst=options.worst, despite_losses=False)


def _scaled(rounding: Rounding, factor: float) -> Rounding:
    return Rounding(rounding.gradient * factor, rounding.loss * factor)


def _heard_through(
    cotangent: Numbers | None, contenders: Sequence[Implementation], arguments: Arguments, options: FunctionCheckOptions
) -> Answers:
    found = [_examined(contender, arguments, options, cotangent) for contender in contenders]
    judgement = run_oracle(
        differentiable_candidates(contenders, found, options.oracle),
        arguments,
        options.differences,
        device=options.device,
        cotangent=cotangent,
        progress=options.progress,
    )
    witnesses = [one.evaluation for one in found if one.evaluation is not None]
    layout = judgement.lines.layout

    def roundoff() -> float:
        return max(arguments.roundoff, judgement.roundoff)

    remeasure_disputes(judgement, lambda estimate: _comparer(estimate, layout, options, roundoff()), witnesses)
    wide = [] if judgement.is_narrow else _in_float64(found, cotangent, options.device)
    locate_errors(judgement, lambda now: _comparer(now.estimate, now.lines.layout, options, roundoff()), witnesses)
    locate_errors(judgement, lambda now: _strict_comparer(now, options, roundoff()), wide)
    return Answers(
        layout=judgement.lines.layout,
        estimate=judgement.estimate,
        evaluations=[judgement.along(witness) for witness in witnesses],
        wide=[judgement.along(one) for one in wide],
        wide_whole=wide,
        examined=found,
        judgement=judgement,
        roundoff=roundoff(),
    )


def _in_float64(found: Sequence[Answer], cotangent: Numbers | None, device: str) -> list[Evaluation]:
    """Return what narrow witnesses say in float64, where they can."""
    again = (one.in_float64(cotangent, device) for one in found)
    return [wide for wide in again if wide is not None]


def _examined(contender: Implementation, arguments: Arguments, options: FunctionCheckOptions, cotangent: Any) -> Answer:
    objective = contender.objective(arguments, device=options.device, cotangent=cotangent)
    return call_and_probe(contender, objective, arguments.theta)


# --- losses that are arrays -----------------------------------------------------------------------------------------
