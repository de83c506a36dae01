"""Output: reports go to standard output, everything else to standard error; colours only go to a terminal."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click

# What `--format` may be: of the forms of `xcheck.checks.result` those that can be printed one after the other.
FORMS = ("text", "json")


def command_line() -> tuple[str, ...]:
    """Return the command that was typed, word by word, so that a report can say how to repeat it."""
    return ("python", "-m", "xcheck", *sys.argv[1:])


def open_console(file: IO[str], color: str) -> Any:
    """Return a rich console for a stream, with colours as `--color` says."""
    # Here, and not above: JSON and `--help` do not need rich.
    from rich.console import Console

    # "never" is about colours alone: force_terminal=False would stop the progress bar as well.
    terminal = {"always": True, "never": None, "auto": None}[color]
    # None lets rich ask the stream itself. Rich takes 80 columns for a pipe unless COLUMNS says otherwise.
    return Console(file=file, force_terminal=terminal, no_color=True if color == "never" else None, highlight=False)


def open_report(path: Path | None) -> IO[str]:
    """Open the file that a report goes to until the command ends, and return it; without one, standard output."""
    if path is None:
        return sys.stdout
    # UTF-8 on every system: the reports have θ, ∂ and – in them.
    try:
        stream = path.open("w", encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error
    click.get_current_context().call_on_close(stream.close)
    return stream


def build_printer(form: str, stream: IO[str], color: str, **options: Any) -> Callable[[Any], None]:
    """Return the function that prints a result in the form asked for.

    Args:
        form: one of `FORMS`.
        stream: the file or standard output to print to.
        color: auto, always or never.
        **options: of the text, such as verbose=True.

    Raises:
        click.BadParameter: there is no such form.
    """
    # Here, and not above: `--help` does not need results.
    from xcheck.checks.result import renderer

    if form not in FORMS:
        raise click.BadParameter(f"{form!r} is none of {', '.join(FORMS)}", param_hint="--format")
    if form == "json":
        return lambda result: click.echo(result.to_json(), file=stream)
    console = open_console(stream, color)
    if console.is_terminal:
        return lambda result: renderer(result.kind, "console")(result, console, **options)
    # In a pipe, the renderer cuts off the blanks with which tables end.
    return lambda result: click.echo(renderer(result.kind, "text")(result, width=console.width, **options), file=stream)


@contextmanager
def show_progress(name: str, color: str, what: str = "differences") -> Iterator[Any]:
    """Show a progress bar while the context lasts, if standard error is a terminal; yield what moves it, or None."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    # transient: the bar goes when the work is done, and only the report stays on the screen.
    with Progress(*columns, console=open_console(sys.stderr, color), transient=True) as bar:
        task = bar.add_task(f"{name}: {what}", total=None)
        yield lambda done, total, note="": bar.update(
            task, completed=done, total=total, description=f"{name}: {note or what}"
        )
