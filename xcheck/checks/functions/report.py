"""Build the report on people's own functions from what they and the oracle say."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.caveats.functions import (
    at_kinks,
    computed_narrowly,
    conventions,
    ill_conditioned,
    nothing_proved,
    partial,
    shared,
    through_cotangent,
    training_mode,
    undecided,
)
from xcheck.checks.assemble import Comparison, ReportHead, assemble, compare_witnesses, findings_in_order
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.run import comparers, float64_estimate
from xcheck.checks.functions.second_order import SecondOrder, check_second_order
from xcheck.checks.report import Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import TensorCoverage, tensor_coverage
from xcheck.compare.pair import ORACLE, Pair
from xcheck.diagnose import Circumstances, Diagnosis, diagnosis_of, odd_one_out
from xcheck.diagnose.determinism import differing_calls
from xcheck.diagnose.functions import located, parting
from xcheck.findings import Finding
from xcheck.functions.arguments import Arguments
from xcheck.functions.tree import leaves
from xcheck.verdict import Verdict

# A gradient in a narrow dtype may be off by so much, and be said to be ill-conditioned and not wrong.
_ILL_CONDITIONED = 0.05


def build_report(
    implementations: Sequence[Implementation],
    found: Answers,
    arguments: Arguments,
    options: FunctionCheckOptions,
    *,
    name: str,
    order: int,
) -> Report:
    """Compare what the functions and the oracle say, and put everything into a report."""
    comparer, float64 = comparers(found, options)
    comparison = _compare(found, comparer, float64)
    diagnosis = _diagnose(found, arguments, comparison.pairs, comparer, float64)
    tensors = _coverage(found, comparer, float64)
    second = SecondOrder()
    if order == 2:
        agreed = comparison.verdict is Verdict.AGREE
        second = check_second_order(implementations, found, arguments, options, agreed=agreed)
    return assemble(
        replace(comparison, pairs=[*comparison.pairs, *second.pairs]),
        _head(implementations, found, arguments, options, name),
        verdict=Verdict.worst([comparison.verdict, second.verdict]),
        odd_one_out=_odd_one_out(found, comparison.distinct),
        findings=[*_findings(found, comparison, diagnosis, arguments), *second.findings],
        warnings=[*_warnings(found, comparison, tensors, arguments, options), *second.warnings],
        tensors=tensors,
    )


def _compare(found: Answers, comparer: Comparer, float64: Comparer) -> Comparison:
    reruns = [float64.with_oracle(evaluation) for evaluation in found.reruns]
    right = {pair.a for pair in reruns if pair.losses_agree and not pair.wrong}
    pairs = [
        _rounded(pair, found.roundoff) if pair.b == ORACLE and f"{pair.a} in float64" in right else pair
        for pair in compare_witnesses(found.evaluations, comparer)
    ]
    pairs[len(found.evaluations) : len(found.evaluations)] = reruns
    return Comparison(
        answers=found.answers,
        evaluations=found.evaluations,
        reruns=found.reruns,
        estimate=found.estimate,
        comparer=comparer,
        pairs=pairs,
        distinct=_one_each(found, pairs),
        measured=found.run.oracle is not None,
    )


def _rounded(pair: Pair, roundoff: float) -> Pair:
    """Return the pair of a narrow dtype whose function is right in float64.

    What is off by more than rounding should be, but not by much, is ill-conditioned or a part in even less precision:
    not shown to be wrong, and not plainly right.
    """
    if pair.verdict is not Verdict.DISAGREE or not pair.losses_agree or not pair.wrong:
        return pair
    largest = max(abs(component.b) for component in pair.worst)
    apart = max(abs(component.a - component.b) for component in pair.worst)
    if not (apart <= _ILL_CONDITIONED * largest or apart <= 2**12 * roundoff):
        return pair
    tensors = tuple(replace(one, wrong=0, undecided=one.undecided + one.wrong) for one in pair.tensors)
    undecided = pair.undecided + pair.wrong
    return replace(pair, verdict=Verdict.UNDECIDED, wrong=0, undecided=undecided, tensors=tensors)


def _one_each(found: Answers, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs without those of witnesses asked again, who are no others: what these show is theirs."""
    again = {evaluation.name: pair for evaluation in found.reruns for pair in pairs if pair.a == evaluation.name}
    own = [pair for pair in pairs if pair.a not in again]
    wrong = {name for name, pair in again.items() if pair.verdict is Verdict.DISAGREE}
    return [
        replace(pair, verdict=Verdict.DISAGREE) if pair.b == ORACLE and f"{pair.a} in float64" in wrong else pair
        for pair in own
    ]


def _diagnose(
    found: Answers, arguments: Arguments, pairs: Sequence[Pair], comparer: Comparer, float64: Comparer
) -> Diagnosis:
    """Return what is wrong with each witness; of one that was asked again, what shows in float64 alone."""
    wrong = {pair.a for pair in pairs if pair.b == ORACLE and pair.verdict is Verdict.DISAGREE}
    # What was located one by one is no sample of its tensor: no rule can tell from it what the rest is like.
    components = set(found.run.lines.components.tolist())
    wrong -= {
        name
        for name, where in found.run.located
        if not where.dense or components <= {*where.components, *where.known, *where.drawn}
    }
    known = _circumstances(found, arguments)
    own = [evaluation for evaluation in found.evaluations if evaluation.name in wrong]
    names = {f"{evaluation.name} in float64" for evaluation in own}
    again = [evaluation for evaluation in found.reruns if evaluation.name in wrong and evaluation.name not in names]
    parts = diagnosis_of(own, pairs, comparer, known), diagnosis_of(again, pairs, float64, known)
    return Diagnosis([finding for part in parts for finding in part.findings], {})


def _circumstances(found: Answers, arguments: Arguments) -> Circumstances:
    """Return θ along the lines, and the lengths of axes that a factor may come from."""
    lines = found.run.lines
    single = np.concatenate([arguments.theta[lines.components], np.zeros(len(lines.directions))])
    lengths: dict[int, str] = {}
    for number, part in enumerate(arguments.data):
        for name, value in leaves(part).items():
            leaf = arguments.read(value)
            for axis, length in enumerate(() if leaf is None else leaf.values.shape):
                lengths.setdefault(length, f"axis {axis} of data[{number}]{'' if name == 'params' else f'.{name}'}")
    return Circumstances(theta=np.tile(single, max(1, len(found.outputs))), lengths=lengths)


def _odd_one_out(found: Answers, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return who stands alone; of two functions with different losses nobody does."""
    if len(found.answers) == 2 and not all(pair.losses_agree for pair in pairs):
        return ()
    return odd_one_out(pairs)


def _is_rounded(pair: Pair, pairs: Sequence[Pair]) -> bool:
    """Return whether the same function agrees in float64."""
    return any(one.a == f"{pair.a} in float64" and one.losses_agree and not one.wrong for one in pairs)


def _coverage(found: Answers, comparer: Comparer, float64: Comparer) -> tuple[TensorCoverage, ...]:
    """Return what is proved; in narrow dtypes by those that were asked again in float64, if all were."""
    settled = comparer.settled(found.evaluations)
    if len(found.reruns) < len(found.evaluations):
        return tensor_coverage(found.layout, found.estimate, settled)
    return tensor_coverage(found.layout, float64_estimate(found), settled & float64.settled(found.reruns))


def _findings(found: Answers, comparison: Comparison, diagnosis: Diagnosis, arguments: Arguments) -> list[Finding]:
    return findings_in_order(
        comparison,
        diagnosis,
        of_oracle=found.run.findings,
        located=[finding for name, one in found.run.located for finding in located(name, one, arguments.layout)],
        parted=_parted_losses(found, comparison.pairs, arguments),
    )


def _parted_losses(found: Answers, pairs: Sequence[Pair], arguments: Arguments) -> list[Finding]:
    """Return in which tensors the losses part of those functions that compute another one than the oracle's."""
    objectives = {answer.name: answer.objective for answer in found.answers if answer.objective is not None}
    label = found.run.label
    differing = {pair.a for pair in pairs if pair.b == ORACLE and not pair.losses_agree}
    return [
        finding
        for name, objective in objectives.items()
        if name in differing and name != label and label in objectives
        for finding in parting(name, objective, label, objectives[label], arguments)
    ]


def _warnings(
    found: Answers,
    comparison: Comparison,
    tensors: Sequence[TensorCoverage],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> list[Finding]:
    """Return what this check does not prove."""
    run, estimate, comparer, pairs = found.run, found.estimate, comparison.comparer, comparison.pairs
    objectives = {answer.name: answer.objective for answer in found.answers if answer.objective is not None}
    warnings = [warning for answer in found.answers for warning in answer.warnings]
    warnings += run.warnings
    if run.is_narrow:
        warnings.append(computed_narrowly(run.label, run.roundoff, estimate))
    warnings += [training_mode(name, text) for name, objective in objectives.items() for text in objective.cautions()]
    warnings += differing_calls(found.evaluations, comparer)
    warnings += shared(arguments)
    warnings += conventions(arguments, [name for name, objective in objectives.items() if objective.conjugates])
    if options.cotangent is None and not found.outputs:
        shape = None if found.cotangent is None else found.cotangent.shape
        warnings += through_cotangent(shape, options.differences.seed)
    if run.oracle is None or not np.isfinite(estimate.loss):
        return warnings
    warnings += partial(run.lines, estimate, comparer.tolerance, run.oracle.predicted)
    if not found.outputs:
        warnings += at_kinks(estimate, found.layout, run.oracle.kinks.tolist())
    warnings += nothing_proved(tensors)
    warnings += [
        ill_conditioned(pair.a, pair.undecided, pair.of, max(abs(one.a - one.b) for one in pair.worst))
        for pair in pairs
        if pair.b == ORACLE and pair.undecided and _is_rounded(pair, pairs)
    ]
    unsure = [pair for pair in pairs if pair.undecided and not pair.spread and pair.b == ORACLE]
    for pair in unsure[:1]:
        where = {tensor.name: tensor.undecided for tensor in pair.tensors if tensor.undecided}
        warnings.append(undecided(pair.a, pair.undecided, pair.of, where))
    return warnings


def _scope(found: Answers) -> str:
    if found.outputs:
        return "jacobian"
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
