"""Orders: sorting, the largest few, medians."""

from collections.abc import Callable
from typing import Any

import torch

from xcheck.trace import Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers


def ordered(b: Builder, x: Source, axis: int) -> Source:
    """Return the elements along an axis in rising order."""
    return b.one("sort", lambda a: a.sort(dim=axis, stable=True)[0], [x], Value(shape_of(x), dtype_of(x)), axis=axis)


def order_of(b: Builder, x: Source, axis: int) -> Source:
    """Return where the elements of that order come from; of equals the first comes first."""
    shape = shape_of(x)
    view = [length if number == axis else 1 for number, length in enumerate(shape)]
    places = b.one("exact", lambda: torch.arange(shape[axis]).reshape(view).expand(shape), [], Value(shape, "int64"))

    def run(a: Any, at: Any) -> Any:
        found, where = a.sort(dim=axis, stable=True)
        return [found, at.gather(axis, where)]

    outputs = [Value(shape, dtype_of(x)), Value(shape, "int64")]
    return b.emit("sort", run, [x, places], outputs, axis=axis)[1]


def _both(b: Builder, x: Source, axis: int, *, falling: bool) -> tuple[Source, Source]:
    """Return the elements in order, and where they come from."""
    # The largest first is the order of -x: so equals keep theirs.
    signed = b.apply("neg", x) if falling else x
    values = ordered(b, signed, axis)
    return b.apply("neg", values) if falling else values, order_of(b, signed, axis)


@lowers("sort")
def _sort(b: Builder, call: Call) -> list[Source | None]:
    x = call.arguments["self"]
    if not shape_of(x):
        raise NotLoweredError
    return list(_both(b, x, call.axes()[0], falling=call.arguments["descending"]))


@lowers("argsort")
def _places(b: Builder, call: Call) -> Source:
    return _both(b, call.arguments["self"], call.axes()[0], falling=call.arguments["descending"])[1]


@lowers("topk")
def _largest_few(b: Builder, call: Call) -> list[Source | None]:
    x = call.arguments["self"]
    if not shape_of(x) or not call.arguments["sorted"]:
        raise NotLoweredError
    axis, count = call.axes()[0], call.arguments["k"]
    values, places = _both(b, x, axis, falling=call.arguments["largest"])
    return [_part(b, one, lambda a: a.narrow(axis, 0, count), call.shape) for one in (values, places)]


def _part(b: Builder, x: Source, function: Callable[[Any], Any], shape: tuple[int, ...]) -> Source:
    name = "move" if dtype_of(x) != "int64" else "exact"
    return b.one(name, function, [x], Value(shape, dtype_of(x)))


@lowers("median", "nanmedian", "kthvalue")
def _median(b: Builder, call: Call) -> list[Source | None]:
    """The lower of the two in the middle, or element number k, and where it was."""
    x = call.arguments["self"]
    if call.name == "nanmedian" or not shape_of(x):
        raise NotLoweredError
    if "dim" not in call.arguments:
        x = b.reshape(x, (-1 if not shape_of(x) else torch.Size(shape_of(x)).numel(),))
        axis = 0
    else:
        axis = call.axes()[0]
    length = shape_of(x)[axis]
    number = call.arguments["k"] - 1 if call.name == "kthvalue" else (length - 1) // 2
    pick = lambda a: a.select(axis, number).reshape(call.shape)  # noqa: E731 - used twice below
    value = _part(b, ordered(b, x, axis), pick, call.shape)
    return [value] if len(call.outputs) == 1 else [value, _part(b, order_of(b, x, axis), pick, call.shape)]
