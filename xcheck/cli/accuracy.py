"""The command `accuracy`: it measures the gradients of a MODEL in units in the last place."""

import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import add_color_option, add_point_options, add_report_options
from xcheck.cli.output import build_printer, command_line, open_report


@click.command(short_help="Measure gradients in units in the last place.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--most",
    type=click.IntRange(min=1),
    metavar="N",
    help="Of more components than N, or than fit the budget, as many are drawn at random.",
)
@add_point_options
@add_report_options
@add_color_option
def accuracy(
    models: Sequence[Path],
    most: int | None,
    backends: Sequence[str],
    form: str,
    output: Path | None,
    color: str,
    **settings: Any,
) -> None:
    """Measure the gradients of each MODEL in units in the last place (ulp) of their dtype, component by component.

    They are held against slopes with proved bounds; needs python-flint. Exit status: 0 where they are measured, 1 where
    a gradient is proved to be wrong, 3 where nothing can be proved, 4 where it fails. Measuring a Python MODEL runs its
    code.
    """
    # Before the imports, in which an interrupt is most likely to be swallowed.
    interrupts = remember_interrupts()
    from xcheck.checks.accuracy.measure import MOST, require_flint, run_accuracy
    from xcheck.cli.jobs import read_jobs
    from xcheck.verdict import Verdict

    require_flint()
    with redirect_stdout(sys.stderr):
        jobs = read_jobs(models, backends, None, settings)
    show_result = build_printer(form, open_report(output), color)
    verdicts = []
    for job in jobs:
        with redirect_stdout(sys.stderr), job.running():
            result = run_accuracy(job.check, most or MOST)
        # JAX may have swallowed the exception: a measurement that was interrupted is none.
        if interrupts:
            raise KeyboardInterrupt
        show_result(replace(result, command=command_line()))
        verdicts.append(result.verdict)
    sys.exit(Verdict.worst(verdicts).exit_status)
