"""Windows of an array along its last axes, and what is only cut into them or added up from them."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F

from xcheck.trace import Constant
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import shape_of, to_array
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, lowers


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


def each(value: Any, rank: int) -> tuple[int, ...]:
    """Return one number for each axis, of one for all or of one each."""
    numbers = [value] if isinstance(value, int) else list(value)
    return tuple(numbers * rank if len(numbers) == 1 else numbers)


def windows(b: Builder, x: Source, how: Windows, fill: float = 0.0) -> Source:
    """Return the windows along the last axes, shape (..., counts, sizes)."""
    rank = len(how.size)
    shape = shape_of(x)
    whole = (*shape[:-rank], *how.counts(shape[-rank:]), *how.size)
    return b.move(lambda a: how.cut(a, fill), [x], whole, fill=fill)


def _as_called(call: Call) -> Windows:
    given = [each(call.arguments[name], 2) for name in ("kernel_size", "stride", "padding", "dilation")]
    size, stride, padding, dilation = given
    return Windows(size, stride, padding, padding, dilation, (1, 1))


def _as_rows(a: Any) -> Any:
    """Return windows, shape (..., channels, places, sizes), as (..., channels sizes, places)."""
    *leading, channels, high, wide, rows, columns = a.shape
    moved = a.permute(*range(len(leading)), -5, -2, -1, -4, -3)
    return moved.reshape(*leading, channels * rows * columns, high * wide)


@lowers("im2col")
def _cut_windows(b: Builder, call: Call) -> Source:
    how = _as_called(call)
    return b.move(lambda a: _as_rows(how.cut(a, 0.0)), [call.arguments["self"]], call.shape)


@lowers("col2im")
def _add_windows(b: Builder, call: Call) -> Source:
    """Every element of every window, added where it was cut from."""
    how = _as_called(call)
    numbers = torch.arange(1, math.prod(call.shape) + 1).reshape(call.shape)
    where = Constant(to_array(_as_rows(how.cut(numbers, 0)) - 1))
    return b.scatter_add(b.constant(0.0, call.shape, call.dtype), where, call.arguments["self"])
