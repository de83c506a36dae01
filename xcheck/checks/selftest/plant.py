"""Plant faults in a model's own gradients: a self-test tells which of them the check would find.

The oracle measures once, for the check itself; every fault is held against that estimate, along the same lines. So a
hundred faulty gradients cost little more than the check of the right one.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.checks.completed import CompletedCheck, Witness, require_one_gradient
from xcheck.checks.selftest.score import FaultOutcome, FaultResult, Limit, SelfTest
from xcheck.compare.bounds import Bounds
from xcheck.findings import SAMPLED
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.seeds import Stream, generator
from xcheck.testing.faults import FAULTS, Fault
from xcheck.testing.generic_faults import GENERIC_FAULTS, GenericFault
from xcheck.testing.layer_faults import layer_faults
from xcheck.verdict import Verdict

# Rounding to float32 is a fault only for a check whose tolerance is finer than its unit roundoff.
_OF_FLOAT32 = {"rounded to float32": 2.0**-24}


def run_selftest(check: CompletedCheck, check_seconds: float) -> SelfTest:
    """Plant all faults in a check that is done.

    Args:
        check: the check.
        check_seconds: how long it took.

    Raises:
        DefinitionError: it is a check of a whole Jacobian.
    """
    require_one_gradient(check)
    start, report = time.perf_counter(), check.report
    witnesses = _select_sound(check)
    with np.errstate(all="ignore"):  # what overflows in a faulty gradient is a fault all the same
        results = tuple(_result(check, witnesses, fault) for fault in _faults_for(check)) if witnesses else ()
        limits = _limits(check, witnesses[0]) if witnesses else ()
    kept = {name for witness in witnesses for name in (witness.name, witness.rerun_of)}
    return SelfTest(
        model=report.model,
        check=report.verdict,
        headline_of_check=report.headline,
        witnesses=tuple(witness.name for witness in witnesses),
        skipped=tuple(witness.name for witness in check.witnesses if witness.name not in kept),
        results=results,
        limits=limits,
        sampled=next((warning.text for warning in report.warnings if warning.code == SAMPLED), ""),
        tolerance=witnesses[0].comparer.tolerance if witnesses else report.tolerance,
        seed=report.seed,
        check_seconds=check_seconds,
        seconds=time.perf_counter() - start,
    )


def _select_sound(check: CompletedCheck) -> list[Witness]:
    """Return the witnesses that a fault can be planted in: nothing can be spoiled that is wrong already, or random.

    Of one that was asked again in float64, that answer: it is held to more.
    """
    sound = [
        witness
        for witness in check.witnesses
        if check.pair(witness).verdict is not Verdict.DISAGREE
        and not witness.comparer.spread(witness.whole)
        and np.isfinite(check.estimate.error_bar).any()
    ]
    replaced = {witness.rerun_of for witness in sound}
    return [witness for witness in sound if witness.name not in replaced]


# --- faults ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PlantedFault:
    """A fault that can be planted in a gradient of this model: g, shape (n,), -> faulty, None where nothing changes."""

    name: str
    kind: str
    plant: Callable[[Vector], Vector | None]


def _faults_for(check: CompletedCheck) -> list[PlantedFault]:
    if check.problem is not None:
        return [_of_network(fault, check.problem) for fault in FAULTS]
    # Neither a network nor functions: nothing to plant in.
    if check.arguments is None:
        return []
    tolerance = check.report.tolerance
    of_layers = () if check.network is None else layer_faults(check.network)
    return [
        _of_functions(fault, number, check.arguments, check.report.seed)
        for number, fault in enumerate((*GENERIC_FAULTS.values(), *of_layers))
        if _OF_FLOAT32.get(fault.name, np.inf) > tolerance
    ]


def _of_network(fault: Fault, problem: Problem) -> PlantedFault:
    def plant(gradient: Vector) -> Vector | None:
        return fault.plant(problem, gradient) if fault.touched(problem, gradient) else None

    return PlantedFault(fault.name, fault.kind, plant)


def _of_functions(fault: GenericFault, number: int, arguments: Arguments, seed: int) -> PlantedFault:
    def plant(gradient: Vector) -> Vector | None:
        rng = generator(seed, Stream.PLANTED_FAULTS, number)
        faulty = fault(arguments.unflatten(gradient), arguments.unflatten(arguments.theta), rng)
        return None if faulty is None else arguments.flatten(faulty)

    return PlantedFault(fault.name, fault.kind, plant)


# --- detections
# ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Detection:
    """What the check says of one fault in one witness."""

    witness: str
    outcome: FaultOutcome
    named: bool
    component: str
    error: float
    tolerated: float


def _result(check: CompletedCheck, witnesses: Sequence[Witness], fault: PlantedFault) -> FaultResult:
    """Plant a fault in each witness by itself."""
    seen = [one for witness in witnesses if (one := _detect(check, witness, fault)) is not None]
    if not seen:
        return FaultResult(name=fault.name, kind=fault.kind, outcome=FaultOutcome.INAPPLICABLE)
    missed = [one for one in seen if one.outcome is not FaultOutcome.KILLED]
    if not missed:
        named = all(one.named for one in seen)
        return FaultResult(name=fault.name, kind=fault.kind, outcome=FaultOutcome.KILLED, named=named)
    worst = next((one for one in missed if one.outcome is FaultOutcome.SLIPS), missed[0])
    return FaultResult(
        name=fault.name,
        kind=fault.kind,
        outcome=worst.outcome,
        missed_in=tuple(one.witness for one in missed),
        component=worst.component,
        error=worst.error,
        tolerated=worst.tolerated,
    )


def _detect(check: CompletedCheck, witness: Witness, fault: PlantedFault) -> Detection | None:
    gradient = witness.whole.gradient
    faulty = fault.plant(gradient)
    if faulty is None:
        return None
    # Along the lines of the check: what it has not looked at, it cannot see.
    right, wrong = check.lines.along(gradient), check.lines.along(faulty)
    bounds = witness.comparer.bounds(wrong)
    touched = {t.name for t in check.layout if not np.array_equal(faulty[t.span], gradient[t.span])}
    found = _wrong_tensors(check.lines.layout, bounds)
    error = np.nan_to_num(np.abs(wrong - right), nan=np.inf)
    allowed = bounds.allowed + _widths(check.estimate)
    # Of a fault that slips through, the component that came closest to being seen tells how much was missing.
    nearest = int(np.argmax(np.nan_to_num(error / allowed)))
    size = max(abs(float(wrong[nearest])), abs(float(right[nearest])))
    return Detection(
        witness=witness.name,
        outcome=_outcome(check, witness, bounds),
        named=bool(found) and found <= touched,
        component=str(check.lines.layout.locate(nearest)),
        error=float(error[nearest]) / size if size else 0.0,
        tolerated=float(allowed[nearest]) / size if size else np.inf,
    )


def _outcome(check: CompletedCheck, witness: Witness, bounds: Bounds) -> FaultOutcome:
    if bounds.wrong.any():
        return FaultOutcome.KILLED
    # Where the right gradient is undecided as well, the fault has changed nothing.
    plain = check.pair(witness).verdict is Verdict.AGREE
    return FaultOutcome.UNDECIDED if plain and bounds.undecided.any() else FaultOutcome.SLIPS


def _widths(estimate: Estimate) -> Vector:
    """Return by how much right gradients may differ at kinks, shape (n,)."""
    return np.asarray(np.nan_to_num(estimate.upper - estimate.lower))


def _wrong_tensors(layout: Layout, bounds: Bounds) -> set[str]:
    return {t.name for t in layout if t.name != DIRECTIONS and bounds.wrong[t.span].any()}


# --- limits ---------------------------------------------------------------------------------------------------------


def _limits(check: CompletedCheck, witness: Witness) -> tuple[Limit, ...]:
    """Return what an error must exceed to be seen, from bars, rounding and tolerance; at a kink any slope is right."""
    estimate, layout = check.estimate, check.lines.layout
    allowed = witness.comparer.bounds(estimate.value).allowed + _widths(estimate)
    size = np.abs(estimate.value)
    # An error as large as the component itself says nothing in relative terms.
    relative = np.where(size > allowed, allowed / size, np.inf)
    found = []
    for tensor in layout:
        if not tensor.size:
            continue
        own, hidden = relative[tensor.span], ~np.isfinite(relative[tensor.span])
        worst = int(np.argmax(np.where(hidden, -1.0, own)))
        found.append(
            Limit(
                tensor=tensor.name,
                of=tensor.size,
                median=float(np.median(own[~hidden])) if not hidden.all() else float("nan"),
                worst=float(own[worst]) if not hidden.all() else float("nan"),
                component="" if hidden.all() else str(layout.locate(tensor.offset + worst)),
                hidden=int(hidden.sum()),
                absolute=float(allowed[tensor.span][hidden].max(initial=0.0)),
            )
        )
    return tuple(found)
