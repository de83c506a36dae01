"""Tables: rows, targets, changes and the catalogue, for a terminal or as Markdown."""

from collections.abc import Callable, Iterable, Sequence

from rich.table import Table

from benchmarks.measure.rows import Row
from benchmarks.peers.catalogue import Entry
from benchmarks.publish.compare import Change
from benchmarks.publish.targets import TARGETS, Run
from benchmarks.suites.scenarios import Scenario

_MIB = 1 << 20
_QUIET = 0.7  # load average of a machine that does nothing else


def seconds(value: float | None) -> str:
    """Write a time with two or three figures.

    >>> [seconds(value) for value in (None, 0.0001234, 0.0123, 1.234, 123.4)]
    ['', '0.12 ms', '12 ms', '1.23 s', '123 s']
    """
    if value is None:
        return ""
    if value < 0.1:
        return f"{1e3 * value:.{2 if value < 1e-3 else 1 if value < 1e-2 else 0}f} ms"
    return f"{value:.2f} s" if value < 10 else f"{value:,.0f} s"


def _number(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _time(row: Row) -> str:
    mark = "≈ " if row.extrapolated_from else ""
    return f"{mark}{seconds(row.median)}" if row.median is not None else ""


def _memory(row: Row) -> str:
    if row.peak_memory is None:
        return ""
    beyond = "" if row.idle_memory is None else f" (+{max(row.peak_memory - row.idle_memory, 0) / _MIB:,.0f})"
    return f"{row.peak_memory / _MIB:,.0f}{beyond}"


def _verdict(row: Row) -> str:
    if row.valid is None:
        return "-"
    return (row.verdict or "ok") if row.valid else f"INVALID {row.verdict or ''}".rstrip()


def _found(row: Row) -> str:
    # A method that rejects the right gradient has found nothing.
    return f"{row.found}/{row.planted}" if row.faults and row.valid else ""


_COLUMNS: dict[str, Callable[[Row], str]] = {
    "method": lambda row: row.method,
    "first": lambda row: "" if row.extrapolated_from else seconds(row.first),
    "compile": lambda row: seconds(row.compile),
    "median": _time,
    "IQR": lambda row: seconds(row.iqr),
    "one pass": lambda row: seconds(row.seconds_per_pass),
    "losses": lambda row: _number(row.evaluations, ","),
    "peak MiB": _memory,
    "error": lambda row: _number(row.max_error, ".0e"),
    "verdict": _verdict,
    "found": _found,
}


def _scenario_title(row: Row) -> str:
    return f"{row.scenario}: {row.shape} {row.activation}, n = {row.parameters:,}, m = {row.examples}"


def row_tables(rows: Sequence[Row]) -> list[Table]:
    """Return one table per scenario, with its notes."""
    tables = []
    for name in dict.fromkeys(row.scenario for row in rows):
        group = [row for row in rows if row.scenario == name]
        table = Table(title=_scenario_title(group[0]), caption=_notes(group))
        table.title_justify = table.caption_justify = "left"
        for heading in _COLUMNS:
            table.add_column(heading, justify="left" if heading in ("method", "verdict") else "right", no_wrap=True)
        for row in group:
            table.add_row(*(cell(row) for cell in _COLUMNS.values()))
        tables.append(table)
    return tables


def _notes(rows: Iterable[Row]) -> str:
    lines = []
    for row in rows:
        parts = [row.note]
        if row.extrapolated_from:
            parts.append(f"≈ from {row.extrapolated_from:,} of {row.parameters:,} components")
        text = "; ".join(part for part in parts if part)
        if text:
            lines.append(f"{row.method}: {text}")
    return "\n".join(lines)


def markdown(rows: Sequence[Row]) -> str:
    """Return the rows as one Markdown table, with what a reader of a README wants to see."""
    names = ("method", "median", "one pass", "losses", "error", "verdict", "found")
    lines = [f"| network | {' | '.join(names)} |", f"|---|---|{'---:|' * 4}---|---:|"]
    for row in rows:
        if row.valid is not None:
            cells = " | ".join(_COLUMNS[name](row) for name in names)
            lines.append(f"| {row.shape} {row.activation}, n = {row.parameters:,} | {cells} |")
    return "\n".join(lines)


def environment_lines(rows: Sequence[Row]) -> str:
    """Return where the rows come from, with a warning if the machine was doing something else."""
    where = rows[0].environment
    versions = ", ".join(f"{name} {version}" for name, version in where["versions"].items())
    machine = f"{where['cpu']}, {where['threads']} threads, {where['memory'] >> 30} GiB"
    lines = [
        f"{machine}, {where['accelerator'] or 'no accelerator'}; {where['platform']}",
        f"{versions}; commit {where['commit']}; {where['date']}; load {where['load']}",
    ]
    if where["load"] > _QUIET:
        lines.append("The machine was not idle when this began: times, and their ratios, are not to be trusted.")
    return "\n".join(lines)


def target_table(rows: Sequence[Row]) -> Table:
    """Return the targets and what came of them."""
    table = Table(title="targets (ratios of medians within this run)", title_justify="left")
    for heading in ("target", "goal", "measured", ""):
        table.add_column(heading, justify="right" if heading in ("goal", "measured") else "left")
    run = Run(rows)
    for target in TARGETS:
        value = target.measured(run)
        goal = f"{'≥' if target.at_least else '≤'} {target.goal:g} {target.unit}".rstrip()
        measured = "" if value is None else f"{value:.3g} {target.unit}".rstrip()
        outcome = "not measured" if value is None else "met" if target.met(value) else "not met"
        table.add_row(target.text, goal, measured, outcome)
    return table


def change_table(changes: Sequence[Change]) -> Table:
    """Return what has changed between two runs."""
    table = Table(title="new by old", title_justify="left")
    for heading in ("scenario", "method", "old", "new", "ratio", "remarks"):
        table.add_column(heading, justify="right" if heading in ("old", "new", "ratio") else "left")
    for change in changes:
        ratio = _number(change.ratio, ".2f")
        cells = (change.scenario, change.method, seconds(change.old), seconds(change.new), ratio)
        table.add_row(*cells, "; ".join(change.remarks), style="red" if change.worse else None)
    return table


def scenario_table(scenarios: Sequence[Scenario]) -> Table:
    """Return the scenarios that there are."""
    table = Table(title="scenarios", title_justify="left")
    for heading in ("name", "network", "n", "m", "faults", "command", "quick"):
        table.add_column(heading, justify="right" if heading in ("n", "m") else "left")
    for one in scenarios:
        marks = ("yes" if mark else "" for mark in (one.faults, one.command, one.quick))
        table.add_row(one.name, f"{one.shape} {one.activation}", f"{one.parameters:,}", str(one.examples), *marks)
    return table


def method_table(entries: Sequence[Entry]) -> Table:
    """Return the methods that there are."""
    table = Table(title="methods", title_justify="left")
    for heading in ("name", "kind", "what it does"):
        table.add_column(heading)
    for entry in entries:
        table.add_row(entry.short, entry.kind, entry.summary)
    return table
