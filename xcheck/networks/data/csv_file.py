"""Csv files: numbers and words under a header row; each complaint gives its line and column in the file.

In a complaint, line is where the row begins in the file and column counts the values in it, both from 1; "row 2" in its
text is the second row of data, as a spreadsheet or data frame counts below the header.
"""

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from xcheck.errors import Complaint, DefinitionError
from xcheck.layout import Vector
from xcheck.networks.data.dataset import Labels, Table
from xcheck.text import listed, quoted, shortened

_HEADER = -1  # number of the header row: rows of data count from 0


def _to_number(cell: str) -> float | None:
    """Return the number in a cell, None if there is none; `_Sheet.number` refuses nan and inf."""
    # Python takes 1_000 and digits of any script for numbers; no other reader of csv files does.
    if "_" in cell or not cell.isascii():
        return None
    try:
        return float(cell)
    except ValueError:
        return None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """The cells of a csv file, with the line on which each row begins, the header's first."""

    path: Path
    header: list[str]
    rows: list[list[str]]
    lines: list[int]

    def complain(self, text: str, row: int, column: int | None = None) -> Complaint:
        place = None if column is None else column + 1
        # The header has the first of these lines, so that of row r is one further on.
        return Complaint(text, file=str(self.path), line=self.lines[row + 1], column=place)

    def complain_at(self, row: int, column: int, text: str) -> Complaint:
        return self.complain(f"row {row + 1}, column {quoted(self.header[column])}: {text}", row, column)

    def place(self, name: str) -> int:
        return self.header.index(name)

    def number(self, row: int, column: int) -> float | Complaint:
        """Return the cell as a finite number, or what is wrong with it."""
        cell = self.rows[row][column]
        value = _to_number(cell)
        if value is None:
            what = f"{quoted(cell)} is not a number" if cell else "the cell is empty"
            return self.complain_at(row, column, what)
        if not math.isfinite(value):
            return self.complain_at(row, column, f"{quoted(cell)} is not a finite number")
        return value

    def numbers(self, columns: Sequence[int]) -> Vector:
        """Return the columns as numbers, or complain about every cell that is none."""
        cells = [[self.number(r, c) for c in columns] for r in range(len(self.rows))]
        # All of them, so that a file can be mended in one go.
        bad = [cell for row in cells for cell in row if isinstance(cell, Complaint)]
        if bad:
            raise DefinitionError(shortened(bad))
        return np.array(cells, dtype=np.float64).reshape(len(self.rows), len(columns))

    def word_rows(self, column: int) -> list[int]:
        return [r for r, row in enumerate(self.rows) if row[column] and _to_number(row[column]) is None]

    def words(self, columns: Sequence[int]) -> NDArray[np.str_]:
        """Return the columns as words, or complain about every cell that is empty or of the other kind."""
        bad = [complaint for column in columns for complaint in self._find_misfits(column)]
        if bad:
            raise DefinitionError(shortened(bad))
        return np.array([[row[c] for c in columns] for row in self.rows], dtype=np.str_)

    def _find_misfits(self, column: int) -> list[Complaint]:
        """Return a complaint for every empty cell, and for every word among numbers or number among words.

        Otherwise a slip such as 'oops' in a column of class numbers would silently become a class of its own.
        """
        empty = [r for r, row in enumerate(self.rows) if not row[column]]
        words = self.word_rows(column)
        numbers = sorted(set(range(len(self.rows))) - {*words, *empty})
        odd, kind = (words, "word among numbers") if len(words) <= len(numbers) else (numbers, "number among words")
        # Whatever there is less of is taken for the slip.
        text = "{} is a " + kind + "; classes are all words or all numbers"
        odd = odd if words and numbers else []
        return [
            *(self.complain_at(r, column, "the cell is empty") for r in empty),
            *(self.complain_at(r, column, text.format(quoted(self.rows[r][column]))) for r in odd),
        ]


def _read_text(path: Path) -> str:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _cannot_read(path, error) from error
    try:
        return data.decode("utf-8-sig")  # spreadsheets put a byte order mark in front
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        text = f"not UTF-8: byte 0x{error.object[error.start]:02x}; save the file as UTF-8"
        raise DefinitionError(Complaint(text, file=str(path), line=line)) from error


def _read_sheet(path: Path) -> _Sheet:
    """Read the cells of a csv file with a header row; blank lines are skipped."""
    # `strict` refuses stray quotes, which would else swallow the rows up to the next quote.
    reader = csv.reader(io.StringIO(_read_text(path), newline=""), strict=True, skipinitialspace=True)
    rows: list[list[str]] = []
    lines: list[int] = []
    begin = 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            # csv reads nothing from an empty line, and one empty cell from a line of blanks.
            if cells not in ([], [""]):
                rows.append(cells)
                lines.append(begin)
            # A quoted cell may hold line ends, so rows and lines are counted apart.
            begin = reader.line_num + 1
    except csv.Error as error:
        text = f"not a csv file: {error}; look at the quotes in this row"
        raise DefinitionError(Complaint(text, file=str(path), line=begin)) from error
    if len(rows) < 2:
        text = "no data: a csv needs a header row and at least one row of values"
        raise DefinitionError(Complaint(text, file=str(path)))
    sheet = _Sheet(path, rows[0], rows[1:], lines)
    _check_shape(sheet)
    return sheet


def _check_shape(sheet: _Sheet) -> None:
    width, header = len(sheet.header), sheet.header
    bad = [
        sheet.complain(f"column {quoted(name)} stands twice in the header", _HEADER, place)
        for place, name in enumerate(header)
        # Several columns may be without a name, as long as none of them is used.
        if name and name in header[:place]
    ]
    # Other separators make one wide column, and complaints about every row after it would hide the cause.
    if width == 1 and any(mark in header[0] for mark in ";\t|"):
        text = f"the header is one column, {quoted(header[0])}; separate the values with commas"
        bad.append(sheet.complain(text, _HEADER, 0))
    bad += [
        sheet.complain(f"row {number + 1} has {len(row)} values, the header has {width}", number)
        for number, row in enumerate(sheet.rows)
        if len(row) != width
    ]
    if bad:
        raise DefinitionError(shortened(bad))


def _cannot_read(path: Path, error: OSError) -> DefinitionError:
    return DefinitionError(Complaint(f"cannot read {path}: {error.strerror or error}", key=("data", "file")))


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
    sheet = _read_sheet(path)
    _check_columns(sheet, target, features)
    chosen = list(features) if features is not None else _other_columns(sheet, target)
    return Table(
        inputs=sheet.numbers([sheet.place(name) for name in chosen]),
        labels=_read_labels(sheet, [sheet.place(name) for name in target], classes=classes),
        features=tuple(chosen),
    )


def _read_labels(sheet: _Sheet, columns: Sequence[int], *, classes: bool) -> Labels:
    # One column of words makes words of all: they share an array.
    wordy = classes and any(sheet.word_rows(column) for column in columns)
    return sheet.words(columns) if wordy else sheet.numbers(columns)


def _other_columns(sheet: _Sheet, target: Sequence[str]) -> list[str]:
    """Return the names of the columns beside the target."""
    # pandas writes the row number into a column without a name: it must not become a feature by accident.
    unnamed = [place for place, name in enumerate(sheet.header) if not name]
    if unnamed:
        text = "column {} has no name; name it, or list the columns to use in data.features"
        raise DefinitionError(sheet.complain(text.format(place + 1), _HEADER, place) for place in unnamed)
    chosen = [name for name in sheet.header if name not in target]
    if not chosen:
        text = "no feature columns are left beside the target"
        raise DefinitionError(Complaint(text, key=("data", "target")))
    return chosen


def _check_columns(sheet: _Sheet, target: Sequence[str], features: Sequence[str] | None) -> None:
    bad = []
    for key, names in (("target", target), ("features", features or ())):
        for place, name in enumerate(names):
            # One target may be written without brackets, and then its key has no number.
            at = ("data", key) if key == "target" and len(names) == 1 else ("data", key, place)
            if name not in sheet.header:
                text = f"{sheet.path} has no column {quoted(name)}; it has {listed(sheet.header)}"
                bad.append(Complaint(text, key=at))
            elif key == "features" and name in target:
                bad.append(Complaint(f"{quoted(name)} is the target and cannot be a feature", key=at))
            elif name in names[:place]:
                bad.append(Complaint(f"{quoted(name)} is named twice", key=at))
    if bad:
        raise DefinitionError(bad)
