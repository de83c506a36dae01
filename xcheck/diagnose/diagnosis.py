"""Failures: the evidence against each witness that is wrong, and what is made of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import ORACLE, Pair
from xcheck.diagnose.determinism import accumulated_gradient
from xcheck.diagnose.evidence import Evidence
from xcheck.diagnose.origin import origin
from xcheck.diagnose.ranking import diagnosed
from xcheck.findings import Finding
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.lines import DIRECTIONS


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Circumstances:
    """What the gradients are of.

    Attributes:
        theta: θ along the lines that were looked at, shape (n,).
        problem: the declared network, if it is one.
        lengths: numbers that a factor may come from, with what they are.
    """

    theta: Vector
    problem: Problem | None = None
    lengths: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What went wrong.

    Attributes:
        findings: the causes.
        starts: per witness, where in the backward pass of a network its fault has entered.
    """

    findings: list[Finding]
    starts: dict[str, str]


@np.errstate(all="ignore")  # a wrong gradient may be anything
def diagnosis_of(
    evaluations: Sequence[Evaluation], pairs: Sequence[Pair], comparer: Comparer, known: Circumstances
) -> Diagnosis:
    """Return the causes of everything that is wrong, as the pairs with the oracle say.

    Gradients of functions whose losses differ are those of different functions: they are left alone.
    """
    found = Diagnosis([], {})
    wrong = {pair.a for pair in pairs if pair.b == ORACLE and pair.wrong and pair.losses_agree}
    for evaluation in evaluations:
        if evaluation.name not in wrong:
            continue
        evidence = evidence_against(evaluation.calls[0], comparer, known)
        if evaluation.again is not None and comparer.between(*evaluation.calls).wrong:
            # What differs from call to call has that for a cause.
            found.findings.extend(accumulated_gradient(evaluation, evidence))
            continue
        found.findings.extend(diagnosed(evidence))
        starts = origin(evidence)
        if starts:
            found.starts[evaluation.name] = starts
    return found


def evidence_against(call: Evaluation, comparer: Comparer, known: Circumstances) -> Evidence:
    """Return the evidence against one call of a witness; random directions are no components, and left out."""
    estimate, layout = comparer.estimate, comparer.layout
    wrong = np.zeros(layout.size, dtype=bool)
    wrong[comparer.wrong(call)] = True
    for tensor in layout:
        if tensor.name == DIRECTIONS:
            wrong[tensor.span] = False
    return Evidence(
        witness=call.name,
        layout=layout,
        theta=known.theta,
        gradient=call.gradient,
        trusted=estimate.value,
        blur=comparer.blur,
        magnitude=estimate.magnitude,
        wrong=wrong,
        tolerance=comparer.tolerance,
        roundoff=comparer.roundoff,
        lengths=known.lengths,
        problem=known.problem,
        trace=estimate.trace,
    )
