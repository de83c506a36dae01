"""Recorded: numbers of NumPy, and what stands for them in the trace.

They can be written into. What is there before and after are two values of the trace, and those who have been made as
views (x[0], x.T, x.reshape(...)) look at the new one: a view knows the array that it looks into, and how.
"""

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeVar

import numpy as np

from xcheck.trace import Constant, Value
from xcheck.trace.model import Array, Source
from xcheck_numpy.tracing.recorder import Recorder, Run

Look = Callable[[Array], Any]


class Recorded:
    """An array of NumPy that is being followed.

    Attributes:
        recorder: what records.
        array: the numbers that NumPy computes.
        scalar: whether it is a number of NumPy, which cannot be written into.
        writes: how often it was written into.
        whole: what it is a view of, which is a view of nothing.
        look: makes the view of an array like `whole`.
    """

    def __init__(self, recorder: Recorder, array: Array, value: Value | None = None, *, scalar: bool = True) -> None:
        self.recorder = recorder
        self.array = array
        self.scalar = scalar and not array.ndim
        self.writes = 0
        self.whole: Self | None = None
        self.look: Look | None = None
        self._value = value
        self._seen = 0  # of the writes into `whole`

    @property
    def value(self) -> Value | None:
        """What it is in the trace by now; None for a constant."""
        whole, look = self.whole, self.look
        if whole is not None and look is not None and self._seen != whole.writes:
            self._seen, self._value = whole.writes, None
            if whole.value is not None:
                [self._value] = self.recorder.record("move", [whole.source], [self.array], lambda a: (look(a),), {})
        return self._value

    @property
    def source(self) -> Source:
        """What an operation reads: the value, or a copy of the constant numbers."""
        value = self.value
        return Constant(self.array.copy()) if value is None else value

    def stand_for(self, value: Value | None) -> None:
        """Be this value of the trace from now on."""
        self._value = value
        self.writes += 1

    def look_into(self, other: Self, look: Look) -> None:
        """Become a view."""
        whole, above = (other, None) if other.whole is None else (other.whole, other.look)
        self.whole, self._seen = whole, whole.writes
        self.look = look if above is None else lambda array: look(above(array))

    def assign(self, new: Self) -> None:
        """Take over the numbers and the value of another one of the same shape and dtype."""
        whole, look = self.whole, self.look
        if whole is not None and look is not None:

            def put(array: Array, part: Array) -> Sequence[Array]:
                found = np.array(array, order="C")
                numbers = np.arange(array.size).reshape(array.shape)
                found.reshape(-1)[look(numbers)] = part
                return (found,)

            whole.stand_for(emit("move", [whole, new], put)[0].value)
            self._seen = whole.writes
        self.array[...] = new.array
        self.stand_for(new.value)


R = TypeVar("R", bound=Recorded)


def is_inexact(dtype: np.dtype[Any]) -> bool:
    """Return whether a dtype holds real or complex numbers in floating point."""
    return dtype.kind in "fc"


def emit(name: str, given: Sequence[R], run: Run, **attributes: Any) -> list[Any]:
    """Carry an operation out and record it, unless everything that it reads is constant; return its results.

    NumPy's annotations know of no tracers: what is followed is `Any` to the type checker.
    """
    kind, recorder = type(given[0]), given[0].recorder
    sources = [one.source for one in given]

    def carry_out(*arrays: Array) -> Sequence[Array]:
        # As the loss itself is followed: what a program does with infinities is its own business.
        with np.errstate(all="ignore"):
            return [np.asarray(found) for found in run(*arrays)]

    # Who writes into a result must not write into what it was made of; `move` says where NumPy gives a view.
    arrays = [
        found.copy() if any(np.may_share_memory(found, one.array) for one in given) else found
        for found in carry_out(*[one.array for one in given])
    ]
    if all(isinstance(source, Constant) for source in sources):
        return [kind(recorder, array) for array in arrays]
    values = recorder.record(name, sources, arrays, carry_out, attributes)
    return [kind(recorder, array, value) for array, value in zip(arrays, values, strict=True)]


def cast(x: Any, dtype: np.dtype[Any]) -> Any:
    """Return the numbers in another dtype, recorded as what that is: of complex numbers the real part.

    Raises:
        UntraceableError: it is none of numbers.
    """
    if x.array.dtype == dtype:
        return x
    old = x.array.dtype
    if dtype.kind not in "fciub" or (old.kind == "c" and dtype.kind in "iu"):
        raise x.recorder.refuse(f"an array of {dtype}")
    floats = is_inexact(old), is_inexact(dtype)
    if (old.kind, dtype.kind) == ("c", "f"):
        return emit("real", [x], lambda a: (a.real.astype(dtype),))[0]
    if all(floats):
        narrower = np.finfo(dtype).nmant < np.finfo(old).nmant
        # The numbers of elements, which a move is asked for, stay integers.
        return emit("cast" if narrower else "move", [x], lambda a: (a.astype(dtype) if is_inexact(a.dtype) else a,))[0]
    name = "exact" if not floats[0] else "is_nonzero" if dtype.kind == "b" else "to_integer"
    return emit(name, [x], lambda a: (np.asarray(a).astype(dtype),))[0]


def move(function: Callable[..., Any], *given: R, **attributes: Any) -> Any:
    """Return what a function makes of arrays that only moves their elements; a view where NumPy gives one.

    Args:
        function: arrays of any dtype -> an array, or a list of arrays.
        given: what it is applied to.
        attributes: of the operation.
    """
    shown = function(*[one.array for one in given])
    several = isinstance(shown, list | tuple)
    found = emit("move", given, lambda *arrays: _as_list(function(*arrays)), **attributes)
    for number, (one, array) in enumerate(zip(found, _as_list(shown), strict=True)):
        if len(given) == 1 and isinstance(array, np.ndarray) and np.may_share_memory(array, given[0].array):
            one.array, one.scalar = array, False
            one.look_into(given[0], lambda whole, number=number: _as_list(function(whole))[number])
    return found if several else found[0]


def _as_list(found: Any) -> list[Any]:
    return list(found) if isinstance(found, list | tuple) else [found]
