"""The report on training: a row for each checkpoint, curves, bias and variance; and the first check that failed."""

import shlex
from collections.abc import Iterable, Sequence

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.report.plain import NARROW, STYLES, indented, rendered, table
from xcheck.report.terminal import show as show_check
from xcheck.training.curve import Look
from xcheck.training.trained import TrainingReport

_ROWS, _COLUMNS, _FEW_COLUMNS = 8, 60, 24


def render(report: TrainingReport, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text of at most `width` columns."""
    return rendered(lambda console: show(report, console, verbose=verbose), width)


def show(report: TrainingReport, console: Console, *, verbose: bool = False) -> None:
    """Print the report; `verbose` prints every check on the way in full."""
    print_line(report, console, soft_wrap=False)
    for section in _sections(report, narrow=console.width < NARROW):
        console.print(section)
    shown = report.checkpoints if verbose else [report.first_failure] if report.first_failure else []
    for checkpoint in shown:
        console.print(f"\n  the check at step {checkpoint.step}", style="bold")
        show_check(checkpoint.report, console, verbose=verbose)
    if report.command:
        console.print(f"\n  again: {shlex.join(report.command)}", soft_wrap=True, markup=False)


def print_line(report: TrainingReport, console: Console, *, soft_wrap: bool = True) -> None:
    """Print the report as one line."""
    text = Text.assemble((str(report.verdict), STYLES[report.verdict]), f"  {report.model}, {report.headline}")
    console.print(text, soft_wrap=soft_wrap)


def _sections(report: TrainingReport, *, narrow: bool) -> Iterable[RenderableType]:
    yield indented(Text(f"{report.plan}, seed {report.seed}; {report.steps} steps taken in {report.seconds:.1f} s"))
    if report.stopped:
        yield indented(Text(report.stopped))
    yield ""
    yield indented(_checkpoints(report, narrow=narrow))
    yield ""
    yield indented(_sizes(report))
    if len(report.looks) > 2:
        yield ""
        yield indented(Text("\n".join(plot(report.looks, _FEW_COLUMNS if narrow else _COLUMNS))))
    yield ""
    yield indented(Text(_recipe(report)))
    if report.drift is not None:
        yield ""
        yield indented(Text(f"trained by each witness, θ parts from that of {report.driver} by"))
        yield indented(_drift(report))
    for warning in report.warnings:
        yield ""
        yield indented(Text(f"warning {warning.code}: {warning.text}"))


def _checkpoints(report: TrainingReport, *, narrow: bool) -> Table:
    losses = ["train", "valid"] if narrow else ["training", "validation"]
    headings = ["step", *losses, "verdict", "wrong"]
    rounded = any(each.report.precision for each in report.checkpoints)
    found = table(
        headings if narrow else [*headings, "difference", *(["rounding"] if rounded else [])], (), narrow=False
    )
    for each in report.checkpoints:
        pairs = [pair for pair in each.report.pairs if pair.b == "oracle"]
        worst = max(pairs, key=lambda pair: (pair.wrong, pair.difference), default=None)
        cells: list[str | Text] = [
            str(each.step),
            f"{each.look.training_loss:.4g}",
            f"{each.look.validation_loss:.4g}",
            Text(str(each.report.verdict), style=STYLES[each.report.verdict]),
            f"{worst.wrong}/{worst.of}" if worst else "",
        ]
        units = [f"{max(one.units for one in each.report.precision):.2g}"] if rounded else []
        found.add_row(*cells, *([] if narrow else [f"{worst.difference:.1e}" if worst else "", *units]))
    return found


def _sizes(report: TrainingReport) -> Table:
    """Sizes of W and z along the way: what λ holds down."""
    layers = range(1, len(report.checkpoints[0].weights) + 1)
    found = table(["rms at step", *(str(each.step) for each in report.checkpoints)], (), narrow=False)
    for name, of in (("W", "weights"), ("z", "inputs")):
        for layer in layers:
            values = [getattr(each, of)[layer - 1] for each in report.checkpoints]
            found.add_row(f"{name}{layer}", *(f"{value:.3g}" for value in values))
    return found


def _recipe(report: TrainingReport) -> str:
    recipe = report.recipe
    parts = [
        f"training error {recipe.training_error:.1%}, validation error {recipe.validation_error:.1%}",
        f"Bayes error {recipe.bayes_error:.1%}: {recipe.case}",
    ]
    text = ", ".join(parts) + (f"; {recipe.advice}" if recipe.advice else "")
    return text if report.test_error is None else f"{text}; test error {report.test_error:.1%}"


def _drift(report: TrainingReport) -> Table:
    drift = report.drift
    found = table(["step", *(drift.of if drift else ()), "rounding"], (), narrow=False)
    if drift is not None:
        for place, step in enumerate(drift.steps):
            distances = [values[place] for values in drift.of.values()]
            found.add_row(str(step), *(f"{value:.1e}" for value in (*distances, drift.rounding[place])))
    return found


def plot(looks: Sequence[Look], columns: int) -> list[str]:
    """Draw the losses over the steps in plain characters: t training, v validation, * both."""
    steps = max(look.step for look in looks) or 1
    values = [value for look in looks for value in (look.training_loss, look.validation_loss)]
    low, high = min(values), max(values)
    if not high > low:
        high = low + 1.0
    field = [[" "] * columns for _ in range(_ROWS)]
    for look in looks:
        column = round(look.step / steps * (columns - 1))
        for letter, value in (("t", look.training_loss), ("v", look.validation_loss)):
            row = round((high - value) / (high - low) * (_ROWS - 1))
            field[row][column] = letter if field[row][column] in (" ", letter) else "*"
    lines = [
        f"{high:9.3g} |" if row == 0 else f"{low:9.3g} |" if row == _ROWS - 1 else "          |" for row in range(_ROWS)
    ]
    drawn = [start + "".join(cells).rstrip() for start, cells in zip(lines, field, strict=True)]
    end = f"{'':10}0{steps:>{columns}}"
    return ["loss: t training, v validation, dropout off", *drawn, f"{'':10}+{'-' * columns}", end]
