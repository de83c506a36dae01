"""Load a definition: read, validate, merge with `[tool.xcheck]` and flags, and say where every mistake stands.

Precedence: flags over the definition over `[tool.xcheck]` in the nearest pyproject.toml over the defaults.
"""

from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from xcheck.errors import Complaint, DefinitionError, KeyPath
from xcheck.findings import Finding
from xcheck.networks.data import Parts
from xcheck.networks.definition.build import build, build_layers
from xcheck.networks.definition.document import Document, Table, read_project
from xcheck.networks.definition.files import DATA, WEIGHTS, data_complaints, file_complaints
from xcheck.networks.definition.layer_tables import DenseTable
from xcheck.networks.definition.schema import CheckSettings, Data, Definition, Project, ProjectSettings, Training
from xcheck.networks.definition.values import FileName
from xcheck.networks.layers import LayeredProblem
from xcheck.networks.problem import Problem
from xcheck.text import did_you_mean, quoted

# Settings of what is drawn when a problem is made from a definition; they come too late for a Problem.
DRAWN = ("examples", "seed", "dropout", "weights")


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A definition, ready to be checked.

    Attributes:
        problem: network, data, masks, θ.
        check: the settings after all precedence.
        warnings: what the reader should know.
        training: gradient descent between the checks, if there is any.
        parts: the data for that.
        weights: the file that θ was read from, if it was.
    """

    problem: Problem
    check: CheckSettings
    warnings: tuple[Finding, ...]
    training: Training | None = None
    parts: Parts | None = None
    weights: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadedLayers:
    """A definition with layers that are not fully connected, ready to be checked.

    Attributes:
        problem: network, data, masks, θ.
        check: the settings after all precedence.
        warnings: what the reader should know.
    """

    problem: LayeredProblem
    check: CheckSettings
    warnings: tuple[Finding, ...]


def load(source: Path | Table, *, flags: Table | None = None, backends: Collection[str] | None = None) -> Loaded:
    """Load the definition of a fully connected network; see `load_definition`.

    Raises:
        DefinitionError: as there, or there are layers of other kinds.
    """
    loaded = load_definition(source, flags=flags, backends=backends)
    if isinstance(loaded, LoadedLayers):
        titles = ", ".join(layer.title for layer in loaded.problem.network.layers)
        text = f"a fully connected network is needed here, and this one has {titles}"
        raise DefinitionError(Complaint(text, key=("network", "layers")))
    return loaded


def load_definition(
    source: Path | Table, *, flags: Table | None = None, backends: Collection[str] | None = None
) -> Loaded | LoadedLayers:
    """Load a definition from a TOML file or a dict of the same shape.

    Args:
        source: the file, or the dict; relative paths in it are relative to the file, or to the current folder.
        flags: keys of `[check]`, `examples`, and `weights` (relative to the current folder), that override everything
            else.
        backends: names of the backends that exist; None does not check them.

    Raises:
        DefinitionError: all mistakes at once, each with file, line and column.
    """
    document = Document.read(source) if isinstance(source, Path) else Document(dict(source))
    folder = source.parent if isinstance(source, Path) else Path()
    project, asked = read_project(folder), Document(dict(flags or {}))
    # First of all: a file named on the command line is checked in the place of the one in the definition.
    moved, given, complaints = _move_weights(document, asked)
    complaints += _complaints(moved, project, given, folder=folder, backends=backends)
    # Each document is validated by itself first: a complaint then stands at the line that a person wrote.
    if complaints:
        raise DefinitionError(complaints)
    definition = _merge(moved, project, given)
    name = document.name or "definition"
    try:
        if not all(isinstance(layer, DenseTable) for layer in definition.network.layers):
            _refuse_for_layers(definition)
            layered, warnings = build_layers(definition, folder, name=name)
            return LoadedLayers(problem=layered, check=definition.check, warnings=warnings)
        problem, parts, warnings = build(definition, folder, name=name)
    except DefinitionError as error:
        # `build` sees the merged definition only; a person has to be sent to the document that has the value.
        located = [_locate_cause(complaint, document, project, asked) for complaint in error.complaints]
        raise DefinitionError(located) from error
    weights = definition.network.weights
    return Loaded(
        problem=problem,
        check=definition.check,
        warnings=warnings,
        training=definition.training,
        parts=parts,
        # In full, so that a training can tell whether it is about to overwrite this very file.
        weights=None if weights is None else (folder / weights).resolve(),
    )


def _refuse_for_layers(definition: Definition) -> None:
    """Complain about what only fully connected networks can be asked for.

    Raises:
        DefinitionError: all of it at once.
    """
    check, complaints = definition.check, []
    if definition.training is not None:
        complaints.append(Complaint("only fully connected networks are trained", key=("training",)))
    if check.engine != "auto":
        text = f"the engine '{check.engine}' knows fully connected layers only; leave it to 'auto'"
        complaints.append(Complaint(text, key=("check", "engine")))
    if check.difference != "central":
        text = "only fully connected networks have forward differences"
        complaints.append(Complaint(text, key=("check", "difference")))
    if check.dtype == "bfloat16":
        text = "only fully connected networks are checked in bfloat16; use float32 or float64"
        complaints.append(Complaint(text, key=("check", "dtype")))
    if complaints:
        raise DefinitionError(complaints)


def _move_weights(document: Document, flags: Document) -> tuple[Document, Document, list[Complaint]]:
    """Move the flag `weights` to `[network]` of the definition, and return both with what is wrong with the file.

    On the command line a file is relative to the current folder, in a definition to the definition's.
    """
    if "weights" not in flags.table:
        return document, flags, []
    rest = {key: value for key, value in flags.table.items() if key != "weights"}
    name = str(flags.table["weights"])
    complaints = file_complaints(name, Path(), WEIGHTS, ("weights",))
    network = {**document.at("network"), "weights": str(Path(name).resolve())}
    # With a bad file the definition is left as it is, for its own mistakes to be found.
    moved = document if complaints else replace(document, table={**document.table, "network": network})
    return moved, replace(flags, table=rest), complaints


def project_settings(folder: Path) -> dict[str, Any]:
    """Return `[tool.xcheck]` of the nearest pyproject.toml, at or above `folder`.

    Raises:
        DefinitionError: all its mistakes at once.
    """
    project = read_project(folder)
    complaints = project.validate(Project)
    if complaints:
        raise DefinitionError(complaints)
    return dict(project.at("tool", "xcheck"))


def flag_complaints(flags: Table) -> list[Complaint]:
    """Return what is wrong with keys of `[check]` that were given on the command line."""
    return Document(flags).validate(CheckSettings)


def settings_for_problem(flags: Table, *, backends: Collection[str] | None = None) -> CheckSettings:
    """Return the settings for a problem that exists already: its data, θ and masks are drawn.

    Raises:
        DefinitionError: all mistakes at once, settings that would come too late among them.
    """
    document = Document(flags)
    late = [
        Complaint("has no effect on a Problem, which is drawn already: give it to Problem.create", key=(key,))
        for key in DRAWN
        if key in flags
    ]
    # These two are no keys of `[check]`: that they come too late is complaint enough.
    settings = Document({key: value for key, value in flags.items() if key not in ("examples", "weights")})
    complaints = [*late, *settings.validate(CheckSettings), *_backend_complaints(document, ("backends",), backends)]
    if complaints:
        raise DefinitionError(complaints)
    return CheckSettings.model_validate(flags)


def _complaints(
    document: Document, project: Document, flags: Document, *, folder: Path, backends: Collection[str] | None
) -> list[Complaint]:
    """Return all mistakes that can be seen before the data are read, each document's in the order of its lines."""
    sources = (
        [
            *document.validate(Definition),
            *_backend_complaints(document, ("check",), backends),
            *_driver_complaints(document, backends),
            *_file_complaints(document, folder),
        ],
        [*project.validate(Project), *_backend_complaints(project, ("tool", "xcheck"), backends)],
        [*flags.validate(ProjectSettings), *_backend_complaints(flags, (), backends)],
    )
    # In the order of lines, as compilers do it, whichever of the checks above found them.
    return [
        complaint
        for complaints in sources
        for complaint in sorted(complaints, key=lambda complaint: (complaint.line or 0, complaint.column or 0))
    ]


def _merge(document: Document, project: Document, flags: Document) -> Definition:
    """Apply the precedence: flags over the definition over the project over the defaults."""
    data = dict(document.at("data"))
    # Of equal keys the last one stays.
    check = {**project.at("tool", "xcheck"), **document.at("check"), **flags.table}
    # It is no key of `[check]`, and the schema would refuse it there.
    examples = check.pop("examples", None)
    # `examples` of the project is for definitions that do not say how many, be it as rows or as synthetic ones.
    is_said = "examples" in data or "examples" in document.at("data", "synthetic")
    if examples is not None and ("examples" in flags.table or not is_said):
        data["examples"] = examples
    return Definition.model_validate({**document.table, "data": data, "check": check})


def _locate_cause(complaint: Complaint, document: Document, project: Document, flags: Document) -> Complaint:
    """Locate a complaint about the merged definition in the document that its value comes from."""
    section, key = complaint.key[:-1], complaint.key[-1:]
    # Only these can come from anywhere but the definition.
    if section == ("check",) or complaint.key in (("data", "examples"), ("network", "weights")):
        if key[0] in flags.table:
            return replace(complaint, key=key)
        if key[0] not in document.at(*section):
            return project.locate(replace(complaint, key=("tool", "xcheck", *key)))
    return document.locate(complaint)


def _backend_complaints(document: Document, key: KeyPath, known: Collection[str] | None) -> list[Complaint]:
    """Return a complaint for every name in `backends` of the table at `key` that is unknown or stands there twice."""
    names = document.at(*key).get("backends")
    # The schema has complained of anything else already.
    names = names if isinstance(names, list) else []
    complaints = []
    for place, name in enumerate(names):
        text = ""
        # A backend named twice would agree with itself.
        if name in names[:place]:
            text = f"{quoted(str(name))} is named twice"
        elif known is not None and isinstance(name, str) and name not in known:
            text = f"unknown backend {quoted(name)}{did_you_mean(name, known)}"
        if text:
            complaints.append(document.locate(Complaint(text, key=(*key, "backends", place))))
    return complaints


def _driver_complaints(document: Document, known: Collection[str] | None) -> list[Complaint]:
    """Return a complaint if the backend that is to drive the training is unknown."""
    name = document.at("training").get("backend")
    if known is None or not isinstance(name, str) or name in known:
        return []
    text = f"unknown backend {quoted(name)}{did_you_mean(name, known)}"
    return [document.locate(Complaint(text, key=("training", "backend")))]


def _file_complaints(document: Document, folder: Path) -> list[Complaint]:
    """Return what is wrong with the files, where the keys that name them have no mistakes themselves."""
    data = document.table.get("data")
    # Keys of a wrong type have their complaints; what the keys mean together is looked at after that.
    complaints = data_complaints(Data.model_validate(data)) if _fits(Data, data) else []
    for section, key, suffixes in (("data", "file", DATA), ("network", "weights", WEIGHTS)):
        name = document.at(section).get(key)
        if name is not None and _fits(FileName, name):
            complaints += file_complaints(name, folder, suffixes, (section, key))
    return [document.locate(complaint) for complaint in complaints]


def _fits(shape: Any, value: object) -> bool:
    """Return whether a value has the type `shape` as pydantic sees it."""
    try:
        TypeAdapter(shape).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True
