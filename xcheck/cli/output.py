"""Streams: reports go to standard output, everything else to standard error, and colours only where they are seen."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import click


def typed_command() -> tuple[str, ...]:
    """Return what was typed, in a form that can be typed again."""
    return ("python", "-m", "xcheck", *sys.argv[1:])


def console_on(file: IO[str], color: str) -> Any:
    """Return a console of rich that has colours where they are asked for, or seen."""
    from rich.console import Console

    terminal = {"always": True, "never": None, "auto": None}[color]
    # Rich takes 80 columns for a pipe unless COLUMNS says otherwise.
    return Console(file=file, force_terminal=terminal, no_color=True if color == "never" else None, highlight=False)


def open_report(path: Path | None) -> IO[str]:
    """Open a file for a report, until the command ends; standard output without one."""
    if path is None:
        return sys.stdout
    try:
        stream = path.open("w", encoding="utf-8")
    except OSError as error:
        raise click.FileError(str(path), error.strerror) from error
    click.get_current_context().call_on_close(stream.close)
    return stream


def printer(
    form: str, stream: IO[str], color: str, *, show: Callable[[Any, Any], None], text: Callable[[Any, int], str]
) -> Callable[[Any], None]:
    """Return what prints a value in the form asked for.

    Args:
        form: "json" or "text".
        stream: where to.
        color: auto, always or never.
        show: prints it on a console, for a terminal.
        text: gives it at a width, for a pipe.
    """
    if form == "json":
        return lambda value: click.echo(value.to_json(), file=stream)
    console = console_on(stream, color)
    if not console.is_terminal:
        return lambda value: click.echo(text(value, console.width), file=stream)
    return lambda value: show(value, console)


@contextmanager
def progress_of(name: str, color: str, what: str = "differences") -> Iterator[Any]:
    """Show a progress bar on standard error, on a terminal only; it vanishes when it is done."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console_on(sys.stderr, color), transient=True) as bar:
        task = bar.add_task(f"{name}: {what}", total=None)
        yield lambda done, total, note="": bar.update(
            task, completed=done, total=total, description=f"{name}: {note or what}"
        )
