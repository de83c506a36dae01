"""The report for people: rich on a terminal, plain text in a pipe, readable at 40 columns.

Tables fold instead of cutting words off, and nothing is said by colour alone.
"""

import io
from collections.abc import Iterable, Sequence

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xcheck.compare import ORACLE, Component, Pair, TensorComparison, band
from xcheck.findings import Finding
from xcheck.report.model import OracleSummary, Report
from xcheck.verdict import Verdict

_STYLES = {
    Verdict.AGREE: "bold green",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.DISAGREE: "bold red",
    Verdict.ERROR: "bold magenta",
}
_BANDS = {"great": "green", "look": "yellow", "worry": "red"}


def render(report: Report, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text of at most `width` columns."""
    stream = io.StringIO()
    console = Console(file=stream, width=width, no_color=True, force_terminal=False, highlight=False)
    print_report(report, console, verbose=verbose)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def print_report(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Print the whole report; `verbose` adds the tensors of every pair and where the time went."""
    console.print(Group(*_sections(report, verbose=verbose)), soft_wrap=False)


def print_line(report: Report, console: Console) -> None:
    """Print the report as one line."""
    console.print(_verdict(report), soft_wrap=True)


def _verdict(report: Report) -> Text:
    line = Text(str(report.verdict), style=_STYLES[report.verdict])
    return line.append(f"  {report.model}: {report.headline}", style="not bold default")


def _sections(report: Report, *, verbose: bool) -> Iterable[RenderableType]:
    yield _verdict(report)
    yield _indented(Text(report.summary))
    yield _indented(Text(_oracle(report.oracle)))
    if report.pairs:
        yield ""
        yield _indented(_losses(report))
        yield ""
        yield _indented(_pairs(report.pairs))
    for pair in report.pairs:
        if verbose:
            yield from _titled(f"{_title(pair)}, per tensor", _tensors(pair.tensors))
        if pair.verdict is Verdict.DISAGREE and pair.wrong and pair.b == ORACLE:
            yield from _titled(f"{_title(pair)}, worst components", _components(pair))
    yield from _remarks("finding", report.findings)
    yield from _remarks("warning", report.warnings)
    yield from _closing(report, verbose=verbose)


def _oracle(oracle: OracleSummary) -> str:
    return (
        f"oracle: {oracle.evaluations:,} losses, {oracle.engine} {oracle.difference} differences, float64, "
        f"step {oracle.epsilon:.2g}, {oracle.seconds:.1f} s"
    )


def _losses(report: Report) -> Table:
    table = _table("loss", "J(θ)")
    for name, loss in (*report.losses.items(), (ORACLE, report.oracle.loss)):
        table.add_row(name, f"{loss:.12g}")
    return table


def _pairs(pairs: Sequence[Pair]) -> Table:
    unsure = any(pair.undecided for pair in pairs)
    table = _table("pair", "difference", "", "wrong", *(["undecided"] if unsure else []))
    for pair in pairs:
        row = [
            Text(_title(pair)),
            Text(f"{pair.difference:.1e}"),
            Text(pair.band, style=_BANDS[pair.band]),
            Text(f"{pair.wrong}/{pair.of}", style="red" if pair.wrong else ""),
        ]
        if unsure:
            row.append(Text(str(pair.undecided), style="yellow" if pair.undecided else ""))
        table.add_row(*row)
    return table


def _tensors(tensors: Sequence[TensorComparison]) -> Table:
    table = _table("tensor", "difference", "", "wrong", "undecided")
    for tensor in tensors:
        word = band(tensor.difference)
        table.add_row(
            tensor.name,
            f"{tensor.difference:.1e}",
            Text(word, style=_BANDS[word]),
            Text(f"{tensor.wrong}/{tensor.of}", style="red" if tensor.wrong else ""),
            str(tensor.undecided),
        )
    return table


def _components(pair: Pair) -> Group:
    table = _table("component", pair.a, pair.b, "bar")
    for component in pair.worst:
        table.add_row(str(component.location), f"{component.a:.8g}", _slope(component), f"{component.error_bar:.0e}")
    more = pair.wrong - len(pair.worst)
    return Group(table, f"... {more} more") if more > 0 else Group(table)


def _slope(component: Component) -> str:
    """Write the oracle's value, or at a kink the interval of its slopes."""
    if component.upper - component.lower > 2 * component.error_bar:
        return f"[{component.lower:.6g}, {component.upper:.6g}]"
    return f"{component.b:.8g}"


def _remarks(kind: str, remarks: Sequence[Finding]) -> Iterable[RenderableType]:
    for remark in remarks:
        yield ""
        yield _indented(Text(f"{kind} {remark.code}: {remark.text}"))


def _closing(report: Report, *, verbose: bool) -> Iterable[RenderableType]:
    yield ""
    if report.odd_one_out:
        yield _indented(Text(f"odd one out: {', '.join(report.odd_one_out)}", style="bold"))
    if report.ok:
        tightest = report.oracle.resolution
        yield _indented(Text(f"the widest error bar of the oracle is {tightest:.1e}"))
    if verbose:
        yield _indented(Text(_timing(report)))
        yield _indented(Text(", ".join(f"{name} {version}" for name, version in report.environment.items())))
    if report.command:
        yield _indented(Text(f"again: {' '.join(report.command)}"), wrap=False)


def _timing(report: Report) -> str:
    parts = [f"{name} {seconds:.2f} s" for name, seconds in report.seconds.items()]
    oracle = report.oracle
    parts.append(f"oracle {oracle.seconds:.2f} s (compiling {oracle.compile_seconds:.2f} s)")
    return "time: " + ", ".join(parts)


def _title(pair: Pair) -> str:
    return f"{pair.a} – {pair.b}"


def _titled(title: str, content: RenderableType) -> Iterable[RenderableType]:
    yield ""
    yield _indented(Text(title, style="bold"))
    yield _indented(content)


def _table(*headings: str) -> Table:
    """Return a table without lines: names on the left, numbers on the right, folded where there is no room."""
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="dim")
    for number, heading in enumerate(headings):
        table.add_column(heading, justify="right" if number and heading else "left", overflow="fold")
    return table


def _indented(content: RenderableType, *, wrap: bool = True) -> Padding:
    if isinstance(content, Text) and not wrap:
        content.no_wrap, content.overflow = True, "ignore"
    return Padding(content, (0, 0, 0, 2), expand=False)
