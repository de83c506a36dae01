"""Hearing: every function is examined, the oracle measures one of them, and what both say is laid side by side.

A loss that returns an array y is heard through a cotangent v, as Re Σ v̄ y; or, for the whole Jacobian, once for every
output, with v a unit vector.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from xcheck.checks.functions.answers import Heard, HearingOptions
from xcheck.checks.functions.implementations import Contender
from xcheck.checks.functions.jacobian import _cotangents, _joined
from xcheck.checks.functions.oracle import Judgement, candidates, judged, locate, reconsidered
from xcheck.checks.functions.purity import Examined, examined
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.estimators.rounding import Rounding


def heard(contenders: Sequence[Contender], arguments: Arguments, options: HearingOptions) -> Heard:
    """Hear everybody.

    Raises:
        DefinitionError: a function does not fit its parameters, or an array-valued loss is asked for what it is not.
    """
    cotangents = _cotangents(contenders, arguments, options)
    parts = [_heard_through(cotangent, contenders, arguments, options) for cotangent in cotangents]
    return parts[0] if not options.jacobian or cotangents == [None] else _joined(parts, cotangents)


def strict_estimate(found: Heard) -> Estimate:
    """Return the estimate for those that were asked again in float64: their rounding is that of float64."""
    return _strict(found.judgement, found.estimate, found.roundoff)


def _strict(judgement: Judgement, estimate: Estimate, roundoff: float) -> Estimate:
    own = max(FLOAT64, judgement.roundoff)
    return replace(estimate, rounding=_scaled(estimate.rounding, own / roundoff))


def _strict_comparer(judgement: Judgement, options: HearingOptions, roundoff: float) -> Comparer:
    own, estimate = max(FLOAT64, judgement.roundoff), _strict(judgement, judgement.estimate, roundoff)
    return _comparer(estimate, judgement.lines.layout, options, own)


def comparers(found: Heard, options: HearingOptions) -> tuple[Comparer, Comparer]:
    """Return who compares the witnesses, and who those that were asked again in float64."""
    own = max(FLOAT64, found.judgement.roundoff)
    return (
        _comparer(found.estimate, found.layout, options, found.roundoff),
        _comparer(strict_estimate(found), found.layout, options, own),
    )


def _comparer(estimate: Estimate, layout: Layout, options: HearingOptions, roundoff: float) -> Comparer:
    extrapolates = options.differences.epsilon == "auto"
    tolerance = tolerance_for(options.differences.tolerance, roundoff, extrapolates=extrapolates)
    return Comparer(estimate, layout, tolerance, worst=options.worst, despite_losses=False)


def _scaled(rounding: Rounding, factor: float) -> Rounding:
    return Rounding(rounding.gradient * factor, rounding.loss * factor)


def _heard_through(
    cotangent: Numbers | None, contenders: Sequence[Contender], arguments: Arguments, options: HearingOptions
) -> Heard:
    found = [_examined(contender, arguments, options, cotangent) for contender in contenders]
    judgement = judged(
        candidates(contenders, found, options.oracle),
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

    reconsidered(judgement, lambda estimate: _comparer(estimate, layout, options, roundoff()), witnesses)
    wide = [] if judgement.is_narrow else _in_float64(found, cotangent, options.device)
    locate(judgement, lambda now: _comparer(now.estimate, now.lines.layout, options, roundoff()), witnesses)
    locate(judgement, lambda now: _strict_comparer(now, options, roundoff()), wide)
    return Heard(
        layout=judgement.lines.layout,
        estimate=judgement.estimate,
        evaluations=[judgement.along(witness) for witness in witnesses],
        wide=[judgement.along(one) for one in wide],
        wide_whole=wide,
        examined=found,
        judgement=judgement,
        roundoff=roundoff(),
    )


def _in_float64(found: Sequence[Examined], cotangent: Numbers | None, device: str) -> list[Evaluation]:
    """Return what narrow witnesses say in float64, where they can."""
    again = (one.in_float64(cotangent, device) for one in found)
    return [wide for wide in again if wide is not None]


def _examined(contender: Contender, arguments: Arguments, options: HearingOptions, cotangent: Any) -> Examined:
    objective = contender.objective(arguments, device=options.device, cotangent=cotangent)
    return examined(contender, objective, arguments.theta)


# --- losses that are arrays -----------------------------------------------------------------------------------------
