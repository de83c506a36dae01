"""The command `check`: it checks every MODEL, or trains it and checks it along the way."""

import sys
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import add_check_options, add_color_option, add_report_options
from xcheck.cli.output import build_printer, command_line, open_console, open_report, show_progress

if TYPE_CHECKING:
    from xcheck.checks.report import Report
    from xcheck.cli.jobs import Job
    from xcheck.training import Checkpoint, TrainingReport

_WEIGHTS = click.Path(path_type=Path, dir_okay=False)


@click.command(short_help="Check the gradients of each MODEL.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@add_check_options
@click.option("--order", type=click.IntRange(1, 2), help="Python: 2 checks Hessian-vector products as well.")
@click.option("--worst", type=click.IntRange(min=1), help="How many wrong components to name; 10 by default.")
@click.option(
    "--save-weights",
    type=_WEIGHTS,
    metavar="FILE",
    help="With [training]: write θ of each checkpoint to FILE, its step added to the name; .npz or .safetensors.",
)
@add_report_options
@click.option("-q", "--quiet", is_flag=True, help="Print one line per MODEL.")
@click.option("-v", "--verbose", is_flag=True, help="Also print layers, the tensors of every pair, and times.")
@add_color_option
def check(
    models: Sequence[Path],
    backends: Sequence[str],
    worst: int | None,
    form: str,
    output: Path | None,
    quiet: bool,
    verbose: bool,
    color: str,
    **settings: Any,
) -> None:
    """Check the gradients of each MODEL; the worst verdict decides the exit status.

    A MODEL is a TOML definition, or Python with xcheck.Case objects or functions marked by @xcheck.case: model.py,
    model.py::name for one of several cases, or package.module:name. Checking a Python MODEL runs its code.

    A definition with [training] is trained, and checked along the way. Options that begin with "TOML" or "Python" are
    for such a MODEL only.

    Exit status: 0 AGREE, 1 DISAGREE, 2 a mistake in the command or a MODEL, 3 UNDECIDED, 4 ERROR, 130 interrupted.
    """
    interrupts = remember_interrupts()
    from xcheck.cli.jobs import read_jobs

    save_weights = settings.pop("save_weights")
    # Reading a Python MODEL runs it: what it prints must not end up in the report.
    with redirect_stdout(sys.stderr):
        jobs = read_jobs(models, backends, worst, settings)
    _refuse_weights(save_weights, jobs)
    # The file is opened before the work begins, so that no result is lost if that fails, and after all definitions are
    # read, so that a typo in one of them does not empty the last report.
    show = _build_printer(form, open_report(output), color, quiet=quiet, verbose=verbose)
    sys.exit(_check_all(jobs, interrupts, partial(_run, save_weights=save_weights, color=color), show))


def _check_all(
    jobs: Sequence["Job"],
    interrupts: Sequence[int],
    run: Callable[["Job"], "Report | TrainingReport"],
    show: Callable[["Report | TrainingReport"], None],
) -> int:
    """Run the jobs one after the other, show each report as soon as it is there, and return the exit status."""
    from xcheck.verdict import Verdict

    verdicts = []
    for job in jobs:
        report = run(job)
        # An interrupted check proves nothing; an interrupted training has a report on what was checked before.
        if interrupts and not job.trains:
            raise KeyboardInterrupt
        show(report)
        if interrupts:
            raise KeyboardInterrupt
        verdicts.append(report.verdict)
    return Verdict.worst(verdicts).exit_status


def _run(job: "Job", *, save_weights: Path | None, color: str) -> "Report | TrainingReport":
    """Check a MODEL, or train it and check it along the way."""
    what = "steps" if job.trains else "differences, then the proof" if job.proves else "differences"
    with redirect_stdout(sys.stderr), show_progress(job.name, color, what) as progress:
        if job.trains:
            return replace(job.train(progress, save_weights, _report_failure), command=command_line())
        return replace(job.run(progress), command=command_line())


def _report_failure(checkpoint: "Checkpoint") -> None:
    """Print a checkpoint that does not agree at once: the training goes on, and may take long."""
    if not checkpoint.report.ok:
        click.echo(f"{checkpoint.report.model}, step {checkpoint.where}: {checkpoint.report.headline}", err=True)


def _refuse_weights(file: Path | None, jobs: Sequence["Job"]) -> None:
    """Complain before the work begins about a file that no training would write, or that several would."""
    if file is None:
        return
    from xcheck.networks.definition import wrong_suffix

    # Two trainings would write the same files, step by step.
    training = [job for job in jobs if job.trains]
    if len(training) != 1:
        raise click.UsageError(f"--save-weights needs one MODEL with [training]; there are {len(training)}")
    wrong = wrong_suffix(file)
    if wrong is not None:
        raise click.BadParameter(wrong)


def _build_printer(form: str, stream: IO[str], color: str, *, quiet: bool, verbose: bool) -> Any:
    """Return the function that prints a report in the form asked for."""
    from xcheck.report import text, training

    if quiet and form == "text":
        console = open_console(stream, color)
        # MODELs with and without [training] may stand on one command line.
        print_lines: dict[str, Callable[..., None]] = {"check": text.print_line, "training": training.print_line}
        return lambda report: print_lines[report.kind](report, console)
    printer = build_printer(form, stream, color, verbose=verbose)

    def print_json(report: Any) -> None:
        # Nobody reads warnings in JSON, so they go to standard error as well: first, since a pipe may break.
        for warning in report.warnings:
            click.echo(f"{report.model}: warning {warning.code}: {warning.text}", err=True)
        printer(report)

    return print_json if form == "json" else printer
