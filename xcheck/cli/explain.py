"""The command `explain`: it prints the page of a code, or everything about one component of a gradient."""

import re
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from itertools import groupby, takewhile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from xcheck.cli.interrupts import remember_interrupts
from xcheck.cli.options import add_check_options, add_color_option, add_report_options
from xcheck.cli.output import build_printer, command_line, open_console, open_report, show_progress
from xcheck.errors import Complaint, DefinitionError
from xcheck.pages import Page, codes, page
from xcheck.text import join_names

if TYPE_CHECKING:
    from xcheck.cli.jobs import Job

# How the codes of `xcheck.findings` are written; a misspelt number is then a code that does not exist, not a MODEL.
_CODE = re.compile(r"xc\d+", re.IGNORECASE)
# More proposals than these say nothing: a guess.
_MOST_PROPOSED = 4


@click.command(short_help="Explain a code, or one component of a gradient.")
@click.argument("arguments", metavar="[CODE...|MODEL COMPONENT]", nargs=-1)
@add_check_options
@add_report_options
@add_color_option
def explain(
    arguments: Sequence[str], backends: Sequence[str], form: str, output: Path | None, color: str, **settings: Any
) -> None:
    """Explain a code of a report, such as XC404, or one component, such as 'W2[3, 1]' of model.toml.

    Without an argument, all codes are listed. For a component, the report shows the values of all witnesses, the
    oracle's value with its error bar, differences of the loss for steps from long to short, and the nearest kink. The
    exit status is that of a check of this component alone. Explaining a component of a Python MODEL runs its code.
    """
    # Without an argument this holds as well: then all codes are listed.
    if all(_CODE.fullmatch(argument) for argument in arguments):
        pages = [_find_page(argument) for argument in arguments] or [page(code) for code in codes()]
        _print_pages(pages, open_report(output), form, color, whole=bool(arguments))
        return
    if len(arguments) != 2:
        # What looks like a file was meant as a MODEL.
        hint = f", such as {arguments[0]} 'W1[0, 0]'" if len(arguments) == 1 and "." in arguments[0] else ""
        raise click.UsageError(f"explain takes codes, or a MODEL and one of its components{hint}")
    _explain_component(Path(arguments[0]), arguments[1], backends, settings, form, output, color)


# --- codes ----------------------------------------------------------------------------------------------------------


def _find_page(code: str) -> Page:
    """Return the page of a code.

    Raises:
        DefinitionError: there is no such code; the message names the closest one.
    """
    name = code.upper()
    if name not in codes():
        close = [code for code in codes() if _is_near(name, code)]
        hint = f"did you mean {' or '.join(close)}?" if 0 < len(close) <= _MOST_PROPOSED else _list_ranges(codes())
        raise DefinitionError(Complaint(f"there is no code {name}; {hint}"))
    return page(name)


def _is_near(word: str, code: str) -> bool:
    """Return whether a word is one slip away from a code: a character more, less or another, or two exchanged.

    >>> [_is_near(word, "XC405") for word in ("XC4055", "XC45", "XC406", "XC450", "XC999")]
    [True, True, True, True, False]
    """
    start = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(word, code, strict=False)))
    rest, right = word[start:], code[start:]
    return rest[1:] in (right, right[1:]) or rest == right[1:] or (rest[1::-1] == right[:2] and rest[2:] == right[2:])


def _list_ranges(names: Sequence[str]) -> str:
    """Say which codes there are of each kind, the first and the last, and how to list them all."""
    hundreds = groupby(names, key=lambda name: name[:3])
    ranges = [(members[0], members[-1]) for members in (list(group) for _, group in hundreds)]
    return (
        f"there are {join_names([f'{first} to {last}' for first, last in ranges])}: python -m xcheck explain lists them"
    )


def _print_pages(pages: Sequence[Page], stream: IO[str], form: str, color: str, *, whole: bool) -> None:
    """Print whole pages, with their Markdown rendered on a terminal; or codes and titles only."""
    from rich.markdown import Markdown

    from xcheck.report.json import dump_line

    console = open_console(stream, color)
    for each in pages:
        if form == "json":
            content = {"code": each.code, "title": each.title, "summary": each.summary, "text": each.text}
            click.echo(dump_line(content), file=stream)
        elif not whole:
            click.echo(f"{each.code}  {each.title}", file=stream)
        elif console.is_terminal:
            # Headings and code in colour, folded at the width of the terminal.
            console.print(Markdown(each.text))
        else:
            # Byte for byte, so that pages can be searched and piped.
            click.echo(each.text, file=stream, nl=not each.text.endswith("\n"))


# --- components -----------------------------------------------------------------------------------------------------


def _explain_component(
    model: Path,
    name: str,
    backends: Sequence[str],
    settings: dict[str, Any],
    form: str,
    output: Path | None,
    color: str,
) -> None:
    """Explain a component, and exit with the status of its check."""
    # Before the imports, in which an interrupt is most likely to be swallowed.
    interrupts = remember_interrupts()
    from xcheck.checks.explain.component import component_of
    from xcheck.checks.explain.explain import explain_component

    job = _read_job(model, backends, settings)
    # A name that does not exist is refused before anything is computed.
    flat = component_of(job.check.layout, name)
    stream = open_report(output)
    with redirect_stdout(sys.stderr), show_progress(job.name, color) as progress:
        explanation = job.ask(progress, lambda completed: explain_component(completed, flat), including=flat)
    # JAX may have swallowed the exception: an answer that was interrupted is none.
    if interrupts:
        raise KeyboardInterrupt
    show_explanation = build_printer(form, stream, color)
    show_explanation(replace(explanation, command=command_line()))
    sys.exit(explanation.verdict.exit_status)


def _read_job(model: Path, backends: Sequence[str], settings: dict[str, Any]) -> "Job":
    """Read a MODEL, and complain unless it is one check: a component is one of a gradient, not of several."""
    from xcheck.cli.jobs import read_jobs

    with redirect_stdout(sys.stderr):
        jobs = read_jobs([model], backends, None, settings)
    if len(jobs) > 1:
        names = ", ".join(job.name for job in jobs)
        raise DefinitionError(Complaint(f"has several cases; name one of {names}", file=str(model)))
    return jobs[0]
