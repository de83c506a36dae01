"""Course: training from the first checkpoint to the last, each of them a full check."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from xcheck.backend import Backend
from xcheck.data import Parts
from xcheck.definition import Loaded, Training, write_weights
from xcheck.errors import BackendError, DefinitionError
from xcheck.findings import BACKEND_FAILED, NOT_FINITE, NOT_SAVED, Finding
from xcheck.network import Network
from xcheck.pipeline import verify_loaded
from xcheck.problem import Problem, roundoff_of
from xcheck.training.curve import Look, chatter_of, every, look_at, rises, test_error_at, without_dropout
from xcheck.training.drift import apart, drift_of, drifts
from xcheck.training.dropout import advice_on
from xcheck.training.paths import Position, positions
from xcheck.training.recipe import Recipe
from xcheck.training.sizes import sizes_at
from xcheck.training.trained import Checkpoint, TrainingReport

_FAR = 1e6

Moved = Callable[[int, int, float], None]
Told = Callable[[Checkpoint], None]


@dataclass(slots=True, eq=False, kw_only=True)
class Course:
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
    _looks: dict[int, Look] = field(default_factory=dict)
    _checkpoints: list[Checkpoint] = field(default_factory=list)
    _drifted: dict[int, list[float]] = field(default_factory=dict)
    _failures: list[Finding] = field(default_factory=list)
    _stopped: str = ""
    _best: tuple[float, Position] | None = None

    def run(self) -> TrainingReport:
        """Train and check; what was checked is kept when a person interrupts, or the driving witness fails."""
        start, interrupted = time.perf_counter(), False
        path = positions(self.loaded, self.plan, self.parts, self.witnesses, self._fail)
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
        except BackendError as error:
            if not self._checkpoints:
                raise
            self._fail(f"{error.backend}: step {here.step + 1}: {error.text}")
            self._stopped = f"{error.backend} failed after step {here.step}"
        return self._report(here, interrupted=interrupted, seconds=time.perf_counter() - start)

    # --- on the way -------------------------------------------------------------------------------------------------

    def _at(self, here: Position) -> bool:
        """Look, check and measure where it is time; return whether to stop early."""
        checked = here.step in self._planned
        if checked or here.step % every(self.plan.steps) == 0:
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
            if all(checkpoint.step != here.step for checkpoint in self._checkpoints):
                self._check(here)
        elif here.step < self.plan.steps:
            self._stopped = f"θ is not finite after step {here.step + 1}"

    def _has_had_enough(self, here: Position) -> bool:
        """Return whether the validation loss has not improved for too many looks; they are evenly spaced."""
        stopping = self.plan.early_stopping
        if stopping is None or here.step % every(self.plan.steps):
            return False
        loss = self._looks[here.step].validation_loss
        if self._best is None or loss < self._best[0]:
            self._best = loss, here
        best = self._best[1]
        if here.step >= self.plan.steps or here.step - best.step < stopping.patience * every(self.plan.steps):
            return False
        self._stopped = f"stopped early after step {here.step}: the validation loss was least at step {best.step}"
        saved = self._saved(best)
        self._stopped += f", whose θ is in {saved}" if saved else ""
        return True

    def _look(self, here: Position) -> Look:
        if here.step not in self._looks:
            look = look_at(self._problem.network, here.theta, self.parts, here.step)
            self._looks[here.step] = look
            # Where θ runs away, whose numbers overflow first says nothing about gradients.
            if here.others and look.cost <= _FAR * max(1.0, self._looks[min(self._looks)].cost):
                self._drifted[here.step] = [apart(here.theta, other) for other in here.others]
        return self._looks[here.step]

    def _check(self, here: Position) -> None:
        problem = replace(self._problem, theta=here.theta).rounded(self.loaded.check.dtype)
        report = verify_loaded(
            replace(self.loaded, problem=problem, warnings=() if self._checkpoints else self.loaded.warnings),
            backends=self.asked,
            worst=self.worst,
        )
        training, free = self.parts.training, here.unpenalised
        checkpoint = Checkpoint(
            step=here.step,
            report=report,
            look=self._look(here),
            sizes=sizes_at(self._predicting, problem.theta, training),
            unpenalised=None if free is None else sizes_at(self._predicting, free, training),
            saved=self._saved(here),
        )
        self._checkpoints.append(checkpoint)
        self.tell(checkpoint)

    def _saved(self, here: Position) -> str | None:
        if self.save_weights is None:
            return None
        file = saved_at(self.save_weights, here.step)
        try:
            write_weights(file, self._problem.layout, here.theta)
        except DefinitionError as error:
            self._failures.append(Finding(code=NOT_SAVED, text=f"step {here.step}: {error}"))
            return None
        return str(file)

    def _fail(self, text: str) -> None:
        self._failures.append(Finding(code=BACKEND_FAILED, text=text))

    # --- telling ----------------------------------------------------------------------------------------------------

    @property
    def _problem(self) -> Problem:
        return self.loaded.problem

    @property
    def _predicting(self) -> Network:
        return without_dropout(self._problem.network)

    @property
    def _seen(self) -> list[Look]:
        return [self._looks[step] for step in sorted(self._looks)]

    def _report(self, here: Position, *, interrupted: bool, seconds: float) -> TrainingReport:
        last = self._seen[-1]
        names = [backend.name for backend in self.witnesses]
        drift = drift_of(names[1:], sorted(self._drifted.items()))
        kinks = {look.step: look.kinks for look in self._seen}
        warnings = [*self._warnings(here), *(drifts(drift, names[0], self._roundoff, kinks) if drift else [])]
        return TrainingReport(
            model=self._problem.name,
            driver=names[0],
            plan=_plan(self.plan, self.parts),
            checkpoints=tuple(self._checkpoints),
            looks=tuple(self._seen),
            recipe=Recipe(
                training_error=last.training_error,
                validation_error=last.validation_error,
                bayes_error=self.plan.bayes_error,
                counted=self._counted,
            ),
            test_error=test_error_at(self._predicting, here.theta, self.parts),
            drift=drift,
            dropout=self._drops,
            findings=tuple(self._failures),
            warnings=tuple(warnings),
            steps=here.step,
            missed=tuple(step for step in self._planned if step > here.step),
            stopped=self._stopped,
            interrupted=interrupted,
            seed=self._problem.seed,
            seconds=seconds,
        )

    @property
    def _counted(self) -> tuple[int, int] | None:
        if self._problem.network.loss == "mean_squared_error":
            return None
        outputs = 1 if self._problem.network.loss == "softmax_cross_entropy" else self._problem.network.widths[-1]
        return len(self.parts.training.inputs) * outputs, len(self.parts.validation.inputs) * outputs

    @property
    def _roundoff(self) -> float:
        return roundoff_of(self.loaded.check.dtype)

    @property
    def _drops(self) -> bool:
        return set(self._problem.network.keep_probs) != {1.0}

    def _warnings(self, here: Position) -> Iterator[Finding]:
        advice = advice_on(self._problem.network)
        if advice is not None:
            yield advice
        full = self.plan.batch is None or self.plan.batch >= len(self.parts.training.inputs)
        if full and not self._drops:
            rate, examples = self.plan.learning_rate, len(self.parts.training.inputs)
            chatter = chatter_of(self._problem.network, rate, examples, every(self.plan.steps))
            yield from rises(self._seen, roundoff=self._roundoff, chatter=chatter)
        if "not finite" in self._stopped:
            yield self._not_finite(here)

    def _not_finite(self, here: Position) -> Finding:
        """Say whether θ has run away, or went from an ordinary place into nothing."""
        rate, size = self.plan.learning_rate, float(np.abs(here.theta).max())
        why = f"the learning rate {rate:g} is too large"
        if size < _FAR * max(1.0, float(np.abs(self._problem.theta).max())):
            why = f"the gradient of {self.witnesses[0].name} is not finite there, or {why}"
        text = f"{self._stopped}, where its largest component was {size:.2g}: {why}"
        return Finding(code=NOT_FINITE, text=text, value=rate)


def saved_at(file: Path, step: int) -> Path:
    """Return the file that θ after so many steps goes to.

    >>> str(saved_at(Path("theta.npz"), 100))
    'theta-100.npz'
    """
    return file.with_name(f"{file.stem}-{step}{file.suffix}")


def _plan(plan: Training, parts: Parts) -> str:
    sizes = [f"{len(parts.training.inputs)} for training", f"{len(parts.validation.inputs)} for validation"]
    sizes += [] if parts.test is None else [f"{len(parts.test.inputs)} for testing"]
    full = plan.batch is None or plan.batch >= len(parts.training.inputs)
    batch = "full batch" if full else f"batches of {plan.batch}"
    return f"{plan.steps} steps, learning rate {plan.learning_rate:g}, {batch}, {', '.join(sizes)}"
