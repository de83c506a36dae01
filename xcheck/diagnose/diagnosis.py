"""Diagnosis: the evidence against each witness that is wrong, and the causes that explain it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import ORACLE, Pair
from xcheck.diagnose.determinism import accumulated_gradient
from xcheck.diagnose.evidence import Evidence
from xcheck.diagnose.origin import origin
from xcheck.diagnose.probes import Probes
from xcheck.diagnose.ranking import explain_residual
from xcheck.findings import Finding
from xcheck.layout import Vector
from xcheck.networks.problem import Problem


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What went wrong.

    Attributes:
        findings: the operations to blame, and the causes.
        starts: for each wrong witness of a network, where in its backward pass the fault has entered.
        caveats: what could not be looked into.
    """

    findings: list[Finding] = field(default_factory=list)
    starts: dict[str, str] = field(default_factory=dict)
    caveats: list[Finding] = field(default_factory=list)


@np.errstate(all="ignore")  # a wrong gradient may be anything
def diagnose_gradients(
    evaluations: Sequence[Evaluation],
    pairs: Sequence[Pair],
    comparer: Comparer,
    *,
    theta: Vector,
    problem: Problem | None = None,
    lengths: Mapping[int, str] | None = None,
    data: Mapping[str, NDArray[Any]] | None = None,
    probes: Mapping[str, Probes] | None = None,
) -> Diagnosis:
    """Return the causes of everything that is wrong, as the pairs with the oracle say.

    Gradients of functions whose losses differ are gradients of different functions: no cause is looked for.

    Args:
        evaluations: what the witnesses say.
        pairs: what was compared.
        comparer: holds gradients against the oracle.
        theta: θ, shape (n,).
        problem: the declared network, if it is one.
        lengths: numbers that a factor may come from, as in `Evidence`.
        data: the arrays of a person's data by name, as in `Evidence`.
        probes: what else may be asked of each witness, by its name.
    """
    wrong = {pair.a for pair in pairs if pair.b == ORACLE and pair.wrong and pair.losses_agree}
    diagnosis = Diagnosis()
    for evaluation in (evaluation for evaluation in evaluations if evaluation.name in wrong):
        evidence = Evidence.against(
            evaluation.calls[0],
            comparer,
            theta=theta,
            problem=problem,
            lengths=lengths,
            data=data,
            probes=(probes or {}).get(evaluation.name),
        )
        if evaluation.again is not None and comparer.between(*evaluation.calls).wrong:
            # A gradient that differs from call to call has that for a cause; no rule can name another.
            diagnosis.findings.extend(accumulated_gradient(evaluation, evidence))
            continue
        diagnosis.findings.extend(explain_residual(evidence))
        place = origin(evidence)
        if place:
            diagnosis.starts[evaluation.name] = place
    return diagnosis
