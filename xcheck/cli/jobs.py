"""Jobs: a command line names MODELs, and each check that they ask for is one job.

A MODEL that is a TOML definition is one job; one that is Python (`xcheck.cli.python.source`) is a job for each of its
cases.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from xcheck.checks.completed import CompletedCheck
from xcheck.checks.networks.check import NetworkCheck
from xcheck.checks.prepare import Check, prepare_model
from xcheck.checks.report import Report
from xcheck.cli.python.discovery import DiscoveredCase, discover_cases
from xcheck.cli.python.source import module_search_path, parse_reference
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.networks.definition import flag_complaints, project_settings
from xcheck.progress import Progress
from xcheck.training import Checkpoint, TrainingReport, train_loaded

Answer = TypeVar("Answer")

# The settings that only one of the two kinds of MODEL has.
_TOML_ONLY = ("difference", "dtype", "engine", "examples", "dropout", "weights")
_PYTHON_ONLY = ("scope", "order", "inputs")
# The keys of `[check]` that mean the same for a function as for a declared network.
_SHARED = ("tolerance", "epsilon", "device", "seed", "budget", "proof")


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One check, with everything that it needs already read.

    Attributes:
        name: name of the model or of the case.
        check: the check to run.
        running: returns the context in which the check has to run, such as the module search path of its file.
    """

    name: str
    check: Check
    running: Callable[[], AbstractContextManager[None]] = nullcontext

    def run(self, progress: Progress | None) -> Report:
        """Run the check, and return its report."""
        with self.running():
            return self.check.run(progress).report

    @property
    def trains(self) -> bool:
        """Whether the model is to be trained, and checked along the way."""
        return isinstance(self.check, NetworkCheck) and self.check.loaded.training is not None

    @property
    def proves(self) -> bool:
        """Whether gradients are held against slopes with proved bounds, too."""
        own = self.check.loaded.check if isinstance(self.check, NetworkCheck) else self.check.options
        return own.proof

    def train(
        self, progress: Callable[..., None] | None, save_weights: Path | None, tell: Callable[[Checkpoint], None]
    ) -> TrainingReport:
        """Train the model, check it along the way, and return the report.

        Args:
            progress: called with (steps taken, steps planned, the loss in words).
            save_weights: the file for θ of each checkpoint, the step added to its name; None to write none.
            tell: called with every checkpoint, at once.

        Raises:
            DefinitionError: the MODEL is not a TOML definition with [training].
            BackendError: the witness that drives the training fails.
        """
        if not isinstance(self.check, NetworkCheck):
            raise DefinitionError(Complaint("only a TOML definition can be trained", file=self.name))
        # A training counts steps, not differences; the loss is the news that people wait for.
        moved = None if progress is None else lambda done, planned, cost: progress(done, planned, f"loss {cost:.4g}")
        ready = self.check
        return train_loaded(
            ready.loaded,
            backends=ready.backends,
            worst=ready.worst,
            save_weights=save_weights,
            progress=moved,
            tell=tell,
        )

    def ask(
        self, progress: Progress | None, question: Callable[[CompletedCheck], Answer], *, including: int | None = None
    ) -> Answer:
        """Run the check, and return the answer to a question about it.

        Args:
            progress: called with (differences done, differences planned).
            question: takes the completed check.
            including: flat index of a component that has to be in a sample.
        """
        with self.running():
            return question(self.check.run(progress, including))


def read_jobs(
    models: Sequence[Path], backends: Sequence[str], worst: int | None, flags: Mapping[str, Any]
) -> list[Job]:
    """Read every MODEL before any is checked, so that all mistakes in all of them are reported at once.

    Args:
        models: MODELs, as they were typed.
        backends: names of backends, or labels of functions; empty to take those of the MODEL.
        worst: how many components to name per pair; None for the default.
        flags: the other settings by name, each None if its flag was not given.

    Raises:
        DefinitionError: all mistakes.
        BackendError: the framework of a function is not installed.
    """
    jobs: list[Job] = []
    complaints: list[Complaint] = []
    # Only what was typed: anything else would override the definition.
    given = {name: value for name, value in flags.items() if value is not None}
    for model in models:
        try:
            jobs += _read_model(model, backends, worst, given)
        except DefinitionError as error:
            complaints += error.complaints
    if complaints:
        # A mistake in a pyproject.toml belongs to every MODEL below it, and is said once.
        raise DefinitionError(dict.fromkeys(complaints))
    return jobs


def _read_model(model: Path, backends: Sequence[str], worst: int | None, given: Mapping[str, Any]) -> list[Job]:
    reference = parse_reference(str(model))
    kind, others = ("a TOML", _PYTHON_ONLY) if reference is None else ("a Python", _TOML_ONLY)
    # "central" is the only kind of difference that functions have, so it may be said.
    misplaced = [name for name in others if name in given and given[name] != "central"]
    if misplaced:
        typed = (f"--{name}" if given[name] is True else f"--{name} {given[name]}" for name in misplaced)
        flags = (f"{flag} has no meaning for {kind} MODEL" for flag in typed)
        raise DefinitionError(Complaint(text, file=str(model)) for text in flags)
    if reference is None:
        return [_prepare_definition(model, backends, worst, given)]
    jobs: list[Job] = []
    complaints: list[Complaint] = []
    for case in discover_cases(reference):
        try:
            jobs.append(_prepare_case(case, backends, given if worst is None else {**given, "worst": worst}))
        except DefinitionError as error:
            complaints += error.complaints
    if complaints:
        raise DefinitionError(complaints)
    return jobs


def _prepare_definition(model: Path, backends: Sequence[str], worst: int | None, given: Mapping[str, Any]) -> Job:
    # As many as `verify` names by default.
    ready = prepare_model(model, backends or None, worst=worst or 10, **given)
    return Job(ready.loaded.problem.name if isinstance(ready, NetworkCheck) else ready.name, ready)


# --- people's own functions -----------------------------------------------------------------------------------------


def _prepare_case(discovered: DiscoveredCase, backends: Sequence[str], given: Mapping[str, Any]) -> Job:
    """Return the job of a case, and complain of every mistake that can be found without calling its functions."""
    file = discovered.source.file
    # The pyproject.toml above the file counts, wherever the command is typed.
    project = project_settings(file.parent if file else Path())
    flags = {name: value for name, value in given.items() if name in _SHARED}
    wrong = flag_complaints(flags)
    if wrong:
        raise DefinitionError(wrong)
    case = discovered.case
    complaints = case.complaints()
    if complaints:
        raise DefinitionError(map(discovered.locate, complaints))
    # The name that can be typed again takes precedence over one that the case gives itself.
    flags |= {name: value for name, value in given.items() if name in (*_PYTHON_ONLY, "worst")}
    defaults = {name: value for name, value in project.items() if name in _SHARED}
    settings = {**defaults, **case.settings, **flags, "name": discovered.name}
    # Backends are looked up here, so that a framework that is missing is said before anything is checked.
    with _locate_errors(discovered):
        ready = replace(case, settings=settings).prepared(backends)

    # The functions may import when they are called, long after their file was read.
    @contextmanager
    def running() -> Iterator[None]:
        with module_search_path(discovered.source.path), _locate_errors(discovered):
            yield

    return Job(discovered.name, ready, running)


@contextmanager
def _locate_errors(case: DiscoveredCase) -> Iterator[None]:
    """Add file, line and name of the case to the errors raised within the context."""
    try:
        yield
    except DefinitionError as error:
        raise DefinitionError(map(case.locate, error.complaints)) from error
    except BackendError as error:
        raise BackendError(error.backend, f"{error.text} (needed by {case.name})") from error
