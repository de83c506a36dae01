"""Course: training from the first checkpoint to the last, each of them a full check."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from xcheck.backend.contract import Backend
from xcheck.checks.networks.check import NetworkCheck
from xcheck.checks.report import Report
from xcheck.dtypes import roundoff_of
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.findings import BACKEND_FAILED, NOT_SAVED, Finding
from xcheck.networks.data import Parts
from xcheck.networks.definition import Loaded, Training, write_weights
from xcheck.networks.network import Network
from xcheck.networks.problem import Problem
from xcheck.training.caveats import is_far, not_finite, training_caveats
from xcheck.training.curves import LossPoint, every, look_at, recipe_of, test_error_at
from xcheck.training.descent import Descent
from xcheck.training.divergence import DivergenceMonitor, has_kinks
from xcheck.training.drift import Drift, apart, drift_of, drifts, unrepeated
from xcheck.training.report import Checkpoint, TrainingReport
from xcheck.training.trajectories import Position, positions
from xcheck.training.weight_sizes import sizes_at

_ROUNDINGS = 16

Moved = Callable[[int, int, float], None]
Told = Callable[[Checkpoint], None]


@dataclass(slots=True, eq=False, kw_only=True)
class Trainer:
    """Training in progress.

    Attributes:
        loaded: network, θ₀, data of the checks, and how they are made.
        plan: how to train.
        parts: of the data.
        witnesses: those that are there, the driving one first.
        asked: those that were asked for, for the checks.
        worst: how many components to name per pair.
        save_weights: where θ of each checkpoint goes, its step before the suffix.
        progress: called with (steps taken, steps planned, cost).
        tell: called with every checkpoint as soon as it is there.
    """

    loaded: Loaded
    plan: Training
    parts: Parts
    witnesses: Sequence[Backend]
    asked: Sequence[str | Backend] | None
    worst: int
    save_weights: Path | None
    progress: Moved
    tell: Told
    _looks: dict[int, LossPoint] = field(default_factory=dict)
    _checkpoints: list[Checkpoint] = field(default_factory=list)
    _drifted: dict[int, list[float]] = field(default_factory=dict)
    _failures: list[Finding] = field(default_factory=list)
    _stopped: str = ""
    _step: int = 0
    _best: tuple[float, Position] | None = None
    _watch: DivergenceMonitor = field(init=False)

    def __post_init__(self) -> None:
        self._watch = DivergenceMonitor(
            names=[backend.name for backend in self.witnesses],
            roundoff=self._roundoff,
            floor=self._floor,
            kinked=has_kinks(self._problem.network),
            check=self._check_batch,
        )

    def run(self) -> TrainingReport:
        """Train and check; what was checked is kept when a person interrupts, or the driving witness fails."""
        start, interrupted = time.perf_counter(), False
        path = positions(
            self.loaded, self.plan, self.parts, self.witnesses, failed=self._fail, rejoining=self._watch.rejoining
        )
        here = next(path)  # θ₀ is always there
        try:
            while not self._at(here):
                following = next(path, None)
                if following is None:
                    break
                here = following
            self._at_the_end(here)
        except KeyboardInterrupt:
            if not self._checkpoints:
                raise
            interrupted, self._stopped = True, f"interrupted after step {here.step}"
            self._saved(here)
        except BackendError as error:
            if not self._checkpoints:
                raise
            self._fail(error.backend, error.text)
            self._stopped = f"{error.backend} failed after step {here.step}"
        return self._report(here, interrupted=interrupted, seconds=time.perf_counter() - start)

    # --- on the way -------------------------------------------------------------------------------------------------

    def _at(self, here: Position) -> bool:
        """Look, check and measure where it is time; return whether to stop early."""
        self._step = here.step
        self._watch.at(here, far=is_far(self._problem.theta, here.theta))
        checked = here.step in self._planned
        if checked or here.step % every(self.plan) == 0:
            look = self._look(here)
            self.progress(here.step, self.plan.steps, look.cost)
        if checked:
            self._check(here)
        return self._has_had_enough(here)

    @property
    def _planned(self) -> Sequence[int]:
        return (0, self.plan.steps) if self.plan.check_at is None else sorted(set(self.plan.check_at))

    def _at_the_end(self, here: Position) -> None:
        """Look where it ended, and check there if that was early; where numbers have ended there is nothing to."""
        self._look(here)
        if self._stopped:
            if all(checkpoint.step != here.step or checkpoint.batch for checkpoint in self._checkpoints):
                self._check(here)
        elif here.step < self.plan.steps:
            self._stopped = f"θ is not finite after step {here.step + 1}"
            if not is_far(self._problem.theta, here.theta):
                self._check_batch(here)

    def _has_had_enough(self, here: Position) -> bool:
        """Return whether the validation loss has not improved for too many steps."""
        stopping = self.plan.early_stopping
        if stopping is None or here.step % every(self.plan):
            return False
        loss = self._looks[here.step].validation_loss
        if self._best is None or loss < self._best[0]:
            self._best = loss, here
        best = self._best[1]
        if here.step >= self.plan.steps or here.step - best.step < stopping.patience:
            return False
        self._stopped = f"stopped early after step {here.step}: the validation loss was least at step {best.step}"
        saved = self._saved(best)
        self._stopped += f", whose θ is in {saved}" if saved else ""
        return True

    def _look(self, here: Position) -> LossPoint:
        if here.step not in self._looks:
            look = look_at(self._problem.network, here.theta, self.parts, here.step)
            self._looks[here.step] = look
            if here.others:
                self._drifted[here.step] = [apart(here.theta, other) for other in here.others]
        return self._looks[here.step]

    def _check_batch(self, here: Position) -> Report:
        """Check the gradients of the step that follows, on its own batch with its masks."""
        driving = Descent(self._problem, self.parts.training, self.plan, self.witnesses[0], self.loaded.check)
        return self._check(here, driving.batch_of(here.step, here.theta), batch=True)

    def _check(self, here: Position, problem: Problem | None = None, *, batch: bool = False) -> Report:
        problem = (problem or replace(self._problem, theta=here.theta)).rounded(self.loaded.check.dtype)
        loaded = replace(self.loaded, problem=problem, warnings=() if self._checkpoints else self.loaded.warnings)
        report = NetworkCheck(loaded, self.asked, self.worst).run().report
        training, free = self.parts.training, here.unpenalised
        checkpoint = Checkpoint(
            step=here.step,
            report=report,
            look=self._look(here),
            sizes=sizes_at(self._predicting, problem.theta, training),
            unpenalised=None if free is None else sizes_at(self._predicting, free, training),
            saved=self._saved(here),
            batch=batch,
        )
        self._checkpoints.append(checkpoint)
        self.tell(checkpoint)
        return report

    def _saved(self, here: Position) -> str | None:
        if self.save_weights is None:
            return None
        file = saved_at(self.save_weights, here.step)
        try:
            if file.resolve() == self.loaded.weights:
                raise DefinitionError(Complaint(f"{file} is what θ was read from, and is kept"))
            write_weights(file, self._problem.layout, here.theta)
        except DefinitionError as error:
            self._failures.append(Finding(code=NOT_SAVED, text=f"step {here.step}: {error}"))
            return None
        return str(file)

    def _fail(self, name: str, text: str) -> None:
        self._watch.failed.add(name)
        self._failures.append(Finding(code=BACKEND_FAILED, text=f"{name}: step {self._step + 1}: {text}"))

    @property
    def _floor(self) -> float:
        """How far rounding may lead in a step whose gradient is a sum that cancels: α u √n times what is summed."""
        data, size = self.parts.training, self._problem.layout.size
        largest = max(1.0, float(np.abs(data.inputs).max())) * max(1.0, float(np.abs(data.targets).max()))
        return float(_ROUNDINGS * self._roundoff * self.plan.learning_rate * largest * np.sqrt(size))

    # --- telling ----------------------------------------------------------------------------------------------------

    @property
    def _problem(self) -> Problem:
        return self.loaded.problem

    @property
    def _predicting(self) -> Network:
        return self._problem.network.without_dropout()

    @property
    def _seen(self) -> list[LossPoint]:
        return [self._looks[step] for step in sorted(self._looks)]

    def _report(self, here: Position, *, interrupted: bool, seconds: float) -> TrainingReport:
        self._look(here)
        drift = self._drift()
        return TrainingReport(
            model=self._problem.name,
            driver=self.witnesses[0].name,
            plan=_plan(self.plan, self.parts),
            checkpoints=tuple(self._checkpoints),
            looks=tuple(self._seen),
            recipe=recipe_of(self._problem.network.loss, self._seen[-1], self.parts, self.plan.bayes_error),
            test_error=test_error_at(self._predicting, here.theta, self.parts),
            drift=drift,
            dropout=self._problem.network.drops,
            full_batch=self.plan.takes_all_of(len(self.parts.training.inputs)),
            findings=(*self._failures, *unrepeated(self._watch.partings, self.witnesses[0].name)),
            warnings=tuple(self._warnings(here, drift)),
            steps=here.step,
            missed=tuple(step for step in self._planned if step > here.step),
            stopped=self._stopped,
            interrupted=interrupted,
            seed=self._problem.seed,
            seconds=seconds,
        )

    def _drift(self) -> Drift | None:
        names = [backend.name for backend in self.witnesses[1:]]
        return drift_of(names, sorted(self._drifted.items()), self._watch.partings)

    @property
    def _roundoff(self) -> float:
        return roundoff_of(self.loaded.check.dtype)

    def _warnings(self, here: Position, drift: Drift | None) -> Iterator[Finding]:
        examples, driver = len(self.parts.training.inputs), self.witnesses[0].name
        yield from training_caveats(
            self._problem.network, self.plan, self._seen, examples=examples, roundoff=self._roundoff
        )
        if "not finite" in self._stopped:
            yield not_finite(self._stopped, driver, self.plan.learning_rate, self._problem.theta, here.theta)
        if drift is not None:
            yield from drifts(drift, driver)


def saved_at(file: Path, step: int) -> Path:
    """Return the file that θ after so many steps goes to.

    >>> str(saved_at(Path("theta.npz"), 100))
    'theta-100.npz'
    """
    return file.with_name(f"{file.stem}-{step}{file.suffix}")


def _plan(plan: Training, parts: Parts) -> str:
    copies = "" if parts.originals is None else f" ({parts.originals} and copies)"
    sizes = [f"{len(parts.training.inputs)} for training{copies}", f"{len(parts.validation.inputs)} for validation"]
    sizes += [] if parts.test is None else [f"{len(parts.test.inputs)} for testing"]
    batch = "full batch" if plan.takes_all_of(len(parts.training.inputs)) else f"batches of {plan.batch}"
    return f"{plan.steps} steps, learning rate {plan.learning_rate:g}, {batch}, {', '.join(sizes)}"
