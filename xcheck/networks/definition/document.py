"""Document: a TOML document, or a dict of the same shape, that knows where its keys stand."""

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from xcheck.errors import Complaint, DefinitionError
from xcheck.networks.definition.locate import positions
from xcheck.networks.definition.messages import complaints_from

Table = Mapping[str, Any]


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
            raise DefinitionError(_explain_syntax_error(name, error)) from error
        except ValueError as error:
            # Python's own limit on the digits of an integer.
            raise DefinitionError(Complaint(f"not TOML: an integer is too long: {error}", file=name)) from error
        except RecursionError as error:
            raise DefinitionError(Complaint("not TOML: nested too deeply", file=name)) from error

    def at(self, *keys: str | int) -> Table:
        """Return the table at `keys`; an empty one where there is none, or something else."""
        table: object = self.table
        for key in keys:
            table = table.get(key) if isinstance(table, Mapping) else None
        return table if isinstance(table, Mapping) else {}

    def locate(self, complaint: Complaint) -> Complaint:
        """Return the complaint with file, line and column of its key, or of the table that should have it."""
        if complaint.file is not None or self.text is None:
            return complaint
        places, key = positions(self.text), complaint.key
        # A key that is missing stands nowhere: the place is that of the nearest table around it.
        while key and key not in places:
            key = key[:-1]
        line, column = places.get(key, (1, 1))
        return replace(complaint, file=self.name, line=line, column=column)

    def validate(self, model: type[BaseModel]) -> list[Complaint]:
        """Return all mistakes that `model` finds in the document, each with its place."""
        try:
            model.model_validate(self.table)
        except ValidationError as error:
            return [self.locate(complaint) for complaint in complaints_from(error, model)]
        return []


# Where tomllib says what it stumbled over, at the end of its message.
_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)$")


def _explain_syntax_error(name: str, error: tomllib.TOMLDecodeError) -> Complaint:
    message = str(error)
    place = _PLACE.search(message)
    if place is None:
        return Complaint(f"not TOML: {message}", file=name)
    text = f"not TOML: {message[: place.start()]}"
    return Complaint(text, file=name, line=int(place[1]), column=int(place[2]))


def read_project(folder: Path) -> Document:
    """Return the nearest pyproject.toml, at or above `folder`; an empty document if there is none.

    Raises:
        DefinitionError: it cannot be read.
    """
    here = Path.cwd()
    for place in (folder.resolve(), *folder.resolve().parents):
        path = place / "pyproject.toml"
        if path.is_file():
            return Document.read(path, str(path.relative_to(here) if path.is_relative_to(here) else path))
    return Document({})
