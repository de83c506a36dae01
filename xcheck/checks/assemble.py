"""Assemble a report from what was compared: the same order of findings, the same verdict for networks and functions.

Losses come before gradients: different functions have different gradients. What a witness does whatever its gradient is
(it fails, it writes into its arguments) comes before both, the likely cause last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from xcheck.caveats.layers import LayerState
from xcheck.certificates.claims import Proof
from xcheck.checks.answer import Answer
from xcheck.checks.environment import environment_of
from xcheck.checks.report import OracleSummary, Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import Pair
from xcheck.compare.precision import TensorPrecision
from xcheck.diagnose import Diagnosis, consensus, consensus_findings
from xcheck.diagnose.determinism import unsteady_gradients
from xcheck.diagnose.losses import loss_findings
from xcheck.findings import Finding
from xcheck.oracle import Estimate
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What all witnesses and the oracle say, held against each other.

    Attributes:
        answers: what came of calling each witness.
        evaluations: slopes of those that have answered, along the oracle's lines.
        reruns: slopes of those of them that were asked again in float64.
        estimate: the oracle's slopes.
        comparer: holds witnesses against the oracle.
        pairs: every witness against the oracle, then the witnesses among themselves.
        distinct: the pairs without reruns, which are no further witnesses: what these show is the witness's.
        differenced: name of the witness whose own loss the oracle differences; empty where it has one of its own.
        measured: whether the oracle has measured anything.
    """

    answers: Sequence[Answer[Any]]
    evaluations: Sequence[Evaluation]
    reruns: Sequence[Evaluation] = ()
    estimate: Estimate
    comparer: Comparer
    pairs: Sequence[Pair]
    distinct: Sequence[Pair]
    differenced: str = ""
    measured: bool = True

    @property
    def verdict(self) -> Verdict:
        """The worst of what the witnesses do and of all pairs; ERROR where nobody has answered.

        A rerun in float64 is asked for more than was handed over: it may show a mistake, and no more.
        """
        # Known by name, for that is all that a pair keeps of its witnesses.
        again = {rerun.name for rerun in self.reruns}
        counted = [pair.verdict for pair in self.pairs if pair.a not in again or pair.verdict is not Verdict.UNDECIDED]
        # Without this, a check in which every witness fails would be an empty list, and AGREE.
        nobody = [] if self.pairs else [Verdict.ERROR]
        return Verdict.worst([*nobody, *(answer.verdict for answer in self.answers), *counted])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReportHead:
    """What was checked, and how, for the head of the report.

    Attributes:
        model: its name.
        summary: what it is, in one line.
        parameters: number of components of θ.
        seed: of everything random.
        dtype: what the witnesses compute in.
        scope: which components were differenced.
        budget: seconds that an engine chosen by xcheck might take.
        device: "cpu" or "gpu".
        command: what was typed, if anything was.
    """

    model: str
    summary: str
    parameters: int
    seed: int
    dtype: str
    scope: str
    budget: float
    device: str
    command: Sequence[str] = ()


def compare_witnesses(evaluations: Sequence[Evaluation], comparer: Comparer) -> list[Pair]:
    """Return every witness beside the oracle, then the witnesses beside each other."""
    pairs = [comparer.with_oracle(evaluation) for evaluation in evaluations]
    return pairs + [comparer.between(a, b) for a, b in combinations(evaluations, 2)]


def findings_in_order(
    comparison: Comparison,
    diagnosis: Diagnosis,
    *,
    of_oracle: Sequence[Finding] = (),
    located: Sequence[Finding] = (),
    parted: Sequence[Finding] = (),
) -> list[Finding]:
    """Return why a check fails: witnesses, where they are wrong, losses, where these part, consensus, causes.

    Args:
        comparison: what was compared.
        diagnosis: the causes.
        of_oracle: why the oracle could measure nothing.
        located: which components were located.
        parted: where losses part.
    """
    findings = [finding for answer in comparison.answers for finding in answer.findings]
    # The oracle differences the same function that a witness has failed with: said once.
    known = [finding.text for finding in findings]
    findings += [finding for finding in of_oracle if not any(_says(text, finding.text) for text in known)]
    # Without an estimate there is nothing that calls, losses and components could be held against.
    if comparison.measured:
        findings += unsteady_gradients(comparison.evaluations, comparison.comparer)
        findings += located
        pairs = _without_repeated(comparison)
        findings += loss_findings(pairs, comparison.estimate, differenced=comparison.differenced)
        findings += parted
    shared = consensus_findings(comparison.distinct, comparison.estimate, differenced=comparison.differenced)
    return [*findings, *shared, *diagnosis.findings]


def _says(text: str, other: str) -> bool:
    """Return whether one text says of a function what another one does, which may say less."""
    label, _, failure = other.partition(": ")
    return text.startswith(f"{label}: ") and text.endswith(failure)


def _without_repeated(comparison: Comparison) -> list[Pair]:
    """Return the pairs but for those of reruns whose witness computes another loss already as it was handed over."""
    differing = {pair.a for pair in comparison.pairs if not pair.losses_agree}
    known = {rerun.name for rerun in comparison.reruns if rerun.rerun_of in differing}
    return [pair for pair in comparison.pairs if pair.a not in known]


def assemble(  # noqa: PLR0913 - each is a section of the report, given by name
    comparison: Comparison,
    head: ReportHead,
    *,
    verdict: Verdict,
    odd_one_out: Sequence[str],
    findings: Sequence[Finding],
    warnings: Sequence[Finding],
    tensors: Sequence[TensorCoverage],
    starts: Mapping[str, str] | None = None,
    layers: Sequence[LayerState] = (),
    precision: Sequence[TensorPrecision] = (),
    proof: Proof | None = None,
) -> Report:
    """Put everything into a report.

    Args:
        comparison: what was compared.
        head: what was checked, and how.
        verdict: of the whole check.
        odd_one_out: who stands alone.
        findings: why it fails.
        warnings: what it does not prove.
        tensors: what it does prove, tensor by tensor.
        starts: per witness where in its backward pass a fault has entered.
        layers: sizes of activations and gradients of a network.
        precision: in narrow dtypes, how far each tensor is off.
        proof: what slopes with proved bounds say.
    """
    # A witness that could not be set up has no versions to speak of, and has taken no time.
    evaluated = [answer for answer in comparison.answers if answer.objective is not None]
    versions = {name: number for answer in evaluated for name, number in answer.versions.items()}
    return Report(
        model=head.model,
        summary=head.summary,
        verdict=verdict,
        parameters=head.parameters,
        seed=head.seed,
        losses={each.name: each.loss for each in (*comparison.evaluations, *comparison.reruns)},
        pairs=tuple(comparison.pairs),
        odd_one_out=tuple(odd_one_out),
        consensus=consensus(comparison.distinct, differenced=comparison.differenced),
        starts=starts or {},
        findings=tuple(findings),
        warnings=tuple(warnings),
        tensors=tuple(tensors),
        layers=tuple(layers),
        oracle=OracleSummary.of(comparison.estimate, scope=head.scope, budget=head.budget),
        dtype=head.dtype,
        tolerance=comparison.comparer.tolerance,
        resolution=comparison.comparer.resolution,
        seconds={answer.name: answer.seconds for answer in evaluated},
        environment=environment_of(versions, head.device),
        command=tuple(head.command),
        precision=tuple(precision),
        proof=proof,
    )
