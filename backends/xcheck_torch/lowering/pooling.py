"""Pooling: windows are reduced to their largest element or to their mean."""

import math
from dataclasses import replace
from typing import Any

import torch
import torch.nn.functional as F

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of, to_array, torch_dtype
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, lowers
from xcheck_torch.lowering.reductions import index_of_extreme
from xcheck_torch.lowering.windows import Windows, each, windows


def _pooling(call: Call) -> Windows:
    """Return the windows of a pooling; with `ceil_mode` the last may reach over the end."""
    size = call.arguments["kernel_size"]
    rank = len(size)
    size = each(size, rank)
    shape = shape_of(call.arguments["self"])
    lengths, counts = shape[-rank:], call.shape[-rank:]
    stride = each(call.get("stride") or size, rank)
    padding, dilation = each(call.arguments["padding"], rank), each(call.arguments.get("dilation", 1), rank)
    every = zip(lengths, counts, size, stride, padding, dilation, strict=True)
    high = tuple(
        max((count - 1) * step + (width - 1) * between + 1 - length - pad, 0)
        for length, count, width, step, pad, between in every
    )
    return Windows(size, stride, padding, high, dilation, (1,) * rank)


def _cut_to(b: Builder, call: Call, how: Windows, fill: float) -> Source:
    """Return the windows of `self` with all elements of one along the last axis, as many as the result has."""
    rank, counts = len(how.size), call.shape
    cut = windows(b, call.arguments["self"], how, fill)
    taps = math.prod(how.size)
    keep = tuple(slice(length) for length in counts)
    return b.move(lambda a: a[keep].reshape(*counts, taps), [cut], (*counts, taps), fill=fill) if rank else cut


@lowers("max_pool1d", "max_pool2d", "max_pool2d_with_indices", "max_pool3d", "max_pool3d_with_indices")
def _max_pool(b: Builder, call: Call) -> list[Source | None]:
    how = _pooling(call)
    cut = _cut_to(b, call, how, -math.inf)
    axis = len(call.shape)
    found: list[Source | None] = [b.reduce("reduce_max", cut, [axis])]
    if len(call.outputs) == 1:
        return found
    shape = shape_of(call.arguments["self"])
    flat = torch.arange(math.prod(shape[-len(how.size) :])).reshape(shape[-len(how.size) :])
    every = how.cut(flat, 0)[tuple(slice(length) for length in call.shape[-len(how.size) :])]
    numbers = every.reshape(*call.shape[-len(how.size) :], math.prod(how.size))
    return [*found, _place_of_largest(b, call, cut, numbers)]


def _uneven_windows(lengths: tuple[int, ...], counts: tuple[int, ...]) -> Any:
    """Return the flat numbers of the elements of windows that cover axes, shape (*counts, sizes); -1 outside.

    Window number i of c along an axis of length n is from i n/c, rounded down, to (i + 1) n/c, rounded up.
    """
    numbers: Any = 0
    is_inside: Any = True
    for axis, (length, count) in enumerate(zip(lengths, counts, strict=True)):
        first = torch.arange(count) * length // count
        last = -(-torch.arange(1, count + 1) * length // count)
        places = first[:, None] + torch.arange(int((last - first).max()))
        # All axes of the places come before all axes of the sizes.
        view = [1] * (2 * len(lengths))
        view[axis], view[len(lengths) + axis] = places.shape
        numbers = numbers * length + places.reshape(view)
        is_inside = is_inside & (places < last[:, None]).reshape(view)
    return torch.where(is_inside, numbers, -1).reshape(*counts, -1)


@lowers("adaptive_max_pool2d", "adaptive_max_pool3d")
def _adaptive_max_pool(b: Builder, call: Call) -> list[Source | None]:
    x, rank = call.arguments["self"], len(call.arguments["output_size"])
    numbers = _uneven_windows(shape_of(x)[-rank:], call.shape[-rank:])

    def cut(a: Any) -> Any:
        flat = a.flatten(-rank)
        outside = flat.new_full((*flat.shape[:-1], 1), -math.inf if flat.is_floating_point() else 0)
        return torch.cat([flat, outside], -1)[..., numbers]

    windows_of = b.move(cut, [x], (*call.shape, numbers.shape[-1]), fill=-math.inf)
    axis = len(call.shape)
    return [b.reduce("reduce_max", windows_of, [axis]), _place_of_largest(b, call, windows_of, numbers)]


def _place_of_largest(b: Builder, call: Call, cut: Source, numbers: Any) -> Source:
    """Return the flat numbers of the largest elements of windows, of those of all of them."""
    best = index_of_extreme(b, cut, (len(call.shape),), Value(call.shape, "int64"), "max")

    def look_up(at: Any) -> Any:
        return numbers.expand(*call.shape, numbers.shape[-1]).gather(-1, at[..., None])[..., 0]

    return b.one("exact", look_up, [best], Value(call.shape, "int64"))


@lowers(
    *("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward"),
    *("adaptive_max_pool2d_backward", "adaptive_max_pool3d_backward"),
)
def _max_pool_backward(b: Builder, call: Call) -> Source:
    """What arrives, added where the largest was."""
    arriving, indices = call.arguments["grad_output"], call.arguments["indices"]
    rank = 2 if "2d" in call.name else 3
    size = math.prod(call.shape[-rank:])
    shape = shape_of(arriving)
    images = math.prod(shape[:-rank])

    def spread(at: Any) -> Any:
        return (at.reshape(images, -1) + size * torch.arange(images)[:, None]).reshape(shape)

    where = b.one("exact", spread, [indices], Value(shape, "int64"))
    return b.scatter_add(b.constant(0.0, call.shape, call.dtype), where, arriving)


def _weights(call: Call, how: Windows) -> Any:
    """Return by how many each window is divided, shape (counts): what it has of the array, or of its padding, too."""
    rank = len(how.size)
    divisor = call.get("divisor_override")
    counts = call.shape[-rank:]
    if divisor is not None:
        return torch.full(counts, float(divisor), dtype=torch.float64)
    lengths = shape_of(call.arguments["self"])[-rank:]
    ones = torch.ones(lengths, dtype=torch.float64)
    if call.arguments["count_include_pad"]:
        pairs = [pad for low in reversed(how.low) for pad in (low, low)]
        ones = F.pad(ones, pairs, value=1.0)
        how = replace(how, low=(0,) * rank, high=tuple(h - p for h, p in zip(how.high, how.low, strict=True)))
    return how.cut(ones, 0.0)[tuple(slice(length) for length in counts)].reshape(*counts, -1).sum(-1)


@lowers("avg_pool1d", "avg_pool2d", "avg_pool3d")
def _mean_pool(b: Builder, call: Call) -> Source:
    how = _pooling(call)
    total = b.sum(_cut_to(b, call, how, 0.0), [len(call.shape)])
    return b.div(total, b.broadcast(_as_constant(_weights(call, how), call.dtype), call.shape, call.dtype))


@lowers("avg_pool2d_backward", "avg_pool3d_backward")
def _mean_pool_backward(b: Builder, call: Call) -> Source:
    """What arrives, divided as the mean was, for each element of the window."""
    arriving = call.arguments["grad_output"]
    shape, rank = shape_of(arriving), len(call.arguments["kernel_size"])
    forward = Call(call.name, call.function, call.arguments, (Value(shape, call.dtype),))
    how = _pooling(forward)
    weights = b.broadcast(_as_constant(_weights(forward, how), call.dtype), shape, call.dtype)
    parts = b.reshape(b.div(arriving, weights), (*shape, 1))
    taps = math.prod(how.size)
    numbers = torch.arange(1, math.prod(call.shape) + 1).reshape(call.shape)
    keep = tuple(slice(length) for length in shape[-rank:])
    where = how.cut(numbers, 0)[(..., *keep, *(slice(None),) * rank)].reshape(*shape, taps) - 1
    updates = b.broadcast(parts, (*shape, taps), dtype_of(arriving))
    return b.scatter_add(b.constant(0.0, call.shape, call.dtype), _as_constant(where, "int64"), updates)


def _as_constant(tensor: Any, dtype: str) -> Source:
    return Constant(to_array(tensor.to(torch_dtype(dtype))))
