"""Rows of the proof suite: one loss; as JSON Lines, a table and Markdown."""

import json
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from rich.table import Table

from benchmarks.measure.rows import holds, parse, read_rows
from benchmarks.publish.tables import seconds

SUITE = "proof"
_MIB = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRow:
    """What proofs of one loss take, and what they see. Times in seconds, memory in bytes, errors per ‖gradient‖.

    Attributes:
        name: of the loss.
        text: what it is.
        parameters: n.
        valid: whether the right gradient is called right.
        claim: what it is called.
        one: times of one direction, in a warm process.
        six: times of six directions.
        rounding: times of what rounding does along the six.
        memory: that the process came to hold beyond what it held before the six directions.
        bits: of precision.
        radius: of the widest enclosure.
        error: of the right gradient.
        allowed: what rounding may do.
        seen: the smallest error in random directions that is never called right; None where none is.
        called_wrong: the smallest that is always called wrong, not inaccurate.
        components: by share of a component, in how many it was seen, and how many were tried.
        all_scaled: whether a factor of 1 + 1e-12 is seen.
        difference: the error of central differences along the six directions at their best step.
        check_seconds: of the check along directions without a proof, its first call.
        check_sees: the error that it would have seen; None where it does not say.
        load: load average at the beginning.
        environment: see `benchmarks.measure.environment`.
    """

    name: str
    text: str
    parameters: int
    valid: bool
    claim: str
    one: tuple[float, ...]
    six: tuple[float, ...]
    rounding: tuple[float, ...]
    memory: int
    bits: int
    radius: float
    error: float
    allowed: float
    seen: float | None
    called_wrong: float | None
    components: dict[str, tuple[int, int]]
    all_scaled: bool
    difference: float
    check_seconds: float
    check_sees: float | None
    load: float | None = None
    environment: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps({"suite": SUITE, **asdict(self)}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> ProofRow:
    """Read what `ProofRow.to_json` wrote.

    Raises:
        RowsError: it is something else.
    """

    def make(content: dict[str, Any]) -> ProofRow:
        for name in ("one", "six", "rounding"):
            content[name] = tuple(content[name])
        content["components"] = {share: tuple(count) for share, count in content["components"].items()}
        return ProofRow(**content)

    return parse(line, make, SUITE)


def is_proof(path: Path) -> bool:
    """Return whether a file holds rows of this suite."""
    return holds(path, SUITE)


def read(path: Path) -> tuple[ProofRow, ...]:
    """Read a file of rows.

    Raises:
        RowsError: a line is something else; the text names file and line.
    """
    return read_rows(path, from_json)


_HEADINGS = (
    *("loss", "n", "one direction", "six", "rounding", "MiB more", "bits", "radius", "sees", "calls wrong"),
    *("1e-9 of one", "1e-12 of one", "best difference", "check sees"),
)


def lines_of(rows: Sequence[ProofRow]) -> list[tuple[str, ...]]:
    """Return the body of the table."""
    lines = []
    for row in rows:
        times = (seconds(statistics.median(samples)) for samples in (row.one, row.six, row.rounding))
        costs = (*times, f"{row.memory / _MIB:,.0f}", str(row.bits), f"{row.radius:.0e}")
        mark = "" if row.valid else f"INVALID {row.claim} "
        seen = (_size(row.seen), _size(row.called_wrong), *(f"{k}/{of}" for k, of in row.components.values()))
        lines.append(
            (f"{mark}{row.text}", f"{row.parameters:,}", *costs, *seen, _size(row.difference), _size(row.check_sees))
        )
    return lines


def _size(value: float | None) -> str:
    return "" if value is None else f"{value:.0e}"


def proof_table(rows: Sequence[ProofRow]) -> Table:
    """Return one line per loss."""
    table = Table(title="slopes in ball arithmetic; errors in units of the gradient's norm", title_justify="left")
    for number, heading in enumerate(_HEADINGS):
        table.add_column(heading, justify="right" if number else "left", no_wrap=not number)
    for line in lines_of(rows):
        table.add_row(*line)
    return table


def markdown(rows: Sequence[ProofRow]) -> str:
    """Return the table for a page."""
    lines = [f"| {' | '.join(_HEADINGS)} |", f"|---|{'---:|' * (len(_HEADINGS) - 1)}"]
    return "\n".join([*lines, *(f"| {' | '.join(line)} |" for line in lines_of(rows))])
