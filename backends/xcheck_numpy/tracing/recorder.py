"""Recorder: the operations of one call of a function, while it runs."""

import linecache
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, TypeAlias

import numpy as np

from xcheck.trace import Operation, Place, UntraceableError, Value
from xcheck.trace.model import Array, Source

Run: TypeAlias = Callable[..., Sequence[Any]]

# Frames of these files are never a person's: NumPy's and SciPy's own Python code, and this backend's.
_NOT_A_PERSONS = (
    str(Path(np.__file__).parent),
    str(Path(np.__file__).parent.parent / "scipy"),
    str(Path(__file__).parent.parent),
)


class Recorder:
    """What has been recorded.

    Attributes:
        operations: so far.
        failure: the first thing that could not be followed, in case the person's function catches the exception.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.failure: UntraceableError | None = None
        self._label = ""

    @contextmanager
    def calling(self, label: str) -> Iterator[None]:
        """Label what is recorded by the function that the person has called; what that calls itself does not count."""
        before, self._label = self._label, self._label or label
        try:
            yield
        finally:
            self._label = before

    def record(
        self,
        name: str,
        inputs: Sequence[Source],
        arrays: Sequence[Array],
        run: Run,
        attributes: dict[str, Any],
    ) -> list[Value]:
        """Add an operation whose results are `arrays`, and return the values that stand for them."""
        outputs = tuple(Value(array.shape, array.dtype.name) for array in arrays)
        operation = Operation(
            name=name,
            inputs=tuple(inputs),
            outputs=outputs,
            run=run,
            attributes=attributes,
            label=self._label or name,
            place=person_place(),
        )
        self.operations.append(operation)
        return list(outputs)

    def refuse(self, what: str) -> UntraceableError:
        """Return the error that says what cannot be followed, and where; it also counts where it is caught."""
        place = person_place()
        error = UntraceableError(f"{what} cannot be followed{'' if place is None else f' at {place}'}")
        self.failure = self.failure or error
        return error


def person_place() -> Place | None:
    """Return the line of the innermost frame that is neither NumPy's nor SciPy's nor this backend's."""
    # `inspect` would read source files for it.
    frame: FrameType | None = sys._getframe(1)  # noqa: SLF001 - the documented way to the caller
    while frame is not None:
        code = frame.f_code
        if not code.co_filename.startswith((*_NOT_A_PERSONS, "<__array_function__")):
            return Place(code.co_filename, frame.f_lineno, code.co_name)
        frame = frame.f_back
    return None


def who_asks() -> str:
    """Return the text of the person's expression that wants a Python number."""
    place = person_place()
    frame = sys._getframe(2)  # noqa: SLF001 - see `person_place`
    if place is None or frame.f_code.co_filename != place.file:
        return "`float(x)`"
    at = list(frame.f_code.co_positions())[frame.f_lasti // 2]
    line, end, first, last = at
    text = linecache.getline(place.file, line or 0)
    if line is None or line != end or first is None or last is None or not text:
        return "`float(x)`"
    return f"`{text.encode()[first:last].decode()}`"
