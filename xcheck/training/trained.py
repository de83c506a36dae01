"""TrainingReport: everything that training with checks has found, as one frozen value."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from xcheck.findings import Finding
from xcheck.report.model import Report
from xcheck.training.curve import Look
from xcheck.training.drift import Drift
from xcheck.training.recipe import Recipe
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """A full check after so many steps.

    Attributes:
        step: number of steps taken.
        report: what it found.
        look: losses and errors there.
        weights: per layer the root mean square of W.
        inputs: per layer the root mean square of z.
        saved: the file that θ was written to, if it was.
    """

    step: int
    report: Report
    look: Look
    weights: tuple[float, ...]
    inputs: tuple[float, ...]
    saved: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingReport:
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
        warnings: what was noticed.
        steps: how many steps were taken.
        stopped: why they were not all taken; empty if they were.
        interrupted: whether a person has ended it.
        seed: of everything random.
        seconds: wall time, checks included.
        command: what was typed, if anything was.
    """

    model: str
    driver: str
    plan: str
    checkpoints: tuple[Checkpoint, ...]
    looks: tuple[Look, ...]
    recipe: Recipe
    test_error: float | None
    drift: Drift | None
    warnings: tuple[Finding, ...]
    steps: int
    stopped: str
    interrupted: bool
    seed: int
    seconds: float
    command: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """The worst of all checkpoints."""
        return Verdict.worst(checkpoint.report.verdict for checkpoint in self.checkpoints)

    @property
    def ok(self) -> bool:
        """Whether everything agrees, everywhere."""
        return self.verdict is Verdict.AGREE

    def __bool__(self) -> bool:
        return self.ok

    @property
    def first_failure(self) -> Checkpoint | None:
        """The first checkpoint that does not agree."""
        return next((each for each in self.checkpoints if not each.report.ok), None)

    @property
    def headline(self) -> str:
        """One sentence that stands alone."""
        steps = ", ".join(str(checkpoint.step) for checkpoint in self.checkpoints)
        failure = self.first_failure
        if failure is None:
            return f"trained by {self.driver}: all agree at {_counted(len(self.checkpoints))} (step {steps})"
        right = [str(each.step) for each in self.checkpoints if each.step < failure.step]
        before = f", after agreeing at step {', '.join(right)}" if right else ""
        return f"trained by {self.driver}: at step {failure.step}{before}: {failure.report.headline}"

    def __repr__(self) -> str:
        return f"<TrainingReport {self.verdict} {self.model}: {self.headline}>"

    def __str__(self) -> str:
        from xcheck.report.training import render

        return render(self)

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain dicts, lists, strings and numbers."""
        from xcheck.report.json import finite

        content: dict[str, Any] = {
            "schema": 1,
            "model": self.model,
            "verdict": str(self.verdict),
            "exit": self.verdict.exit_status,
            "headline": self.headline,
            "driver": self.driver,
            "plan": self.plan,
            "checkpoints": [_checkpoint(each) for each in self.checkpoints],
            "looks": [asdict(look) for look in self.looks],
            "bias_variance": {**asdict(self.recipe), "case": self.recipe.case, "advice": self.recipe.advice},
            "test_error": self.test_error,
            "drift": None if self.drift is None else _drift(self.drift),
            "warnings": [asdict(warning) for warning in self.warnings],
            "steps": self.steps,
            "stopped": self.stopped,
            "interrupted": self.interrupted,
            "seed": self.seed,
            "seconds": self.seconds,
            "command": list(self.command),
        }
        plain: dict[str, Any] = finite(content)
        return plain

    def to_json(self) -> str:
        """Return it as one line of JSON."""
        from xcheck.report.json import line

        return line(self.to_dict())


def _counted(number: int) -> str:
    return "one checkpoint" if number == 1 else f"{number} checkpoints"


def _checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "step": checkpoint.step,
        "look": asdict(checkpoint.look),
        "weights": list(checkpoint.weights),
        "inputs": list(checkpoint.inputs),
        "saved": checkpoint.saved,
        "report": checkpoint.report.to_dict(),
    }


def _drift(drift: Drift) -> Mapping[str, Any]:
    others = {name: list(values) for name, values in drift.of.items()}
    return {"steps": list(drift.steps), "of": others, "rounding": list(drift.rounding)}
