"""Checkpoints: full checks during a training, and the files that θ is written to."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from xcheck.backend.contract import Backend
from xcheck.checks.networks.check import NetworkCheck
from xcheck.checks.report import Report
from xcheck.errors import Complaint, DefinitionError
from xcheck.findings import NOT_SAVED, Finding
from xcheck.layout import Vector
from xcheck.networks.data import Parts
from xcheck.networks.definition import Loaded, write_weights
from xcheck.networks.problem import Problem
from xcheck.training.curves import LossCurve
from xcheck.training.descent import Descent
from xcheck.training.report import Checkpoint
from xcheck.training.trajectories import Position
from xcheck.training.weight_sizes import measure_sizes

CheckpointCallback = Callable[[Checkpoint], None]


@dataclass(slots=True, eq=False, kw_only=True)
class Checker:
    """Makes the checks of one training, and keeps them.

    Attributes:
        loaded: network, θ₀, data of the checks, and how they are made.
        parts: of the data.
        asked: the witnesses of the checks, as `verify` takes them; None where the definition decides.
        worst: how many components to name per pair.
        driving: gradient descent of the driving witness.
        losses: of the training.
        files: where θ of each checkpoint is written to.
        tell: called with every checkpoint as soon as it is there.
        checkpoints: those so far, in order.
    """

    loaded: Loaded
    parts: Parts
    asked: Sequence[str | Backend] | None
    worst: int
    driving: Descent
    losses: LossCurve
    files: "WeightFiles"
    tell: CheckpointCallback
    checkpoints: list[Checkpoint] = field(default_factory=list)

    def check(self, position: Position) -> Report:
        """Check the gradients at θ on the examples of `[data]`."""
        return self._check(position, replace(self.loaded.problem, theta=position.theta), batch=False)

    def check_batch(self, position: Position) -> Report:
        """Check the gradients of the step that follows, on its own batch with its own masks."""
        return self._check(position, self.driving.batch_after(position.step, position.theta), batch=True)

    def has_checked(self, step: int) -> bool:
        """Return whether the gradients after so many steps were checked on the examples of `[data]`."""
        return any(checkpoint.step == step and not checkpoint.batch for checkpoint in self.checkpoints)

    def _check(self, position: Position, problem: Problem, *, batch: bool) -> Report:
        problem = problem.rounded(self.loaded.check.dtype)
        # Warnings about the definition and its data belong to all checks, and are given once.
        warnings = () if self.checkpoints else self.loaded.warnings
        loaded = replace(self.loaded, problem=problem, warnings=warnings)
        report = NetworkCheck(loaded, self.asked, self.worst).run().report
        # Dropout off: sizes are those of the network as it predicts.
        network, unpenalised = self.loaded.problem.network.without_dropout(), position.unpenalised
        training = self.parts.training
        checkpoint = Checkpoint(
            step=position.step,
            report=report,
            look=self.losses.at(position.step, position.theta),
            sizes=measure_sizes(network, problem.theta, training),
            unpenalised=None if unpenalised is None else measure_sizes(network, unpenalised, training),
            saved=self.files.write(position.step, position.theta),
            batch=batch,
        )
        # Kept before it is told: whoever is told may interrupt the training.
        self.checkpoints.append(checkpoint)
        self.tell(checkpoint)
        return report


@dataclass(slots=True, eq=False, kw_only=True)
class WeightFiles:
    """Writes θ to files, one for each step that is asked for.

    Attributes:
        file: the name, to which the step is added before the suffix; None writes nothing.
        loaded: the layout of θ, and the file that θ₀ was read from.
        failures: of the training so far; a file that cannot be written adds a finding.
    """

    file: Path | None
    loaded: Loaded
    failures: list[Finding]

    def write(self, step: int, theta: Vector) -> str | None:
        """Write θ after so many steps, and return the name of the file; None if nothing is, or can be, written."""
        if self.file is None:
            return None
        file = file_of_step(self.file, step)
        try:
            # Two names may lead to one file, for example by a link: it would be lost for a training that starts again.
            if file.resolve() == self.loaded.weights:
                raise DefinitionError(Complaint(f"{file} is the file that θ was read from, and is not overwritten"))
            write_weights(file, self.loaded.problem.layout, theta)
        except DefinitionError as error:
            # A full disk in the middle of a long training must not lose its checks.
            self.failures.append(Finding(code=NOT_SAVED, text=f"step {step}: {error}"))
            return None
        return str(file)


def file_of_step(file: Path, step: int) -> Path:
    """Return the file that θ after so many steps goes to.

    >>> str(file_of_step(Path("theta.npz"), 100))
    'theta-100.npz'
    """
    return file.with_name(f"{file.stem}-{step}{file.suffix}")
