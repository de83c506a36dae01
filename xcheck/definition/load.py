"""Load a definition: read, validate, merge with `[tool.xcheck]` and flags, and say where every mistake stands.

Precedence: flags over the definition over `[tool.xcheck]` in the nearest pyproject.toml over the defaults.
"""

import re
import tomllib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from xcheck.definition.build import build
from xcheck.definition.explain import did_you_mean, explain
from xcheck.definition.locate import positions
from xcheck.definition.schema import Check, Definition, ProjectDefaults
from xcheck.errors import Complaint, DefinitionError
from xcheck.findings import Finding
from xcheck.problem import Problem

Table = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A definition, ready to be checked.

    Attributes:
        problem: network, data, masks, θ.
        check: the settings after all precedence.
        warnings: what the reader should know.
    """

    problem: Problem
    check: Check
    warnings: tuple[Finding, ...]


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
    def read(cls, path: Path) -> "Document":
        """Parse a TOML file.

        Raises:
            DefinitionError: missing, unreadable, not UTF-8, or not TOML (with its line and column).
        """
        try:
            # UTF-8 with or without a byte order mark; universal newlines as tomllib does it.
            text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
            return cls(tomllib.loads(text), str(path), text)
        except OSError as error:
            what = "no such file" if isinstance(error, FileNotFoundError) else error.strerror
            raise DefinitionError(Complaint(f"cannot read: {what}", file=str(path))) from error
        except UnicodeDecodeError as error:
            raise DefinitionError(Complaint(f"not a UTF-8 text: {error}", file=str(path))) from error
        except tomllib.TOMLDecodeError as error:
            raise DefinitionError(_not_toml(path, error)) from error

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
            return [self.locate(complaint) for complaint in explain(error, model)]
        return []


def _not_toml(path: Path, error: tomllib.TOMLDecodeError) -> Complaint:
    message = str(error)
    place = re.search(r" \(at line (\d+), column (\d+)\)$", message)
    if place is None:
        return Complaint(f"not TOML: {message}", file=str(path))
    text = f"not TOML: {message[: place.start()]}"
    return Complaint(text, file=str(path), line=int(place[1]), column=int(place[2]))


def _project(folder: Path) -> Document:
    """Return `[tool.xcheck]` of the nearest pyproject.toml, at or above `folder`; empty if there is none."""
    for place in (folder, *folder.parents):
        path = place / "pyproject.toml"
        if path.is_file():
            document = Document.read(path)
            tool = document.table.get("tool", {})
            settings = tool.get("xcheck", {}) if isinstance(tool, dict) else {}
            return replace(document, table=settings)
    return Document({})


def _project_complaints(document: Document) -> list[Complaint]:
    try:
        ProjectDefaults.model_validate(document.table)
    except ValidationError as error:
        complaints = [complaint.under("tool", "xcheck") for complaint in explain(error, ProjectDefaults)]
        return [document.locate(complaint) for complaint in complaints]
    return []


def load(source: Path | Table, *, flags: Table | None = None, backends: Collection[str] | None = None) -> Loaded:
    """Load a definition from a TOML file or a dict of the same shape.

    Args:
        source: the file, or the dict; relative paths in it are relative to the file, or to the current folder.
        flags: keys of `[check]`, and `examples`, that override everything else.
        backends: names of the backends that exist; None does not check them.

    Raises:
        DefinitionError: all mistakes at once, each with file, line and column.
    """
    document = Document.read(source) if isinstance(source, Path) else Document(source)
    folder = source.resolve().parent if isinstance(source, Path) else Path.cwd()
    project = _project(folder)
    given = dict(flags or {})
    complaints = [
        *document.validate(Definition),
        *_project_complaints(project),
        *Document(given).validate(ProjectDefaults),
        *_unknown_backends(document, project, given, backends),
    ]
    if complaints:
        raise DefinitionError(complaints)
    definition = _merged(document.table, project.table, given)
    try:
        problem, warnings = build(definition, folder, name=document.name or "definition")
    except DefinitionError as error:
        raise DefinitionError(document.locate(complaint) for complaint in error.complaints) from error
    return Loaded(problem=problem, check=definition.check, warnings=warnings)


def _merged(table: Table, project: Table, flags: Table) -> Definition:
    """Apply the precedence."""
    check = {**project, **table.get("check", {}), **flags}
    examples = check.pop("examples", None)
    data = dict(table["data"])
    if examples is not None and ("examples" in flags or "examples" not in data):
        data["examples"] = examples
    return Definition.model_validate({**table, "data": data, "check": check})


def _unknown_backends(
    document: Document, project: Document, flags: Table, known: Collection[str] | None
) -> list[Complaint]:
    """Return a complaint for every backend that nobody provides, wherever it is named."""
    if known is None:
        return []
    check = document.table.get("check", {})
    sources = (
        (document, check if isinstance(check, dict) else {}, ("check", "backends")),
        (project, project.table, ("tool", "xcheck", "backends")),
        (Document({}), flags, ("backends",)),
    )
    complaints = []
    for source, table, key in sources:
        names = table.get("backends")
        for place, name in enumerate(names if isinstance(names, list) else []):
            if isinstance(name, str) and name not in known:
                text = f"unknown backend '{name}'{did_you_mean(name, known)}"
                complaints.append(source.locate(Complaint(text, key=(*key, place))))
    return complaints
