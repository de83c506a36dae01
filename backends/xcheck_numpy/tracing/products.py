"""Products: whatever sums over shared axes is an einsum, and an einsum of two arrays is a product of matrices."""

import math
from collections.abc import Callable, Sequence
from string import ascii_letters
from typing import Any

import numpy as np

from xcheck.trace.model import Array
from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.recorded import cast, emit, is_inexact, move
from xcheck_numpy.tracing.tracer import FUNCTIONS, lift


def _einsum(subscripts: Any, *operands: Any, out: Any = None, **kwargs: Any) -> Any:
    recorder = recorder_of(*operands)
    if not isinstance(subscripts, str):
        raise recorder.refuse("`np.einsum` without a string of subscripts")
    arrays = [lift(recorder, one) for one in operands]
    dtype = np.result_type(*[one.dtype for one in arrays])
    arrays = [cast(one, dtype if is_inexact(dtype) else np.dtype(np.float64)) for one in arrays]
    inputs, output = _letters(subscripts.replace(" ", ""), [one.ndim for one in arrays])
    names, found = inputs[0], arrays[0]
    found, names = _alone(found, names, {*output, *"".join(inputs[1:])})
    for number in range(1, len(arrays)):
        needed = {*output, *"".join(inputs[number + 1 :])}
        right, others = _alone(arrays[number], inputs[number], needed | {*names})
        found, names = _pair(found, names, right, others, needed)
    found, names = _alone(found, names, {*output})
    result = np.transpose(found, [names.index(letter) for letter in output])
    if out is None:
        return result
    out[...] = result
    return out


def _letters(subscripts: str, dimensions: Sequence[int]) -> tuple[list[str], str]:
    """Return the letters of each operand and of the result, `...` spelled out."""
    left, arrow, output = subscripts.partition("->")
    inputs = left.split(",")
    free = [letter for letter in ascii_letters if letter not in subscripts]
    counts = [max(ndim - len(part.replace("...", "")), 0) for part, ndim in zip(inputs, dimensions, strict=True)]
    spread = "".join(free[: max(counts)])

    def spell(part: str, count: int) -> str:
        return part.replace("...", spread[len(spread) - count :])

    if not arrow:
        every = left.replace(",", "").replace("...", "")
        output = "..." * ("..." in left) + "".join(sorted(one for one in set(every) if every.count(one) == 1))
    return [spell(part, count) for part, count in zip(inputs, counts, strict=True)], spell(output, len(spread))


def _alone(x: Any, names: str, needed: set[str]) -> tuple[Any, str]:
    """Return the diagonal of axes of the same name, summed over axes that nobody else has."""
    single = "".join(dict.fromkeys(names))
    if single != names:
        x = move(lambda array: np.einsum(f"{names}->{single}", array), x)
    axes = tuple(number for number, letter in enumerate(single) if letter not in needed)
    kept = "".join(letter for letter in single if letter in needed)
    return (np.sum(x, axis=axes), kept) if axes else (x, kept)


def _pair(a: Any, left: str, b: Any, right: str, needed: set[str]) -> tuple[Any, str]:
    """Return the product of two operands, summed over what both have and nobody else needs."""
    size = {**dict(zip(right, b.shape, strict=True)), **dict(zip(left, a.shape, strict=True))}
    for letter, length in zip(right, b.shape, strict=True):
        size[letter] = max(size[letter], length)  # axes of length 1 spread
    shared = [letter for letter in left if letter in right]
    summed = [letter for letter in shared if letter not in needed]
    batch = [letter for letter in shared if letter in needed]
    rows = [letter for letter in left if letter not in right]
    columns = [letter for letter in right if letter not in left]
    names = "".join([*batch, *rows, *columns])
    if not summed:
        order = [*batch, *rows, *columns]
        return _spread(a, left, order) * _spread(b, right, order), names
    lengths = [[size[letter] for letter in group] for group in (batch, rows, summed, columns)]
    flat = [math.prod(group) for group in lengths]

    def arrange(x: Array, own: str, order: Sequence[str], shape: Sequence[int]) -> Array:
        whole = np.broadcast_to(x, [size[letter] for letter in own])
        return np.transpose(whole, [own.index(letter) for letter in order]).reshape(shape)

    one = move(lambda x: arrange(x, left, [*batch, *rows, *summed], [flat[0], flat[1], flat[2]]), a)
    other = move(lambda x: arrange(x, right, [*batch, *summed, *columns], [flat[0], flat[2], flat[3]]), b)
    found = emit("dot", [one, other], lambda x, y: (np.matmul(x, y),))[0]
    return np.reshape(found, [*lengths[0], *lengths[1], *lengths[3]]), names


def _spread(x: Any, own: str, order: Sequence[str]) -> Any:
    """Return x with its axes in this order, of length 1 where it has none."""
    mine = [letter for letter in order if letter in own]
    turned = np.transpose(x, [own.index(letter) for letter in mine])
    return np.expand_dims(turned, tuple(number for number, letter in enumerate(order) if letter not in own))


def _matmul(a: Any, b: Any, **kwargs: Any) -> Any:
    recorder = recorder_of(a, b)
    a, b = lift(recorder, a), lift(recorder, b)
    left = "...ij"[-1:] if a.ndim == 1 else "...ij"
    right = "j" if b.ndim == 1 else "...jk"
    return np.einsum(f"{left},{right}->...{'i' if a.ndim > 1 else ''}{'k' if b.ndim > 1 else ''}", a, b)


def _dot(a: Any, b: Any, out: Any = None) -> Any:
    recorder = recorder_of(a, b)
    a, b = lift(recorder, a), lift(recorder, b)
    found = a * b if not a.ndim or not b.ndim else np.tensordot(a, b, ([a.ndim - 1], [max(b.ndim - 2, 0)]))
    if out is None:
        return found
    out[...] = found
    return out


def _tensordot(a: Any, b: Any, axes: Any = 2) -> Any:
    recorder = recorder_of(a, b)
    a, b = lift(recorder, a), lift(recorder, b)
    if isinstance(axes, int):
        axes = (range(a.ndim - axes, a.ndim), range(axes))
    first, second = ([one] if isinstance(one, int) else list(one) for one in axes)
    left, right = list(ascii_letters[: a.ndim]), list(ascii_letters[a.ndim : a.ndim + b.ndim])
    for one, other in zip(first, second, strict=True):
        right[other % b.ndim] = left[one % a.ndim]
    output = [letter for letter in left if letter not in right] + [letter for letter in right if letter not in left]
    return np.einsum(f"{''.join(left)},{''.join(right)}->{''.join(output)}", a, b)


def _inner(a: Any, b: Any) -> Any:
    recorder = recorder_of(a, b)
    a, b = lift(recorder, a), lift(recorder, b)
    return a * b if not a.ndim or not b.ndim else np.tensordot(a, b, ([a.ndim - 1], [b.ndim - 1]))


def _outer(a: Any, b: Any, out: Any = None) -> Any:
    recorder = recorder_of(a, b)
    return np.ravel(lift(recorder, a))[:, None] * np.ravel(lift(recorder, b))[None, :]


def _vdot(a: Any, b: Any) -> Any:
    recorder = recorder_of(a, b)
    return np.einsum("i,i->", np.conj(np.ravel(lift(recorder, a))), np.ravel(lift(recorder, b)))


def _kron(a: Any, b: Any) -> Any:
    recorder = recorder_of(a, b)
    a, b = lift(recorder, a), lift(recorder, b)
    ndim = max(a.ndim, b.ndim)
    first, second = ([1] * (ndim - one.ndim) + list(one.shape) for one in (a, b))
    left = np.reshape(a, [part for length in first for part in (length, 1)])
    right = np.reshape(b, [part for length in second for part in (1, length)])
    return np.reshape(left * right, [m * n for m, n in zip(first, second, strict=True)])


def _cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Any:
    recorder = recorder_of(a, b)
    first, second, last = (axisa, axisb, axisc) if axis is None else (axis, axis, axis)
    a, b = np.moveaxis(lift(recorder, a), first, -1), np.moveaxis(lift(recorder, b), second, -1)
    if a.shape[-1] == b.shape[-1] == 2:
        return a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    ahead, behind = [1, 2, 0], [2, 0, 1]
    return np.moveaxis(a[..., ahead] * b[..., behind] - a[..., behind] * b[..., ahead], -1, last)


def _convolve(a: Any, b: Any, mode: Any = "full") -> Any:
    """Every element of one against every shift of the other, as one product with a matrix of its shifts."""
    recorder = recorder_of(a, b)
    a, b = (np.ravel(one) for one in align_one_dtype(recorder, a, b))
    if len(a) < len(b):
        a, b = b, a
    n, m = len(a), len(b)

    def shifts(array: Array) -> Array:
        padded = np.concatenate([np.zeros(m - 1, array.dtype), array, np.zeros(m - 1, array.dtype)])
        return padded[np.arange(n + m - 1)[:, None] + np.arange(m)[None, ::-1]]

    whole = move(shifts, a) @ b
    if mode == "full":
        return whole
    return whole[(m - 1) // 2 : (m - 1) // 2 + n] if mode == "same" else whole[m - 1 : n]


def align_one_dtype(recorder: Any, *values: Any) -> list[Any]:
    """Return tracers of one floating dtype, each in its own shape."""
    parts = [lift(recorder, one) for one in values]
    dtype = np.result_type(*[one.dtype for one in parts], np.float32)
    return [cast(one, dtype) for one in parts]


def _correlate(a: Any, b: Any, mode: Any = "valid") -> Any:
    recorder = recorder_of(a, b)
    a, b = lift(recorder, a), np.conj(lift(recorder, b))
    if len(a) < len(b):
        return np.convolve(b[::-1], a, mode)[::1]
    return np.convolve(a, b[::-1], mode)


def _named(pattern: str, *, conjugates: bool = False) -> Callable[..., Any]:
    def apply(a: Any, b: Any, **kwargs: Any) -> Any:
        left, right = align_one_dtype(recorder_of(a, b), a, b)
        return np.einsum(pattern, np.conj(left) if conjugates else left, right)

    return apply


FUNCTIONS.update(
    {
        "einsum": _einsum,
        "matmul": _matmul,
        "linalg.matmul": _matmul,
        "dot": _dot,
        "tensordot": _tensordot,
        "linalg.tensordot": _tensordot,
        "inner": _inner,
        "outer": _outer,
        "linalg.outer": _outer,
        "vdot": _vdot,
        "kron": _kron,
        "cross": _cross,
        "linalg.cross": lambda a, b, axis=-1: _cross(a, b, axis=axis),
        "convolve": _convolve,
        "correlate": _correlate,
        "vecdot": _named("...i,...i->...", conjugates=True),
        "linalg.vecdot": _named("...i,...i->...", conjugates=True),
        "matvec": _named("...ij,...j->...i"),
        "vecmat": _named("...i,...ij->...j", conjugates=True),
    }
)

__all__ = ["align_one_dtype"]
