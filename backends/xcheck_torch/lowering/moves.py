"""Moves: operations that put elements in other places, and sums of what is put in one place."""

from typing import Any

import torch

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, is_inexact, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers, whole

# Carried out by torch's own operation, on elements and on their numbers.
ONLY_MOVED = (
    *("cat", "stack", "repeat", "roll", "flip", "tril", "triu", "gather", "index", "index_select", "embedding", "take"),
    *("index_copy", "slice_scatter", "select_scatter", "diagonal_scatter", "as_strided_scatter", "masked_select"),
    *("masked_scatter", "rot90", "channel_shuffle", "pixel_shuffle", "pixel_unshuffle", "diag_embed", "_unsafe_index"),
    *("block_diag", "put", "unfold_copy", "broadcast_in_dim", "expand_copy", "view_copy", "unfold", "_chunk_cat"),
    *("permute_copy", "slice_backward", "select_backward", "diagonal_backward", "repeat_interleave"),
)
# The same, with a number that stands where there is no element: the name of that argument.
_FILLED = {"constant_pad_nd": "value", "index_fill": "value"}


@lowers(*ONLY_MOVED)
def _move(b: Builder, call: Call) -> list[Source]:
    return whole(b, _in_one_dtype(b, call), "move")


def _in_one_dtype(b: Builder, call: Call) -> Call:
    """Return a call whose floating arguments have the dtype of what it returns."""
    if not is_inexact(call.dtype):
        raise NotLoweredError

    def change(value: Any) -> Any:
        if isinstance(value, list | tuple):
            return [change(part) for part in value]
        is_source = isinstance(value, Value | Constant)
        return b.cast(value, call.dtype) if is_source and is_inexact(dtype_of(value)) else value

    arguments = {name: change(value) for name, value in call.arguments.items()}
    return Call(call.name, call.function, arguments, call.outputs)


@lowers(*_FILLED)
def _filled(b: Builder, call: Call) -> list[Source]:
    name = _FILLED[call.name]
    fill = call.arguments[name]
    if isinstance(fill, Value | Constant):
        return _move(b, call)
    return _move_with_fill(b, _in_one_dtype(b, call), name, _real(fill))


def _real(fill: Any) -> float:
    if isinstance(fill, complex):
        raise NotLoweredError
    return float(fill)


def _move_with_fill(b: Builder, call: Call, name: str, fill: float) -> list[Source]:
    sources = call.sources

    def run(*tensors: Any) -> Any:
        # Among the numbers of elements 0 stands for what is filled in.
        counted = not tensors[0].is_floating_point()
        return call.invoke(tensors, **{name: 0 if counted else fill})

    return b.emit("move", run, sources, call.outputs, fill=fill)


@lowers("scatter")
def _scatter(b: Builder, call: Call) -> list[Source]:
    if "value" not in call.arguments or isinstance(call.arguments["value"], Value | Constant):
        return _move(b, call)
    if call.get("reduce") is not None:
        raise NotLoweredError
    return _move_with_fill(b, _in_one_dtype(b, call), "value", _real(call.arguments["value"]))


# --- sums -------------------------------------------------------------------------------------------------------------


def positions(b: Builder, shape: tuple[int, ...], function: Any, indices: list[Source], result: tuple[int, ...]) -> Any:
    """Return the flat numbers of elements, as a function picks them that takes their array and the indices."""
    count = torch.Size(shape).numel()

    def pick(*given: Any) -> Any:
        return function(torch.arange(count).reshape(shape), *given)

    return b.one("exact", pick, indices, Value(result, "int64"))


@lowers("scatter_add")
def _scatter_add(b: Builder, call: Call) -> Source:
    x, axis, index, updates = (call.arguments[name] for name in ("self", "dim", "index", "src"))
    shape = shape_of(index)
    where = positions(b, shape_of(x), lambda a, at: a.gather(axis, at), [index], shape)
    if shape_of(updates) != shape:
        updates = b.move(lambda a: a[tuple(slice(length) for length in shape)], [updates], shape)
    return b.scatter_add(b.cast(x, call.dtype), where, b.cast(updates, call.dtype))


@lowers("index_add")
def _index_add(b: Builder, call: Call) -> Source:
    x, axis, index, updates = (call.arguments[name] for name in ("self", "dim", "index", "source"))
    shape = shape_of(updates)
    where = positions(b, shape_of(x), lambda a, at: a.index_select(axis, at).reshape(shape), [index], shape)
    scaled = b.mul(call.arguments["alpha"], b.cast(updates, call.dtype))
    return b.scatter_add(b.cast(x, call.dtype), where, scaled)


@lowers("index_put", "_unsafe_index_put", "_index_put_impl")
def _index_put(b: Builder, call: Call) -> Source | list[Source]:
    x, values, indices = (call.arguments[name] for name in ("self", "values", "indices"))
    if not call.arguments["accumulate"]:
        return _move(b, call)
    given = [one for one in indices if one is not None]

    def pick(numbers: Any, *tensors: Any) -> Any:
        left = iter(tensors)
        return torch.ops.aten.index(numbers, [None if one is None else next(left) for one in indices])

    shape = _shape_of_indexed(call, values)
    where = positions(b, shape_of(x), pick, given, shape)
    return b.scatter_add(b.cast(x, call.dtype), where, b.broadcast(values, shape, call.dtype))


def _shape_of_indexed(call: Call, values: Source) -> tuple[int, ...]:
    """Return the shape of what indices pick; masks pick as many elements as they have places, known by value alone."""
    indices = call.arguments["indices"]
    if any(one is not None and dtype_of(one) == "bool" and isinstance(one, Value) for one in indices):
        # As autograd calls it: the values have the shape of what the mask picks.
        if len(indices) > 1 or not shape_of(values):
            raise NotLoweredError
        return shape_of(values)
    zeros = [
        None
        if one is None
        else torch.as_tensor(one.array)
        if isinstance(one, Constant)
        else torch.zeros(shape_of(one), dtype=torch.int64)
        for one in indices
    ]
    like = torch.zeros((), dtype=torch.int8).expand(shape_of(call.arguments["self"]))
    return tuple(torch.ops.aten.index(like, zeros).shape)


@lowers("embedding_dense_backward")
def _embedding_backward(b: Builder, call: Call) -> Source:
    """The rows of what arrives, added where they were looked up; not for the padding, by frequency where asked."""
    arriving, indices = call.arguments["grad_output"], call.arguments["indices"]
    if call.arguments["scale_grad_by_freq"]:
        raise NotLoweredError
    rows, width = call.shape
    padding, shape = call.arguments["padding_idx"], shape_of(arriving)

    def pick(numbers: Any, at: Any) -> Any:
        found = numbers[at]
        return torch.where((at == padding)[..., None], -1, found) if padding >= 0 else found

    where = positions(b, (rows, width), pick, [indices], shape)
    return b.scatter_add(b.constant(0.0, call.shape, call.dtype), where, arriving)


@lowers("scatter_reduce")
def _scatter_reduce(b: Builder, call: Call) -> Source:
    """The sum alone; together with what was there before, or without it."""
    if call.arguments["reduce"] != "sum":
        raise NotLoweredError
    x, axis, index = (call.arguments[name] for name in ("self", "dim", "index"))
    if not call.arguments["include_self"]:

        def wipe(a: Any, at: Any) -> Any:
            return a.scatter(axis, at, 0)

        x = b.move(wipe, [x, index], shape_of(x))
    arguments = {"self": x, "dim": axis, "index": index, "src": call.arguments["src"]}
    return _scatter_add(b, Call("scatter_add", call.function, arguments, call.outputs))


@lowers("_embedding_bag", "_embedding_bag_forward_only")
def _embedding_bag(b: Builder, call: Call) -> list[Source | None]:
    """Sums or means of rows, bag by bag; not the largest."""
    given = call.arguments
    weight, indices, offsets = (given[name] for name in ("weight", "indices", "offsets"))
    scales, mode, padding = given["per_sample_weights"], given["mode"], given["padding_idx"]
    if mode == _LARGEST or not (isinstance(indices, Constant) and isinstance(offsets, Constant)):
        raise NotLoweredError
    at, starts = torch.as_tensor(indices.array), torch.as_tensor(offsets.array)
    count, width = call.shape
    bags = torch.searchsorted(starts[:count].contiguous(), torch.arange(len(at)), right=True) - 1
    kept = at != padding
    rows = b.move(lambda a: a[at], [weight], (len(at), width))
    if scales is not None:
        rows = b.mul(rows, b.reshape(scales, (len(at), 1)))
    numbers = bags[:, None] * width + torch.arange(width)
    where = Constant(torch.where(kept[:, None], numbers, -1).numpy())
    total = b.scatter_add(b.constant(0.0, call.shape, call.dtype), where, rows)
    if mode == _MEAN:
        sizes = torch.bincount(bags[kept], minlength=count).clamp(min=1)
        total = b.div(total, Constant(sizes[:, None].to(torch.float64).numpy()))
    return [total, None, None, None]


# How torch numbers the modes of bags: sum, mean, max.
_MEAN, _LARGEST = 1, 2


@lowers("trace")
def _trace(b: Builder, call: Call) -> Source:
    x = call.arguments["self"]
    count = min(shape_of(x))
    return b.sum(b.move(lambda a: a.diagonal(), [x], (count,)), [0])
