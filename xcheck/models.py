"""Models: what stands on the command line, as jobs that are ready to run.

A MODEL is a TOML definition, which is one job, or Python (`xcheck.python_source`), which is one for each of its cases.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from xcheck import registry
from xcheck.cases import Case
from xcheck.contenders import Contender, arguments_for, contenders_of, parameters_of
from xcheck.definition import flag_complaints, project_settings
from xcheck.definition.explain import did_you_mean
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.offers import Offer, offers_of
from xcheck.pipeline import load_model, verify_loaded
from xcheck.progress import Progress
from xcheck.python_source import importable, reference
from xcheck.report.model import Report

# What only one of the two kinds of MODEL understands.
_TOML_ONLY = ("difference", "dtype", "engine", "examples", "dropout")
_PYTHON_ONLY = ("scope", "order")
# The keys of `[check]` that mean the same for a function as for a declared network.
_SHARED = ("tolerance", "epsilon", "device", "seed", "budget")


@dataclass(frozen=True, slots=True, eq=False)
class Job:
    """One check, everything that it needs having been read.

    Attributes:
        name: of what is checked.
        run: checks it.
    """

    name: str
    run: Callable[[Progress | None], Report]


def jobs_of(models: Sequence[Path], backends: Sequence[str], worst: int | None, flags: Mapping[str, Any]) -> list[Job]:
    """Read every MODEL before any is checked, so that all mistakes in all of them are said at once.

    Args:
        models: as typed.
        backends: witnesses, or labels of functions; empty where the MODEL decides.
        worst: how many components to name per pair.
        flags: further settings; None where a flag was not given.

    Raises:
        DefinitionError: all mistakes.
        BackendError: the framework of a function is not installed.
    """
    jobs: list[Job] = []
    complaints: list[Complaint] = []
    given = {name: value for name, value in flags.items() if value is not None}
    for model in models:
        try:
            jobs += _jobs(model, backends, worst, given)
        except DefinitionError as error:
            complaints += error.complaints
    if complaints:
        # A mistake in a pyproject.toml belongs to every MODEL below it, and is said once.
        raise DefinitionError(dict.fromkeys(complaints))
    return jobs


def _jobs(model: Path, backends: Sequence[str], worst: int | None, given: Mapping[str, Any]) -> list[Job]:
    wanted = reference(str(model))
    kind, others = ("a TOML", _PYTHON_ONLY) if wanted is None else ("a Python", _TOML_ONLY)
    misplaced = [name for name in others if name in given and given[name] != "central"]
    if misplaced:
        flags = (f"--{name} {given[name]} has no meaning for {kind} MODEL" for name in misplaced)
        raise DefinitionError(Complaint(text, file=str(model)) for text in flags)
    if wanted is None:
        return [_of_definition(model, backends, worst, given)]
    jobs: list[Job] = []
    complaints: list[Complaint] = []
    for offer in offers_of(wanted):
        try:
            jobs.append(_of_offer(offer, backends, given if worst is None else {**given, "worst": worst}))
        except DefinitionError as error:
            complaints += error.complaints
    if complaints:
        raise DefinitionError(complaints)
    return jobs


def _of_definition(model: Path, backends: Sequence[str], worst: int | None, given: Mapping[str, Any]) -> Job:
    loaded = load_model(model, backends=backends, **given)
    return Job(loaded.problem.name, lambda progress: verify_loaded(loaded, worst=worst or 10, progress=progress))


# --- people's own functions -----------------------------------------------------------------------------------------


def _of_offer(offer: Offer, backends: Sequence[str], given: Mapping[str, Any]) -> Job:
    """Return the check of a case, as far as it can be told to be sound without calling its functions."""
    file = offer.source.file
    project = project_settings(file.parent if file else Path())
    flags = {name: value for name, value in given.items() if name in _SHARED}
    wrong = flag_complaints(flags)
    if wrong:
        raise DefinitionError(wrong)
    case = offer.case
    complaints = case.complaints()
    if complaints:
        raise DefinitionError(map(offer.located, complaints))
    # The name that can be typed again goes before one that the case gives itself.
    flags |= {name: value for name, value in given.items() if name in (*_PYTHON_ONLY, "worst")}
    defaults = {name: value for name, value in project.items() if name in _SHARED}
    settings = {**defaults, **case.settings, **flags, "name": offer.name}
    with _located(offer):
        case = _sound(replace(case, settings=settings), backends)

    def run(progress: Progress | None) -> Report:
        with importable(offer.source.path), _located(offer):
            return case.check(progress=progress)

    return Job(offer.name, run)


def _sound(case: Case, backends: Sequence[str]) -> Case:
    """Return the case with those of its functions that were asked for.

    Raises:
        DefinitionError: its arguments cannot be used, or no function is left.
        BackendError: a framework is not installed.
    """
    settings = dict(case.settings)
    framework, gradient = settings.get("backend"), settings.get("gradient")
    contenders = contenders_of(case.objectives, case.params, backend=framework, gradient=gradient)
    params = parameters_of(contenders, case.params)
    arguments_for(params, case.data)
    if not backends:
        return case
    settings.pop("gradient", None)  # a contender has its own already
    kept = {contender.label: contender.function for contender in _kept(contenders, backends)}
    return replace(case, objectives=kept, params=params, settings=settings)


def _kept(contenders: Sequence[Contender], backends: Sequence[str]) -> list[Contender]:
    """Return the functions of these frameworks, or with these labels.

    Raises:
        DefinitionError: there is none, or a name is neither.
    """
    labels = [contender.label for contender in contenders]
    known = list(dict.fromkeys((*labels, *registry.names())))
    unknown = [name for name in backends if name not in known]
    if unknown:
        texts = (f"--backend {name} is no framework and no label{did_you_mean(name, known)}" for name in unknown)
        raise DefinitionError(map(Complaint, texts))
    kept = [one for one in contenders if one.label in backends or one.backend.name in backends]
    if not kept:
        there = ", ".join(f"{one.label} ({one.backend.name})" for one in contenders)
        asked = " ".join(f"--backend {name}" for name in backends)
        raise DefinitionError(Complaint(f"{asked} leaves no function to check; there are {there}"))
    return kept


@contextmanager
def _located(offer: Offer) -> Iterator[None]:
    """Give errors about a case its place."""
    try:
        yield
    except DefinitionError as error:
        raise DefinitionError(map(offer.located, error.complaints)) from error
    except BackendError as error:
        raise BackendError(error.backend, f"{error.text} (needed by {offer.name})") from error
