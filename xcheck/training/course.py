"""Course: training from the first checkpoint to the last, each of them a full check."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from xcheck import registry
from xcheck.backend import Backend
from xcheck.data import Parts
from xcheck.definition import Loaded, Training, write_weights
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.findings import NOT_FINITE, Finding
from xcheck.parameters import Vector
from xcheck.pipeline import Model, load_model, verify_loaded
from xcheck.problem import Problem, roundoff_of
from xcheck.training.curve import Look, error_of, every, look_at, predicted, rises, without_dropout
from xcheck.training.descent import Descent
from xcheck.training.drift import Drift, apart, drifts, nudged
from xcheck.training.recipe import Recipe
from xcheck.training.trained import Checkpoint, TrainingReport

Moved = Callable[[int, int, float], None]


def train(
    model: Model,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    save_weights: Path | str | None = None,
    progress: Moved | None = None,
    **settings: Any,
) -> TrainingReport:
    """Train a declared network, and check its gradients along the way.

    Args:
        model: path of a TOML definition with `[training]`, or a dict of the same shape.
        backends: the witnesses, as in `verify`.
        worst: how many components to name per pair.
        save_weights: .npz or .safetensors; θ of each checkpoint goes there, its step before the suffix.
        progress: called with (steps taken, steps planned, cost).
        **settings: as in `verify`.

    Returns:
        A row for each checkpoint; one that disagrees is a result, not an exception, and training goes on.

    Raises:
        DefinitionError: the definition cannot be used, or has no `[training]`.
        BackendError: the witness that drives the training fails.
    """
    names = [backend for backend in backends or () if isinstance(backend, str)]
    loaded = load_model(model, backends=names, **settings)
    saved = None if save_weights is None else Path(save_weights)
    return train_loaded(loaded, backends=backends, worst=worst, save_weights=saved, progress=progress)


def train_loaded(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    save_weights: Path | None = None,
    progress: Moved | None = None,
) -> TrainingReport:
    """Train what `load_model` returned; see `train`."""
    if loaded.training is None or loaded.parts is None:
        text = "there is nothing to train: write [training] with steps and learning_rate"
        raise DefinitionError(Complaint(text, ("training",), file=loaded.problem.name))
    witnesses = _witnesses(loaded, backends)
    course = _Course(
        loaded, loaded.training, loaded.parts, witnesses, backends, worst, save_weights, progress or _silent
    )
    return course.run()


def _silent(done: int, planned: int, cost: float) -> None:
    """Tell nobody."""


def _witnesses(loaded: Loaded, backends: Sequence[str | Backend] | None) -> list[Backend]:
    """Return the witnesses that are there, the driving one first.

    Raises:
        DefinitionError: the one that is to drive is no witness.
        BackendError: it is not installed, or nobody is.
    """
    asked = backends or loaded.check.backends or registry.DEFAULTS
    found = [registry.get(one) if isinstance(one, str) else one for one in asked]
    wanted = loaded.training.backend if loaded.training else None
    names = [backend.name for backend in found]
    if wanted is not None and wanted not in names:
        text = f"{wanted!r} is none of the witnesses ({', '.join(names)})"
        raise DefinitionError(Complaint(text, ("training", "backend"), file=loaded.problem.name))
    found.sort(key=lambda backend: backend.name != wanted)
    available = [backend for backend in found if backend.available() is None]
    if not available or (wanted is not None and available[0].name != wanted):
        first = found[0]
        raise BackendError(first.name, f"{first.available()}; to install it: {first.install}")
    return available


@dataclass(slots=True, eq=False)
class _Course:
    """Training in progress."""

    loaded: Loaded
    plan: Training
    parts: Parts
    witnesses: Sequence[Backend]
    asked: Sequence[str | Backend] | None
    worst: int
    save_weights: Path | None
    progress: Moved
    looks: list[Look] = field(default_factory=list)
    checkpoints: list[Checkpoint] = field(default_factory=list)
    drifted: list[tuple[int, list[float]]] = field(default_factory=list)
    stopped: str = ""

    def run(self) -> TrainingReport:
        """Train and check; what was checked is kept when a person interrupts."""
        start, interrupted = time.perf_counter(), False
        steps, theta = 0, self.problem.theta
        try:
            for steps, thetas in self._together():
                theta = thetas[0]
                if self._at(steps, thetas):
                    break
            if not self.stopped and steps < self.plan.steps:
                self.stopped = f"θ is not finite after step {steps + 1}"
            self._check_last(steps, theta)
        except KeyboardInterrupt:
            if not self.checkpoints:
                raise
            interrupted, self.stopped = True, f"interrupted after step {steps}"
        return self._report(steps, theta, interrupted=interrupted, seconds=time.perf_counter() - start)

    # --- moving -----------------------------------------------------------------------------------------------------

    @property
    def problem(self) -> Problem:
        return self.loaded.problem

    @property
    def roundoff(self) -> float:
        return roundoff_of(self.loaded.check.dtype)

    def _together(self) -> Iterator[tuple[int, list[Vector]]]:
        """Yield θ of the driving witness, of the others, and of the nudged start, step by step."""
        descents = [self._descent(backend) for backend in self.witnesses]
        paths = [descents[0].path()]
        if self.plan.divergence and len(descents) > 1:
            paths += [descent.path() for descent in descents[1:]]
            paths.append(descents[0].path(nudged(self.problem.theta, self.roundoff, self.problem.seed)))
        last: list[Vector | None] = [None] * len(paths)
        for step, theta in enumerate(paths[0]):
            last = [theta, *(next(path, old) for path, old in zip(paths[1:], last[1:], strict=True))]
            yield step, [np.full_like(theta, np.nan) if one is None else one for one in last]

    def _descent(self, backend: Backend) -> Descent:
        return Descent(self.problem, self.parts.training, self.plan, backend, self.loaded.check)

    def _at(self, step: int, thetas: Sequence[Vector]) -> bool:
        """Look, check and measure where it is time; return whether to stop early."""
        if step % every(self.plan.steps) == 0:
            look = self._look(step, thetas[0])
            self.progress(step, self.plan.steps, look.cost)
        if step in self._checked_at:
            self._check(step, thetas)
        return self._has_had_enough(step)

    @property
    def _checked_at(self) -> Sequence[int]:
        return (0, self.plan.steps) if self.plan.check_at is None else self.plan.check_at

    def _has_had_enough(self, step: int) -> bool:
        """Return whether the validation loss has not improved for too many looks."""
        if self.plan.early_stopping is None or self.stopped:
            return False
        best = min(self.looks, key=lambda look: look.validation_loss)
        since = sum(look.step > best.step for look in self.looks)
        if since < self.plan.early_stopping.patience:
            return False
        self.stopped = f"stopped early after step {step}: the validation loss was least at step {best.step}"
        return True

    # --- looking ----------------------------------------------------------------------------------------------------

    def _look(self, step: int, theta: Vector) -> Look:
        known = next((look for look in self.looks if look.step == step), None)
        if known is None:
            known = look_at(without_dropout(self.problem.network), theta, self.parts, step)
            self.looks.append(known)
        return known

    def _check_last(self, step: int, theta: Vector) -> None:
        """Check where it ended, if it ended before it should."""
        if self.stopped and all(checkpoint.step != step for checkpoint in self.checkpoints):
            self._check(step, [theta])

    def _check(self, step: int, thetas: Sequence[Vector]) -> None:
        theta = thetas[0]
        problem = replace(self.problem, theta=theta).rounded(self.loaded.check.dtype)
        report = verify_loaded(
            replace(self.loaded, problem=problem, warnings=() if self.checkpoints else self.loaded.warnings),
            backends=self.asked,
            worst=self.worst,
        )
        weights, inputs = _sizes(problem, self.parts)
        saved = None if self.save_weights is None else str(self._saved(self.save_weights, step, theta))
        look = self._look(step, theta)
        self.checkpoints.append(
            Checkpoint(step=step, report=report, look=look, weights=weights, inputs=inputs, saved=saved)
        )
        if len(thetas) > 1:
            self.drifted.append((step, [apart(theta, other) for other in thetas[1:]]))

    def _saved(self, file: Path, step: int, theta: Vector) -> Path:
        path = file.with_name(f"{file.stem}-{step}{file.suffix}")
        write_weights(path, self.problem.layout, theta)
        return path

    # --- telling ----------------------------------------------------------------------------------------------------

    def _report(self, steps: int, theta: Vector, *, interrupted: bool, seconds: float) -> TrainingReport:
        last = max(self.looks, key=lambda look: look.step)
        drift = self._drift()
        return TrainingReport(
            model=self.problem.name,
            driver=self.witnesses[0].name,
            plan=_plan(self.plan, self.parts),
            checkpoints=tuple(self.checkpoints),
            looks=tuple(sorted(self.looks, key=lambda look: look.step)),
            recipe=Recipe(
                training_error=last.training_error,
                validation_error=last.validation_error,
                bayes_error=self.plan.bayes_error,
            ),
            test_error=self._test_error(theta),
            drift=drift,
            warnings=tuple(self._warnings(drift)),
            steps=steps,
            stopped=self.stopped,
            interrupted=interrupted,
            seed=self.problem.seed,
            seconds=seconds,
        )

    def _drift(self) -> Drift | None:
        if not self.drifted:
            return None
        names = [backend.name for backend in self.witnesses[1:]]
        columns = list(zip(*(distances for _, distances in self.drifted), strict=True))
        return Drift(
            steps=tuple(step for step, _ in self.drifted),
            of=dict(zip(names, columns[:-1], strict=True)),
            rounding=columns[-1],
        )

    def _test_error(self, theta: Vector) -> float | None:
        if self.parts.test is None:
            return None
        network = without_dropout(self.problem.network)
        return error_of(network, predicted(network, theta, self.parts.test).a[-1], self.parts.test.targets)

    def _warnings(self, drift: Drift | None) -> Iterator[Finding]:
        full = self.plan.batch is None or self.plan.batch >= len(self.parts.training.inputs)
        if full and set(self.problem.network.keep_probs) == {1.0}:
            yield from rises(sorted(self.looks, key=lambda look: look.step))
        if drift is not None:
            yield from drifts(drift, self.roundoff)
        if "not finite" in self.stopped:
            text = f"{self.stopped}: the learning rate {self.plan.learning_rate:g} is too large"
            yield Finding(code=NOT_FINITE, text=text, value=self.plan.learning_rate)


def _sizes(problem: Problem, parts: Parts) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the root mean squares of W and of z, layer by layer, dropout off."""
    found = predicted(without_dropout(problem.network), problem.theta, parts.training)
    arrays = problem.layout.unflatten(problem.theta)
    weights = [arrays[f"W{number}"] for number in range(1, len(problem.network.layers) + 1)]
    return tuple(map(_rms, weights)), tuple(map(_rms, found.z))


def _rms(values: Vector) -> float:
    with np.errstate(all="ignore"):
        return float(np.sqrt(np.mean(np.square(values))))


def _plan(plan: Training, parts: Parts) -> str:
    sizes = [f"{len(parts.training.inputs)} for training", f"{len(parts.validation.inputs)} for validation"]
    sizes += [] if parts.test is None else [f"{len(parts.test.inputs)} for testing"]
    batch = "full batch" if plan.batch is None else f"batches of {plan.batch}"
    return f"{plan.steps} steps, learning rate {plan.learning_rate:g}, {batch}, {', '.join(sizes)}"
