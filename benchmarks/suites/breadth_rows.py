"""Rows of the breadth suite: one method on the functions of one framework; as JSON Lines, tables and Markdown."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.measure.rows import holds, parse, read_rows

SUITE = "breadth"
_HEADINGS = {"torch": "PyTorch", "jax": "JAX", "numpy": "NumPy"}


@dataclass(frozen=True, slots=True, kw_only=True)
class BreadthRow:
    """What one method has said about the functions of one framework.

    Attributes:
        framework: "torch", "jax" or "numpy".
        method: name.
        cases: functions with the right gradient.
        rejected: those of them that the method rejects: false alarms.
        undecided: those that it does not decide, with what it says instead.
        faults: by name, how many were found, and how many were planted.
        missed: by fault, the functions in which it was not found.
        seconds: spent in the method.
        note: how much was asked.
        load: load average at the beginning.
        environment: see `benchmarks.measure.environment`.
    """

    framework: str
    method: str
    cases: int
    rejected: tuple[str, ...] = ()
    undecided: dict[str, str] = field(default_factory=dict)
    faults: dict[str, tuple[int, int]] = field(default_factory=dict)
    missed: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: float = 0.0
    note: str = ""
    load: float | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    @property
    def heading(self) -> str:
        """Framework and method."""
        return f"{_HEADINGS[self.framework]}: {self.method}"

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps({"suite": SUITE, **asdict(self)}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> BreadthRow:
    """Read what `BreadthRow.to_json` wrote.

    Raises:
        RowsError: it is something else.
    """

    def make(content: dict[str, Any]) -> BreadthRow:
        content["rejected"] = tuple(content["rejected"])
        content["faults"] = {name: tuple(count) for name, count in content["faults"].items()}
        content["missed"] = {name: tuple(names) for name, names in content["missed"].items()}
        return BreadthRow(**content)

    return parse(line, make, SUITE)


def is_breadth(path: Path) -> bool:
    """Return whether a file holds rows of this suite."""
    return holds(path, SUITE)


def read(path: Path) -> tuple[BreadthRow, ...]:
    """Read a file of rows.

    Raises:
        RowsError: it cannot be read; the text names file and line.
    """
    return read_rows(path, from_json)


def lines_of(rows: Sequence[BreadthRow]) -> list[tuple[str, ...]]:
    """Return the body of the table: right gradients that were rejected, each fault, and all faults together."""
    faults = dict.fromkeys(name for row in rows for name in row.faults)
    lines = [("right gradients rejected", *(f"{len(row.rejected)}/{row.cases}" for row in rows))]
    if any(row.undecided for row in rows):
        lines.append(("right gradients undecided", *(f"{len(row.undecided)}/{row.cases}" for row in rows)))
    lines += [(name, *(_found(row.faults.get(name)) for row in rows)) for name in faults]
    totals = [tuple(map(sum, zip(*row.faults.values(), strict=True))) if row.faults else None for row in rows]
    return [*lines, ("all faults found", *map(_found, totals))]


def _found(count: tuple[int, ...] | None) -> str:
    return f"{count[0]:,}/{count[1]:,}" if count else ""


def breadth_table(rows: Sequence[BreadthRow]) -> Table:
    """Return one line per fault and one column per framework and method."""
    caption = "\n".join(f"{row.heading}: {row.note}, {row.seconds:,.0f} s" for row in rows)
    table = Table(title="found/planted in ordinary functions", caption=caption)
    table.title_justify = table.caption_justify = "left"
    table.add_column("fault", no_wrap=True)
    for row in rows:
        table.add_column(row.heading, justify="right")
    for line in lines_of(rows):
        table.add_row(*line)
    return table


def markdown(rows: Sequence[BreadthRow]) -> str:
    """Return the table for a README, and how much was asked."""
    notes = dict.fromkeys(f"{_HEADINGS[row.framework]}: {row.note}" for row in rows if row.note)
    lines = [f"| fault | {' | '.join(row.heading for row in rows)} |", f"|---|{'---:|' * len(rows)}"]
    lines += [f"| {' | '.join(line)} |" for line in lines_of(rows)]
    return "\n".join([*lines, *(["", f"Asked: {'; '.join(notes)}."] if notes else [])])
