"""The report for people: rich on a terminal, plain text in a pipe, readable at 40 columns.

Tables fold instead of cutting words off, and nothing is said by colour alone.
"""

import io
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from textwrap import indent

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from xcheck.findings import Finding
from xcheck.layers import LayerState
from xcheck.pair import ORACLE, Component, Pair, TensorComparison, band
from xcheck.proof import TensorProof
from xcheck.report.model import OracleSummary, Report
from xcheck.verdict import Verdict

_STYLES = {
    Verdict.AGREE: "bold green",
    Verdict.UNDECIDED: "bold yellow",
    Verdict.DISAGREE: "bold red",
    Verdict.ERROR: "bold magenta",
}
_NARROW = 60  # columns
_BANDS = {"great": "green", "look": "yellow", "worry": "red"}


def render(report: Report, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text of at most `width` columns."""
    stream = io.StringIO()
    # In a notebook rich would not write into the stream but display.
    console = Console(
        file=stream, width=width, no_color=True, force_terminal=False, force_jupyter=False, highlight=False
    )
    print_report(report, console, verbose=verbose)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def print_report(report: Report, console: Console, *, verbose: bool = False) -> None:
    """Print the whole report; `verbose` adds layers, the tensors of every pair, and where the time went."""
    page = _Page(narrow=console.width < _NARROW)
    for section in _sections(report, page, verbose=verbose):
        # A traceback keeps its lines, however narrow the terminal: files and places in it are there to be found.
        console.print(section, soft_wrap=isinstance(section, Text) and section.no_wrap is True)
    if report.command:
        # One piece, however narrow the terminal: it is there to be copied.
        console.print(f"  again: {shlex.join(report.command)}", soft_wrap=True, markup=False)


def print_line(report: Report, console: Console) -> None:
    """Print the report as one line."""
    console.print(_verdict(report), soft_wrap=True)


def _verdict(report: Report) -> Text:
    # A check that proves nothing about a tensor is not a plain AGREE.
    style = _STYLES[Verdict.UNDECIDED if report.ok and report.idle else report.verdict]
    # The sentence has no style of its own, not even the default colour: HTML would write that down as black.
    return Text.assemble((str(report.verdict), style), f"  {report.model}: {report.headline}")


def _sections(report: Report, page: "_Page", *, verbose: bool) -> Iterable[RenderableType]:
    yield _verdict(report)
    yield _indented(Text(report.summary))
    yield _indented(Text(_oracle(report.oracle)))
    if report.pairs:
        yield ""
        yield _indented(page.losses(report))
        yield ""
        yield _indented(page.pairs(report.pairs))
    if verbose:
        if report.layers:
            yield from _titled("layers at θ", page.layers(report.layers))
        if report.ok and report.verified < report.parameters:
            yield from _titled("verified, per tensor", page.proofs(report.tensors))
    for pair in report.pairs:
        if verbose:
            yield from _titled(f"{_title(pair)}, per tensor", page.tensors(pair.tensors))
        if pair.verdict is Verdict.DISAGREE and pair.wrong and pair.b == ORACLE:
            yield from _titled(f"{_title(pair)}, worst components", page.components(pair))
    yield from _remarks("finding", report.findings, verbose=verbose)
    yield from _remarks("warning", report.warnings, verbose=verbose)
    yield from _closing(report, verbose=verbose)


def _oracle(oracle: OracleSummary) -> str:
    if not oracle.evaluations:
        return "oracle: there was nothing that could be measured"
    parts = [
        f"oracle: {oracle.evaluations:,} losses in {oracle.seconds:.1f} s",
        f"{oracle.engine} {oracle.difference} differences in float64",
        f"step {oracle.epsilon:.2g}",
    ]
    audited = sum(audit.components for audit in oracle.audits)
    if audited:
        parts.append(f"{audited} components audited")
    if oracle.refereed:
        parts.append(f"{oracle.refereed} disputed ones measured in extended precision")
    return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class _Page:
    """Tables, with fewer digits and words where the page is narrow."""

    narrow: bool

    def losses(self, report: Report) -> Table:
        table = self._table("loss", "J(θ)")
        oracle = [(ORACLE, report.oracle.loss)] if report.oracle.evaluations else []
        for name, loss in (*report.losses.items(), *oracle):
            table.add_row(Text(name), f"{loss:.12g}")
        return table

    def pairs(self, pairs: Sequence[Pair]) -> Table:
        unsure = any(pair.undecided for pair in pairs)
        return self._comparisons("pair", [(_title(pair), pair) for pair in pairs], unsure=unsure)

    def tensors(self, tensors: Sequence[TensorComparison]) -> Table:
        return self._comparisons("tensor", [(tensor.name, tensor) for tensor in tensors], unsure=True)

    def _comparisons(self, heading: str, rows: Sequence[tuple[str, Pair | TensorComparison]], *, unsure: bool) -> Table:
        """Name, difference, its band, wrong components, and undecided ones where there are any."""
        words = not (self.narrow and unsure)
        table = self._table(heading, "difference", *([""] if words else []), "wrong", *(["unsure"] if unsure else []))
        for name, row in rows:
            word = band(row.difference)
            cells = [Text(name), Text(f"{row.difference:.1e}")]
            if words:
                cells.append(Text(word, style=_BANDS[word]))
            compared = not isinstance(row, Pair) or row.losses_agree or row.wrong
            cells.append(Text(f"{row.wrong}/{row.of}" if compared else "loss", style="red" if row.wrong else ""))
            if unsure:
                cells.append(Text(str(row.undecided), style="yellow" if row.undecided else ""))
            table.add_row(*cells)
        return table

    def layers(self, layers: Sequence[LayerState]) -> Table:
        """Sizes of activations and gradients, root mean squares, and how many units take no part."""
        table = self._table("layer", "a", "∂L/∂z", "dead", "flat" if self.narrow else "saturated")
        for layer in layers:
            name = str(layer.number) if self.narrow else f"{layer.number} {layer.activation}"
            sizes = [f"{size:.2g}" for size in (layer.activation_rms, layer.gradient_rms)]
            idle = [f"{len(units)}/{layer.units}" for units in (layer.dead, layer.saturated)]
            table.add_row(name, *sizes, *idle)
        return table

    def proofs(self, tensors: Sequence[TensorProof]) -> Table:
        table = self._table("tensor", "verified", "zero")
        for tensor in tensors:
            table.add_row(Text(tensor.name), f"{tensor.verified}/{tensor.of}", str(tensor.zero))
        return table

    def components(self, pair: Pair) -> Group:
        table = self._table("component", pair.a, pair.b, "bar")
        for component in pair.worst:
            mine, theirs = self._number(component.a), self._slope(component)
            table.add_row(Text(str(component.location)), mine, theirs, f"{component.error_bar:.0e}")
        more = pair.wrong - len(pair.worst)
        return Group(table, f"... {more} more") if more > 0 else Group(table)

    def _number(self, value: float) -> str:
        return f"{value:.{5 if self.narrow else 8}g}"

    def _slope(self, component: Component) -> str:
        """Write the oracle's value, or at a kink the interval of its slopes."""
        if component.upper - component.lower > 2 * component.error_bar:
            return f"[{component.lower:.5g}, {component.upper:.5g}]"
        return self._number(component.b)

    def _table(self, *headings: str) -> Table:
        """Return a table without lines: names on the left, numbers on the right, folded where there is no room.

        Names are people's own, as `Text`: rich would take what is in their square brackets for a style.
        """
        table = Table(box=None, padding=(0, 1 if self.narrow else 2, 0, 0), pad_edge=False, header_style="dim")
        for number, heading in enumerate(headings):
            table.add_column(Text(heading), justify="right" if number and heading else "left", overflow="fold")
        return table


def _remarks(kind: str, remarks: Sequence[Finding], *, verbose: bool) -> Iterable[RenderableType]:
    for remark in remarks:
        yield ""
        yield _indented(Text(f"{kind} {remark.code}: {remark.text}"))
        if verbose and remark.trace:
            yield Text(indent(remark.trace, "  "), no_wrap=True)


def _closing(report: Report, *, verbose: bool) -> Iterable[RenderableType]:
    yield ""
    if report.odd_one_out:
        yield _indented(Text(f"odd one out: {', '.join(report.odd_one_out)}", style="bold"))
    if report.ok:
        text = (
            f"every component agrees to {report.tolerance:.0e} of itself plus {report.resolution:.0e} of the largest in"
        )
        yield _indented(Text(f"{text} its tensor"))
    if verbose:
        yield _indented(Text(_choice(report.oracle)))
        yield _indented(Text(_timing(report)))
        yield _indented(Text(", ".join(f"{name} {version}" for name, version in report.environment.items())))


def _choice(oracle: OracleSummary) -> str:
    """Say why this engine, how its audits went, and what was measured more than once."""
    parts = [f"engine: {oracle.engine}"]
    if oracle.predicted:
        predictions = ", ".join(f"{name} {seconds:.2g} s" for name, seconds in oracle.predicted.items())
        parts = [f"engine: {oracle.engine}, the most direct that fits {oracle.budget:g} s (predicted: {predictions})"]
    parts += [
        f"{audit.engine} against {audit.by} on {audit.components} components, {audit.decided} of them decided: "
        f"apart by at most {audit.worst:.1g} of the error bars"
        for audit in oracle.audits
    ]
    if oracle.referred:
        parts.append(f"{oracle.referred} components measured again without subtracting losses")
    return "; ".join(parts)


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


def _indented(content: RenderableType) -> Padding:
    return Padding(content, (0, 0, 0, 2), expand=False)
