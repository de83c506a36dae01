"""Run a training: from a definition with `[training]` to its report."""

import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.checks.networks.witnesses import unusable
from xcheck.checks.report import Report
from xcheck.dtypes import roundoff_of
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.findings import Finding
from xcheck.networks.data import Parts
from xcheck.networks.definition import Loaded, Training, wrong_suffix
from xcheck.training.assemble import build_training_report
from xcheck.training.checkpoints import Checker, CheckpointCallback, WeightFiles
from xcheck.training.curves import EarlyStopping, LossCurve
from xcheck.training.descent import Descent
from xcheck.training.divergence import DivergenceMonitor, cancellation_floor, has_kinks
from xcheck.training.report import TrainingReport
from xcheck.training.trainer import Trainer, TrainingProgress
from xcheck.training.trajectories import Position, follow_trajectories


def train_loaded(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    save_weights: Path | None = None,
    progress: TrainingProgress | None = None,
    tell: CheckpointCallback | None = None,
) -> TrainingReport:
    """Train what `load_model` returned, and check its gradients along the way; see `xcheck.train`."""
    plan, parts = loaded.training, loaded.parts
    if plan is None or parts is None:
        text = "there is nothing to train: write [training] with steps and learning_rate"
        raise DefinitionError(Complaint(text, ("training",), file=loaded.problem.name))
    # Whatever can be refused is refused before the first step.
    witnesses = _usable_witnesses(loaded, backends)
    _refuse_equal_names(witnesses)
    _refuse_file(save_weights, loaded)
    # One list, so that findings of files and of witnesses stay in the order in which they happened.
    failures: list[Finding] = []
    checker = Checker(
        loaded=loaded,
        parts=parts,
        # As they were asked for, not as they can be used: each check says itself whom it had to leave out.
        asked=backends,
        worst=worst,
        # The first witness drives; the others follow for comparison.
        driving=Descent(loaded.problem, parts.training, plan, witnesses[0], loaded.check),
        losses=LossCurve(network=loaded.problem.network, parts=parts),
        files=WeightFiles(file=save_weights, loaded=loaded, failures=failures),
        tell=tell or _ignore,
    )
    monitor = _build_monitor(loaded, plan, parts, witnesses, checker.check_batch)
    trainer = _build_trainer(plan, checker, monitor, failures, progress or _ignore)
    # A generator: no step is taken before the trainer asks for it.
    ending = trainer.run(follow_trajectories(loaded, plan, parts, witnesses, on_failure=trainer.drop_witness))
    return build_training_report(trainer, loaded, parts, ending)


def _build_monitor(
    loaded: Loaded, plan: Training, parts: Parts, witnesses: Sequence[Backend], check: Callable[[Position], Report]
) -> DivergenceMonitor:
    problem, roundoff = loaded.problem, roundoff_of(loaded.check.dtype)
    return DivergenceMonitor(
        names=[backend.name for backend in witnesses],
        roundoff=roundoff,
        floor=cancellation_floor(parts.training, problem.theta, roundoff=roundoff, learning_rate=plan.learning_rate),
        kinked=has_kinks(problem.network),
        check=check,
    )


def _build_trainer(
    plan: Training, checker: Checker, monitor: DivergenceMonitor, failures: list[Finding], progress: TrainingProgress
) -> Trainer:
    theta = checker.loaded.problem.theta
    # None never stops early.
    patience = None if plan.early_stopping is None else plan.early_stopping.patience
    return Trainer(
        plan=plan,
        start=theta,
        losses=checker.losses,
        stopping=EarlyStopping(patience=patience, best_theta=theta),
        checker=checker,
        monitor=monitor,
        files=checker.files,
        failures=failures,
        progress=progress,
    )


def _ignore(*_: object) -> None:
    """Do nothing with progress or checkpoints that nobody wants to know of."""


def _refuse_equal_names(witnesses: Sequence[Backend]) -> None:
    """Complain about two witnesses of the same name, which a report could not tell apart."""
    names = [backend.name for backend in witnesses]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DefinitionError(Complaint(f"two witnesses are called {twice[0]!r}: give one another name"))


def _refuse_file(file: Path | None, loaded: Loaded) -> None:
    """Complain before the work begins about a place where no weights can, or should, be written."""
    if file is None:
        return
    # Files are written as FILE-STEP: "w-20.npz" may be θ₀ of this training, and a checkpoint of it as well.
    numbered = re.compile(re.escape(file.stem) + r"-\d+" + re.escape(file.suffix))
    started = loaded.weights
    if started is not None and started.parent == file.parent.resolve() and numbered.fullmatch(started.name):
        raise DefinitionError(Complaint(f"{file} might overwrite {started}, which θ is read from: name another"))
    # What follows would fail at the first checkpoint only, after the steps before it.
    wrong = wrong_suffix(file)
    if wrong is not None:
        raise DefinitionError(Complaint(wrong))
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise DefinitionError(Complaint(f"cannot write {file}: {file.parent} is no folder that can be written to"))


def _usable_witnesses(loaded: Loaded, backends: Sequence[str | Backend] | None) -> list[Backend]:
    """Return the witnesses that can be used here, the driving one first.

    Raises:
        DefinitionError: the one that is to drive is not among the witnesses.
        BackendError: it cannot be used here, or none can.
    """
    asked = backends or loaded.check.backends or registry.DEFAULTS
    witnesses = [registry.get(backend) if isinstance(backend, str) else backend for backend in asked]
    wanted = loaded.training.backend if loaded.training else None
    names = [backend.name for backend in witnesses]
    if wanted is not None and wanted not in names:
        text = f"{wanted!r} is none of the witnesses ({', '.join(names)}): name one of them, or add it to the witnesses"
        raise DefinitionError(Complaint(text, ("training", "backend"), file=loaded.problem.name))
    # The sort is stable: the others keep their order.
    witnesses.sort(key=lambda backend: backend.name != wanted)
    # Another witness may be missing; the one that was asked to drive may not, for nobody is put in its place.
    usable = [backend for backend in witnesses if unusable(backend, loaded.check) is None]
    if not usable or (wanted is not None and usable[0].name != wanted):
        raise BackendError(witnesses[0].name, str(unusable(witnesses[0], loaded.check)))
    return usable
