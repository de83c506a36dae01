"""Every kind of result as HTML: the same text as on a terminal, of fixed width, that needs no other file.

Text takes the reader's own colours, light or dark; the few coloured words are of middle brightness, readable on both.
"""

import io
from collections.abc import Callable
from html import escape

from rich.console import Console
from rich.terminal_theme import TerminalTheme

from xcheck.checks.accuracy.accuracy import Accuracy
from xcheck.checks.explain.explanation import Explanation
from xcheck.checks.report import Report
from xcheck.checks.result import Result
from xcheck.checks.selftest.score import SelfTest
from xcheck.report.accuracy import show as show_accuracy
from xcheck.report.component import show as show_component
from xcheck.report.curves import draw_chart
from xcheck.report.selftest import show as show_selftest
from xcheck.report.text import show
from xcheck.report.training import show as show_training
from xcheck.training.report import TrainingReport

# Columns. A guess, chosen so that a page on a laptop shows whole lines without scrolling.
_WIDTH = 100
_GREY = (118, 118, 118)
_ANSI = [
    _GREY,  # black
    (204, 51, 51),  # red
    (42, 133, 42),  # green
    (154, 113, 0),  # yellow
    (51, 119, 221),  # blue
    (186, 66, 186),  # magenta
    (0, 131, 143),  # cyan
    _GREY,  # white
]
# What is dim is drawn half way between these two: _GREY.
_THEME = TerminalTheme(background=(236, 236, 236), foreground=(0, 0, 0), normal=_ANSI)

_FRAGMENT = (
    "<pre style=\"font-family: ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; line-height: 1.35; "
    'overflow-x: auto; white-space: pre">{code}</pre>'
)
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body>
{fragment}
</body>
</html>
"""


def page(result: Result) -> str:
    """Return a result as a whole HTML document; a check is shown in full, as with `-v`."""
    # The browser's tab shows the title: verdict and model come first.
    title = escape(f"{result.verdict} {result.model}: {result.headline}")
    content = _render_check(result, verbose=True) if isinstance(result, Report) else fragment(result)
    return _PAGE.format(title=title, fragment=content)


def fragment(result: Result) -> str:
    """Return a result as one HTML element, for a notebook or any other page."""
    if isinstance(result, Report):
        return _render_check(result)
    if isinstance(result, TrainingReport):
        return _render_training(result)
    if isinstance(result, Explanation):
        return _record(lambda console: show_component(result, console))
    if isinstance(result, SelfTest):
        return _record(lambda console: show_selftest(result, console))
    if isinstance(result, Accuracy):
        return _record(lambda console: show_accuracy(result, console))
    raise TypeError(f"{type(result).__name__} is not one of the results of xcheck: it has no page")


def _render_check(report: Report, *, verbose: bool = False) -> str:
    return _record(lambda console: show(report, console, verbose=verbose))


def _render_training(report: TrainingReport) -> str:
    """Return the report on a training, and its curves as SVG in place of those in plain characters."""
    checked = [float(checkpoint.step) for checkpoint in report.checkpoints]
    losses = {
        "training": [(float(look.step), look.training_loss) for look in report.looks],
        "validation": [(float(look.step), look.validation_loss) for look in report.looks],
        "J": [(float(look.step), look.cost) for look in report.looks],
    }
    charts = [draw_chart("loss, dropout off; vertical lines are checks", losses, marks=checked)]
    if report.drift is not None:
        steps = [float(step) for step in report.drift.steps]
        distances = {
            name: list(zip(steps, values, strict=True))
            for name, values in {**report.drift.of, "rounding": report.drift.rounding}.items()
        }
        title = f"distance of each witness's θ from that of {report.driver}, relative to θ"
        charts.append(draw_chart(title, distances, log=True, marks=checked))
    # Curves in plain characters would say the same again, in less detail.
    text = _record(lambda console: show_training(report, console, curves=False))
    drawn = "\n".join(f"<p>{each}</p>" for each in charts if each)
    return f"<div>\n{text}\n{drawn}\n</div>"


def _record(show: Callable[[Console], None]) -> str:
    """Return what `show` prints on a console as one element."""
    # In a notebook rich would display at once what is only to be recorded here.
    console = Console(file=io.StringIO(), width=_WIDTH, record=True, force_jupyter=False, highlight=False)
    show(console)
    return console.export_html(theme=_THEME, code_format=_FRAGMENT, inline_styles=True)
