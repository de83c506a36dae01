"""Outcome: the report on people's own functions, from what was heard."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from xcheck.caveats.coverage import below_noise, zero_gradient
from xcheck.caveats.functions import conventions, partial, shared, through_cotangent, training_mode
from xcheck.caveats.kinks import components_at_kinks
from xcheck.caveats.precision import computed_narrowly, ill_conditioned
from xcheck.caveats.undecided import undecided_components
from xcheck.checks.environment import environment_of
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.run import comparers, strict_estimate
from xcheck.checks.functions.second_order import SecondOrder, check_second_order
from xcheck.checks.report import OracleSummary, Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import TensorCoverage, tensor_coverage
from xcheck.compare.pair import ORACLE, Pair
from xcheck.diagnose import Diagnosis, consensus, consensus_findings, diagnosis_of, odd_one_out
from xcheck.diagnose.determinism import differing_calls, unsteady_gradients
from xcheck.diagnose.functions import located, parting
from xcheck.diagnose.losses import loss_findings
from xcheck.findings import Finding
from xcheck.functions.arguments import Arguments
from xcheck.functions.tree import leaves
from xcheck.layout import Vector
from xcheck.verdict import Verdict

# A gradient in a narrow dtype may be off by so much, and be said to be ill-conditioned and not wrong.
_ILL_CONDITIONED = 0.05


def build_report(
    found: Answers, arguments: Arguments, options: FunctionCheckOptions, *, name: str, order: int
) -> Report:
    """Compare what was heard, and put everything into a report."""
    comparer, strict = comparers(found, options)
    pairs = _pairs(found, comparer, strict)
    findings = _findings(found, comparer, pairs, arguments, options)
    diagnosis = _diagnosed(found, arguments, pairs, comparer, strict)
    proofs = _proofs(found, comparer, strict)
    verdict = _verdict(found, pairs, findings)
    second = SecondOrder()
    if order == 2:
        second = check_second_order(found, arguments, options, agreed=verdict is Verdict.AGREE)
    first = _one_each(found, pairs)
    pairs += second.pairs
    evaluations = found.evaluations
    return Report(
        model=name,
        summary=_summary(found, arguments),
        verdict=Verdict.worst([verdict, second.verdict]),
        parameters=arguments.layout.size,
        seed=options.differences.seed,
        losses={evaluation.name: evaluation.loss for evaluation in (*evaluations, *found.wide)},
        pairs=tuple(pairs),
        odd_one_out=_odd_one_out(found, first),
        consensus=consensus(first),
        starts={},
        findings=(*findings, *consensus_findings(first, found.estimate), *diagnosis.findings, *second.findings),
        warnings=(*_warnings(found, comparer, pairs, proofs, arguments, options), *second.warnings),
        tensors=proofs,
        layers=(),
        oracle=OracleSummary.of(found.estimate, scope=_scope(found), budget=options.differences.budget),
        dtype=_dtype(arguments),
        tolerance=comparer.tolerance,
        resolution=comparer.resolution,
        seconds={one.contender.label: one.seconds for one in found.examined},
        environment=environment_of(_versions(found), options.device),
    )


def _pairs(found: Answers, comparer: Comparer, strict: Comparer) -> list[Pair]:
    wide = [strict.with_oracle(evaluation) for evaluation in found.wide]
    right = {pair.a for pair in wide if pair.losses_agree and not pair.wrong}
    pairs = [comparer.with_oracle(evaluation) for evaluation in found.evaluations]
    pairs = [_rounded(pair, found.roundoff) if f"{pair.a} in float64" in right else pair for pair in pairs] + wide
    return pairs + [comparer.between(a, b) for a, b in combinations(found.evaluations, 2)]


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
    again = {evaluation.name: pair for evaluation in found.wide for pair in pairs if pair.a == evaluation.name}
    own = [pair for pair in pairs if pair.a not in again]
    wrong = {name for name, pair in again.items() if pair.verdict is Verdict.DISAGREE}
    return [
        replace(pair, verdict=Verdict.DISAGREE) if pair.b == ORACLE and f"{pair.a} in float64" in wrong else pair
        for pair in own
    ]


def _diagnosed(
    found: Answers, arguments: Arguments, pairs: Sequence[Pair], comparer: Comparer, strict: Comparer
) -> Diagnosis:
    """Return what is wrong with each witness; of one that was asked again, what shows in float64 alone."""
    wrong = {pair.a for pair in pairs if pair.b == ORACLE and pair.verdict is Verdict.DISAGREE}
    # What was located one by one is no sample of its tensor: no rule can tell from it what the rest is like.
    components = set(found.judgement.lines.components.tolist())
    wrong -= {
        name
        for name, where in found.judgement.located
        if not where.dense or components <= {*where.components, *where.known, *where.drawn}
    }
    theta, lengths = _theta_along_lines(found, arguments), _lengths(arguments)
    own = [evaluation for evaluation in found.evaluations if evaluation.name in wrong]
    names = {f"{evaluation.name} in float64" for evaluation in own}
    again = [evaluation for evaluation in found.wide if evaluation.name in wrong and evaluation.name not in names]
    parts = (
        diagnosis_of(own, pairs, comparer, theta=theta, lengths=lengths),
        diagnosis_of(again, pairs, strict, theta=theta, lengths=lengths),
    )
    return Diagnosis([finding for part in parts for finding in part.findings], {})


def _theta_along_lines(found: Answers, arguments: Arguments) -> Vector:
    """Return θ at the components that were differenced, and 0 for the directions, once for each output."""
    lines = found.judgement.lines
    single = np.concatenate([arguments.theta[lines.components], np.zeros(len(lines.directions))])
    return np.tile(single, max(1, found.outputs))


def _lengths(arguments: Arguments) -> dict[int, str]:
    """Return the lengths of axes that a factor may come from, with what they are."""
    lengths: dict[int, str] = {}
    for number, part in enumerate(arguments.data):
        for name, value in leaves(part).items():
            leaf = arguments.read(value)
            for axis, length in enumerate(() if leaf is None else leaf.values.shape):
                lengths.setdefault(length, f"axis {axis} of data[{number}]{'' if name == 'params' else f'.{name}'}")
    return lengths


def _odd_one_out(found: Answers, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return who stands alone; of two functions with different losses nobody does."""
    if len(found.examined) == 2 and not all(pair.losses_agree for pair in pairs):
        return ()
    return odd_one_out(pairs)


def _is_rounded(pair: Pair, pairs: Sequence[Pair]) -> bool:
    """Return whether the same function agrees in float64."""
    return any(one.a == f"{pair.a} in float64" and one.losses_agree and not one.wrong for one in pairs)


def _proofs(found: Answers, comparer: Comparer, strict: Comparer) -> tuple[TensorCoverage, ...]:
    """Return what is proved; in narrow dtypes by those that were asked again in float64, if all were."""
    settled = comparer.settled(found.evaluations)
    if len(found.wide) < len(found.evaluations):
        return tensor_coverage(found.layout, found.estimate, settled)
    return tensor_coverage(found.layout, strict_estimate(found), settled & strict.settled(found.wide))


def _verdict(found: Answers, pairs: Sequence[Pair], findings: Sequence[Finding]) -> Verdict:
    failed = any(one.failed for one in found.examined) or not pairs
    own = [Verdict.ERROR] if failed else []
    own += [Verdict.DISAGREE for one in found.examined if one.stale]
    own += [Verdict.UNDECIDED for one in found.examined if one.overwrites]
    # What is asked again in float64 is asked for more than was handed over: it may show a mistake, and no more.
    again = {evaluation.name for evaluation in found.wide}
    counted = [pair.verdict for pair in pairs if pair.a not in again or pair.verdict is not Verdict.UNDECIDED]
    return Verdict.worst([*own, *counted])


def _findings(
    found: Answers, comparer: Comparer, pairs: Sequence[Pair], arguments: Arguments, options: FunctionCheckOptions
) -> list[Finding]:
    own = [finding for one in found.examined for finding in one.findings]
    known = {finding.text for finding in own}
    own += [finding for finding in found.judgement.findings if finding.text not in known]
    if found.judgement.oracle is None:
        return own
    own += unsteady_gradients(found.evaluations, comparer)
    own += [finding for name, one in found.judgement.located for finding in located(name, one, arguments.layout)]
    against = [pair for pair in pairs if pair.b == ORACLE]
    own += loss_findings(against, found.estimate)
    reference = next((one for one in found.examined if one.contender.label == found.judgement.label), None)
    for one in found.examined:
        differs = any(pair.a == one.contender.label and not pair.losses_agree for pair in against)
        if differs and reference is not None and one is not reference:
            other = found.judgement.label
            own += parting(one.contender.label, one.objective, other, reference.objective, arguments)
    return own


def _warnings(
    found: Answers,
    comparer: Comparer,
    pairs: Sequence[Pair],
    proofs: Sequence[TensorCoverage],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> list[Finding]:
    judgement, estimate = found.judgement, found.estimate
    warnings = [warning for one in found.examined for warning in one.warnings]
    warnings += judgement.warnings
    if judgement.is_narrow:
        warnings.append(computed_narrowly(judgement.label, judgement.roundoff, estimate))
    warnings += [
        training_mode(one.contender.label, text) for one in found.examined for text in one.objective.cautions()
    ]
    warnings += differing_calls(found.evaluations, comparer)
    warnings += shared(arguments)
    converted = [one.contender.label for one in found.examined if one.objective.conjugates]
    warnings += conventions(arguments, converted)
    if options.cotangent is None and not found.outputs:
        shape = next(
            (one.objective.cotangent.shape for one in found.examined if one.objective.cotangent is not None), None
        )
        warnings += through_cotangent(shape, options.differences.seed)
    if judgement.oracle is None or not np.isfinite(estimate.loss):
        return warnings
    warnings += partial(judgement.lines, estimate, comparer.tolerance, judgement.oracle.predicted)
    kinks = [] if found.outputs else judgement.oracle.kinks.tolist()
    reference = estimate if len(found.wide) < len(found.evaluations) else strict_estimate(found)
    caveats = [
        components_at_kinks(estimate, found.layout, kinks),
        zero_gradient(proofs),
        below_noise(proofs, reference, found.layout),
        undecided_components(pairs),
    ]
    warnings += [caveat for caveat in caveats if caveat]
    warnings += [
        ill_conditioned(pair.a, pair.undecided, pair.of, max(abs(one.a - one.b) for one in pair.worst))
        for pair in pairs
        if pair.b == ORACLE and pair.undecided and _is_rounded(pair, pairs)
    ]
    return warnings


def _scope(found: Answers) -> str:
    if found.outputs:
        return "jacobian"
    lines = found.judgement.lines
    return "all" if lines.complete else "sample" if len(lines.components) else "directions"


def _summary(found: Answers, arguments: Arguments) -> str:
    size, tensors = arguments.layout.size, len(arguments.leaves)
    parts = [f"{size} parameter{'s' * (size != 1)}", f"{tensors} tensor{'s' * (tensors != 1)}"]
    if found.outputs:
        parts.append(f"{found.outputs} outputs")
    parts.append("hand-written gradient" if any(one.by_hand for one in found.examined) else "")
    dtype = _dtype(arguments)
    return ", ".join(part for part in (*parts, "" if dtype == "float64" else dtype) if part)


def _dtype(arguments: Arguments) -> str:
    """Return the coarsest dtype of the parameters."""
    return max(arguments.leaves.values(), key=lambda leaf: leaf.roundoff).dtype


def _versions(found: Answers) -> Mapping[str, str]:
    versions: dict[str, str] = {}
    for one in found.examined:
        versions |= one.contender.backend.versions()
    return versions
