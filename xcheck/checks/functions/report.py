"""Build the report on people's own functions from what they and the oracle say."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.caveats.coverage import below_noise, stationary, zero_gradient
from xcheck.caveats.functions import (
    complex_convention,
    contracted_outputs,
    embedding_option,
    hooked,
    inputs_not_checked,
    partial,
    shared_arrays,
    training_mode,
    unused_parameters,
)
from xcheck.caveats.kinks import components_at_kinks, components_on_stairs
from xcheck.caveats.precision import ill_conditioned, noisy_as_narrow_dtype
from xcheck.caveats.undecided import undecided_components
from xcheck.checks.assemble import Comparison, ReportHead, assemble, findings_in_order
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.comparison import (
    compare_functions,
    coverage_of,
    covered_estimate,
    diagnose_functions,
    find_odd_one_out,
    right_in_float64,
)
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.parted import parted_losses
from xcheck.checks.functions.residual import make_probes
from xcheck.checks.functions.second_order import SecondOrder, check_second_order
from xcheck.checks.proof import proof_warnings
from xcheck.checks.report import Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.pair import ORACLE
from xcheck.diagnose import Diagnosis
from xcheck.diagnose.determinism import differing_calls
from xcheck.diagnose.functions import location_findings
from xcheck.findings import NOT_LOOKED_INTO, Finding
from xcheck.functions.arguments import Arguments
from xcheck.verdict import Verdict


def build_report(
    implementations: Sequence[Implementation],
    found: Answers,
    arguments: Arguments,
    options: FunctionCheckOptions,
    *,
    comparers: tuple[Comparer, Comparer],
    name: str,
    order: int,
) -> Report:
    """Compare what the functions and the oracle say, and put everything into a report."""
    # The second one is for functions that were asked again in float64.
    comparer, float64 = comparers
    comparison = compare_functions(found, comparer, float64)
    probes = make_probes(implementations, found, arguments, options.device)
    diagnosis = diagnose_functions(found, arguments, comparison.pairs, comparer, float64, probes=probes)
    tensors = coverage_of(found, comparer, float64)
    # Empty unless asked for, so that what follows need not ask again.
    second = SecondOrder()
    parted = parted_losses(implementations, found, comparison.pairs, arguments, options.device)
    if order == 2:
        agreed = comparison.verdict is Verdict.AGREE
        second = check_second_order(implementations, found, arguments, options, agreed=agreed)
    return assemble(
        # Added only here: the diagnosis above is of first derivatives.
        replace(comparison, pairs=[*comparison.pairs, *second.pairs]),
        _head(implementations, found, arguments, options, name),
        verdict=Verdict.worst([comparison.verdict, second.verdict]),
        odd_one_out=find_odd_one_out(found, comparison.distinct),
        findings=[*_findings(found, comparison, diagnosis, arguments, parted), *second.findings],
        warnings=[
            *_warnings(found, comparison, tensors, arguments, options),
            *diagnosis.caveats,
            *(one for one in parted if one.code == NOT_LOOKED_INTO),
            *second.warnings,
        ],
        tensors=tensors,
        proof=found.proof,
    )


def _findings(
    found: Answers, comparison: Comparison, diagnosis: Diagnosis, arguments: Arguments, parted: Sequence[Finding]
) -> list[Finding]:
    return findings_in_order(
        comparison,
        diagnosis,
        of_oracle=found.run.findings,
        located=[
            finding for name, one in found.run.located for finding in location_findings(name, one, arguments.layout)
        ],
        parted=[one for one in parted if one.code != NOT_LOOKED_INTO],
    )


def _warnings(
    found: Answers,
    comparison: Comparison,
    tensors: Sequence[TensorCoverage],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> list[Finding]:
    """Return what this check does not prove."""
    run, estimate = found.run, found.estimate
    warnings = [warning for answer in found.answers for warning in answer.warnings]
    warnings += run.warnings
    warnings += _unused(found, arguments)
    # What is coarser than the noise of the loss does not suffer from it.
    if run.is_narrow and run.roundoff >= arguments.roundoff:
        warnings.append(noisy_as_narrow_dtype(run.label, run.roundoff, estimate))
    warnings += _about_functions(found, arguments)
    warnings += [] if found.proof is None else proof_warnings(found.proof)
    warnings += differing_calls(found.evaluations, comparison.comparer)
    warnings += shared_arrays(arguments)
    warnings += complex_convention(arguments, [name for name, each in _objectives(found).items() if each.conjugates])
    # Where v was chosen by the person, or each output is checked, nothing random stands between.
    if options.cotangent is None and not found.outputs:
        shape = None if found.cotangent is None else found.cotangent.shape
        warnings += contracted_outputs(shape, options.differences.seed)
    return [*warnings, *_about_error_bars(found, comparison, tensors)]


def _objectives(found: Answers) -> dict[str, FunctionObjective]:
    """Return the functions that could be set up, by name."""
    return {answer.name: answer.objective for answer in found.answers if answer.objective is not None}


def _unused(found: Answers, arguments: Arguments) -> list[Finding]:
    """Name the parameters that have no gradient."""
    warnings: list[Finding] = []
    for name, objective in _objectives(found).items():
        canonical = objective.parameters.naming.canonical
        unused = {own: arguments.parts(canonical[own]) for own in sorted(objective.unused)}
        by_hand = objective.function.hand_written
        warnings += unused_parameters(name, unused, found.estimate, found.layout, by_hand=by_hand)
    return warnings


def _about_functions(found: Answers, arguments: Arguments) -> list[Finding]:
    """Return what a module's mode, its inputs and its hooks keep from the check."""
    objectives = _objectives(found).items()
    answered = {answer.name for answer in found.answers if answer.evaluation is not None}
    warnings = [training_mode(name, text) for name, objective in objectives for text in objective.cautions()]
    for name, objective in objectives:
        # Only a module that answers has a gradient of its inputs.
        asked = name in answered and objective.function.calls_module
        unchecked = arguments.floating_data(objective.function.inputs) if asked else []
        warnings += inputs_not_checked(name, unchecked, objective.own_code_behind_inputs() if unchecked else ())
    warnings += [hooked(name, text) for name, objective in objectives for text in objective.hooks()]
    return warnings + [embedding_option(name, text) for name, objective in objectives for text in objective.undone()]


def _about_error_bars(found: Answers, comparison: Comparison, tensors: Sequence[TensorCoverage]) -> list[Finding]:
    """Return what the error bars leave open; nothing where there are none."""
    run, estimate, pairs = found.run, found.estimate, comparison.pairs
    if run.oracle is None or not np.isfinite(estimate.loss):
        return []
    kinks = [] if found.outputs else run.oracle.kinks.tolist()
    # A search adds components, whose stairs were not looked for.
    measured = run.oracle.engine.lines
    caveats = [
        components_at_kinks(estimate, found.layout, kinks, found.evaluations),
        None if found.outputs else components_on_stairs(run.oracle.treads, measured.layout, measured.whole.size),
        zero_gradient(tensors),
        below_noise(tensors, covered_estimate(found), found.layout),
        stationary(tensors, covered_estimate(found), found.layout),
        undecided_components(pairs),
    ]
    right = right_in_float64(found.reruns, pairs)
    return [
        *partial(run.lines, estimate, comparison.comparer.tolerance, run.oracle.predicted),
        # Each of them is None where it has nothing to say.
        *(caveat for caveat in caveats if caveat),
        *(
            ill_conditioned(pair.a, excused, pair.of, max(abs(one.a - one.b) for one in pair.worst))
            for pair in pairs
            # What is undecided for a reason is none of those that rounding has excused.
            if pair.b == ORACLE and pair.a in right and (excused := pair.undecided - sum(pair.reasons.values())) > 0
        ),
    ]


def _scope(found: Answers) -> str:
    if found.outputs:
        return "jacobian"
    # A sample that happens to be complete is a whole check.
    lines = found.run.lines
    return "all" if lines.complete else "sample" if len(lines.components) else "directions"


def _head(
    implementations: Sequence[Implementation],
    found: Answers,
    arguments: Arguments,
    options: FunctionCheckOptions,
    name: str,
) -> ReportHead:
    size, tensors, dtype = arguments.layout.size, len(arguments.leaves), _dtype(arguments)
    parts = [f"{size} parameter{'s' * (size != 1)}", f"{tensors} tensor{'s' * (tensors != 1)}"]
    if found.outputs:
        parts.append(f"{len(found.outputs)} outputs")
    if any(implementation.function.hand_written for implementation in implementations):
        parts.append("hand-written gradient")
    if dtype != "float64":
        parts.append(dtype)
    return ReportHead(
        model=name,
        summary=", ".join(parts),
        parameters=size,
        seed=options.differences.seed,
        dtype=dtype,
        scope=_scope(found),
        budget=options.differences.budget,
        device=options.device,
    )


def _dtype(arguments: Arguments) -> str:
    """Return the coarsest dtype of the parameters."""
    return max(arguments.leaves.values(), key=lambda leaf: leaf.roundoff).dtype
