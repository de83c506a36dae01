"""TrainingReport: everything that training with checks has found, as one frozen value."""

from collections.abc import Sequence
from dataclasses import dataclass

from xcheck.checks.report import Report
from xcheck.checks.result import Result
from xcheck.compare.precision import TensorPrecision
from xcheck.findings import DEPENDS_ON_HISTORY, DRIFT, NOT_FINITE, Finding
from xcheck.training.bias_variance import BiasVariance
from xcheck.training.curves import LossPoint
from xcheck.training.drift import Drift
from xcheck.training.weight_sizes import Sizes
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A full check after so many steps.

    Attributes:
        step: number of steps taken.
        report: what it found.
        look: losses and errors there.
        sizes: of W and z, layer by layer.
        unpenalised: the same after as many steps without the penalty; None if there is none.
        saved: the file that θ was written to, if it was.
        batch: whether it is about the batch and the masks of the step that follows, where trajectories part.
    """

    step: int
    report: Report
    look: LossPoint
    sizes: Sizes
    unpenalised: Sizes | None
    saved: str | None = None
    batch: bool = False

    @property
    def where(self) -> str:
        """The step, and what was checked there if that is not what `[data]` says."""
        return f"{self.step} (its batch)" if self.batch else str(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport(Result):
    """Training, checked along the way.

    Attributes:
        model: name of what was trained.
        driver: name of the witness whose gradient drove it.
        plan: learning rate, batch and parts, in words.
        checkpoints: the checks, in order.
        looks: losses and errors along the way.
        recipe: bias and variance at the last look.
        test_error: of the test part at the end; None without one.
        drift: how far the trajectories of the witnesses part.
        dropout: whether units were dropped while it was trained.
        full_batch: whether every step looked at all examples.
        findings: what failed, beside the checks: a witness on its way, a file that could not be written.
        warnings: what was noticed about the training; those of the checks are in their reports.
        steps: how many steps were taken.
        missed: the steps at which checks were planned that were not reached.
        stopped: why they were not all taken; empty if they were.
        interrupted: whether a person has ended it.
        seed: of everything random.
        seconds: wall time, checks included.
        command: what was typed, if anything was.
    """

    kind = "training"

    model: str
    driver: str
    plan: str
    checkpoints: tuple[Checkpoint, ...]
    looks: tuple[LossPoint, ...]
    recipe: BiasVariance
    test_error: float | None
    drift: Drift | None
    dropout: bool
    full_batch: bool
    findings: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    steps: int
    missed: tuple[int, ...]
    stopped: str
    interrupted: bool
    seed: int
    seconds: float
    command: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all checkpoints; nothing is decided where θ ran away before it could be checked."""
        found = [checkpoint.report.verdict for checkpoint in self.checkpoints]
        found += [Verdict.DISAGREE if each.code == DEPENDS_ON_HISTORY else Verdict.ERROR for each in self.findings]
        found += [Verdict.UNDECIDED] if self.ran_away else []
        return Verdict.worst(found)

    @property
    def ran_away(self) -> bool:
        """Whether θ left the numbers there are before all checks that were planned were made."""
        return bool(self.missed) and NOT_FINITE in {warning.code for warning in self.warnings}

    @property
    def driver_alone(self) -> bool:
        """Whether mini-batches were taken that nobody else was asked about."""
        return self.drift is None and not self.full_batch

    @property
    def exit_status(self) -> int:
        """Exit status of the process: of the verdict, or 130."""
        return 130 if self.interrupted else self.verdict.exit_status

    @property
    def first_failure(self) -> Checkpoint | None:
        """The first checkpoint with the worst verdict of them all, if one does not agree."""
        worst = Verdict.worst(each.report.verdict for each in self.checkpoints)
        failed = (each for each in self.checkpoints if each.report.verdict is worst)
        return None if worst is Verdict.AGREE else next(failed)

    @property
    def remarks(self) -> tuple[tuple[tuple[Checkpoint, ...], Finding], ...]:
        """What the checks warn of: which of them, and in the words of the last."""
        found: dict[tuple[str, str | None], tuple[tuple[Checkpoint, ...], Finding]] = {}
        for checkpoint in self.checkpoints:
            for warning in checkpoint.report.warnings:
                checks, _ = found.get((warning.code, warning.tensor), ((), warning))
                found[warning.code, warning.tensor] = (*checks, checkpoint), warning
        return tuple(found.values())

    @property
    def precision(self) -> dict[tuple[str, str], TensorPrecision]:
        """Per witness and tensor the largest error of all checkpoints; empty in float64."""
        found: dict[tuple[str, str], TensorPrecision] = {}
        for checkpoint in self.checkpoints:
            for row in checkpoint.report.precision:
                known = found.setdefault((row.witness, row.tensor), row)
                found[row.witness, row.tensor] = max(known, row, key=lambda each: each.units)
        return found

    @property
    def headline(self) -> str:
        """One sentence that stands alone."""
        steps = ", ".join(checkpoint.where for checkpoint in self.checkpoints)
        failure, trained = self.first_failure, f"trained by {self.driver}"
        if self.interrupted:
            trained += f", interrupted after step {self.steps}"
        if failure is None and self.findings:
            return f"{trained}: {self.findings[0].text.splitlines()[0]}"
        if failure is None:
            return f"{trained}: all agree at {_counted(len(self.checkpoints))} (step {steps}){self._but}"
        earlier = self.checkpoints[: self.checkpoints.index(failure)]
        right = ", ".join(each.where for each in earlier if each.report.ok)
        before = f", after agreeing at step {right}" if right else ""
        return f"{trained}: at step {failure.where}{before}: {failure.report.headline}"

    @property
    def _but(self) -> str:
        """What takes something away from all agreeing."""
        least = min(self.checkpoints, key=lambda each: each.report.verified / max(1, each.report.components))
        parts = []
        if least.report.verified < least.report.components:
            parts.append(f"; at step {least.where}, {least.report.headline}")
        if self.ran_away:
            parts.append(f"; {self.stopped}, so step {_listed(self.missed)} could not be checked")
        if DRIFT in {warning.code for warning in self.warnings}:
            parts.append("; but trajectories part by more than rounding")
        return "".join(parts)

    def __repr__(self) -> str:
        return f"<TrainingReport {self.verdict} {self.model}: {self.headline}>"


def _listed(steps: Sequence[int]) -> str:
    return ", ".join(str(step) for step in steps)


def _counted(number: int) -> str:
    return "one checkpoint" if number == 1 else f"{number} checkpoints"
