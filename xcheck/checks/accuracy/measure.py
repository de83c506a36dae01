"""Measure how accurate gradients are: hold them, component by component, against slopes with proved bounds.

First the gradients are held against random slopes (`xcheck.checks.proof`): that tells right ones from wrong
ones. Then the slopes along unit directions are proved, and what is left is counted in ulps.
"""

import math
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from xcheck.certificates.claims import allowed_error
from xcheck.certificates.work import work_of
from xcheck.checks.accuracy.accuracy import (
    EXCEEDED,
    Accuracy,
    Explained,
    LostDigits,
    TensorAccuracy,
    WitnessAccuracy,
    digits_of,
)
from xcheck.checks.accuracy.plan import at_once, choose_components
from xcheck.checks.accuracy.subject import Subject, subject_of
from xcheck.checks.prepare import Check
from xcheck.checks.proof import INSTALL, proof_findings, proof_warnings, prove
from xcheck.checks.prover import Prover, has_flint
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import roundoff_of
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.layout import Tensor, Vector, unit_directions
from xcheck.verdict import Verdict

if TYPE_CHECKING:  # FLINT is an extra
    from xcheck.certificates.ulps import ComponentSlopes

# A guess: of more components statistics say no more. Of larger models the default budget decides.
MOST = 4000
# Digits are lost from so many ulps of the tensor's largest component on: one digit.
_LOSING = 10.0


def run_accuracy(check: Check, most: int = MOST) -> Accuracy:
    """Measure the gradients of a check that is prepared; no differences are taken.

    Args:
        check: it.
        most: of more components than these, so many are drawn at random.

    Raises:
        BackendError: python-flint is not installed.
        DefinitionError: a function does not fit its parameters, every output of a loss is to be checked, or `most` is
            no whole number from 1.
    """
    start = time.perf_counter()
    count = _whole_number(most)
    require_flint()
    subject = subject_of(check)
    return replace(_measure(subject, count), seconds=time.perf_counter() - start)


def _whole_number(most: Any) -> int:
    # True is an int of Python; as a number of components it is a slip.
    if not isinstance(most, int | np.integer) or isinstance(most, bool) or most < 1:
        raise DefinitionError(Complaint(f"{most!r} is not a whole number from 1", ("most",)))
    return int(most)


def require_flint() -> None:
    """Refuse to measure without ball arithmetic.

    Raises:
        BackendError: python-flint is not installed; the text says what to type.
    """
    if not has_flint():
        raise BackendError("python-flint", f"it is not installed; to install it: {INSTALL}")


def _measure(subject: Subject, most: int) -> Accuracy:
    own = [answer.verdict for answer in subject.answers]
    found = Accuracy(
        model=subject.name,
        verdict=Verdict.worst([*own, *([] if subject.evaluations and not subject.random else [Verdict.UNDECIDED])]),
        parameters=subject.layout.size,
        findings=_said_of_answers(subject),
        seed=subject.seed,
    )
    if not subject.evaluations:
        return found if subject.random else replace(found, verdict=Verdict.ERROR)
    if not subject.layout.size:
        return replace(found, verdict=Verdict.worst([found.verdict, Verdict.UNDECIDED]))
    claims = [(one, subject.roundoff) for one in subject.evaluations]
    proof, prover = prove(subject.candidates(), claims, subject.theta, subject.seed)
    if prover is None:
        return replace(
            found, verdict=Verdict.worst([found.verdict, Verdict.UNDECIDED]), reasons=proof.why_not, looked=0
        )
    unknown = proof.of(["not known"])
    said = [*proof_findings(proof, subject.layout), *proof_warnings(replace(proof, witnesses=tuple(unknown)))]
    verdicts = [Verdict.DISAGREE] * bool(proof.of(["wrong"])) + [Verdict.UNDECIDED] * bool(unknown)
    found = replace(
        found,
        verdict=Verdict.worst([found.verdict, *verdicts]),
        function=proof.function,
        remarks=proof.remarks,
        findings=(*found.findings, *(finding.text for finding in said)),
    )
    return _blame(_look_closer(found, subject, prover, most), [one.name for one in proof.of(["wrong"])])


def _blame(found: Accuracy, wrong: Collection[str]) -> Accuracy:
    """Return what was found, where digits that gradients proved to be wrong have lost are their mistakes."""

    def blamed(tensor: TensorAccuracy) -> TensorAccuracy:
        if tensor.lost is None or tensor.lost.explained != "no":
            return tensor
        return replace(tensor, lost=replace(tensor.lost, explained="wrong"))

    witnesses = [
        replace(one, tensors=tuple(map(blamed, one.tensors))) if one.name in wrong else one for one in found.witnesses
    ]
    return replace(found, witnesses=tuple(witnesses))


def _said_of_answers(subject: Subject) -> tuple[str, ...]:
    findings = [finding.text for answer in subject.answers for finding in answer.findings]
    return (*findings, *(f"{name}: its gradient differs from call to call: no slope has it" for name in subject.random))


def _look_closer(found: Accuracy, subject: Subject, prover: Prover, most: int) -> Accuracy:
    from xcheck.certificates.decisions import NotProvedError
    from xcheck.certificates.ulps import prove_components

    work = work_of(prover.trace)
    components = choose_components(subject.layout.size, most, work, subject.budget, subject.seed)

    def unit(number: int) -> Sequence[Any]:
        return prover.objective.traced_arrays(unit_directions([number], subject.layout.size)[0])

    try:
        proved = prove_components(prover.trace, prover.arrays, components.tolist(), unit, at_once(work))
    except NotProvedError as error:
        undecided = Verdict.worst([found.verdict, Verdict.UNDECIDED])
        return replace(found, verdict=undecided, reasons=(f"{found.function}: {error}",), looked=len(components))
    measured = tuple(_of_witness(subject, one, proved, prover) for one in subject.evaluations if proved.slopes)
    return replace(
        found,
        verdict=found.verdict if measured else Verdict.worst([found.verdict, Verdict.UNDECIDED]),
        witnesses=measured,
        looked=len(components),
        kinks=len(proved.kinks),
        operations=tuple(proved.operations),
        unproved=len(proved.unproved),
        reasons=tuple(dict.fromkeys(proved.unproved.values())),
    )


# --- one gradient -----------------------------------------------------------------------------------------------------


def _of_witness(subject: Subject, evaluation: Evaluation, proved: "ComponentSlopes", prover: Prover) -> WitnessAccuracy:
    tensors, every = [], []
    for tensor in subject.layout:
        numbers = [number for number in range(tensor.span.start, tensor.span.stop) if number in proved.slopes]
        if numbers:
            accuracy, errors = _of_tensor(subject, evaluation, tensor, numbers, proved.slopes, prover)
            tensors.append(accuracy)
            every.append(errors)
    worst = max(tensors, key=lambda one: one.worst)
    return WitnessAccuracy(
        name=evaluation.name,
        median=float(np.median(np.concatenate(every))),
        worst=worst.worst,
        component=worst.component,
        tensors=tuple(tensors),
    )


def _of_tensor(
    subject: Subject,
    evaluation: Evaluation,
    tensor: Tensor,
    numbers: Sequence[int],
    slopes: Mapping[int, Any],
    prover: Prover,
) -> tuple[TensorAccuracy, Vector]:
    from xcheck.certificates.ulps import errors_in_ulps

    dtype = subject.dtypes[tensor.name]
    own, of_largest = errors_in_ulps([slopes[number] for number in numbers], evaluation.gradient[list(numbers)], dtype)
    worst, worst_of_largest = int(np.argmax(own)), int(np.argmax(of_largest))
    there = numbers[worst]
    least = [errors_in_ulps([slopes[there]], one.gradient[[there]], dtype)[0][0] for one in subject.evaluations]
    losing = np.where(of_largest >= _LOSING, own, 0.0)
    lost = None
    if losing.any():
        place = int(np.argmax(losing))
        error = abs(float(evaluation.gradient[numbers[place]]) - float(slopes[numbers[place]]))
        size = abs(float(slopes[numbers[place]]))
        explained = _explained(subject, evaluation, numbers[place], (error, size, roundoff_of(dtype)), prover)
        lost = _lost(subject, numbers[place], float(own[place]), dtype, explained)
    accuracy = TensorAccuracy(
        tensor=tensor.name,
        dtype=dtype,
        of=len(numbers),
        median=float(np.median(own)),
        ninety=float(np.quantile(own, 0.9, method="higher")),
        worst=float(own[worst]),
        component=str(subject.layout.locate(there)),
        least=float(min(least)),
        exceeding=tuple(int((own > count).sum()) for count in EXCEEDED),
        of_largest=float(of_largest[worst_of_largest]),
        component_of_largest=str(subject.layout.locate(numbers[worst_of_largest])),
        lost=lost,
    )
    return accuracy, own


def _lost(subject: Subject, number: int, error: float, dtype: str, explained: Explained) -> LostDigits:
    digits = digits_of(dtype)
    return LostDigits(
        component=str(subject.layout.locate(number)),
        digits=min(digits, math.log10(error)),
        of=digits,
        ulps=error,
        explained=explained,
    )


def _explained(
    subject: Subject,
    evaluation: Evaluation,
    number: int,
    sizes: tuple[float, float, float],
    prover: Prover,
) -> Explained:
    """Return whether rounding in the gradient's own program, or else in another's, explains the error of a component.

    Args:
        subject: what is measured.
        evaluation: the gradient.
        number: of the component.
        sizes: its error, the size of its slope, and the unit roundoff.
        prover: knows the programs.
    """
    error, size, roundoff = sizes
    spread = prover.spread(evaluation.name, unit_directions([number], subject.layout.size))
    if spread is None:
        return "unknown"
    return "yes" if error <= allowed_error(roundoff, float(spread[0]), size) else "no"
