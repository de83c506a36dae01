"""Reading and writing elements by index."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xcheck.trace.model import Array
from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast, emit, move
from xcheck_numpy.tracing.tracer import FUNCTIONS, Tracer, lift


def _open_key(key: Any) -> tuple[list[Any], Callable[[Sequence[Array]], Any]]:
    """Return the tracers in an index, and a function that puts arrays in their place."""
    parts = list(key) if isinstance(key, tuple) else [key]
    at = [number for number, part in enumerate(parts) if isinstance(part, Tracer)]

    def close(arrays: Sequence[Array]) -> Any:
        filled = list(parts)
        for number, array in zip(at, arrays, strict=True):
            filled[number] = array
        return tuple(filled) if isinstance(key, tuple) else filled[0]

    return [parts[number] for number in at], close


def _plain_key(key: Any) -> Any:
    # A list of indices of tracers, or an array of them as objects, is one array of indices.
    if isinstance(key, list) and any(isinstance(one, Tracer) for one in key):
        return lift(recorder_of(key), key)
    return tuple(_plain_key(part) for part in key) if isinstance(key, tuple) else key


def _getitem(x: Any, key: Any) -> Any:
    tracers, close = _open_key(_plain_key(key))
    for mask in tracers:
        # How many are picked decides a shape.
        if mask.dtype.kind == "b":
            int(np.count_nonzero(mask))
    return move(lambda array, *indices: array[close(indices)], x, *tracers)


def _setitem(x: Any, key: Any, value: Any) -> None:
    tracers, close = _open_key(_plain_key(key))
    new = cast(lift(x.recorder, value), x.dtype)

    def put(array: Array, part: Array, *indices: Array) -> Sequence[Array]:
        found = np.array(array)
        found[close(indices)] = part
        return (found,)

    x.assign(emit("move", [x, new, *tracers], put)[0])


def _take(x: Any, indices: Any, axis: int | None = None, out: Any = None, mode: Any = "raise") -> Any:
    recorder = recorder_of(x, indices)
    return move(lambda a, at: np.take(a, at, axis, mode=mode), lift(recorder, x), lift(recorder, indices))


def _take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    recorder = recorder_of(x, indices)
    return move(lambda a, at: np.take_along_axis(a, at, axis), lift(recorder, x), lift(recorder, indices))


def _put_along_axis(x: Any, indices: Any, values: Any, axis: int) -> None:
    recorder = recorder_of(x, indices, values)
    if not isinstance(x, Tracer):
        raise recorder.refuse("`np.put_along_axis` into an array of NumPy")

    def put(array: Array, at: Array, new: Array) -> Sequence[Array]:
        found = np.array(array)
        np.put_along_axis(found, at, new, axis)
        return (found,)

    x.assign(emit("move", [x, lift(recorder, indices), cast(lift(recorder, values), x.dtype)], put)[0])


def _fill_diagonal(x: Any, value: Any, wrap: bool = False) -> None:
    if not isinstance(x, Tracer):
        raise recorder_of(value).refuse("`np.fill_diagonal` of an array of NumPy")

    def put(array: Array, new: Array) -> Sequence[Array]:
        found = np.array(array)
        np.fill_diagonal(found, new, wrap)
        return (found,)

    x.assign(emit("move", [x, cast(lift(x.recorder, value), x.dtype)], put)[0])


def _copyto(out: Any, value: Any, casting: str = "same_kind", where: Any = True) -> None:
    if not isinstance(out, Tracer):
        raise recorder_of(value, where).refuse("`np.copyto` into an array of NumPy")
    out[...] = value if where is True else np.where(where, value, out)


def _nonzero(x: Any) -> Any:
    """Where the elements stand is decided: how many there are is a shape."""
    return np.nonzero(np.asarray(cast(lift(recorder_of(x), x), np.dtype(bool))))


def _compress(condition: Any, x: Any, axis: int | None = None, out: Any = None) -> Any:
    recorder = recorder_of(condition, x)
    return np.take(lift(recorder, x), np.nonzero(np.asarray(condition))[0], axis)


FUNCTIONS.update(
    {
        "nonzero": _nonzero,
        "compress": _compress,
        "getitem": _getitem,
        "setitem": _setitem,
        "take": _take,
        "take_along_axis": _take_along_axis,
        "put_along_axis": _put_along_axis,
        "fill_diagonal": _fill_diagonal,
        "copyto": _copyto,
    }
)
