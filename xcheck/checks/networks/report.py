"""Build the report on a declared network from what the witnesses and the oracle say."""

from collections.abc import Sequence

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.caveats import CheckedPoint, caveats_at
from xcheck.caveats.check import check_caveats
from xcheck.certificates.claims import Proof
from xcheck.checks.answer import Answer
from xcheck.checks.assemble import Comparison, ReportHead, assemble, compare_witnesses, findings_in_order
from xcheck.checks.networks.residual import make_probes
from xcheck.checks.networks.run import oracle_options
from xcheck.checks.proof import proof_warnings
from xcheck.checks.report import Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.pair import ORACLE
from xcheck.compare.precision import precisions
from xcheck.diagnose import Forward, activations_of, diagnose_gradients, locate_difference, odd_one_out
from xcheck.diagnose.determinism import differing_calls
from xcheck.dtypes import roundoff_of
from xcheck.findings import Finding
from xcheck.networks.definition import Loaded
from xcheck.networks.problem import Problem


# Losses and gradients that are not finite are results, and so are their differences.
@np.errstate(all="ignore")
def build_report(
    loaded: Loaded,
    answers: Sequence[Answer[Objective]],
    comparer: Comparer,
    point: CheckedPoint,
    command: Sequence[str],
    proof: Proof | None = None,
) -> Report:
    """Compare what the witnesses and the oracle say, and put everything into a report."""
    problem, estimate, evaluations = point.problem, point.estimate, point.evaluations
    pairs = compare_witnesses(evaluations, comparer)
    comparison = Comparison(
        answers=answers,
        evaluations=evaluations,
        estimate=estimate,
        comparer=comparer,
        pairs=pairs,
        # No witness of a network is asked again in float64, so every pair is one of distinct witnesses.
        distinct=pairs,
    )
    probes = make_probes(answers, problem, comparer, oracle_options(loaded.check))
    diagnosis = diagnose_gradients(evaluations, pairs, comparer, theta=problem.theta, problem=problem, probes=probes)
    head = ReportHead(
        model=problem.name,
        summary=_summary(problem, point.dtype),
        parameters=problem.layout.size,
        seed=problem.seed,
        dtype=point.dtype,
        # Of a declared network every component is measured.
        scope="all",
        budget=loaded.check.budget,
        device=loaded.check.device,
        command=command,
    )
    return assemble(
        comparison,
        head,
        verdict=comparison.verdict,
        odd_one_out=odd_one_out(pairs),
        findings=findings_in_order(comparison, diagnosis, parted=_parted_losses(comparison, point)),
        warnings=[
            *loaded.warnings,
            *(warning for answer in answers for warning in answer.warnings),
            *_caveats(comparison, point),
            *([] if proof is None else proof_warnings(proof)),
        ],
        tensors=point.tensors,
        starts=diagnosis.starts,
        layers=point.layers,
        proof=proof,
        precision=() if point.dtype == "float64" else precisions(evaluations, estimate, problem.layout),
    )


def _parted_losses(comparison: Comparison, point: CheckedPoint) -> list[Finding]:
    """Return in which layer the losses part of those witnesses that compute another one."""
    objectives = {answer.name: answer.objective for answer in comparison.answers if answer.objective is not None}
    found = []
    for pair in comparison.pairs:
        # A loss that is random or not finite parts everywhere and nowhere.
        if pair.b != ORACLE or pair.losses_agree or pair.spread or not np.isfinite(pair.losses).all():
            continue
        try:
            # Optional in the contract; without it the loss alone has to tell.
            activations = activations_of(objectives[pair.a].activations(point.problem.theta))
        except Exception:  # noqa: BLE001 - a plug-in that cannot show them is none the worse as a witness
            activations = None
        roundoff = roundoff_of(point.dtype)
        finding = locate_difference(
            Forward(pair.a, pair.losses[0], activations, roundoff), point.problem, point.estimate
        )
        found += [finding] if finding else []
    return found


def _caveats(comparison: Comparison, point: CheckedPoint) -> list[Finding]:
    """Return what this check does not prove."""
    calls = differing_calls(point.evaluations, comparison.comparer)
    return [*check_caveats(comparison.pairs, point.estimate, point.problem.layout), *calls, *caveats_at(point)]


def _summary(problem: Problem, dtype: str) -> str:
    network = problem.network
    parts = [
        f"{problem.layout.size} parameters",
        f"{problem.examples} examples",
        "-".join(str(width) for width in network.widths),
        " ".join(dict.fromkeys(layer.activation for layer in network.layers[:-1])),
        network.loss,
        *(f"{name} {value:g}" for name, value in (("l2", network.l2), ("l1", network.l1)) if value),
        "" if dtype == "float64" else dtype,
        "dropout pinned" if any(mask is not None for mask in problem.masks) else "",
    ]
    return ", ".join(part for part in parts if part)
