"""The report on training: a row for each checkpoint, curves, bias and variance; and the first check that failed."""

import math
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.findings import LOSS_ROSE, NOT_FINITE
from xcheck.report.console import NARROW, STYLES, again, pad, print_commands, render_text, table
from xcheck.report.json import finite
from xcheck.report.text import point_options, worst_component
from xcheck.report.text import show as show_check
from xcheck.training.curves import LossPoint
from xcheck.training.drift import Drift, Reason
from xcheck.training.report import Checkpoint, TrainingReport

_LARGEST = 1e300
_SPARSE = 0.1  # of the weights of a layer, from where on that is told
_ROWS, _COLUMNS, _FEW_COLUMNS = 8, 60, 24
_ALONE = (
    "one witness alone was trained: gradients of its mini-batches were held against nobody else's, and the checks are "
    "about the examples of [data]"
)
_DROPOUT = (
    "dropout is on: every step has a J of its own, and none need fall; --dropout off trains without it, and tells "
    "where J rises"
)


def render(report: TrainingReport, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text of at most `width` columns."""
    return render_text(lambda console: show(report, console, verbose=verbose), width)


def show(report: TrainingReport, console: Console, *, verbose: bool = False, curves: bool = True) -> None:
    """Print the report; `verbose` prints every check on the way in full, `curves` the losses in plain characters."""
    print_line(report, console, soft_wrap=False)
    for section in _sections(report, narrow=console.width < NARROW, curves=curves):
        console.print(pad(section) if section else "")
    shown = report.checkpoints if verbose else [report.first_failure] if report.first_failure else []
    for checkpoint in shown:
        console.print(f"\n  the check at step {checkpoint.where}", style="bold")
        show_check(checkpoint.report, console, verbose=verbose)
    print_commands(console, _commands(report))


def as_dict(report: TrainingReport) -> dict[str, Any]:
    """Return the report as plain dicts, lists, strings and numbers."""
    content: dict[str, Any] = {
        "schema": 1,
        "model": report.model,
        "verdict": str(report.verdict),
        "exit": report.exit_status,
        "headline": report.headline,
        "driver": report.driver,
        "plan": report.plan,
        "checkpoints": [_checkpoint(each) for each in report.checkpoints],
        "looks": [asdict(look) for look in report.looks],
        "bias_variance": {**asdict(report.recipe), "case": report.recipe.case, "advice": report.recipe.advice},
        "test_error": report.test_error,
        "drift": None if report.drift is None else _trajectories(report.drift),
        "dropout": report.dropout,
        "full_batch": report.full_batch,
        "findings": [asdict(finding) for finding in report.findings],
        "warnings": [asdict(warning) for warning in report.warnings],
        "steps": report.steps,
        "missed": list(report.missed),
        "stopped": report.stopped,
        "interrupted": report.interrupted,
        "seed": report.seed,
        "seconds": report.seconds,
        "command": list(report.command),
    }
    plain: dict[str, Any] = finite(content)
    return plain


def _commands(report: TrainingReport) -> Iterable[str]:
    """Return what to type to look at the first failure from close up, where θ was then, and to see it all again."""
    if not report.command:
        return
    failure = report.first_failure
    where = worst_component(failure.report) if failure else None
    # What is wrong on a batch of its own may be right on the examples that `explain` looks at.
    if failure and where and not (failure.batch and (report.dropout or not report.full_batch)):
        options = point_options(report.command)
        close = ["python", "-m", "xcheck", "explain", report.model, where]
        started = [word for word in options if word.startswith("--weights")]
        name = "theta-again" if started else "theta"
        if failure.step and not failure.saved:
            yield f"next: {shlex.join([*report.command, '--save-weights', f'{name}.npz'])}"
        if failure.step:
            options = [*_without_weights(options), "--weights", failure.saved or f"{name}-{failure.step}.npz"]
        yield f"next: {shlex.join([*close, *options])}"
    yield again(report.command, report.seed)


def _without_weights(options: Sequence[str]) -> list[str]:
    kept: list[str] = []
    for word, before in zip(options, ["", *options[:-1]], strict=True):
        if not word.startswith("--weights") and before != "--weights":
            kept.append(word)
    return kept


def print_line(report: TrainingReport, console: Console, *, soft_wrap: bool = True) -> None:
    """Print the report as one line."""
    text = Text.assemble((str(report.verdict), STYLES[report.verdict]), f"  {report.model}, {report.headline}")
    console.print(text, soft_wrap=soft_wrap)


def _sections(report: TrainingReport, *, narrow: bool, curves: bool) -> Iterable[RenderableType]:
    yield Text(f"{report.plan}, seed {report.seed}; {report.steps} steps taken in {report.seconds:.1f} s")
    if report.stopped:
        yield Text(report.stopped)
    yield ""
    yield _checkpoints(report, narrow=narrow)
    yield ""
    yield _sizes(report, narrow=narrow)
    if curves and len(report.looks) > 2:
        yield ""
        yield Text("\n".join(plot(report.looks, _FEW_COLUMNS if narrow else _COLUMNS)))
    for paragraph in _paragraphs(report):
        yield ""
        yield Text(paragraph)
    if report.drift is not None:
        yield ""
        yield Text(f"trained by each witness, θ parts from that of {report.driver} by")
        yield _drift(report)
        kinks = (parting for parting in report.drift.partings if parting.reason is Reason.KINK)
        yield from (Text(f"{each.witness} leaves it at step {each.step}: {each.reason}") for each in kinks)
    if report.precision:
        dtype = report.checkpoints[0].report.dtype
        yield ""
        yield Text(f"{dtype}: the largest error at any checkpoint, in units of what rounding may do")
        yield _precision(report)
    for remark in _remarks(report):
        yield ""
        yield Text(remark)


def _paragraphs(report: TrainingReport) -> Iterable[str]:
    if report.dropout:
        yield _DROPOUT
    yield _recipe(report)
    if report.driver_alone:
        yield _ALONE


def _remarks(report: TrainingReport) -> Iterable[str]:
    """Return what failed, what was noticed about the training, and what the checks warn of."""
    yield from (f"finding {finding.code}: {finding.text}" for finding in report.findings)
    yield from (f"warning {warning.code}: {warning.text}" for warning in report.warnings)
    failure = report.first_failure
    for checks, warning in report.remarks:
        if checks == (failure,):
            continue  # it is shown with that check
        everywhere = len(checks) == len(report.checkpoints) > 1
        where = "at every checkpoint" if everywhere else f"at step {', '.join(check.where for check in checks)}"
        yield f"warning {warning.code} {where}: {warning.text}"


def _checkpoints(report: TrainingReport, *, narrow: bool) -> Table:
    losses = ["train", "valid"] if narrow else ["training", "validation"]
    headings = ["step", *([] if narrow else ["J"]), *losses, "verdict", "wrong"]
    rounded = any(each.report.precision for each in report.checkpoints)
    found = table(
        headings if narrow else [*headings, "difference", *(["rounding"] if rounded else [])], (), narrow=False
    )
    for each in report.checkpoints:
        pairs = [pair for pair in each.report.pairs if pair.b == "oracle"]
        worst = max(pairs, key=lambda pair: (pair.wrong, pair.difference), default=None)
        cells: list[str | Text] = [
            each.where,
            *([] if narrow else [f"{each.look.cost:.4g}"]),
            f"{each.look.training_loss:.4g}",
            f"{each.look.validation_loss:.4g}",
            Text(str(each.report.verdict), style=STYLES[each.report.verdict]),
            f"{worst.wrong}/{worst.of}" if worst else "",
        ]
        units = [f"{max(one.units for one in each.report.precision):.2g}"] if rounded else []
        found.add_row(*cells, *([] if narrow else [f"{worst.difference:.1e}" if worst else "", *units]))
    return found


def _sizes(report: TrainingReport, *, narrow: bool) -> Table:
    """Sizes of W and z along the way, and what they would be at its end without the penalty."""
    usual = [each for each in report.checkpoints if not each.batch] or report.checkpoints
    shown = _some(usual, 2 if narrow else 6)
    sizes = [each.sizes for each in shown]
    headings = [str(each.step) for each in shown]
    free = shown[-1].unpenalised
    if free is not None:
        sizes.append(free)
        headings.append("λ=0" if narrow else f"{headings[-1]} with λ = 0")
    found = table(["rms" if narrow else "rms at step", *headings], (), narrow=narrow)
    shown_small = any(share >= _SPARSE for share in shown[-1].sizes.small)
    for name, of in (("W", "weights"), ("z", "inputs"), *([("small W", "small")] if shown_small else [])):
        for layer, values in enumerate(zip(*(getattr(size, of) for size in sizes), strict=True), start=1):
            found.add_row(f"{name}{layer}", *(f"{value:.3g}" for value in values))
    return found


def _some(checkpoints: Sequence[Checkpoint], most: int) -> Sequence[Checkpoint]:
    """Return so many of the checkpoints at most, the first and the last among them."""
    if len(checkpoints) <= most:
        return checkpoints
    last = len(checkpoints) - 1
    return [checkpoints[round(place * last / (most - 1))] for place in range(most)]


def _recipe(report: TrainingReport) -> str:
    """Bias and variance of the last θ; what to try is another matter where J did not even fall."""
    recipe = report.recipe
    known = ["", ""] if recipe.standard_errors is None else [f" ± {each:.1%}" for each in recipe.standard_errors]
    parts = [
        f"training error {recipe.training_error:.1%}{known[0]}",
        f"validation error {recipe.validation_error:.1%}{known[1]}",
        f"Bayes error {recipe.bayes_error:.1%}: {recipe.case}",
    ]
    first = [code for code in (NOT_FINITE, LOSS_ROSE) if code in {warning.code for warning in report.warnings}]
    advice = f"mend {first[0]} first" if first and recipe.advice else recipe.advice
    text = f"at step {report.steps}: " + ", ".join(parts) + (f"; {advice}" if advice else "")
    if recipe.counted is None:
        text += " (errors are shares of the variance of the targets that is not explained)"
    return text if report.test_error is None else f"{text}; test error {report.test_error:.1%}"


def _drift(report: TrainingReport) -> Table:
    drift = report.drift
    found = table(["step", *(drift.of if drift else ()), "rounding"], (), narrow=False)
    if drift is not None:
        checked = {checkpoint.step for checkpoint in report.checkpoints}
        for place, step in enumerate(drift.steps):
            if step in checked or step == drift.steps[-1]:
                distances = [values[place] for values in drift.of.values()]
                found.add_row(str(step), *(f"{value:.1e}" for value in (*distances, drift.rounding[place])))
    return found


def _precision(report: TrainingReport) -> Table:
    worst = report.precision
    witnesses, tensors = (list(dict.fromkeys(keys)) for keys in zip(*worst, strict=True))
    found = table(["tensor", *witnesses], (), narrow=False)
    for tensor in tensors:
        rows = [worst[witness, tensor] for witness in witnesses]
        found.add_row(tensor, *(f"{row.units:.2g} {'within' if row.within_rounding else 'more'}" for row in rows))
    return found


def plot(looks: Sequence[LossPoint], columns: int) -> list[str]:
    """Draw the losses over the steps in plain characters: t training, v validation, * both."""
    steps = max(look.step for look in looks) or 1
    values = [value for look in looks for value in (look.training_loss, look.validation_loss) if math.isfinite(value)]
    if not values:
        return ["loss: not finite"]
    low, high = max(min(values), -_LARGEST), min(max(values), _LARGEST)
    if not high > low:
        high = low + 1.0
    field = [[" "] * columns for _ in range(_ROWS)]
    for look in looks:
        column = round(look.step / steps * (columns - 1))
        for letter, value in (("t", look.training_loss), ("v", look.validation_loss)):
            if not low <= value <= high:
                continue
            row = round((high - value) / (high - low) * (_ROWS - 1))
            field[row][column] = letter if field[row][column] in (" ", letter) else "*"
    lines = [
        f"{high:9.3g} |" if row == 0 else f"{low:9.3g} |" if row == _ROWS - 1 else "          |" for row in range(_ROWS)
    ]
    drawn = [start + "".join(cells).rstrip() for start, cells in zip(lines, field, strict=True)]
    end = f"{'':10}0{steps:>{columns}}"
    return ["loss: t training, v validation, dropout off", *drawn, f"{'':10}+{'-' * columns}", end]


def _checkpoint(checkpoint: Checkpoint) -> dict[str, Any]:
    return {
        "step": checkpoint.step,
        "batch": checkpoint.batch,
        "look": asdict(checkpoint.look),
        "sizes": asdict(checkpoint.sizes),
        "unpenalised": None if checkpoint.unpenalised is None else asdict(checkpoint.unpenalised),
        "saved": checkpoint.saved,
        "report": checkpoint.report.to_dict(),
    }


def _trajectories(drift: Drift) -> Mapping[str, Any]:
    others = {name: list(values) for name, values in drift.of.items()}
    partings = [{**asdict(parting), "reason": parting.reason.name.lower()} for parting in drift.partings]
    return {"steps": list(drift.steps), "of": others, "rounding": list(drift.rounding), "partings": partings}
