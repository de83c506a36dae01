"""An explanation for people, also at 40 columns and in a pipe, and as JSON."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.checks.explain.explanation import Explanation
from xcheck.compare.pair import ORACLE
from xcheck.report.console import NARROW, STYLES, pad, print_sections, render_text, table, titled
from xcheck.report.json import SCHEMA, finite
from xcheck.report.plot import plotted

_LABEL = 10  # columns left of the plot, indentation included


def render(found: Explanation, *, width: int = 80) -> str:
    """Return it as plain text of at most `width` columns."""
    return render_text(lambda console: show(found, console), width)


def show(found: Explanation, console: Console) -> None:
    """Print it."""
    print_sections(console, _sections(found, console.width), found.command)


def as_dict(found: Explanation) -> dict[str, Any]:
    """Return it as plain dicts, lists, strings and numbers."""
    content = {
        "schema": SCHEMA,
        "model": found.model,
        "component": {
            "name": found.component.name,
            "index": list(found.component.index),
            "flat": found.component.flat,
            "theta": found.theta,
        },
        "verdict": str(found.verdict),
        "exit": found.verdict.exit_status,
        "headline": found.headline,
        "loss": found.loss,
        "oracle": {name: getattr(found, name) for name in ("value", "error_bar", "lower", "upper", "allowed")},
        "witnesses": [asdict(one) | {"verdict": str(one.verdict)} for one in found.statements],
        "sweep": [asdict(step) | {"distance": abs(step.central - found.value)} for step in found.steps],
        "kink": asdict(found.kink) | {"text": str(found.kink)},
        "findings": list(found.findings),
        "seed": found.seed,
        "tolerance": found.tolerance,
        "command": list(found.command),
    }
    plain: dict[str, Any] = finite(content)
    return plain


def _sections(found: Explanation, width: int) -> Iterable[RenderableType]:
    narrow = width < NARROW
    where = f"  {found.model}, {found.component}: {found.headline}"
    yield Text.assemble((str(found.verdict), STYLES[found.verdict]), where)
    yield pad(f"θ = {found.theta:.9g} there, component {found.component.flat} of θ; J(θ) = {found.loss:.12g}")
    yield ""
    yield pad(_witnesses(found, narrow=narrow))
    yield ""
    if math.isfinite(found.value):
        yield pad(f"nearest kink along this component: {found.kink}")
    if found.slopes is not None:
        right, left = f"{found.slopes.right:.8g}", f"{found.slopes.left:.8g}"
        yield pad(f"one-sided slopes at h = {found.slopes.h:.0e}: {right} right of θ, {left} left of it")
    if found.steps:
        yield from titled("differences of the real loss", _sweep(found, narrow=narrow))
        yield from _plot(found, width)


def _witnesses(found: Explanation, *, narrow: bool) -> Table:
    digits = 6 if narrow else 10
    oracle = f"{found.value:.{digits}g}"
    if found.at_kink:
        oracle = f"[{found.lower:.5g}, {found.upper:.5g}]"
    rows: list[Sequence[str | Text]] = [(ORACLE, oracle, f"± {found.error_bar:.0e}", "")]
    for one in found.statements:
        word = Text(str(one.verdict), style=STYLES[one.verdict])
        rows.append((one.name, f"{one.value:.{digits}g}", _bars(one.bars), word))
    return table(("witness", "∂J/∂θ", "bars off", ""), rows, narrow=narrow)


def _bars(bars: float) -> str:
    return f"{bars:.1g}" if bars >= 1e3 or not math.isfinite(bars) else f"{bars:.1f}"


def _sweep(found: Explanation, *, narrow: bool) -> Table:
    """The differences, and how far they are off; the one-sided ones where there is room."""
    headings = ("h", "D(h)", "off by") if narrow else ("h", "D(h)", "off by", "right", "left")
    digits = 9 if narrow else 10
    rows = []
    for step in found.steps:
        cells = [f"{step.h:.0e}", f"{step.central:.{digits}g}", f"{abs(step.central - found.value):.1e}"]
        rows.append(cells if narrow else [*cells, f"{step.right:.7g}", f"{step.left:.7g}"])
    return table(headings, rows, narrow=narrow)


def _plot(found: Explanation, width: int) -> Iterable[RenderableType]:
    points = [(step.h, abs(step.central - found.value)) for step in reversed(found.steps)]
    lines = plotted(points, level=found.error_bar, columns=min(60, width - _LABEL))
    if not lines:
        return
    about = "truncation on the right, roundoff on the left"
    yield from titled("|D(h) − oracle| over h", about + (", - the oracle's bar" if found.error_bar else ""))
    for line in lines:
        yield pad(Text(line, no_wrap=True))
