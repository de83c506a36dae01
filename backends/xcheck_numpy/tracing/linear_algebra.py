"""`np.linalg`: norms, and the operations on matrices that have names of their own in a trace."""

import math
from typing import Any

import numpy as np
from numpy.linalg._linalg import SlogdetResult

from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.products import align_one_dtype
from xcheck_numpy.tracing.recorded import emit
from xcheck_numpy.tracing.reductions import axes_of, keep
from xcheck_numpy.tracing.tracer import FUNCTIONS, lift
from xcheck_numpy.tracing.ufuncs import broadcast


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002 - NumPy's own name
    recorder = recorder_of(x)
    [x] = align_one_dtype(recorder, x)
    axes = axes_of(x, axis)
    if ord is None or (ord in (2, "fro") and len(axes) == (1 if ord == 2 else 2)):
        return keep(np.sqrt(np.sum(x * x, axis=axes)), x, axes, keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return keep(_vector_norm(np.abs(x), float(ord), axes), x, axes, keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        # The axis that is summed over, of the two in the order in which they were given.
        rows, columns = (one % x.ndim for one in (axis or (0, 1)))
        inner = rows if abs(ord) == 1 else columns
        sums = np.sum(np.abs(x), axis=inner, keepdims=True)
        return keep((np.max if ord > 0 else np.min)(sums, axis=axes), x, axes, keepdims)
    raise recorder.refuse(f"`np.linalg.norm` with ord={ord!r} of a matrix")


def _vector_norm(size: Any, order: float, axes: tuple[int, ...]) -> Any:
    if math.isinf(order):
        return (np.max if order > 0 else np.min)(size, axis=axes)
    if order == 0:
        return np.sum(size != 0, axis=axes) * 1.0
    return np.sum(size, axis=axes) if order == 1 else np.sum(size**order, axis=axes) ** (1.0 / order)


def _solve(a: Any, b: Any) -> Any:
    """A x = b, with the same batch of matrices on both sides."""
    recorder = recorder_of(a, b)
    a, b = align_one_dtype(recorder, a, b)
    is_vector = b.ndim == 1
    right = b[:, None] if is_vector else b
    batch = np.broadcast_shapes(a.shape[:-2], right.shape[:-2])
    left, right = (broadcast(one, (*batch, *one.shape[-2:])) for one in (a, right))
    found: Any = emit("solve", [left, right], lambda x, y: (np.linalg.solve(x, y),))[0]
    return found[..., 0] if is_vector else found


def _of_matrices(name: str) -> Any:
    function = getattr(np.linalg, name)

    def apply(a: Any) -> Any:
        [a] = align_one_dtype(recorder_of(a), a)
        return emit(name, [a], lambda x: (function(x),))[0]

    return apply


def _cholesky(a: Any, /, *, upper: bool = False) -> Any:
    [a] = align_one_dtype(recorder_of(a), a)
    lower = emit("cholesky", [a], lambda x: (np.linalg.cholesky(x),))[0]
    return np.swapaxes(lower, -1, -2) if upper else lower


def _slogdet(a: Any) -> Any:
    [a] = align_one_dtype(recorder_of(a), a)
    return SlogdetResult(*emit("slogdet", [a], lambda x: tuple(np.linalg.slogdet(x))))


def _matrix_power(a: Any, n: int) -> Any:
    a = lift(recorder_of(a), a)
    if n < 0:
        return _matrix_power(np.linalg.inv(a), -n)
    found: Any = np.broadcast_to(np.eye(a.shape[-1]), a.shape)
    for _ in range(n):
        found = found @ a
    return found


def _multi_dot(arrays: Any, *, out: Any = None) -> Any:
    found = arrays[0]
    for one in arrays[1:]:
        found = np.dot(found, one)
    return found


FUNCTIONS.update(
    {
        "linalg.norm": _norm,
        "linalg.vector_norm": lambda x, *, axis=None, keepdims=False, ord=2: _norm(  # noqa: A006 - NumPy's own name
            x, None if axis is None and ord == 2 else ord, axis, keepdims
        ),
        "linalg.solve": _solve,
        "linalg.inv": _of_matrices("inv"),
        "linalg.det": _of_matrices("det"),
        "linalg.cholesky": _cholesky,
        "linalg.slogdet": _slogdet,
        "linalg.matrix_power": _matrix_power,
        "linalg.multi_dot": _multi_dot,
    }
)
