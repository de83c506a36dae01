"""Rows of the coverage of proofs: which functions of one kind can be proved; as JSON Lines, tables and Markdown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.measure.rows import holds, parse, read_rows

SUITE = "proof coverage"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverageRow:
    """What proofs have said of the functions of one kind, in float64.

    Attributes:
        functions: "torch", "jax", "numpy" or "example networks".
        asked: how many.
        claims: how often each claim was made of those that are proved.
        exceptions: which are proved, and are not right: name -> claim.
        missing: of which nothing is proved: name -> why.
        environment: see `benchmarks.measure.environment`.
    """

    functions: str
    asked: int
    claims: dict[str, int]
    exceptions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def proved(self) -> int:
        """How many are proved, whatever is claimed."""
        return self.asked - len(self.missing)

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps({"suite": SUITE, **asdict(self)}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> CoverageRow:
    """Read what `CoverageRow.to_json` wrote.

    Raises:
        RowsError: it is something else.
    """
    return parse(line, lambda content: CoverageRow(**content), SUITE)


def is_coverage(path: Path) -> bool:
    """Return whether a file holds rows of this suite."""
    return holds(path, SUITE)


def read(path: Path) -> tuple[CoverageRow, ...]:
    """Read a file of rows.

    Raises:
        RowsError: a line is something else; the text names file and line.
    """
    return read_rows(path, from_json)


_HEADINGS = ("functions", "asked", "proved", "share", "right", "digits lost", "wrong")


def lines_of(rows: Sequence[CoverageRow]) -> list[tuple[str, ...]]:
    """Return the body of the table."""
    lines = []
    for row in rows:
        lost = row.claims.get("unstable", 0) + row.claims.get("inaccurate", 0)
        share = f"{row.proved / row.asked:.1%}" if row.asked else ""
        counts = (row.claims.get("right", 0), lost, row.claims.get("wrong", 0))
        lines.append((row.functions, str(row.asked), str(row.proved), share, *map(str, counts)))
    return lines


_SAID = {
    "unstable": "digits lost by an unstable formula",
    "inaccurate": "digits lost by an operation that is less accurate than float64",
    "wrong": "proved to be wrong",
}


def exceptions_of(rows: Sequence[CoverageRow]) -> list[tuple[str, str]]:
    """Return every function that is not called right, with what is said of it."""
    proved = [(name, _SAID[claim]) for row in rows for name, claim in row.exceptions.items()]
    return [*proved, *((name, f"not proved: {why}") for row in rows for name, why in row.missing.items())]


def coverage_table(rows: Sequence[CoverageRow]) -> Table:
    """Return one line per kind of functions, with what is not called right below."""
    said = [f"{name}: {what}" for name, what in exceptions_of(rows)]
    table = Table(title="which functions can be proved", caption="\n".join(said))
    table.title_justify = table.caption_justify = "left"
    for heading in _HEADINGS:
        table.add_column(heading, justify="left" if heading == _HEADINGS[0] else "right")
    for line in lines_of(rows):
        table.add_row(*line)
    return table


def markdown(rows: Sequence[CoverageRow]) -> str:
    """Return the tables for a page: the counts, and what is not called right."""
    lines = [f"| {' | '.join(_HEADINGS)} |", f"|---|{'---:|' * (len(_HEADINGS) - 1)}"]
    lines += [f"| {' | '.join(line)} |" for line in lines_of(rows)]
    said = [f"| {name} | {what} |" for name, what in exceptions_of(rows)]
    return "\n".join([*lines, *(["", "| not called right | |", "|---|---|", *said] if said else [])])
