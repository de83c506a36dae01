"""The command `selftest`: it measures how good the check of a MODEL is, with planted faults."""

import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import add_check_options, add_color_option, add_report_options
from xcheck.cli.output import build_printer, command_line, open_report, show_progress

if TYPE_CHECKING:
    from xcheck.checks.selftest.score import SelfTest
    from xcheck.cli.jobs import Job


@click.command(short_help="Plant faults, and report which of them a check would find.")
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@add_check_options
@add_report_options
@add_color_option
def selftest(
    models: Sequence[Path],
    backends: Sequence[str],
    form: str,
    output: Path | None,
    color: str,
    **settings: Any,
) -> None:
    """Plant faults in the gradients of each MODEL, and report which of them a check would find.

    Exit status: 0 where every fault that applies is found (SHARP), 3 where one slips through (BLUNT) or the check
    itself is undecided, 1 where it disagrees, 4 where it fails. Testing the check of a Python MODEL runs its code.
    """
    # Before the imports, in which an interrupt is most likely to be swallowed.
    interrupts = remember_interrupts()
    from xcheck.cli.jobs import read_jobs
    from xcheck.verdict import Verdict

    with redirect_stdout(sys.stderr):
        jobs = read_jobs(models, backends, None, settings)
    show_result = build_printer(form, open_report(output), color)
    verdicts = []
    for job in jobs:
        result = _run(job, color)
        # JAX may have swallowed the exception: a self-test that was interrupted has no score.
        if interrupts:
            raise KeyboardInterrupt
        show_result(replace(result, command=command_line()))
        verdicts.append(result.verdict)
    sys.exit(Verdict.worst(verdicts).exit_status)


def _run(job: "Job", color: str) -> "SelfTest":
    from xcheck.checks.selftest.plant import run_selftest

    # The report compares the time of the faults with that of the check, which ends when the question is asked.
    start = time.perf_counter()
    with redirect_stdout(sys.stderr), show_progress(job.name, color) as progress:
        return job.ask(progress, lambda completed: run_selftest(completed, time.perf_counter() - start))
