"""Windows of an array along its last axes: convolutions are products with them, pooling reduces them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
import torch.nn.functional as F

from xcheck.trace import Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers
from xcheck_torch.lowering.reductions import index_of_extreme


@dataclass(frozen=True, slots=True)
class Windows:
    """Windows along axes; one entry for each.

    Attributes:
        size: how many elements wide.
        stride: from one to the next.
        low: elements added before the first; fewer than none are cut off.
        high: behind the last.
        dilation: from one element of a window to the next.
        base: from one element of the array to the next; what is between is filled in.
    """

    size: tuple[int, ...]
    stride: tuple[int, ...]
    low: tuple[int, ...]
    high: tuple[int, ...]
    dilation: tuple[int, ...]
    base: tuple[int, ...]

    def counts(self, lengths: Sequence[int]) -> tuple[int, ...]:
        """Return how many windows there are along each axis."""
        whole = [
            (length - 1) * base + 1 + low + high - (size - 1) * dilation - 1
            for length, base, low, high, size, dilation in zip(
                lengths, self.base, self.low, self.high, self.size, self.dilation, strict=True
            )
        ]
        return tuple(max(rest // stride + 1, 0) for rest, stride in zip(whole, self.stride, strict=True))

    def cut(self, a: Any, fill: float) -> Any:
        """Return windows of a tensor, shape (..., counts, sizes); numbers of elements are filled in with 0."""
        rank = len(self.size)
        fill = fill if a.is_floating_point() else 0
        if any(base > 1 for base in self.base):
            a = self._spread(a, fill)
        pairs = [
            pair for low, high in zip(reversed(self.low), reversed(self.high), strict=True) for pair in (low, high)
        ]
        a = F.pad(a, pairs, value=fill)
        first = a.ndim - rank
        for axis, (size, stride, dilation) in enumerate(zip(self.size, self.stride, self.dilation, strict=True)):
            a = a.unfold(first + axis, (size - 1) * dilation + 1, stride)[..., ::dilation]
        return a

    def _spread(self, a: Any, fill: float) -> Any:
        leading = a.shape[: a.ndim - len(self.base)]
        lengths = a.shape[a.ndim - len(self.base) :]
        wide = [(length - 1) * base + 1 for length, base in zip(lengths, self.base, strict=True)]
        found = a.new_full((*leading, *wide), fill)
        found[(..., *(slice(None, None, base) for base in self.base))] = a
        return found


def _each(value: Any, rank: int) -> tuple[int, ...]:
    """Return one number for each axis, of one for all or of one each."""
    numbers = [value] if isinstance(value, int) else list(value)
    return tuple(numbers * rank if len(numbers) == 1 else numbers)


def windows(b: Builder, x: Source, how: Windows, fill: float = 0.0) -> Source:
    """Return the windows along the last axes, shape (..., counts, sizes)."""
    rank = len(how.size)
    shape = shape_of(x)
    whole = (*shape[:-rank], *how.counts(shape[-rank:]), *how.size)
    return b.move(lambda a: how.cut(a, fill), [x], whole, fill=fill)


# --- convolutions -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Convolution:
    """How an array and kernels are folded: stride, padding, dilation, output padding along each axis; groups."""

    stride: tuple[int, ...]
    padding: tuple[int, ...]
    dilation: tuple[int, ...]
    more: tuple[int, ...]
    groups: int

    def plain(self, kernel: tuple[int, ...]) -> Windows:
        return Windows(kernel, self.stride, self.padding, self.padding, self.dilation, (1,) * len(kernel))

    def transposed(self, kernel: tuple[int, ...]) -> Windows:
        ones = (1,) * len(kernel)
        every = zip(kernel, self.padding, self.dilation, self.more, strict=True)
        low = tuple((size - 1) * dilation - padding for size, padding, dilation, _ in every)
        high = tuple(one + more for one, more in zip(low, self.more, strict=True))
        return Windows(kernel, ones, low, high, self.dilation, self.stride)


def _read(call: Call, rank: int) -> _Convolution:
    numbers = [_each(call.arguments[name], rank) for name in ("stride", "padding", "dilation", "output_padding")]
    return _Convolution(*numbers, call.arguments["groups"])


def _columns(b: Builder, x: Source, how: Windows, groups: int) -> Source:
    """Return the windows as columns of matrices, shape (groups, channels/groups taps, examples places)."""
    rank = len(how.size)
    cut = windows(b, x, how)
    count, channels, *rest = shape_of(cut)
    places, taps = math.prod(rest[:rank]), math.prod(rest[rank:])
    axes = (1, 2, 4, 0, 3)

    def arrange(a: Any) -> Any:
        whole = a.reshape(count, groups, channels // groups, places, taps)
        return whole.permute(*axes).reshape(groups, channels // groups * taps, count * places)

    return b.move(arrange, [cut], (groups, channels // groups * taps, count * places))


def fold(b: Builder, x: Source, weight: Source, how: Windows, groups: int) -> Source:
    """Return the windows times the kernels, weight of shape (outputs, channels/groups, ...)."""
    outputs, channels, *kernel = shape_of(weight)
    columns = _columns(b, x, how, groups)
    rows = b.reshape(weight, (groups, outputs // groups, channels * math.prod(kernel)))
    count, places = shape_of(x)[0], how.counts(shape_of(x)[2:])
    found = b.dot(rows, columns)
    shape = (count, outputs, *places)
    return b.move(lambda a: a.reshape(outputs, count, *places).transpose(0, 1), [found], shape)


def _fold_back(b: Builder, x: Source, weight: Source, how: _Convolution) -> Source:
    """Return the transposed convolution, weight of shape (inputs, outputs/groups, ...)."""
    inputs, outputs, *kernel = shape_of(weight)
    groups, rank = how.groups, len(kernel)

    def turn(a: Any) -> Any:
        parts = a.reshape(groups, inputs // groups, outputs, *kernel).transpose(1, 2)
        return parts.reshape(groups * outputs, inputs // groups, *kernel).flip(*range(2, 2 + rank))

    turned = b.move(turn, [weight], (groups * outputs, inputs // groups, *kernel))
    return fold(b, x, turned, how.transposed(tuple(kernel)), groups)


@lowers("convolution", "_convolution", "convolution_overrideable")
def _convolve(b: Builder, call: Call) -> Source:
    x, weight, bias = (call.arguments[name] for name in ("input", "weight", "bias"))
    kernel = shape_of(weight)[2:]
    how = _read(call, len(kernel))
    if call.arguments["transposed"]:
        found = _fold_back(b, x, weight, how)
    else:
        found = fold(b, x, weight, how.plain(kernel), how.groups)
    return found if bias is None else b.add(found, b.reshape(bias, (*shape_of(bias), *([1] * len(kernel)))))


@lowers("convolution_backward")
def _convolve_backward(b: Builder, call: Call) -> list[Source | None]:
    """The cotangents of input, weight and bias."""
    arriving, x, weight = (call.arguments[name] for name in ("grad_output", "input", "weight"))
    how = _read(call, len(shape_of(weight)) - 2)
    wanted = call.arguments["output_mask"]
    transposed = call.arguments["transposed"]
    found: list[Source | None] = []
    if wanted[0]:
        found.append(_of_input(b, arriving, x, weight, how, transposed=transposed))
    if wanted[1]:
        pair = (arriving, x) if transposed else (x, arriving)
        found.append(_of_weight(b, *pair, weight, how))
    if wanted[2]:
        found.append(b.sum(arriving, [axis for axis in range(len(shape_of(arriving))) if axis != 1]))
    return found


def _of_input(
    b: Builder, arriving: Source, x: Source, weight: Source, how: _Convolution, *, transposed: bool
) -> Source:
    kernel = shape_of(weight)[2:]
    if transposed:
        return fold(b, arriving, weight, how.plain(kernel), how.groups)
    # What the strides leave over at the end takes part in no window.
    every = zip(shape_of(x)[2:], shape_of(arriving)[2:], how.stride, how.padding, how.dilation, kernel, strict=True)
    more = tuple(
        length - ((places - 1) * stride - 2 * padding + dilation * (size - 1) + 1)
        for length, places, stride, padding, dilation, size in every
    )
    return _fold_back(b, arriving, weight, replace(how, more=more))


def _of_weight(b: Builder, wide: Source, narrow: Source, weight: Source, how: _Convolution) -> Source:
    """Return Σ over places of one array times the windows of the other."""
    shape, groups = shape_of(weight), how.groups
    places = shape_of(narrow)[2:]
    plain = how.plain(shape[2:])
    columns = _columns(b, wide, plain, groups)
    if plain.counts(shape_of(wide)[2:]) != places:
        raise NotLoweredError
    count, outputs = shape_of(narrow)[:2]
    every = count * math.prod(places)

    def arrange(a: Any) -> Any:
        return a.transpose(0, 1).reshape(groups, outputs // groups, every)

    rows = b.move(arrange, [narrow], (groups, outputs // groups, every))
    return b.reshape(b.dot(rows, b.permute(columns, (0, 2, 1))), shape)


# --- pooling ----------------------------------------------------------------------------------------------------------


def _pooling(call: Call) -> Windows:
    """Return the windows of a pooling; with `ceil_mode` the last may reach over the end."""
    size = call.arguments["kernel_size"]
    rank = len(size)
    size = _each(size, rank)
    shape = shape_of(call.arguments["self"])
    lengths, counts = shape[-rank:], call.shape[-rank:]
    stride = _each(call.get("stride") or size, rank)
    padding, dilation = _each(call.arguments["padding"], rank), _each(call.arguments.get("dilation", 1), rank)
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
    best = index_of_extreme(b, cut, (axis,), Value(call.shape, "int64"), "max")

    def look_up(at: Any) -> Any:
        return numbers.expand(*call.shape, numbers.shape[-1]).gather(-1, at[..., None])[..., 0]

    return [*found, b.one("exact", look_up, [best], Value(call.shape, "int64"))]


@lowers("max_pool2d_with_indices_backward", "max_pool3d_with_indices_backward")
def _max_pool_backward(b: Builder, call: Call) -> Source:
    """What arrives, added where the largest was."""
    arriving, indices = call.arguments["grad_output"], call.arguments["indices"]
    rank = len(call.arguments["kernel_size"])
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


def _as_constant(tensor: Any, dtype: str) -> Source:
    from xcheck.trace import Constant
    from xcheck_torch.lowering.arrays import to_array, torch_dtype

    return Constant(to_array(tensor.to(torch_dtype(dtype))))


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
