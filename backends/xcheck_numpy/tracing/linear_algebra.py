"""`np.linalg`: norms, and the operations on matrices that have names of their own in a trace."""

import math
from typing import Any

import numpy as np
from numpy.linalg._linalg import EighResult, QRResult, SlogdetResult, SVDResult

from xcheck_numpy.tracing.moves import recorder_of
from xcheck_numpy.tracing.products import align_one_dtype
from xcheck_numpy.tracing.recorded import emit
from xcheck_numpy.tracing.reductions import axes_of, keep
from xcheck_numpy.tracing.tracer import FUNCTIONS, OF_REAL, lift
from xcheck_numpy.tracing.ufuncs import broadcast


def _norm(x: Any, ord: Any = None, axis: Any = None, keepdims: bool = False) -> Any:  # noqa: A002 - NumPy's own name
    recorder = recorder_of(x)
    [x] = align_one_dtype(recorder, x)
    axes = axes_of(x, axis)
    if ord is None or (ord in (2, "fro") and len(axes) == (1 if ord == 2 else 2)):
        squares = (x * np.conj(x)).real if x.dtype.kind == "c" else x * x
        return keep(np.sqrt(np.sum(squares, axis=axes)), x, axes, keepdims)
    if len(axes) == 1 and not isinstance(ord, str):
        return keep(_vector_norm(np.abs(x), float(ord), axes), x, axes, keepdims)
    if len(axes) == 2 and ord in (1, -1, np.inf, -np.inf):
        # The axis that is summed over, of the two in the order in which they were given.
        rows, columns = (one % x.ndim for one in (axis or (0, 1)))
        inner = rows if abs(ord) == 1 else columns
        sums = np.sum(np.abs(x), axis=inner, keepdims=True)
        return keep((np.max if ord > 0 else np.min)(sums, axis=axes), x, axes, keepdims)
    if ord not in (2, -2, "nuc"):
        raise recorder.refuse(f"`np.linalg.norm` with ord={ord!r} of a matrix")
    values = _svd(x if axis is None else np.moveaxis(x, axis, (-2, -1)), compute_uv=False)
    found = np.sum(values, -1) if ord == "nuc" else values[..., 0 if ord == 2 else -1]
    return keep(found, x, axes, keepdims)


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


def _eigh(a: Any, UPLO: Any = "L") -> Any:
    [a] = align_one_dtype(recorder_of(a), a)
    found = emit("eigh", [a], lambda x: tuple(np.linalg.eigh(x, UPLO)), lower=UPLO.upper() == "L")
    return EighResult(*found)


def _svd(a: Any, full_matrices: bool = True, compute_uv: bool = True, hermitian: bool = False) -> Any:
    recorder = recorder_of(a)
    [a] = align_one_dtype(recorder, a)
    if hermitian:
        raise recorder.refuse("`np.linalg.svd` with hermitian=True")
    if not compute_uv:
        return emit("svd", [a], lambda x: (np.linalg.svd(x, compute_uv=False),), full=False)[0]

    def run(x: Any) -> Any:
        left, values, right = np.linalg.svd(x, full_matrices)
        return values, left, right

    values, left, right = emit("svd", [a], run, full=full_matrices)
    return SVDResult(left, values, right)


def _qr(a: Any, mode: str = "reduced") -> Any:
    recorder = recorder_of(a)
    [a] = align_one_dtype(recorder, a)
    if mode not in ("reduced", "complete", "r"):
        raise recorder.refuse(f"`np.linalg.qr` with mode={mode!r}")
    kind: Any = "complete" if mode == "complete" else "reduced"
    found = emit("qr", [a], lambda x: tuple(np.linalg.qr(x, kind)), full=mode == "complete")
    return found[1] if mode == "r" else QRResult(*found)


def _pinv(a: Any, *args: Any, **kwargs: Any) -> Any:
    """R⁻¹ Qᵀ of A = Q R: that of a matrix whose columns, or rows, are independent."""
    [a] = align_one_dtype(recorder_of(a), a)
    if a.shape[-2] < a.shape[-1]:
        return np.swapaxes(_pinv(np.swapaxes(a, -1, -2)), -1, -2)
    q, r = _qr(a)
    return np.linalg.solve(r, np.swapaxes(q, -1, -2))


def _lstsq(a: Any, b: Any, rcond: Any = None) -> Any:
    recorder = recorder_of(a, b)
    a, b = align_one_dtype(recorder, a, b)
    found = _pinv(a) @ b
    rank = int(np.linalg.matrix_rank(a.array))
    if rank < min(a.shape):
        raise recorder.refuse("`np.linalg.lstsq` of a matrix without full rank")
    rest = np.sum((b - a @ found) ** 2, axis=0, keepdims=b.ndim == 1)
    residuals = rest if a.shape[0] > a.shape[1] else np.zeros(0)
    return found, residuals, rank, _svd(a, compute_uv=False)


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


OF_REAL.update(("linalg.pinv", "linalg.lstsq"))
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
        "linalg.eigh": _eigh,
        "linalg.eigvalsh": lambda a, UPLO="L": _eigh(a, UPLO)[0],
        "linalg.svd": _svd,
        "linalg.svdvals": lambda x: _svd(x, compute_uv=False),
        "linalg.qr": _qr,
        "linalg.pinv": _pinv,
        "linalg.lstsq": _lstsq,
        "linalg.matrix_power": _matrix_power,
        "linalg.multi_dot": _multi_dot,
    }
)
