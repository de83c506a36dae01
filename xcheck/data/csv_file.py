"""Read a csv file with a header row; whatever is wrong is said with the file's own line and column."""

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xcheck.data.dataset import Table
from xcheck.errors import Complaint, DefinitionError
from xcheck.parameters import Vector

_MOST = 10  # complaints shown per file: the eleventh bad cell says nothing new


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The cells of a csv file, with the line on which each row begins."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def complain(self, text: str, row: int | None = None, column: int | None = None) -> Complaint:
        line = 1 if row is None else self.lines[row]
        return Complaint(text, file=str(self.path), line=line, column=column)

    def place(self, name: str) -> int:
        return self.header.index(name)

    def number(self, row: int, column: int) -> float | Complaint:
        """Return the cell as a finite number, or what is wrong with it."""
        cell, name = self.rows[row][column].strip(), self.header[column]
        where = f"row {row + 1}, column '{name}'"
        try:
            value = float(cell)
        except ValueError:
            what = f"'{cell}' is not a number" if cell else "the cell is empty"
            return self.complain(f"{where}: {what}", row, column + 1)
        if not math.isfinite(value):
            return self.complain(f"{where}: {cell} is not a finite number", row, column + 1)
        return value

    def numbers(self, columns: Sequence[int]) -> Vector:
        """Return the columns as numbers, or complain about every cell that is none."""
        cells = [[self.number(r, c) for c in columns] for r in range(len(self.rows))]
        bad = [cell for row in cells for cell in row if isinstance(cell, Complaint)]
        if bad:
            raise DefinitionError(_shortened(bad))
        return np.array(cells, dtype=np.float64).reshape(len(self.rows), len(columns))

    def words(self, columns: Sequence[int]) -> NDArray[np.str_]:
        cells = [[row[c].strip() for c in columns] for row in self.rows]
        bad = [
            self.complain(f"row {r + 1}: the class in column '{self.header[c]}' is empty", r, c + 1)
            for r, row in enumerate(cells)
            for c, cell in zip(columns, row, strict=True)
            if not cell
        ]
        if bad:
            raise DefinitionError(_shortened(bad))
        return np.array(cells, dtype=np.str_)


def _shortened(complaints: list[Complaint]) -> list[Complaint]:
    if len(complaints) <= _MOST:
        return complaints
    more = Complaint(f"... and {len(complaints) - _MOST} more", file=complaints[0].file)
    return [*complaints[:_MOST], more]


def _sheet(path: Path) -> _Sheet:
    """Read the cells of a csv file with a header row; blank lines are skipped."""
    rows, lines = [], []
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            for row in reader:
                if row:
                    rows.append(row)
                    lines.append(reader.line_num)
    except OSError as error:
        raise _unreadable(path, error) from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DefinitionError(Complaint(f"not a csv file: {error}", file=str(path))) from error
    if len(rows) < 2:
        text = "no data: a csv needs a header row and at least one row of values"
        raise DefinitionError(Complaint(text, file=str(path)))
    sheet = _Sheet(path, [name.strip() for name in rows[0]], rows[1:], lines[1:])
    _check_shape(sheet)
    return sheet


def _check_shape(sheet: _Sheet) -> None:
    width, header = len(sheet.header), sheet.header
    bad = [
        sheet.complain(f"row {number + 1} has {len(row)} values, the header has {width}", number)
        for number, row in enumerate(sheet.rows)
        if len(row) != width
    ]
    twice = sorted({name for name in header if header.count(name) > 1})
    bad += [sheet.complain(f"column '{name}' stands twice in the header") for name in twice]
    if bad:
        raise DefinitionError(_shortened(bad))


def _unreadable(path: Path, error: OSError) -> DefinitionError:
    reason = error.strerror or str(error)
    text = f"cannot read {path}: {reason} (paths are relative to the definition)"
    return DefinitionError(Complaint(text, key=("data", "file")))


def read_csv(path: Path, *, target: Sequence[str], features: Sequence[str] | None, classes: bool) -> Table:
    """Read a csv file with a header row.

    Args:
        path: the file.
        target: names of the target columns.
        features: names of the feature columns; by default every other column.
        classes: whether targets may be words.

    Raises:
        DefinitionError: with the line and column in the file, or the key of the definition at fault.
    """
    sheet = _sheet(path)
    chosen = list(features) if features is not None else None
    _check_columns(sheet, target, chosen)
    if chosen is None:
        chosen = [name for name in sheet.header if name not in target]
    if not chosen:
        text = "no feature columns are left beside the target"
        raise DefinitionError(Complaint(text, key=("data", "target")))
    columns = [sheet.place(name) for name in target]
    inputs = sheet.numbers([sheet.place(name) for name in chosen])
    wordy = classes and not all(_is_number(row[c]) for row in sheet.rows for c in columns)
    labels = sheet.words(columns) if wordy else sheet.numbers(columns)
    return Table(inputs=inputs, labels=labels, features=tuple(chosen))


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return not cell.strip()  # an empty cell in a column of numbers is a hole, not a class
    return True


def _check_columns(sheet: _Sheet, target: Sequence[str], features: Sequence[str] | None) -> None:
    bad = []
    for key, names in (("target", target), ("features", features or ())):
        for place, name in enumerate(names):
            at = ("data", key) if key == "target" and len(names) == 1 else ("data", key, place)
            if name not in sheet.header:
                have = ", ".join(sheet.header[:8]) + (", ..." if len(sheet.header) > 8 else "")
                bad.append(Complaint(f"{sheet.path} has no column '{name}'; it has {have}", key=at))
            elif key == "features" and name in target:
                bad.append(Complaint(f"'{name}' is the target and cannot be a feature", key=at))
            elif name in names[:place]:
                bad.append(Complaint(f"'{name}' is named twice", key=at))
    if bad:
        raise DefinitionError(bad)
