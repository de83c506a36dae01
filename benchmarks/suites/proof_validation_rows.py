"""Rows of the validation of proofs: one family of functions in one dtype; as JSON Lines, tables and Markdown."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from benchmarks.measure.rows import holds, parse, read_rows

SUITE = "proof validation"
_WITHOUT_RULE = re.compile(r"`([^`]+)`.* has no rule")
FAULTS = ("one component + 1e-9", "all + 1e-12", "norm 1e-12")


@dataclass(frozen=True, slots=True, kw_only=True)
class ValidationRow:
    """What proofs have said of the right gradients of a family of functions in a dtype.

    Attributes:
        family: "catalogue", "compositions" or "networks".
        dtype: that the gradients were computed in.
        seeds: the first and the last.
        functions: how many were asked.
        claims: how often each claim was made.
        ratios: the largest error of each gradient in units of what is allowed, ascending; not at kinks.
        exceptions: which were not called right, and how far off they are.
        missing: of which nothing could be proved, and why.
        faults: by name, how many were seen, and how many were planted.
        seconds: spent.
        load: load average at the beginning.
        environment: see `benchmarks.measure.environment`.
    """

    family: str
    dtype: str
    seeds: tuple[int, int]
    functions: int
    claims: dict[str, int]
    ratios: tuple[float, ...]
    exceptions: dict[str, str] = field(default_factory=dict)
    missing: dict[str, str] = field(default_factory=dict)
    faults: dict[str, tuple[int, int]] = field(default_factory=dict)
    seconds: float = 0.0
    load: float | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps({"suite": SUITE, **asdict(self)}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> ValidationRow:
    """Read what `ValidationRow.to_json` wrote.

    Raises:
        RowsError: it is something else.
    """

    def make(content: dict[str, Any]) -> ValidationRow:
        for name in ("seeds", "ratios"):
            content[name] = tuple(content[name])
        content["faults"] = {name: tuple(count) for name, count in content["faults"].items()}
        return ValidationRow(**content)

    return parse(line, make, SUITE)


def is_validation(path: Path) -> bool:
    """Return whether a file holds rows of this suite."""
    return holds(path, SUITE)


def read(path: Path) -> tuple[ValidationRow, ...]:
    """Read a file of rows.

    Raises:
        RowsError: a line is something else; the text names file and line.
    """
    return read_rows(path, from_json)


_HEADINGS = (
    *("functions", "dtype", "asked", "proved", "right", "inaccurate", "wrong", "median", "99 %", "largest"),
    *FAULTS,
)


def merged(rows: Sequence[ValidationRow]) -> list[ValidationRow]:
    """Return one row for each family and dtype: seeds that were asked in several runs count together."""
    found: dict[tuple[str, str], ValidationRow] = {}
    for row in rows:
        key = (row.family, row.dtype)
        found[key] = _added(found[key], row) if key in found else row
    return list(found.values())


def _added(a: ValidationRow, b: ValidationRow) -> ValidationRow:
    faults = dict(a.faults)
    for name, (seen, of) in b.faults.items():
        before = faults.get(name, (0, 0))
        faults[name] = (before[0] + seen, before[1] + of)
    return replace(
        a,
        seeds=(min(a.seeds[0], b.seeds[0]), max(a.seeds[1], b.seeds[1])),
        functions=a.functions + b.functions,
        claims=dict(Counter(a.claims) + Counter(b.claims)),
        ratios=tuple(sorted((*a.ratios, *b.ratios))),
        exceptions={**a.exceptions, **b.exceptions},
        missing={**a.missing, **b.missing},
        faults=faults,
        seconds=a.seconds + b.seconds,
    )


def lines_of(rows: Sequence[ValidationRow]) -> list[tuple[str, ...]]:
    """Return the body of the table: counts, quantiles of error/allowed, faults seen."""
    lines = []
    for row in merged(rows):
        proved = row.functions - len(row.missing)
        counts = (row.claims.get(claim, 0) for claim in ("right", "inaccurate", "wrong"))
        shares = np.quantile(row.ratios, [0.5, 0.99, 1]) if row.ratios else ()
        faults = (f"{row.faults[name][0]}/{row.faults[name][1]}" if name in row.faults else "" for name in FAULTS)
        cells = (row.functions, proved, *counts)
        lines.append((row.family, row.dtype, *map(str, cells), *(f"{share:.2g}" for share in shares), *faults))
    return lines


def validation_table(rows: Sequence[ValidationRow]) -> Table:
    """Return one line per family and dtype, with what was not called right below."""
    said = [f"{row.dtype} {name}: {text}" for row in rows for name, text in row.exceptions.items()]
    table = Table(title="right gradients, and error/allowed", caption="\n".join(said))
    table.title_justify = table.caption_justify = "left"
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="left" if number < 2 else "right")
    for line in lines_of(rows):
        table.add_row(*line)
    return table


def markdown(rows: Sequence[ValidationRow]) -> str:
    """Return the table for a page."""
    lines = [f"| {' | '.join(_HEADINGS)} |", f"|---|---|{'---:|' * (len(_HEADINGS) - 2)}"]
    lines += [f"| {' | '.join(line)} |" for line in lines_of(rows)]
    every = merged(rows)
    said = [f"{name} ({row.dtype}: {text})" for row in every for name, text in row.exceptions.items()]
    missing = sorted({name for row in every for text in row.missing.values() for name in _WITHOUT_RULE.findall(text)})
    notes = [f"Not called right: {'; '.join(said)}."] if said else []
    notes += [f"Operations without a rule: {', '.join(missing)}."] if missing else []
    return "\n".join([*lines, *(line for note in notes for line in ("", note))])
