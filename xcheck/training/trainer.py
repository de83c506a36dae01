"""Trainer: the loop from θ₀ to the end of a training, with what has to be done at each step."""

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field

from xcheck.errors import BackendError
from xcheck.findings import BACKEND_FAILED, Finding
from xcheck.layout import Vector
from xcheck.networks.definition import Training
from xcheck.training.caveats import is_far
from xcheck.training.checkpoints import Checker, CheckpointCallback, WeightFiles
from xcheck.training.curves import EarlyStopping, LossCurve, LossPoint, steps_between_points
from xcheck.training.divergence import DivergenceMonitor
from xcheck.training.trajectories import Position, Positions

__all__: Sequence[str] = ["CheckpointCallback", "Ending", "Trainer", "TrainingProgress", "planned_checks"]

TrainingProgress = Callable[[int, int, float], None]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ending:
    """Where and why a training has ended.

    Attributes:
        position: the last one.
        stopped: why not all planned steps were taken; empty if they were.
        overflowed: whether θ is not finite after the next step.
        interrupted: whether a person has interrupted it.
        seconds: wall time, checks included.
    """

    position: Position
    stopped: str
    overflowed: bool
    interrupted: bool
    seconds: float


@dataclass(slots=True, eq=False, kw_only=True)
class Trainer:
    """A training in progress.

    Attributes:
        plan: number of steps, learning rate, and when to check.
        start: θ₀.
        losses: of the training and the validation part along the way.
        stopping: tells when the validation loss has not improved for too long.
        checker: makes the checks.
        monitor: watches whether trajectories part.
        files: where θ is written to.
        failures: what fails beside the checks; a witness that fails adds a finding.
        progress: called with (steps taken, steps planned, cost).
    """

    plan: Training
    start: Vector
    losses: LossCurve
    stopping: EarlyStopping
    checker: Checker
    monitor: DivergenceMonitor
    files: WeightFiles
    failures: list[Finding]
    progress: TrainingProgress
    _stopped: str = ""
    _overflowed: bool = False
    _position: Position = field(init=False)

    def run(self, positions: Positions) -> Ending:
        """Follow the trajectories to their end; what was checked is kept when something breaks off the training.

        Args:
            positions: of all trajectories, step by step.

        Raises:
            KeyboardInterrupt: a person interrupts it before anything was checked.
            BackendError: the driving witness fails before anything was checked.
        """
        began, interrupted = time.perf_counter(), False
        self._position = next(positions)  # θ₀ is always there
        try:
            self._follow(positions)
        # A person who waits no longer gets the checks that were made, and θ as it is.
        except KeyboardInterrupt:
            if not self.checker.checkpoints:
                raise
            interrupted, self._stopped = True, f"interrupted after step {self._position.step}"
            self.files.write(self._position.step, self._position.theta)
        except BackendError as error:
            if not self.checker.checkpoints:
                raise
            # The driving witness: without its gradient there is no next step.
            self.drop_witness(error.backend, error.text)
            self._stopped = f"{error.backend} failed after step {self._position.step}"
        seconds = time.perf_counter() - began
        self._measure(self._position)  # the last point of the curve is where it ended, however it did
        return Ending(
            position=self._position,
            stopped=self._stopped,
            overflowed=self._overflowed,
            interrupted=interrupted,
            seconds=seconds,
        )

    def drop_witness(self, name: str, text: str) -> None:
        """Keep a witness's failure as a finding, and watch its trajectory no longer."""
        self.monitor.failed.add(name)
        # It fails in the step that follows the last position.
        self.failures.append(Finding(code=BACKEND_FAILED, text=f"{name}: step {self._position.step + 1}: {text}"))

    def _follow(self, positions: Positions) -> None:
        """Visit every position until the training is over, or the driving trajectory ends."""
        restart = self._visit(self._position)
        while not self._is_over(self._position):
            following = _advance(positions, restart)
            if following is None:
                break
            self._position = following
            restart = self._visit(following)
        self._finish(self._position)

    def _visit(self, position: Position) -> Collection[int]:
        """Compare trajectories, measure losses and check where it is time; return which trajectories restart."""
        restart = self.monitor.compare(position, far=is_far(self.start, position.theta))
        planned = position.step in planned_checks(self.plan)
        if planned or self._is_due(position.step):
            self.progress(position.step, self.plan.steps, self._measure(position).cost)
        if planned:
            self.checker.check(position)
        return restart

    def _is_over(self, position: Position) -> bool:
        """Return whether the training stops early, and save the best θ if it does."""
        # Losses that are measured for the sake of a check do not count, so that checks do not change where it stops.
        if not self._is_due(position.step):
            return False
        validation_loss = self._measure(position).validation_loss
        stops = self.stopping.observe(position.step, position.theta, validation_loss)
        # At the last planned step nothing is cut short.
        if not stops or position.step >= self.plan.steps:
            return False
        best = self.stopping.best_step
        self._stopped = (
            f"stopped early after step {position.step}, as [training] early_stopping asks: the validation loss was "
            f"least at step {best}"
        )
        saved = self.files.write(best, self.stopping.best_theta)
        self._stopped += f", whose θ is in {saved}" if saved else ""
        return True

    def _finish(self, position: Position) -> None:
        """Check where the training stopped early, or cannot go on."""
        if self._stopped:
            # The check planned for the end is not reached, so it is made here.
            if not self.checker.has_checked(position.step):
                self.checker.check(position)
        elif position.step < self.plan.steps:
            self._stopped = f"θ is not finite after step {position.step + 1}"
            # At an ordinary θ the gradient must be at fault: that of the very step shows it.
            if not is_far(self.start, position.theta):
                self.checker.check_batch(position)
            self._overflowed = True

    def _measure(self, position: Position) -> LossPoint:
        self.monitor.record(position)
        return self.losses.at(position.step, position.theta)

    def _is_due(self, step: int) -> bool:
        return step % steps_between_points(self.plan) == 0


def _advance(positions: Positions, restart: Collection[int]) -> Position | None:
    """Return the next position, or None where the driving trajectory ends."""
    try:
        return positions.send(restart)
    except StopIteration:
        return None


def planned_checks(plan: Training) -> Sequence[int]:
    """Return the steps after which gradients are to be checked: as the definition says, or at both ends."""
    # A definition may name steps in any order, and twice.
    return (0, plan.steps) if plan.check_at is None else sorted(set(plan.check_at))
