"""The command `explain`: the page of a code, or one component of a gradient from close up."""

import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import IO, Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import how_to_check, how_to_show, in_color
from xcheck.cli.output import console_on, open_report, printer, progress_of, typed_command
from xcheck.errors import Complaint, DefinitionError
from xcheck.pages import Page, codes, page

_CODE = re.compile(r"xc\d+", re.IGNORECASE)


@click.command()
@click.argument("arguments", metavar="[CODE...|MODEL COMPONENT]", nargs=-1)
@how_to_check
@how_to_show
@in_color
def explain(
    arguments: Sequence[str], backends: Sequence[str], form: str, output: Path | None, color: str, **settings: Any
) -> None:
    """Explain a code of a report, such as XC404, or one component, such as 'W2[3, 1]' of model.toml.

    Without an argument all codes are listed. Of a component there are the values of all witnesses, the oracle's with
    its error bar, differences of the loss for steps from long to short, and the nearest kink. The exit status is that
    of a check of this component alone. Explaining a component of a Python MODEL runs its code.
    """
    if all(_CODE.fullmatch(argument) for argument in arguments):
        pages = [_page(argument) for argument in arguments] or [page(code) for code in codes()]
        _print_pages(pages, open_report(output), form, color, whole=bool(arguments))
        return
    if len(arguments) != 2:
        hint = f": {arguments[0]} 'W1[0, 0]'" if len(arguments) == 1 and "." in arguments[0] else ""
        raise click.UsageError(f"explain takes codes, or a MODEL and one of its components{hint}")
    _component(Path(arguments[0]), arguments[1], backends, settings, form, output, color)


# --- codes ----------------------------------------------------------------------------------------------------------


def _page(code: str) -> Page:
    """Return the page of a code.

    Raises:
        DefinitionError: there is none, with the closest one that there is.
    """
    name = code.upper()
    if name not in codes():
        close = get_close_matches(name, codes(), n=1)
        hint = f"did you mean {close[0]}?" if close else f"there are {', '.join(codes())}"
        raise DefinitionError(Complaint(f"there is no code {name}; {hint}"))
    return page(name)


def _print_pages(pages: Sequence[Page], stream: IO[str], form: str, color: str, *, whole: bool) -> None:
    """Print pages as they are in a pipe, rendered on a terminal; or, of all of them, codes and titles."""
    from rich.markdown import Markdown

    from xcheck.report.json import line

    console = console_on(stream, color)
    for one in pages:
        if form == "json":
            content = {"code": one.code, "title": one.title, "summary": one.summary, "text": one.text}
            click.echo(line(content), file=stream)
        elif not whole:
            click.echo(f"{one.code}  {one.title}", file=stream)
        elif console.is_terminal:
            console.print(Markdown(one.text))
        else:
            click.echo(one.text, file=stream, nl=not one.text.endswith("\n"))


# --- components -----------------------------------------------------------------------------------------------------


def _component(
    model: Path,
    name: str,
    backends: Sequence[str],
    settings: dict[str, Any],
    form: str,
    output: Path | None,
    color: str,
) -> None:
    """Print what is known about a component, and exit with the status of its check."""
    from xcheck.checks.explain.explain import explain_component

    interrupts = remember_interrupts()
    from xcheck.checks.explain.component import component_of
    from xcheck.cli.jobs import jobs_of
    from xcheck.report.component import render, show

    with redirect_stdout(sys.stderr):
        jobs = jobs_of([model], backends, None, settings)
    if len(jobs) > 1:
        names = ", ".join(job.name for job in jobs)
        raise DefinitionError(Complaint(f"offers several cases; name one of {names}", file=str(model)))
    (job,) = jobs
    flat = component_of(job.check.layout, name)
    stream = open_report(output)
    with redirect_stdout(sys.stderr), progress_of(job.name, color) as progress:
        found = job.about(progress, lambda subject: explain_component(subject, flat), including=flat)
    if interrupts:
        raise KeyboardInterrupt
    printer(form, stream, color, show=show, text=lambda found, width: render(found, width=width))(
        replace(found, command=typed_command())
    )
    sys.exit(found.verdict.exit_status)
