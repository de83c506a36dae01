"""The report on a training as text and as JSON: its checkpoints, curves, bias and variance, and the first failure."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

from xcheck.findings import LOSS_ROSE, NOT_FINITE
from xcheck.pages import page
from xcheck.report.console import NARROW, STYLES, build_table, pad, print_commands, render_text, repeat_command
from xcheck.report.json import common_dict, finite_dict
from xcheck.report.plot import plot_losses
from xcheck.report.text import find_worst_component, select_point_options
from xcheck.report.text import show as show_check
from xcheck.training.drift import Drift, Reason
from xcheck.training.report import Checkpoint, TrainingReport

# A guess, chosen so that shares of small weights are shown where L1 has made some, and not for a few that are there
# without it: test_what_l1_does_is_shown holds it from both sides.
_SPARSE = 0.1
# Columns of the curve on a page of 80 and of 40: what its labels, 11 wide, and the indentation leave, rounded down.
_COLUMNS, _FEW_COLUMNS = 60, 24
# Checkpoints whose sizes are shown on a page of 80 and of 40: as many columns of seven as fit beside the names.
_MOST_SIZES, _FEW_SIZES = 6, 2
_ALONE = (
    "only one witness was trained, so the gradients of its mini-batches were compared with nothing: the checks use the "
    "examples of [data]"
)
_DROPOUT = (
    "dropout is on: every step draws new masks, so J need not fall from step to step; --dropout off trains without "
    "it, and reports where J rises"
)


def render(report: TrainingReport, *, width: int = 80, verbose: bool = False) -> str:
    """Return the report as plain text of at most `width` columns."""
    return render_text(lambda console: show(report, console, verbose=verbose), width)


def show(report: TrainingReport, console: Console, *, verbose: bool = False, curves: bool = True) -> None:
    """Print the report; `verbose` prints every check on the way in full, `curves` the losses in plain characters."""
    print_line(report, console, soft_wrap=False)
    for section in _build_sections(report, narrow=console.width < NARROW, curves=curves):
        console.print(pad(section) if section else "")
    # A failure is shown in full, so that nobody has to run hours of training again to see it.
    shown = report.checkpoints if verbose else [report.first_failure] if report.first_failure else []
    for checkpoint in shown:
        console.print(f"\n  the check at step {checkpoint.where}", style="bold")
        show_check(checkpoint.report, console, verbose=verbose)
    print_commands(console, _list_commands(report))


def as_dict(report: TrainingReport) -> dict[str, Any]:
    """Return the report as plain dicts, lists, strings and numbers."""
    content = common_dict(report) | {
        "exit": report.exit_status,  # of an interrupted training, whatever its verdict is so far
        "headline": report.headline,
        "driver": report.driver,
        "plan": report.plan,
        "checkpoints": [_checkpoint_as_dict(each) for each in report.checkpoints],
        "looks": [asdict(look) for look in report.looks],
        "bias_variance": {
            **asdict(report.recipe),
            "case": report.recipe.case,
            "advice": report.recipe.advice,
        },
        "test_error": report.test_error,
        "drift": None if report.drift is None else _drift_as_dict(report.drift),
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
    return finite_dict(content)


def _list_commands(report: TrainingReport) -> Iterable[str]:
    """Yield the commands that explain the first failure at the θ of its step, and that repeat the training."""
    if not report.command:
        return
    failure = report.first_failure
    where = find_worst_component(failure.report) if failure else None
    # A gradient that is wrong on a batch may be right on the examples of [data], which `explain` looks at.
    if failure and where and not (failure.batch and (report.dropout or not report.full_batch)):
        options = select_point_options(report.command)
        close = ["python", "-m", "xcheck", "explain", report.model, where]
        # A training that starts from theta.npz must not write over it.
        started = [word for word in options if word.startswith("--weights")]
        name = "theta-again" if started else "theta"
        if failure.step and not failure.saved:
            yield f"next: {shlex.join([*report.command, '--save-weights', f'{name}.npz'])}"
        if failure.step:  # θ₀ needs no file
            options = [*_drop_weights(options), "--weights", failure.saved or f"{name}-{failure.step}.npz"]
        yield f"next: {shlex.join([*close, *options])}"
    yield repeat_command(report.command, report.seed)


def _drop_weights(options: Sequence[str]) -> list[str]:
    """Return the options without `--weights` and its value, whether they are two words or one."""
    kept: list[str] = []
    for word, before in zip(options, ["", *options[:-1]], strict=True):
        if not word.startswith("--weights") and before != "--weights":
            kept.append(word)
    return kept


def print_line(report: TrainingReport, console: Console, *, soft_wrap: bool = True) -> None:
    """Print verdict, model and headline as one line, however narrow the terminal."""
    text = Text.assemble((str(report.verdict), STYLES[report.verdict]), f"  {report.model}, {report.headline}")
    console.print(text, soft_wrap=soft_wrap)


def _build_sections(report: TrainingReport, *, narrow: bool, curves: bool) -> Iterable[RenderableType]:
    yield Text(f"{report.plan}, seed {report.seed}; {report.steps} steps taken in {report.seconds:.1f} s")
    if report.stopped:
        yield Text(report.ending)
    yield ""
    yield _tabulate_checkpoints(report, narrow=narrow)
    yield ""
    yield _tabulate_sizes(report, narrow=narrow)
    # Two points are a straight line, which the table above says already.
    if curves and len(report.looks) > 2:
        yield ""
        yield Text("\n".join(plot_losses(report.looks, _FEW_COLUMNS if narrow else _COLUMNS)))
    for paragraph in _write_paragraphs(report):
        yield ""
        yield Text(paragraph)
    yield from _show_trajectories(report)
    for line in _list_findings(report):
        yield ""
        yield Text(line)


def _show_trajectories(report: TrainingReport) -> Iterable[RenderableType]:
    """Yield how far the trajectories are apart, and the errors of a narrow dtype, beside what rounding explains."""
    if report.drift is not None:
        yield ""
        yield Text(f"distance of each witness's θ from that of {report.driver}, relative to θ")
        yield _tabulate_drift(report.drift, [checkpoint.step for checkpoint in report.checkpoints])
        # At a kink, two right witnesses may choose different slopes: that they part is then no mistake.
        for parting in report.drift.partings:
            if parting.reason is Reason.KINK:
                leaves = f"{parting.witness} leaves the trajectory of {report.driver} at step {parting.step}"
                yield Text(f"{leaves}: {parting.reason}")
    if report.precision:
        yield ""
        # All checkpoints have the same.
        dtype = report.checkpoints[0].report.dtype
        yield Text(f"{dtype}: the largest error at any checkpoint, in units of what rounding may cause")
        yield _tabulate_precision(report)


def _write_paragraphs(report: TrainingReport) -> Iterable[str]:
    """Yield what is to be known about how it was trained, and what it says about bias and variance."""
    if report.dropout:
        yield _DROPOUT
    yield _describe_bias_variance(report)
    if report.driver_alone:
        yield _ALONE


def _list_findings(report: TrainingReport) -> Iterable[str]:
    """Yield findings and warnings of the training, and the warnings of its checks."""
    yield from (f"finding {finding.code}, {page(finding.code).title}: {finding.text}" for finding in report.findings)
    yield from (f"warning {warning.code}: {warning.text}" for warning in report.warnings)
    failure = report.first_failure
    for checkpoints, warning in report.remarks:
        if checkpoints == (failure,):
            continue  # it is shown with that check
        everywhere = len(checkpoints) == len(report.checkpoints) > 1
        where = "at every checkpoint" if everywhere else f"at step {', '.join(each.where for each in checkpoints)}"
        yield f"warning {warning.code} {where}: {warning.text}"


def _tabulate_checkpoints(report: TrainingReport, *, narrow: bool) -> Table:
    """Return the table of checkpoints: losses, verdict, and how far the worst witness is from the oracle."""
    losses = ["train", "valid"] if narrow else ["training", "validation"]
    headings = ["step", *([] if narrow else ["J"]), *losses, "verdict", "wrong"]
    # Only narrow dtypes have rounding that is worth a column.
    rounded = any(each.report.precision for each in report.checkpoints)
    table = build_table(
        headings if narrow else [*headings, "difference", *(["rounding"] if rounded else [])], (), narrow=False
    )
    for each in report.checkpoints:
        pairs = [pair for pair in each.report.pairs if pair.b == "oracle"]
        # Wrong components decide, then the difference.
        worst = max(pairs, key=lambda pair: (pair.wrong, pair.difference), default=None)
        cells: list[str | Text] = [
            each.where,
            *([] if narrow else [f"{each.look.cost:.4g}"]),
            f"{each.look.training_loss:.4g}",
            f"{each.look.validation_loss:.4g}",
            Text(str(each.report.verdict), style=STYLES[each.report.verdict]),
            f"{worst.wrong}/{worst.of}" if worst else "",
        ]
        units = [f"{max(row.units for row in each.report.precision):.2g}"] if rounded else []
        table.add_row(*cells, *([] if narrow else [f"{worst.difference:.1e}" if worst else "", *units]))
    return table


def _tabulate_sizes(report: TrainingReport, *, narrow: bool) -> Table:
    """Return the table of root mean squares of W and z along the way, and at its end without the penalty."""
    # Batches are checked where trajectories part. Their z are of other examples, and cannot be compared.
    on_data = [each for each in report.checkpoints if not each.batch] or report.checkpoints
    shown = _pick_evenly(on_data, _FEW_SIZES if narrow else _MOST_SIZES)
    sizes = [each.sizes for each in shown]
    headings = [str(each.step) for each in shown]
    unpenalised = shown[-1].unpenalised
    if unpenalised is not None:
        sizes.append(unpenalised)
        headings.append("λ=0" if narrow else f"{headings[-1]} with λ = 0")
    table = build_table(["rms" if narrow else "rms at step", *headings], (), narrow=narrow)
    # Without l1 hardly a weight is small, and the rows would be noise.
    shown_small = any(share >= _SPARSE for share in shown[-1].sizes.small)
    for name, of in (("W", "weights"), ("z", "inputs"), *([("small W", "small")] if shown_small else [])):
        for layer, values in enumerate(zip(*(getattr(size, of) for size in sizes), strict=True), start=1):
            table.add_row(f"{name}{layer}", *(f"{value:.3g}" for value in values))
    return table


def _pick_evenly(checkpoints: Sequence[Checkpoint], most: int) -> Sequence[Checkpoint]:
    """Return at most so many of the checkpoints at even distances, the first and the last among them."""
    if len(checkpoints) <= most:
        return checkpoints
    last = len(checkpoints) - 1
    return [checkpoints[round(place * last / (most - 1))] for place in range(most)]


def _describe_bias_variance(report: TrainingReport) -> str:
    """Return bias and variance of the last θ, and what to try next; if J did not fall, that has to be mended first."""
    errors = report.recipe
    plus_minus = ["", ""] if errors.standard_errors is None else [f" ± {each:.1%}" for each in errors.standard_errors]
    parts = [
        f"training error {errors.training_error:.1%}{plus_minus[0]}",
        f"validation error {errors.validation_error:.1%}{plus_minus[1]}",
        f"Bayes error {errors.bayes_error:.1%}: {errors.case}",
    ]
    # Bias and variance say nothing about a training that did not descend.
    first = [code for code in (NOT_FINITE, LOSS_ROSE) if code in {warning.code for warning in report.warnings}]
    advice = f"mend {first[0]} first" if first and errors.advice else errors.advice
    text = f"at step {report.steps}: " + ", ".join(parts) + (f"; {advice}" if advice else "")
    if errors.counted is None:
        text += " (an error is the share of the variance of the targets that is not explained)"
    return text if report.test_error is None else f"{text}; test error {report.test_error:.1%}"


def _tabulate_drift(drift: Drift, checked: Sequence[int]) -> Table:
    """Return the table of the distances between trajectories, at the checkpoints and at the end."""
    table = build_table(["step", *drift.of, "rounding"], (), narrow=False)
    for place, step in enumerate(drift.steps):
        # Measured at every point of the curve; a row for each would be two hundred.
        if step in checked or step == drift.steps[-1]:
            distances = [values[place] for values in drift.of.values()]
            table.add_row(str(step), *(f"{value:.1e}" for value in (*distances, drift.rounding[place])))
    return table


def _tabulate_precision(report: TrainingReport) -> Table:
    """Return the table of the largest errors of each tensor, in units of what rounding may do, witness by witness."""
    worst = report.precision
    witnesses, tensors = (list(dict.fromkeys(keys)) for keys in zip(*worst, strict=True))
    table = build_table(["tensor", *witnesses], (), narrow=False)
    for tensor in tensors:
        rows = [worst[witness, tensor] for witness in witnesses]
        table.add_row(tensor, *(f"{row.units:.2g} {'within' if row.within_rounding else 'more'}" for row in rows))
    return table


def _checkpoint_as_dict(checkpoint: Checkpoint) -> dict[str, Any]:
    # The report is a whole object of the schema, so that a reader of checks reads checkpoints as well.
    return {
        "step": checkpoint.step,
        "batch": checkpoint.batch,
        "look": asdict(checkpoint.look),
        "sizes": asdict(checkpoint.sizes),
        "unpenalised": None if checkpoint.unpenalised is None else asdict(checkpoint.unpenalised),
        "saved": checkpoint.saved,
        "report": checkpoint.report.to_dict(),
    }


def _drift_as_dict(drift: Drift) -> Mapping[str, Any]:
    others = {name: list(values) for name, values in drift.of.items()}
    partings = [{**asdict(parting), "reason": parting.reason.name.lower()} for parting in drift.partings]
    return {"steps": list(drift.steps), "of": others, "rounding": list(drift.rounding), "partings": partings}
