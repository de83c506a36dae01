"""Convolutions: products of kernels with the windows of an array, and those of their backward passes."""

import math
from dataclasses import dataclass, replace
from typing import Any

from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers
from xcheck_torch.lowering.windows import Windows, each, windows


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
    names = ("stride", "padding", "dilation", "output_padding")
    stride, padding, dilation, more = (each(call.arguments[name], rank) for name in names)
    return _Convolution(stride, padding, dilation, more, call.arguments["groups"])


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
