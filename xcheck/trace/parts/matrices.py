"""Functions of complex matrices, as those of real ones of twice the size.

A + i B stands for [[A, -B], [B, A]]: sums and products of the one are those of the other, and so are inverses and power
series; columns X + i Y stand for X above Y.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy import linalg

from xcheck.trace.model import Array, Operation, Source, Value
from xcheck.trace.parts.writer import Parts, Writer, dtype_of, shape_of

_FUNCTIONS: Mapping[str, Callable[[Any], Any]] = {"inv": np.linalg.inv, "expm": linalg.expm}


def function_of_matrix(w: Writer, operation: Operation, z: Parts) -> Parts:
    """Return the inverse, or the exponential."""
    whole = _enlarged(w, z)
    output = Value(shape_of(whole), dtype_of(whole))
    return _columns(w, w.one(operation.name, _FUNCTIONS[operation.name], [whole], output), shape_of(z.re))


def solve(w: Writer, operation: Operation, z: Parts, y: Parts) -> Parts:
    """Return X of Z X = Y."""
    shape = shape_of(y.re)
    below = w.move(lambda a, b: np.concatenate([a, b], -2), list(y), (*shape[:-2], 2 * shape[-2], shape[-1]))
    found = w.one("solve", np.linalg.solve, [_enlarged(w, z), below], Value(shape_of(below), dtype_of(below)))
    return _columns(w, found, shape)


def _enlarged(w: Writer, z: Parts) -> Source:
    """Return [[A, -B], [B, A]]."""
    *batch, rows, columns = shape_of(z.re)

    def put(a: Array, b: Array, minus_b: Array) -> Array:
        return np.concatenate([np.concatenate([a, minus_b], -1), np.concatenate([b, a], -1)], -2)

    return w.move(put, [z.re, z.im, w.apply("neg", z.im)], (*batch, 2 * rows, 2 * columns))


def _columns(w: Writer, whole: Source, shape: tuple[int, ...]) -> Parts:
    """Return the upper and the lower half of the first columns."""
    rows, columns = shape[-2:]
    return Parts(
        w.move(lambda a: a[..., :rows, :columns], [whole], shape),
        w.move(lambda a: a[..., rows:, :columns], [whole], shape),
    )
