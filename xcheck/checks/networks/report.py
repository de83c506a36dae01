"""Build the report on a declared network from what the witnesses and the oracle say."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from xcheck.caveats import CheckedPoint, caveats_at
from xcheck.caveats.check import check_caveats
from xcheck.checks.environment import environment_of
from xcheck.checks.networks.witnesses import Witnesses
from xcheck.checks.report import OracleSummary, Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.pair import ORACLE, Pair
from xcheck.compare.precision import precisions
from xcheck.diagnose import (
    Forward,
    consensus,
    consensus_findings,
    diagnosis_of,
    odd_one_out,
    parted,
    shown,
)
from xcheck.diagnose.determinism import differing_calls, unsteady_gradients
from xcheck.diagnose.losses import loss_findings
from xcheck.dtypes import roundoff_of
from xcheck.findings import Finding
from xcheck.networks.definition import Loaded
from xcheck.networks.problem import Problem
from xcheck.verdict import Verdict


@np.errstate(all="ignore")
def build_report(
    loaded: Loaded, witnesses: Witnesses, comparer: Comparer, point: CheckedPoint, command: Sequence[str]
) -> Report:
    """Compare what the witnesses and the oracle say, and put everything into a report."""
    problem, estimate, evaluations = point.problem, point.estimate, witnesses.evaluations
    pairs = [comparer.with_oracle(evaluation) for evaluation in evaluations]
    pairs += [comparer.between(a, b) for a, b in combinations(evaluations, 2)]
    found = diagnosis_of(evaluations, pairs, comparer, theta=problem.theta, problem=problem)
    errors = [Verdict.ERROR] if witnesses.failures or not evaluations else []
    return Report(
        model=problem.name,
        summary=_summary(problem, point.dtype),
        verdict=Verdict.worst([*errors, *(pair.verdict for pair in pairs)]),
        parameters=problem.layout.size,
        seed=problem.seed,
        losses={evaluation.name: evaluation.loss for evaluation in evaluations},
        pairs=tuple(pairs),
        odd_one_out=odd_one_out(pairs),
        consensus=consensus(pairs),
        starts=found.starts,
        findings=(
            *witnesses.failures,
            *unsteady_gradients(evaluations, comparer),
            *loss_findings(pairs, estimate),
            *_forward(pairs, witnesses, point),
            *consensus_findings(pairs, estimate),
            *found.findings,
        ),
        warnings=(*loaded.warnings, *witnesses.warnings, *_doubts(pairs, comparer, point)),
        tensors=tuple(point.tensors),
        layers=tuple(point.layers),
        oracle=OracleSummary.of(estimate, scope="all", budget=loaded.check.budget),
        dtype=point.dtype,
        tolerance=point.tolerance,
        resolution=comparer.resolution,
        seconds=witnesses.seconds,
        precision=() if point.dtype == "float64" else precisions(evaluations, estimate, problem.layout),
        environment=environment_of(witnesses.versions, loaded.check.device),
        command=tuple(command),
    )


def _forward(pairs: Sequence[Pair], witnesses: Witnesses, point: CheckedPoint) -> list[Finding]:
    """Return where the losses part of those witnesses that compute another one."""
    found = []
    for pair in pairs:
        if pair.b != ORACLE or pair.losses_agree or pair.spread or not np.isfinite(pair.losses).all():
            continue
        try:
            activations = shown(witnesses.objectives[pair.a].activations(point.problem.theta))
        except Exception:  # noqa: BLE001 - a plug-in that cannot show them is none the worse as a witness
            activations = None
        roundoff = roundoff_of(point.dtype)
        finding = parted(Forward(pair.a, pair.losses[0], activations, roundoff), point.problem, point.estimate)
        found += [finding] if finding else []
    return found


def _doubts(pairs: Sequence[Pair], comparer: Comparer, point: CheckedPoint) -> list[Finding]:
    """Return what this check does not prove."""
    calls = differing_calls(point.evaluations, comparer)
    return [*check_caveats(pairs, point.estimate, point.problem.layout), *calls, *caveats_at(point)]


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
