"""The command `check`: every MODEL is checked, or trained and checked along the way."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import how_to_check, how_to_show, in_color
from xcheck.cli.output import console_on, open_report, printer, progress_of, typed_command

if TYPE_CHECKING:
    from xcheck.checks.report import Report
    from xcheck.cli.jobs import Job
    from xcheck.training import Checkpoint, TrainingReport

_WEIGHTS = click.Path(path_type=Path, dir_okay=False)


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@how_to_check
@click.option("--order", type=click.IntRange(1, 2), help="Python: 2 checks Hessian-vector products, too.")
@click.option("--worst", type=click.IntRange(min=1), help="Components to name; by default 10.")
@click.option(
    "--save-weights", type=_WEIGHTS, metavar="FILE", help="With [training]: θ of each checkpoint; .npz or .safetensors."
)
@how_to_show
@click.option("-q", "--quiet", is_flag=True, help="One line per MODEL.")
@click.option("-v", "--verbose", is_flag=True, help="Layers, every tensor of every pair, and where the time went.")
@in_color
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

    A MODEL is a TOML definition, or Python that offers xcheck.Case objects or functions marked by @xcheck.case:
    model.py, model.py::name for one of several, or package.module:name. Checking a Python MODEL runs its code.

    A definition with [training] is trained, and checked along the way.
    """
    interrupts = remember_interrupts()
    from xcheck.cli.jobs import jobs_of
    from xcheck.verdict import Verdict

    save_weights = settings.pop("save_weights")
    with redirect_stdout(sys.stderr):
        jobs = jobs_of(models, backends, worst, settings)
    _refuse_weights(save_weights, jobs)
    # Opened before the work begins, so that it is not in vain, and after the definitions are read, so that a typo in
    # one of them does not empty the last report.
    stream = open_report(output)
    show = _printer(form, stream, color, quiet=quiet, verbose=verbose)
    verdicts = []
    for job in jobs:
        report = _outcome(job, save_weights, color)
        if interrupts and not job.trains:
            raise KeyboardInterrupt
        _warn(report, color, form)
        show(report)
        if interrupts:
            raise KeyboardInterrupt
        verdicts.append(report.verdict)
    sys.exit(Verdict.worst(verdicts).exit_status)


def _outcome(job: "Job", save_weights: Path | None, color: str) -> "Report | TrainingReport":
    """Check a MODEL, or train it and check it along the way."""
    what = "steps" if job.trains else "differences"
    with redirect_stdout(sys.stderr), progress_of(job.name, color, what) as progress:
        if job.trains:
            return replace(job.train(progress, save_weights, _tell), command=typed_command())
        return replace(job.run(progress), command=typed_command())


def _tell(checkpoint: "Checkpoint") -> None:
    """Say at once what does not agree: the training goes on, and may take long."""
    if not checkpoint.report.ok:
        click.echo(f"{checkpoint.report.model}, step {checkpoint.where}: {checkpoint.report.headline}", err=True)


def _refuse_weights(file: Path | None, jobs: Sequence["Job"]) -> None:
    """Complain before the work begins about weights that nobody would write, or that could not be told apart."""
    if file is None:
        return
    from xcheck.networks.definition import wrong_suffix

    training = [job for job in jobs if job.trains]
    if len(training) != 1:
        raise click.UsageError(f"--save-weights needs one MODEL with [training]; there are {len(training)}")
    wrong = wrong_suffix(file)
    if wrong is not None:
        raise click.BadParameter(wrong)


def _printer(form: str, stream: IO[str], color: str, *, quiet: bool, verbose: bool) -> Any:
    """Return what prints a report in the form asked for."""
    from xcheck.report import text as terminal
    from xcheck.report import training
    from xcheck.training import TrainingReport

    def page_of(report: Any) -> Any:
        return training if isinstance(report, TrainingReport) else terminal

    if quiet and form == "text":
        console = console_on(stream, color)
        return lambda report: page_of(report).print_line(report, console)
    return printer(
        form,
        stream,
        color,
        show=lambda report, console: page_of(report).show(report, console, verbose=verbose),
        text=lambda report, width: page_of(report).render(report, width=width, verbose=verbose),
    )


def _warn(report: Any, color: str, form: str) -> None:
    """Repeat warnings on standard error when standard output is for machines."""
    if form == "json":
        for warning in report.warnings:
            click.echo(f"{report.model}: warning {warning.code}: {warning.text}", err=True)
