"""The explanation of one component as text, readable at 40 columns and in a pipe, and as JSON."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.checks.explain.explanation import Explanation
from xcheck.compare.pair import ORACLE
from xcheck.report.console import NARROW, STYLES, add_title, build_table, pad, print_sections, render_text
from xcheck.report.json import common_dict, finite_dict
from xcheck.report.plot import plot_points
from xcheck.text import interval

# Counted on the plot: the indentation of two columns, and eight of the label "  1e-12 |".
_LABEL = 10


def render(explanation: Explanation, *, width: int = 80) -> str:
    """Return the explanation as plain text of at most `width` columns."""
    return render_text(lambda console: show(explanation, console), width)


def show(explanation: Explanation, console: Console) -> None:
    """Print the explanation on a console, at its width."""
    print_sections(console, _build_sections(explanation, console.width), explanation.command, explanation.seed)


def as_dict(explanation: Explanation) -> dict[str, Any]:
    """Return the explanation as plain dicts, lists, strings and numbers."""
    content = common_dict(explanation) | {
        "component": {
            "name": explanation.component.name,
            "index": list(explanation.component.index),
            "flat": explanation.component.flat,
            "theta": explanation.theta,
        },
        "headline": explanation.headline,
        "loss": explanation.loss,
        "oracle": {name: getattr(explanation, name) for name in ("value", "error_bar", "lower", "upper", "allowed")},
        "witnesses": [asdict(witness) | {"verdict": str(witness.verdict)} for witness in explanation.statements],
        "sweep": [asdict(step) | {"distance": abs(step.central - explanation.value)} for step in explanation.steps],
        "kink": asdict(explanation.kink) | {"text": str(explanation.kink)},
        "proved": None if explanation.proved is None else asdict(explanation.proved),
        "findings": list(explanation.findings),
        "seed": explanation.seed,
        "tolerance": explanation.tolerance,
        "command": list(explanation.command),
    }
    return finite_dict(content)


def _build_sections(explanation: Explanation, width: int) -> Iterable[RenderableType]:
    narrow = width < NARROW
    # Verdict, model, component: the first line stands alone.
    where = f"  {explanation.model}, {explanation.component}: {explanation.headline}"
    yield Text.assemble((str(explanation.verdict), STYLES[explanation.verdict]), where)
    flat = explanation.component.flat
    yield pad(f"component {flat} of θ, whose value is {explanation.theta:.9g}; J(θ) = {explanation.loss:.12g}")
    yield ""
    yield pad(_tabulate_witnesses(explanation, narrow=narrow))
    yield ""
    if explanation.proved is not None:
        yield pad(f"proved in ball arithmetic: {explanation.proved}")
    if math.isfinite(explanation.value):
        # Without a kink within reach, the sentence is "kinks along this component: no kink in sight, ...".
        subject = "kinks" if math.isnan(explanation.kink.distance) else "nearest kink"
        yield pad(f"{subject} along this component: {explanation.kink}")
    if explanation.slopes is not None:
        right, left = f"{explanation.slopes.right:.8g}", f"{explanation.slopes.left:.8g}"
        yield pad(f"one-sided slopes at h = {explanation.slopes.h:.0e}: {right} right of θ, {left} left of it")
    if explanation.steps:
        yield from add_title("differences D(h) of the loss", _tabulate_differences(explanation, narrow=narrow))
        yield from _plot_errors(explanation, width)


def _tabulate_witnesses(explanation: Explanation, *, narrow: bool) -> Table:
    # Ten digits show where a witness in float64 begins to differ; 40 columns have room for six.
    digits = 6 if narrow else 10
    oracle = f"{explanation.value:.{digits}g}"
    if explanation.at_kink:  # any slope between the two sides is right
        oracle = interval(explanation.lower, explanation.upper, explanation.error_bar)
    rows: list[Sequence[str | Text]] = [(ORACLE, oracle, f"± {explanation.error_bar:.0e}", "")]
    for witness in explanation.statements:
        word = Text(str(witness.verdict), style=STYLES[witness.verdict])
        rows.append((witness.name, f"{witness.value:.{digits}g}", _format_bars(witness.bars), word))
    return build_table(("witness", "∂J/∂θ", "bars off", ""), rows, narrow=narrow)


def _format_bars(bars: float) -> str:
    """Write how many error bars a witness is off."""
    # Of thousands of bars, and of nan, digits say nothing.
    return f"{bars:.1g}" if bars >= 1e3 or not math.isfinite(bars) else f"{bars:.1f}"


def _tabulate_differences(explanation: Explanation, *, narrow: bool) -> Table:
    """Return the table of differences and their errors, with the one-sided ones where there is room."""
    headings = ("h", "D(h)", "off by") if narrow else ("h", "D(h)", "off by", "right", "left")
    digits = 9 if narrow else 10
    rows = []
    for step in explanation.steps:
        cells = [f"{step.h:.0e}", f"{step.central:.{digits}g}", f"{abs(step.central - explanation.value):.1e}"]
        rows.append(cells if narrow else [*cells, f"{step.right:.7g}", f"{step.left:.7g}"])
    return build_table(headings, rows, narrow=narrow)


def _plot_errors(explanation: Explanation, width: int) -> Iterable[RenderableType]:
    # The axis of the plot wants h ascending; the table above goes from long to short.
    points = [(step.h, abs(step.central - explanation.value)) for step in reversed(explanation.steps)]
    lines = plot_points(points, level=explanation.error_bar, columns=min(60, width - _LABEL))
    if not lines:  # all differences are exact, or none is finite
        return
    legend = "right: truncation error, left: roundoff"
    bar = ", ---: the oracle's error bar" if explanation.error_bar else ""
    yield from add_title("|D(h) − oracle| over h", legend + bar)
    for line in lines:
        yield pad(Text(line, no_wrap=True))
