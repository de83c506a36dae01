"""Running: from a definition with `[training]` to its report."""

import os
import re
from collections.abc import Sequence
from pathlib import Path

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.checks.networks.witnesses import unusable
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.networks.definition import Loaded, wrong_suffix
from xcheck.training.report import TrainingReport
from xcheck.training.trainer import Moved, Told, Trainer


def train_loaded(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    save_weights: Path | None = None,
    progress: Moved | None = None,
    tell: Told | None = None,
) -> TrainingReport:
    """Train what `load_model` returned; see `train`."""
    if loaded.training is None or loaded.parts is None:
        text = "there is nothing to train: write [training] with steps and learning_rate"
        raise DefinitionError(Complaint(text, ("training",), file=loaded.problem.name))
    witnesses = _witnesses(loaded, backends)
    _refuse_names(witnesses)
    _refuse_file(save_weights, loaded)
    course = Trainer(
        loaded=loaded,
        plan=loaded.training,
        parts=loaded.parts,
        witnesses=witnesses,
        asked=backends,
        worst=worst,
        save_weights=save_weights,
        progress=progress or _silent,
        tell=tell or _silent,
    )
    return course.run()


def _silent(*_: object) -> None:
    """Tell nobody."""


def _refuse_names(witnesses: Sequence[Backend]) -> None:
    """Complain of witnesses that could not be told apart."""
    names = [backend.name for backend in witnesses]
    twice = [name for name in names if names.count(name) > 1]
    if twice:
        raise DefinitionError(Complaint(f"two witnesses are called {twice[0]!r}: give one another name"))


def _refuse_file(file: Path | None, loaded: Loaded) -> None:
    """Complain before the work begins about a place where no weights can, or should, be written."""
    if file is None or loaded.training is None:
        return
    numbered = re.compile(re.escape(file.stem) + r"-\d+" + re.escape(file.suffix))
    started = loaded.weights
    if started is not None and started.parent == file.parent.resolve() and numbered.fullmatch(started.name):
        raise DefinitionError(Complaint(f"{file} might overwrite {started}, which θ is read from: name another"))
    wrong = wrong_suffix(file)
    if wrong is not None:
        raise DefinitionError(Complaint(wrong))
    if not file.parent.is_dir() or not os.access(file.parent, os.W_OK):
        raise DefinitionError(Complaint(f"cannot write {file}: {file.parent} is no folder that can be written to"))


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
        text = f"{wanted!r} is none of the witnesses ({', '.join(names)}): name one of them, or add it to the witnesses"
        raise DefinitionError(Complaint(text, ("training", "backend"), file=loaded.problem.name))
    found.sort(key=lambda backend: backend.name != wanted)
    usable = [backend for backend in found if unusable(backend, loaded.check) is None]
    if not usable or (wanted is not None and usable[0].name != wanted):
        raise BackendError(found[0].name, str(unusable(found[0], loaded.check)))
    return usable
