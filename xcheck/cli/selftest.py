"""The command `selftest`: how good is the check on this very model?"""

import sys
import time
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import how_to_check, how_to_show, in_color
from xcheck.cli.output import open_report, printer, progress_of, typed_command

if TYPE_CHECKING:
    from xcheck.checks.selftest.score import SelfTest
    from xcheck.cli.jobs import Job


@click.command()
@click.argument("models", metavar="MODEL...", nargs=-1, required=True, type=click.Path(path_type=Path))
@how_to_check
@how_to_show
@in_color
def selftest(
    models: Sequence[Path],
    backends: Sequence[str],
    form: str,
    output: Path | None,
    color: str,
    **settings: Any,
) -> None:
    """Plant faults in the gradients of each MODEL, and tell which of them a check would find.

    Exit status: 0 where every fault that applies is found (SHARP), 3 where one slips through (BLUNT) or the check
    itself is undecided, 1 where it disagrees, 4 where it fails. Testing the check of a Python MODEL runs its code.
    """
    interrupts = remember_interrupts()
    from xcheck.cli.jobs import jobs_of
    from xcheck.report.selftest import render, show
    from xcheck.verdict import Verdict

    with redirect_stdout(sys.stderr):
        jobs = jobs_of(models, backends, None, settings)
    give = printer(form, open_report(output), color, show=show, text=lambda found, width: render(found, width=width))
    verdicts = []
    for job in jobs:
        found = _of_job(job, color)
        if interrupts:
            raise KeyboardInterrupt
        give(replace(found, command=typed_command()))
        verdicts.append(found.verdict)
    sys.exit(Verdict.worst(verdicts).exit_status)


def _of_job(job: "Job", color: str) -> "SelfTest":
    from xcheck.checks.selftest.plant import run_selftest

    start = time.perf_counter()
    with redirect_stdout(sys.stderr), progress_of(job.name, color) as progress:
        return job.about(progress, lambda subject: run_selftest(subject, time.perf_counter() - start))
