"""Rows of the suite of operations: what came of one plant; as JSON Lines, and as a table for each framework.

*right*: the operation at its line is named, and no other; *wrong*: any other is named; *unnamed*: the gradient is
called wrong, and no operation is; *missed*: the gradient is not called wrong, though the mistake changes it. Where the
mistake does not reach any parameter, the check has to agree.
"""

import json
import re
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from benchmarks.measure.rows import parse, read_rows
from tests.operations.networks import NETWORKS
from tests.operations.planted import plants

SUITE = "operations"
# What a finding has to say of a mistake.
_CAUSES: Mapping[str, str] = {
    "x 1.01": r"1\.01\b",
    "sign": r"opposite sign",
    "zero": r"nothing is handed down",
    "its mean missing": r"a constant",
    "half of it missing": r"missing|are zero|from 0 to 0|\(0 x|are 0 x|lies in",
    "half of it x 1 + 1e-6": r"1\.000001|lies in",
    "one number x 1.001": r"1\.001\b|lies in",
    "transposed": r"transpose",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationRow:
    """What came of one plant, or of a network without any.

    Attributes:
        framework: "jax" or "torch".
        network: its name.
        site: where the mistake is; empty where there is none.
        mistake: which; empty where there is none.
        which: which of the cotangents it is made in, 0 or -1.
        reaches: whether it changes the gradient of any parameter.
        agrees: whether the check does.
        expected: operation and line that are to be named.
        named: those that are.
        text: of the first finding that names one.
        losses: that were evaluated to name it, and to say why: of one operation of k, 1/k for each.
        seconds: of the whole check.
    """

    framework: str
    network: str
    site: str = ""
    mistake: str = ""
    which: int = 0
    reaches: bool = False
    agrees: bool = True
    expected: str = ""
    named: tuple[str, ...] = ()
    text: str = ""
    losses: float = 0.0
    seconds: float = 0.0

    @property
    def key(self) -> tuple[str, ...]:
        """What tells it from other rows."""
        return (self.framework, self.network, self.site, self.mistake, str(self.which))

    @property
    def score(self) -> str:
        """One of those of the module; "unseen" where the mistake reaches nothing, and the check agrees."""
        if self.agrees:
            return "missed" if self.reaches else "unseen"
        if not self.named:
            return "unnamed"
        return "right" if self.named == (self.expected,) else "wrong"

    @property
    def says_why(self) -> bool:
        """Whether the finding says what the mistake is."""
        return self.score == "right" and re.search(_CAUSES[self.mistake], self.text) is not None

    def to_json(self) -> str:
        """Return one line."""
        return json.dumps({"suite": SUITE, **asdict(self)}, ensure_ascii=False, allow_nan=False)


def from_json(line: str) -> OperationRow:
    """Read what `OperationRow.to_json` wrote.

    Raises:
        RowsError: it is something else.
    """
    return parse(line, lambda content: OperationRow(**{**content, "named": tuple(content["named"])}), SUITE)


def read(path: Path) -> tuple[OperationRow, ...]:
    """Read a file of rows; none where there is no file yet.

    Raises:
        RowsError: it cannot be read; the text names file and line.
    """
    return read_rows(path, from_json) if path.exists() else ()


_COLUMNS = (
    *("network", "right rules blamed", "planted", "reach a parameter", "operation and line right", "cause right"),
    *("wrong one blamed", "unnamed", "missed", "losses, median", "losses, most", "seconds, median"),
)


def operation_table(framework: str, rows: Sequence[OperationRow]) -> Table:
    """Return one line for each network, and one for all."""
    own = [row for row in rows if row.framework == framework]
    measured, planted = sum(bool(row.site) for row in own), len(list(plants(framework)))
    table = Table(*_COLUMNS, title=f"{framework}: {measured} of {planted} plants")
    for name in NETWORKS:
        table.add_row(name, *_cells([row for row in own if row.network == name]))
    table.add_row("all", *_cells(own))
    return table


def _cells(rows: Sequence[OperationRow]) -> list[str]:
    right = [row for row in rows if not row.site]
    planted = [row for row in rows if row.site]
    reaching = [row for row in planted if row.reaches]
    false = sum(not row.agrees for row in (*right, *planted) if not row.reaches)
    scores = [row.score for row in reaching]
    losses = [row.losses for row in reaching if not row.agrees] or [0.0]
    counts = [
        *(false, len(planted), len(reaching), scores.count("right"), sum(row.says_why for row in reaching)),
        *(scores.count("wrong"), scores.count("unnamed"), scores.count("missed")),
    ]
    seconds = statistics.median([row.seconds for row in rows] or [0.0])
    return [*map(str, counts), f"{statistics.median(losses):.0f}", f"{max(losses):.0f}", f"{seconds:.1f}"]


def describe_failures(rows: Sequence[OperationRow]) -> list[str]:
    """Return a line for every row that is not as it should be."""
    return [
        f"{row.framework}: {row.network}: {row.site or 'no plant'}, {row.mistake}, {row.which}: {row.score}; "
        f"named: {', '.join(row.named) or 'nothing'}, expected: {row.expected or 'nothing'}"
        for row in rows
        if row.score in ("wrong", "unnamed", "missed")
    ]


def markdown(tables: Sequence[Table]) -> str:
    """Return the page of the documentation."""
    parts = [_PAGE]
    for table in tables:
        columns = [str(column.header) for column in table.columns]
        cells = zip(*([str(cell) for cell in column.cells] for column in table.columns), strict=True)
        lines = [columns, ["---"] + ["---:"] * (len(columns) - 1), *cells]
        parts.append(f"## {table.title}\n\n" + "\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


_PAGE = """# Operations

How often is the operation named whose backward pass is wrong? One operation of one of eight networks gets a backward
rule of its own, with a mistake in the first or the last cotangent that it hands down, and the network is checked. There
are eight mistakes: all of it times 1.01, the other sign, zero, its mean missing, half of it missing, half of it times
1 + 10⁻⁶, one number times 1.001, transposed.

```console
$ python -m benchmarks operations --results benchmarks/results/operations-cpu.jsonl --out docs/operations.md
```

- *right rules blamed*: checks that disagree though no gradient of a parameter is wrong;
- *reach a parameter*: the mistake changes the gradient of a parameter; of the others the check has to say that all is
  right;
- *operation and line right*: that operation at its line is named, and no other; *cause right*: and the finding says
  what the mistake is;
- *wrong one blamed*: another operation is named, alone or too; *unnamed*: the gradient is called wrong, and no
  operation is named; *missed*: the check agrees;
- *losses*: how many losses were evaluated to name the operation and to say why; to evaluate one operation of k counts
  as 1/k of a loss. A check that passes evaluates none for it;
- *seconds*: of the whole check, compilation included, on two cores that others used as well."""
