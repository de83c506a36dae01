"""Compare functions with the oracle: pairs, what is proved, and what is wrong with those that disagree.

A function of narrow parameters is asked again in float64, where rounding hides nothing. That rerun is no further
witness: what it shows is the function's own.
"""

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xcheck.checks.assemble import Comparison, compare_witnesses
from xcheck.checks.functions.answers import Answers
from xcheck.checks.functions.jacobian.whole import WholeJacobian
from xcheck.checks.functions.run import float64_estimate
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import TensorCoverage, tensor_coverage
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import ORACLE, Pair
from xcheck.diagnose import Diagnosis, diagnose_gradients, group_losses, odd_one_out
from xcheck.diagnose.operations import operation_findings
from xcheck.diagnose.probes import Probes
from xcheck.findings import CAUSE_UNKNOWN, IMPLICIT_SAMPLING, NOT_LOOKED_INTO, WRONG_OPERATION, WRONG_TENSORS, Finding
from xcheck.functions.arguments import Arguments
from xcheck.functions.tree import leaves
from xcheck.layout import Tensor, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.bisection.search import SearchResult
from xcheck.oracle.engines.lines import Lines
from xcheck.text import join_names
from xcheck.verdict import Verdict

# A gradient in a narrow dtype that is right in float64 may be off by such a share of the largest component and be
# called ill-conditioned and not wrong. A guess, chosen so that the losses of tests/checks/functions/test_attacks.py,
# which cancel in float32, are undecided, and a factor of 1.1 is wrong.
_ILL_CONDITIONED = 0.05
# Or by so many roundings of that dtype: what cancels to almost zero is left with those of its terms.
_ROUNDINGS = 2**12
# So many wrong components drawn at random, and no right one, speak for a tensor: of one that is half right they are
# drawn once in 16 times. Every tensor has at least as many in a sample, if it is that large.
_LEAST_SAMPLED = 4
# Axes whose lengths are multiplied. A guess: examples and three axes of places.
_MOST_MULTIPLIED = 4


def compare_functions(found: Answers, comparer: Comparer, float64: Comparer) -> Comparison:
    """Hold functions against the oracle and against each other; their reruns come after the pairs with the oracle."""
    reruns = [float64.with_oracle(evaluation) for evaluation in found.reruns]
    right = right_in_float64(found.reruns, reruns)
    pairs = [
        _excuse_rounding(pair, found.roundoff) if pair.b == ORACLE and pair.a in right else pair
        for pair in compare_witnesses(found.evaluations, comparer)
    ]
    # Where people look for them: beside the pairs with the oracle, before those among the witnesses.
    pairs[len(found.evaluations) : len(found.evaluations)] = reruns
    return Comparison(
        answers=found.answers,
        evaluations=found.evaluations,
        reruns=found.reruns,
        estimate=found.estimate,
        comparer=comparer,
        pairs=pairs,
        distinct=_without_reruns(found, pairs),
        differenced=found.differenced,
        measured=found.run.oracle is not None,
    )


def right_in_float64(reruns: Sequence[Evaluation], pairs: Sequence[Pair]) -> set[str]:
    """Return the names of those functions of narrow parameters whose reruns agree."""
    right = {pair.a for pair in pairs if pair.b == ORACLE and pair.losses_agree and not pair.wrong}
    return {rerun.rerun_of for rerun in reruns if rerun.rerun_of is not None and rerun.name in right}


def _excuse_rounding(pair: Pair, roundoff: float) -> Pair:
    """Return the pair of a narrow dtype whose function is right in float64.

    What is off by more than rounding should be, but not by much, is ill-conditioned or a part in even less precision:
    not shown to be wrong, and not plainly right.
    """
    # Another loss is wrong in any precision.
    if pair.verdict is not Verdict.DISAGREE or not pair.losses_agree or not pair.wrong:
        return pair
    largest = max(abs(component.b) for component in pair.worst)
    apart = max(abs(component.a - component.b) for component in pair.worst)
    if not (apart <= _ILL_CONDITIONED * largest or apart <= _ROUNDINGS * roundoff):
        return pair
    tensors = tuple(replace(tensor, wrong=0, undecided=tensor.undecided + tensor.wrong) for tensor in pair.tensors)
    undecided = pair.undecided + pair.wrong
    return replace(pair, verdict=Verdict.UNDECIDED, wrong=0, undecided=undecided, tensors=tensors)


def _without_reruns(found: Answers, pairs: Sequence[Pair]) -> list[Pair]:
    """Return the pairs of the functions as they were handed over; one whose rerun disagrees is wrong itself."""
    again = {rerun.name: rerun.rerun_of for rerun in found.reruns}
    wrong = {again[pair.a] for pair in pairs if pair.a in again and pair.verdict is Verdict.DISAGREE}
    return [
        replace(pair, verdict=Verdict.DISAGREE) if pair.b == ORACLE and pair.a in wrong else pair
        for pair in pairs
        if pair.a not in again
    ]


def coverage_of(found: Answers, comparer: Comparer, float64: Comparer) -> tuple[TensorCoverage, ...]:
    """Return what is covered; in narrow dtypes by the reruns in float64, if every function has one."""
    confirmed = comparer.confirmed(found.evaluations)
    if _all_rerun(found):
        confirmed = confirmed & float64.confirmed(found.reruns)
    return tensor_coverage(found.layout, covered_estimate(found), confirmed)


def covered_estimate(found: Answers) -> Estimate:
    """Return the estimate that decides what is covered: with the rounding of float64 if every function has a rerun."""
    return float64_estimate(found) if _all_rerun(found) else found.estimate


def _all_rerun(found: Answers) -> bool:
    return len(found.reruns) >= len(found.evaluations)


def find_odd_one_out(found: Answers, pairs: Sequence[Pair]) -> tuple[str, ...]:
    """Return which function stands alone.

    Where losses differ the oracle cannot decide, for it differences one of them: the smaller group is the odd one, and
    of groups of the same size none is.
    """
    if not found.differenced or all(pair.losses_agree for pair in pairs):
        return odd_one_out(pairs)
    groups = group_losses(pairs, found.differenced)
    if len(groups) == 2 and len(groups[0]) > len(groups[1]):
        return groups[1]
    return ()


def diagnose_functions(
    found: Answers,
    arguments: Arguments,
    pairs: Sequence[Pair],
    comparer: Comparer,
    float64: Comparer,
    *,
    probes: Mapping[str, Probes],
) -> Diagnosis:
    """Return what is wrong with each function; of a rerun, what shows in float64 alone.

    Args:
        found: what the functions and the oracle say.
        arguments: θ and the data.
        pairs: what was compared.
        comparer: holds gradients against the oracle.
        float64: the same for those that were asked again in float64.
        probes: what else may be asked of each function, by its label.
    """
    wrong = {pair.a for pair in pairs if pair.b == ORACLE and pair.verdict is Verdict.DISAGREE}
    operations = _operations(found, wrong, probes)
    named = {each for each, findings in operations.items() if any(one.code == WRONG_OPERATION for one in findings)}
    one_by_one = {flat for _, located in found.run.located for flat in (*located.components, *located.drawn)}
    sample = sorted(set(found.run.lines.components.tolist()) - one_by_one)
    wrong -= {name for name, located in found.run.located if not _is_typical(located, found.run.lines, sample)}
    bisected = {name for name, _ in found.run.located}
    theta, data = _theta_along_lines(found, arguments), _data_arrays(arguments)
    # What is wrong already in its own dtype is diagnosed there, with its own rounding, and only there.
    native = [evaluation for evaluation in found.evaluations if evaluation.name in wrong]
    told = {evaluation.name for evaluation in native}
    reruns = [rerun for rerun in found.reruns if rerun.name in wrong and rerun.rerun_of not in told]
    whole = WholeJacobian.of(found.outputs)
    findings: list[Finding] = []
    for evaluation, measure in [*((one, comparer) for one in native), *((one, float64) for one in reruns)]:
        seen = evaluation, measure, theta
        said, held, at = seen if whole is None else whole.seen(*seen)
        causes = diagnose_gradients(
            [said],
            pairs,
            held,
            theta=at,
            lengths=_axis_lengths(data),
            # Of several outputs each row has its own loss, and of a random cotangent nobody's.
            data={} if found.outputs else data,
            probes={evaluation.name: probes.get(evaluation.rerun_of or evaluation.name, Probes())},
        ).findings
        label = evaluation.rerun_of or evaluation.name
        findings += _news(causes, has_components=evaluation.name in bisected, has_operation=label in named)
        # A sampler that differentiates along other paths does so on purpose.
        if any(one.code == IMPLICIT_SAMPLING for one in causes):
            operations.pop(label, None)
    of_operations = [one for group in operations.values() for one in group]
    caveats = [one for one in of_operations if one.code == NOT_LOOKED_INTO]
    return Diagnosis([*(one for one in of_operations if one not in caveats), *findings], {}, caveats)


def _news(causes: Sequence[Finding], *, has_components: bool, has_operation: bool) -> list[Finding]:
    """Return the causes that say something beside what is named already.

    Where components or an operation are named, nobody needs to be told that nothing else is known; or, where it is the
    operation, in which tensors to look for it.
    """
    known = {CAUSE_UNKNOWN: has_components or has_operation, WRONG_TENSORS: has_operation}
    return [one for one in causes if not known.get(one.code)]


def _operations(found: Answers, wrong: Collection[str], probes: Mapping[str, Probes]) -> dict[str, list[Finding]]:
    """Return what is to be said of the operations of each function that is wrong, by its label.

    They are looked into in 64 bits, so of a function and its rerun once.
    """
    labels = [
        one.rerun_of or one.name
        for one in (*found.evaluations, *found.reruns)
        # One whose gradient differs from call to call is wrong for that reason.
        if one.name in wrong and one.again is None
    ]
    return {label: operation_findings(label, probes[label].backward_pass) for label in labels if label in probes}


def _is_typical(located: SearchResult, lines: Lines, sample: Sequence[int]) -> bool:
    """Return whether the components that were looked at tell a rule what the rest of their tensors is like.

    Those that a search has found do not: they were chosen because they are wrong. A sample does where a mistake is
    dense. Of a tensor that is too small to be called dense, either everything was looked at, or all of its sample must
    be wrong. How large the sample is depends on how fast the machine is; whether a cause is named must not.

    Args:
        located: what was found in one function.
        lines: what was looked at.
        sample: flat indices of what was drawn at random, whatever is there.
    """
    known = set(located.known)
    if not sample or (located.dense and set(sample) > known):
        return bool(sample)
    looked_at, found = lines.components, np.array([*located.components, *located.known])
    for tensor in lines.whole:
        inside = [flat for flat in sample if tensor.span.start <= flat < tensor.span.stop]
        all_wrong = len(inside) >= _LEAST_SAMPLED and known.issuperset(inside)
        whole = np.count_nonzero(_within(looked_at, tensor)) == tensor.size
        if _within(found, tensor).any() and not (whole or all_wrong):
            return False
    return True


def _within(flat: NDArray[np.intp], tensor: Tensor) -> NDArray[np.bool_]:
    """Return which flat indices lie in a tensor."""
    return (tensor.span.start <= flat) & (flat < tensor.span.stop)


def _theta_along_lines(found: Answers, arguments: Arguments) -> Vector:
    """Return θ along the lines, zero along directions, once for every output."""
    lines = found.run.lines
    single = np.concatenate([arguments.theta[lines.components], np.zeros(len(lines.directions))])
    return np.tile(single, max(1, len(found.outputs)))


def _axis_lengths(data: Mapping[str, NDArray[Any]]) -> Mapping[int, str]:
    """Return the lengths of the data's axes, and products of several, with their names: what a factor may come from."""
    singles: dict[int, str] = {}
    products: dict[int, str] = {}
    for whose, array in data.items():
        for axis, length in enumerate(array.shape):
            singles.setdefault(length, f"axis {axis} of {whose}")
        # A mean over examples and places divides by the product of their axes.
        for count in range(2, min(array.ndim, _MOST_MULTIPLIED) + 1):
            for axes in combinations(range(array.ndim), count):
                name_of_axes = f"axes {join_names([str(axis) for axis in axes])} of {whose}"
                products.setdefault(math.prod(array.shape[axis] for axis in axes), name_of_axes)
    return {**products, **singles}


def _data_arrays(arguments: Arguments) -> dict[str, NDArray[Any]]:
    """Return the arrays of the data by name, without those that are stored as sparse ones are."""
    arrays = {}
    for number, part in enumerate(arguments.data):
        for name, value in leaves(part).items():
            leaf = arguments.read(value)
            if leaf is not None and not leaf.stored:
                arrays[f"data[{number}]{'' if name == 'params' else f'.{name}'}"] = leaf.values
    return arrays
