"""TrainingReport: the result of training with checks along the way, as one frozen value."""

from dataclasses import dataclass

from xcheck.checks.report import Report
from xcheck.checks.result import Result
from xcheck.compare.precision import TensorPrecision
from xcheck.findings import DEPENDS_ON_HISTORY, DRIFT, NOT_FINITE, Finding
from xcheck.text import joined
from xcheck.training.bias_variance import BiasVariance
from xcheck.training.curves import LossPoint
from xcheck.training.drift import Drift
from xcheck.training.weight_sizes import Sizes
from xcheck.verdict import Verdict

# Steps that a sentence names of those that were not reached: as many as fit on a line.
_MOST_STEPS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A full check after so many steps.

    Attributes:
        step: number of steps taken.
        report: of the check.
        look: losses and errors there.
        sizes: of W and z, layer by layer.
        unpenalised: the same after as many steps without the penalty; None if there is none.
        saved: the file that θ was written to, if it was.
        batch: whether the batch and the masks of the step that follows were checked, because trajectories part there.
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
        """The step, and "(its batch)" where not the examples of `[data]` but those of one step were checked."""
        return f"{self.step} (its batch)" if self.batch else str(self.step)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport(Result):
    """What a training has shown, checks included.

    Attributes:
        model: name of what was trained.
        driver: name of the witness whose gradient was followed.
        plan: learning rate, batch and parts, in words.
        checkpoints: the checks, in order.
        looks: losses and errors along the way.
        recipe: bias and variance at the last of them.
        test_error: of the test part at the end; None without one.
        drift: the distances between the trajectories of the witnesses; None where it was not measured.
        dropout: whether units were dropped during the training.
        full_batch: whether every step took all examples.
        findings: what failed beside the checks: a witness in the middle of the training, a file that cannot be written.
        warnings: of the training; those of the checks are in their reports.
        steps: how many steps were taken.
        missed: the steps at which checks were planned that were not reached.
        stopped: why not all planned steps were taken; empty if they were.
        interrupted: whether a person has interrupted it.
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
        """The worst verdict of all checkpoints and findings; UNDECIDED where θ ran away before a planned check."""
        verdicts = [checkpoint.report.verdict for checkpoint in self.checkpoints]
        # A gradient that depends on earlier calls is wrong, though each check by itself agrees.
        verdicts += [Verdict.DISAGREE if each.code == DEPENDS_ON_HISTORY else Verdict.ERROR for each in self.findings]
        # The checks that were not reached might have failed.
        verdicts += [Verdict.UNDECIDED] if self.ran_away else []
        return Verdict.worst(verdicts)

    @property
    def stopped_early(self) -> bool:
        """Whether the validation loss had not fallen for so long that early stopping ended it."""
        broken = self.findings or NOT_FINITE in {warning.code for warning in self.warnings}
        return bool(self.stopped) and not (self.interrupted or broken)

    @property
    def ending(self) -> str:
        """How it ended, and where the checks were made that it did not reach; empty if all planned steps were taken."""
        if not (self.stopped_early and self.missed):
            return self.stopped
        steps = joined(self.missed, _MOST_STEPS)
        return f"{self.stopped}; it did not reach step {steps}, so the last check was made at step {self.steps}"

    @property
    def ran_away(self) -> bool:
        """Whether θ overflowed before all planned checks were made."""
        # An overflow after the last planned check takes nothing away from the checks.
        return bool(self.missed) and NOT_FINITE in {warning.code for warning in self.warnings}

    @property
    def driver_alone(self) -> bool:
        """Whether mini-batches were taken whose gradients no other witness has computed."""
        return self.drift is None and not self.full_batch

    @property
    def exit_status(self) -> int:
        """Exit status of the process: of the verdict, or 130."""
        # As shells report a process that an interrupt has ended: 128 + SIGINT.
        return 130 if self.interrupted else self.verdict.exit_status

    @property
    def first_failure(self) -> Checkpoint | None:
        """The first checkpoint with the worst verdict of them all, if one does not agree."""
        worst = Verdict.worst(each.report.verdict for each in self.checkpoints)
        # Not the first failure of any kind: what is wrong tells more than what is undecided.
        failed = (each for each in self.checkpoints if each.report.verdict is worst)
        return None if worst is Verdict.AGREE else next(failed)

    @property
    def remarks(self) -> tuple[tuple[tuple[Checkpoint, ...], Finding], ...]:
        """Each warning of the checks once: the checkpoints that have it, and its text at the last of them."""
        warnings: dict[tuple[str, str | None], tuple[tuple[Checkpoint, ...], Finding]] = {}
        for checkpoint in self.checkpoints:
            for warning in checkpoint.report.warnings:
                # By code and tensor, since the numbers in the text change from step to step.
                checkpoints, _ = warnings.get((warning.code, warning.tensor), ((), warning))
                warnings[warning.code, warning.tensor] = (*checkpoints, checkpoint), warning
        return tuple(warnings.values())

    @property
    def precision(self) -> dict[tuple[str, str], TensorPrecision]:
        """Per witness and tensor the largest error of all checkpoints; empty in float64."""
        largest: dict[tuple[str, str], TensorPrecision] = {}
        for checkpoint in self.checkpoints:
            for row in checkpoint.report.precision:
                earlier = largest.setdefault((row.witness, row.tensor), row)
                largest[row.witness, row.tensor] = max(earlier, row, key=lambda each: each.units)
        return largest

    @property
    def headline(self) -> str:
        """The result in one sentence that stands alone."""
        steps = ", ".join(checkpoint.where for checkpoint in self.checkpoints)
        failure, trained = self.first_failure, f"trained by {self.driver}"
        if self.interrupted:
            trained += f", interrupted after step {self.steps}"
        if self.stopped_early:
            trained += f", stopped early after step {self.steps}"
        # All checks agree, so the news is what failed beside them.
        if failure is None and self.findings:
            return f"{trained}: {self.findings[0].text.splitlines()[0]}"
        if failure is None:
            count = len(self.checkpoints)
            counted = "one checkpoint" if count == 1 else f"{count} checkpoints"
            return f"{trained}: all agree at {counted} (step {steps}){self._reservations}"
        # Where the gradients were right before tells what to look at: they are wrong at some θ only.
        earlier = self.checkpoints[: self.checkpoints.index(failure)]
        right = ", ".join(each.where for each in earlier if each.report.ok)
        before = f", after agreeing at step {right}" if right else ""
        return f"{trained}: at step {failure.where}{before}: {failure.report.headline}"

    @property
    def _reservations(self) -> str:
        """What the agreement of all checkpoints does not cover, to be added to that sentence."""
        # The checkpoint that covers least, by the share of its components.
        least = min(self.checkpoints, key=lambda each: each.report.verified / max(1, each.report.components))
        parts = []
        # A headline of a check that covers everything would repeat this one.
        if least.report.verified < least.report.components:
            parts.append(f"; at step {least.where}, {least.report.headline}")
        if self.ran_away:
            missed = ", ".join(str(step) for step in self.missed)
            parts.append(f"; {self.stopped}, so step {missed} could not be checked")
        if DRIFT in {warning.code for warning in self.warnings}:
            parts.append("; but trajectories part by more than rounding")
        return "".join(parts)

    def __repr__(self) -> str:
        return f"<TrainingReport {self.verdict} {self.model}: {self.headline}>"
