"""Streams: reports go to standard output, everything else to standard error, and colours only where they are seen."""

import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Timer, main_thread
from types import FrameType
from typing import IO, Any

import click

_LATER, _MOST = 0.05, 40  # seconds, times


def remembered_interrupts() -> list[int]:
    """Return a list that every Ctrl-C is noted in, beside raising KeyboardInterrupt.

    JAX has a callback in the garbage collector; an exception that falls into it is swallowed, and the run would go on.
    One that falls into the import of a compiled module may crash it. There the signal is sent once more, a little
    later; but not for ever, since a person's own file is imported, too, and may not end.
    """
    seen: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) <= _MOST and _busy(frame):
            Timer(_LATER, _interrupt_again, [number]).start()
            return
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)
    return seen


def _interrupt_again(number: int) -> None:
    """Send the signal to the main thread, and wake it if it sleeps; Windows wakes nobody."""
    if sys.platform == "win32":
        signal.raise_signal(number)
    else:
        signal.pthread_kill(main_thread().ident or 0, number)


def _busy(frame: FrameType | None) -> bool:
    """Return whether this is inside JAX's callback, or an import."""
    while frame is not None:
        if frame.f_code.co_name == "_xla_gc_callback" or frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


def typed() -> tuple[str, ...]:
    """Return what was typed, in a form that can be typed again."""
    return ("python", "-m", "xcheck", *sys.argv[1:])


def console_on(file: IO[str], color: str) -> Any:
    """Return a console of rich that has colours where they are asked for, or seen."""
    from rich.console import Console

    terminal = {"always": True, "never": None, "auto": None}[color]
    # Rich takes 80 columns for a pipe unless COLUMNS says otherwise.
    return Console(file=file, force_terminal=terminal, no_color=True if color == "never" else None, highlight=False)


def opened(path: Path | None) -> IO[str]:
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
