"""Tables of the report on a check: fewer digits and words where the page is narrow, folded and never cut off."""

from collections.abc import Sequence
from dataclasses import dataclass

from rich.console import Group
from rich.table import Table
from rich.text import Text

from xcheck.caveats.layers import LayerState
from xcheck.checks.report import Report
from xcheck.compare.coverage import TensorCoverage
from xcheck.compare.pair import ORACLE, Component, Pair, TensorComparison, band
from xcheck.compare.precision import TensorPrecision
from xcheck.report.console import build_table
from xcheck.text import interval
from xcheck.verdict import Verdict

# The colours of a traffic light; the words of the bands stand beside them, so that nothing is said by colour alone.
_BANDS = {"great": "green", "look": "yellow", "worry": "red", "ok": "green"}


def title_of(pair: Pair) -> str:
    """Return the names of both sides of a comparison, as the title of its table."""
    return f"{pair.a} – {pair.b}"


def format_slope(component: Component, digits: int) -> str:
    """Write the oracle's value of a component; at a kink, the interval between the slopes on both sides."""
    # More than the error bars of both sides: two slopes, not one that is known badly.
    if component.upper - component.lower > 2 * component.error_bar:
        return interval(component.lower, component.upper, component.error_bar)
    return f"{component.b:.{digits}g}"


def _word_for(row: Pair | TensorComparison) -> str:
    """Return the band of a difference, great, look or worry; "ok" where all is right although the difference is larger.

    So it is at kinks, where every slope between two is right, and in narrow dtypes.
    """
    word = band(row.difference)
    right = not (row.wrong or row.undecided) and (not isinstance(row, Pair) or row.verdict is Verdict.AGREE)
    return "ok" if right and word != "great" else word


@dataclass(frozen=True, slots=True)
class Tables:
    """Builds the tables of one page.

    Attributes:
        narrow: whether the page has fewer than 60 columns.
    """

    narrow: bool

    def losses(self, report: Report) -> Table:
        """Return the loss of each witness, and the oracle's."""
        table = self._start_table("loss", "J(θ)")
        # Without differences the oracle has no loss of its own.
        oracle = [(ORACLE, report.oracle.loss)] if report.oracle.evaluations else []
        for name, loss in (*report.losses.items(), *oracle):
            table.add_row(Text(name), f"{loss:.12g}")
        return table

    def pairs(self, pairs: Sequence[Pair]) -> Table:
        """Return difference, band and wrong components of every pair."""
        unsure = any(pair.undecided for pair in pairs)
        return self._compare_rows("pair", [(title_of(pair), pair) for pair in pairs], unsure=unsure)

    def tensors(self, tensors: Sequence[TensorComparison]) -> Table:
        """Return difference, band, wrong and undecided components of each tensor of one pair."""
        return self._compare_rows("tensor", [(tensor.name, tensor) for tensor in tensors], unsure=True)

    def _compare_rows(
        self, heading: str, rows: Sequence[tuple[str, Pair | TensorComparison]], *, unsure: bool
    ) -> Table:
        """Return a row for each name: difference, its band, wrong components, and undecided ones if there are any."""
        words = not (self.narrow and unsure)  # 40 columns have no room for both
        undecided = "unsure" if self.narrow else "undecided"
        table = self._start_table(
            heading, "difference", *([""] if words else []), "wrong", *([undecided] if unsure else [])
        )
        for name, row in rows:
            word = _word_for(row)
            cells = [Text(name), Text(f"{row.difference:.1e}")]
            if words:
                cells.append(Text(word, style=_BANDS[word]))
            # Gradients of different losses are not compared, so none of their components counts as right.
            compared = not isinstance(row, Pair) or row.losses_agree or row.wrong
            cells.append(Text(f"{row.wrong}/{row.of}" if compared else "loss", style="red" if row.wrong else ""))
            if unsure:
                cells.append(Text(str(row.undecided), style="yellow" if row.undecided else ""))
            table.add_row(*cells)
        return table

    def layers(self, layers: Sequence[LayerState]) -> Table:
        """Return sizes of activations and gradients, n var W with the notes' advice, and idle units of each layer."""
        table = self._start_table("layer", "a", "∂L/∂z", "n var W", "dead", "flat" if self.narrow else "saturated")
        for layer in layers:
            name = str(layer.number) if self.narrow else f"{layer.number} {layer.activation}"
            sizes = [f"{size:.2g}" for size in (layer.activation_rms, layer.gradient_rms)]
            sizes.append(f"{layer.gain:.2g}" if self.narrow else f"{layer.gain:.2g} ({layer.advised_gain})")
            idle = [f"{len(units)}/{layer.units}" for units in (layer.dead, layer.saturated)]
            table.add_row(name, *sizes, *idle)
        return table

    def precision(self, rows: Sequence[TensorPrecision]) -> Table:
        """Return the error of each tensor of each witness, and whether rounding explains it."""
        table = self._start_table("witness", "tensor", "error", "units", "")
        for row in rows:
            verdict = "within" if row.within_rounding else "more"
            table.add_row(Text(row.witness), Text(row.tensor), f"{row.error:.1e}", f"{row.units:.2g}", verdict)
        return table

    def coverage(self, tensors: Sequence[TensorCoverage]) -> Table:
        """Return how many components of each tensor the check covers, and how many are zero."""
        table = self._start_table("tensor", "verified", "zero")
        for tensor in tensors:
            table.add_row(Text(tensor.name), f"{tensor.verified}/{tensor.of}", str(tensor.zero))
        return table

    def components(self, pair: Pair) -> Group:
        """Return the worst components of a pair, and how many more are wrong."""
        table = self._start_table("component", pair.a, pair.b, "bar")
        # Eight digits show a relative error of 1e-7, the default tolerance.
        digits = 5 if self.narrow else 8
        for component in pair.worst:
            witness, oracle = f"{component.a:.{digits}g}", format_slope(component, digits)
            table.add_row(Text(str(component.location)), witness, oracle, f"{component.error_bar:.0e}")
        # The list is cut, and says so.
        more = pair.wrong - len(pair.worst)
        return Group(table, f"... {more} more") if more > 0 else Group(table)

    def _start_table(self, *headings: str) -> Table:
        """Return a table without lines: names on the left, numbers on the right, folded where there is no room.

        Names are people's own, as `Text`: rich would take what is in their square brackets for a style.
        """
        return build_table(headings, (), narrow=self.narrow)
