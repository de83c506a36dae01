"""Load a definition: read, validate, merge with `[tool.xcheck]` and flags, and say where every mistake stands.

Precedence: flags over the definition over `[tool.xcheck]` in the nearest pyproject.toml over the defaults.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, TypeAdapter, ValidationError

from xcheck.errors import Complaint, DefinitionError, KeyPath
from xcheck.findings import Finding
from xcheck.networks.data import Parts
from xcheck.networks.definition.build import build
from xcheck.networks.definition.files import DATA, WEIGHTS, data_complaints, file_complaints
from xcheck.networks.definition.locate import positions
from xcheck.networks.definition.messages import complaints_from
from xcheck.networks.definition.schema import (
    CheckSettings,
    Data,
    Definition,
    FileName,
    Project,
    ProjectSettings,
    Training,
)
from xcheck.networks.problem import Problem
from xcheck.text import did_you_mean, quoted

Table = Mapping[str, Any]

# Settings of what is drawn when a problem is made from a definition.
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


@dataclass(frozen=True, slots=True)
class Document:
    """A TOML document (or a dict of the same shape) that knows where its keys stand.

    Attributes:
        table: the content.
        name: the file as the person named it; None for a dict.
        text: the source; None for a dict.
    """

    table: Table
    name: str | None = None
    text: str | None = None

    @classmethod
    def read(cls, path: Path, name: str | None = None) -> "Document":
        """Parse a TOML file that the person knows as `name`.

        Raises:
            DefinitionError: missing, unreadable, not UTF-8, or not TOML (with its line and column).
        """
        name = name or str(path)
        try:
            # UTF-8 with or without a byte order mark; universal newlines as tomllib does it.
            text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
            return cls(tomllib.loads(text), name, text)
        except OSError as error:
            what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
            raise DefinitionError(Complaint(f"cannot read: {what}", file=name)) from error
        except UnicodeDecodeError as error:
            raise DefinitionError(Complaint(f"not a UTF-8 text: {error}", file=name)) from error
        except tomllib.TOMLDecodeError as error:
            raise DefinitionError(_not_toml(name, error)) from error
        except ValueError as error:
            # Python's own limit on the digits of an integer.
            raise DefinitionError(Complaint(f"not TOML: an integer is too long: {error}", file=name)) from error
        except RecursionError as error:
            raise DefinitionError(Complaint("not TOML: nested too deeply", file=name)) from error

    def locate(self, complaint: Complaint) -> Complaint:
        """Return the complaint with file, line and column of its key, or of the table that should have it."""
        if complaint.file is not None or self.text is None:
            return complaint
        found, key = positions(self.text), complaint.key
        while key and key not in found:
            key = key[:-1]
        line, column = found.get(key, (1, 1))
        return replace(complaint, file=self.name, line=line, column=column)

    def validate(self, model: type[BaseModel]) -> list[Complaint]:
        """Return all mistakes of the document, located."""
        try:
            model.model_validate(self.table)
        except ValidationError as error:
            return [self.locate(complaint) for complaint in complaints_from(error, model)]
        return []


def _not_toml(name: str, error: tomllib.TOMLDecodeError) -> Complaint:
    message = str(error)
    place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if place is None:
        return Complaint(f"not TOML: {message}", file=name)
    text = f"not TOML: {message[: place.start()]}"
    return Complaint(text, file=name, line=int(place[1]), column=int(place[2]))


def _project(folder: Path) -> Document:
    """Return the nearest pyproject.toml, at or above `folder`; empty if there is none."""
    here = Path.cwd()
    for place in (folder.resolve(), *folder.resolve().parents):
        path = place / "pyproject.toml"
        if path.is_file():
            return Document.read(path, str(path.relative_to(here) if path.is_relative_to(here) else path))
    return Document({})


def _at(table: object, *keys: str | int) -> Table:
    """Return the table at `keys`; empty where there is none."""
    for key in keys:
        table = table.get(key) if isinstance(table, Mapping) else None
    return table if isinstance(table, Mapping) else {}


def load(source: Path | Table, *, flags: Table | None = None, backends: Collection[str] | None = None) -> Loaded:
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
    project, asked = _project(folder), Document(dict(flags or {}))
    moved, given, complaints = _with_weights(document, asked)
    complaints += _complaints(moved, project, given, folder=folder, backends=backends)
    if complaints:
        raise DefinitionError(complaints)
    definition = _merged(moved, project, given)
    try:
        problem, parts, warnings = build(definition, folder, name=document.name or "definition")
    except DefinitionError as error:
        blamed = [_blamed(complaint, document, project, asked) for complaint in error.complaints]
        raise DefinitionError(blamed) from error
    weights = definition.network.weights
    return Loaded(
        problem=problem,
        check=definition.check,
        warnings=warnings,
        training=definition.training,
        parts=parts,
        weights=None if weights is None else (folder / weights).resolve(),
    )


def _with_weights(document: Document, flags: Document) -> tuple[Document, Document, list[Complaint]]:
    """Move the flag `weights` to `[network]`; its file is relative to where the person is."""
    if "weights" not in flags.table:
        return document, flags, []
    rest = {key: value for key, value in flags.table.items() if key != "weights"}
    name = str(flags.table["weights"])
    complaints = file_complaints(name, Path(), WEIGHTS, ("weights",))
    network = {**_at(document.table, "network"), "weights": str(Path(name).resolve())}
    moved = document if complaints else replace(document, table={**document.table, "network": network})
    return moved, replace(flags, table=rest), complaints


def project_settings(folder: Path) -> dict[str, Any]:
    """Return `[tool.xcheck]` of the nearest pyproject.toml, at or above `folder`.

    Raises:
        DefinitionError: all its mistakes at once.
    """
    project = _project(folder)
    complaints = project.validate(Project)
    if complaints:
        raise DefinitionError(complaints)
    return dict(_at(project.table, "tool", "xcheck"))


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
    known = Document({key: value for key, value in flags.items() if key not in ("examples", "weights")})
    complaints = [*late, *known.validate(CheckSettings), *_backend_complaints(document, ("backends",), backends)]
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
    return [
        complaint
        for complaints in sources
        for complaint in sorted(complaints, key=lambda complaint: (complaint.line or 0, complaint.column or 0))
    ]


def _merged(document: Document, project: Document, flags: Document) -> Definition:
    """Apply the precedence."""
    data = dict(_at(document.table, "data"))
    check = {**_at(project.table, "tool", "xcheck"), **_at(document.table, "check"), **flags.table}
    examples = check.pop("examples", None)
    is_said = "examples" in data or "examples" in _at(data, "synthetic")
    if examples is not None and ("examples" in flags.table or not is_said):
        data["examples"] = examples
    return Definition.model_validate({**document.table, "data": data, "check": check})


def _blamed(complaint: Complaint, document: Document, project: Document, flags: Document) -> Complaint:
    """Locate a complaint about the merged definition where its value was written."""
    section, key = complaint.key[:-1], complaint.key[-1:]
    if section == ("check",) or complaint.key in (("data", "examples"), ("network", "weights")):
        if key[0] in flags.table:
            return replace(complaint, key=key)
        if key[0] not in _at(document.table, *section):
            return project.locate(replace(complaint, key=("tool", "xcheck", *key)))
    return document.locate(complaint)


def _backend_complaints(document: Document, key: KeyPath, known: Collection[str] | None) -> list[Complaint]:
    """Return a complaint for every backend below `key` that nobody provides or that is named twice."""
    names = _at(document.table, *key).get("backends")
    names = names if isinstance(names, list) else []
    complaints = []
    for place, name in enumerate(names):
        text = ""
        if name in names[:place]:
            text = f"{quoted(str(name))} is named twice"
        elif known is not None and isinstance(name, str) and name not in known:
            text = f"unknown backend {quoted(name)}{did_you_mean(name, known)}"
        if text:
            complaints.append(document.locate(Complaint(text, key=(*key, "backends", place))))
    return complaints


def _driver_complaints(document: Document, known: Collection[str] | None) -> list[Complaint]:
    """Return a complaint if the witness that is to drive the training is nobody's."""
    name = _at(document.table, "training").get("backend")
    if known is None or not isinstance(name, str) or name in known:
        return []
    text = f"unknown backend {quoted(name)}{did_you_mean(name, known)}"
    return [document.locate(Complaint(text, key=("training", "backend")))]


def _file_complaints(document: Document, folder: Path) -> list[Complaint]:
    """Return what is wrong with the files, as far as the keys that name them are sound."""
    data = document.table.get("data")
    complaints = data_complaints(Data.model_validate(data)) if _fits(Data, data) else []
    for section, key, suffixes in (("data", "file", DATA), ("network", "weights", WEIGHTS)):
        name = _at(document.table, section).get(key)
        if name is not None and _fits(FileName, name):
            complaints += file_complaints(name, folder, suffixes, (section, key))
    return [document.locate(complaint) for complaint in complaints]


def _fits(shape: Any, value: object) -> bool:
    try:
        TypeAdapter(shape).validate_python(value, strict=True)
    except ValidationError:
        return False
    return True
