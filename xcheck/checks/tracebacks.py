"""Tracebacks of a person's own code: the frames of xcheck, its plug-ins and installed libraries are left out."""

import sysconfig
from collections.abc import Sequence
from pathlib import Path
from traceback import StackSummary, TracebackException, walk_tb
from types import FrameType

from xcheck.backend import registry

_INSTALLED = {"site-packages", "dist-packages"}


def own_traceback(error: BaseException) -> str:
    """Return the traceback of an error the way Python writes it, with the person's own frames only.

    Where there are none, because the person's package is installed among libraries, everything that xcheck called is
    shown.
    """
    shown = TracebackException.from_exception(error)
    _strip(shown, error)
    return "".join(shown.format()).rstrip()


def own_line(error: BaseException, file: Path) -> int | None:
    """Return the last line of `file` that an error went through, or that Python could not read."""
    if isinstance(error, SyntaxError) and error.filename == str(file):
        return error.lineno
    lines = [line for frame, line in walk_tb(error.__traceback__) if frame.f_code.co_filename == str(file)]
    return lines[-1] if lines else None


def is_library(filename: str) -> bool:
    """Return whether a file belongs to Python or to an installed package."""
    path = Path(filename)
    return (
        filename.startswith("<frozen ")
        or not _INSTALLED.isdisjoint(path.parts)
        or path.is_relative_to(sysconfig.get_path("stdlib"))
    )


def _strip(shown: TracebackException | None, error: BaseException | None) -> None:
    """Take the frames of others out of what is shown, along the whole chain of errors."""
    if shown is None or error is None:
        return
    frames = [frame for frame, _ in walk_tb(error.__traceback__)]
    kept = _own(frames)
    # In place: the formatting of causes and groups stays Python's own.
    shown.stack = StackSummary.from_list([entry for number, entry in enumerate(shown.stack) if number in kept])
    _strip(shown.__cause__, error.__cause__)
    _strip(shown.__context__, error.__context__)
    if shown.exceptions and isinstance(error, BaseExceptionGroup):
        for inner, cause in zip(shown.exceptions, error.exceptions, strict=True):
            _strip(inner, cause)


def _own(frames: Sequence[FrameType]) -> set[int]:
    """Return which frames are the person's."""
    # Plug-ins of a third party belong to the machinery as much as our own.
    packages = {"xcheck", *registry.packages()}
    theirs = [
        number
        for number, frame in enumerate(frames)
        if str(frame.f_globals.get("__name__")).partition(".")[0] in packages
    ]
    own = {
        number
        for number, frame in enumerate(frames)
        if number not in theirs and not is_library(frame.f_code.co_filename)
    }
    # Nothing of the person is left: what xcheck has called last is the best that can be shown.
    below = range(max(theirs, default=-1) + 1, len(frames))
    return own or {number for number in below if not frames[number].f_code.co_filename.startswith("<frozen ")}
