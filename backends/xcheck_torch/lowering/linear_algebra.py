"""Factorisations of matrices and what is solved by them."""

from typing import Any

import numpy as np
import torch

from xcheck.trace import Constant, Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers
from xcheck_torch.lowering.products import product


def transposed(b: Builder, x: Source) -> Source:
    """Return stacks of matrices with rows and columns exchanged."""
    shape = shape_of(x)
    return b.move(lambda a: a.mT, [x], (*shape[:-2], shape[-1], shape[-2]))


def _with_rest(call: Call, *found: Source) -> list[Source | None]:
    """Return outputs followed by those that only backward passes and error messages read."""
    return [*found, *[None] * len(call.outputs)][: len(call.outputs)]


@lowers("linalg_cholesky_ex")
def _cholesky(b: Builder, call: Call) -> list[Source | None]:
    x = call.arguments["self"]
    if call.arguments["upper"]:
        x = transposed(b, x)
    lower = b.one("cholesky", torch.linalg.cholesky, [x], Value(shape_of(x), dtype_of(x)))
    return _with_rest(call, transposed(b, lower) if call.arguments["upper"] else lower)


@lowers("linalg_inv_ex")
def _inverse(b: Builder, call: Call) -> list[Source | None]:
    return _with_rest(call, b.one("inv", torch.linalg.inv, [call.arguments["A"]], call.outputs[0]))


@lowers("linalg_matrix_exp")
def _exponential(b: Builder, call: Call) -> Source:
    return b.one("expm", torch.linalg.matrix_exp, [call.arguments["self"]], call.outputs[0])


@lowers("_linalg_det")
def _determinant(b: Builder, call: Call) -> list[Source | None]:
    return _with_rest(call, b.one("det", torch.linalg.det, [call.arguments["A"]], call.outputs[0]))


@lowers("_linalg_slogdet")
def _log_determinant(b: Builder, call: Call) -> list[Source | None]:
    return _with_rest(call, *b.emit("slogdet", torch.linalg.slogdet, [call.arguments["A"]], call.outputs[:2]))


@lowers("_linalg_solve_ex")
def _solve(b: Builder, call: Call) -> list[Source | None]:
    """X of A X = B; X A = B is Aᵀ Xᵀ = Bᵀ."""
    a, right = call.arguments["A"], call.arguments["B"]
    is_vector = len(shape_of(right)) < len(shape_of(a))
    if is_vector:
        right = b.reshape(right, (*shape_of(right), 1))
    if shape_of(a)[:-2] != shape_of(right)[:-2]:
        raise NotLoweredError
    if not call.arguments["left"]:
        a, right = transposed(b, a), transposed(b, right)
    found = b.one("solve", torch.linalg.solve, [a, right], Value(shape_of(right), call.dtype))
    if not call.arguments["left"]:
        found = transposed(b, found)
    return _with_rest(call, b.reshape(found, call.shape))


@lowers("linalg_solve_triangular")
def _solve_triangular(b: Builder, call: Call) -> Source:
    a, right = call.arguments["self"], call.arguments["B"]
    upper, left, unit = (call.arguments[name] for name in ("upper", "left", "unitriangular"))
    if shape_of(a)[:-2] != shape_of(right)[:-2]:
        raise NotLoweredError

    def run(m: Any, r: Any) -> Any:
        return torch.linalg.solve_triangular(m, r, upper=upper, left=left, unitriangular=unit)

    return b.one(
        "triangular_solve",
        run,
        [a, right],
        call.outputs[0],
        left=left,
        lower=not upper,
        transposed=False,
        unit=unit,
    )


def _solve_by_triangle(b: Builder, a: Source, right: Source, *, lower: bool) -> Source:
    """X of A X = B, A a triangle."""

    def run(m: Any, r: Any) -> Any:
        return torch.linalg.solve_triangular(m, r, upper=not lower)

    output = Value(shape_of(right), dtype_of(right))
    return b.one("triangular_solve", run, [a, right], output, left=True, lower=lower, transposed=False, unit=False)


@lowers("cholesky_inverse")
def _inverse_of_factor(b: Builder, call: Call) -> Source:
    """(L Lᵀ)⁻¹ = L⁻ᵀ L⁻¹."""
    factor = call.arguments["self"]
    if call.arguments["upper"]:
        factor = transposed(b, factor)
    inverse = _solve_by_triangle(b, factor, _identity(factor), lower=True)
    return product(b, transposed(b, inverse), inverse)


def _identity(x: Source) -> Constant:
    shape = shape_of(x)
    return Constant(np.broadcast_to(np.eye(shape[-2], shape[-1], dtype=dtype_of(x)), shape))


@lowers("linalg_lu")
def _lu(b: Builder, call: Call) -> list[Source | None]:
    """L and U of P A = L U; P is not given."""
    x = call.arguments["A"]
    if not call.arguments["pivot"]:
        raise NotLoweredError
    *batch, rows, columns = shape_of(x)
    steps = min(rows, columns)

    def run(a: Any) -> Any:
        packed, pivots = torch.linalg.lu_factor(a)
        order = torch.lu_unpack(packed, pivots, unpack_data=False)[0].argmax(-2)
        return packed, pivots - 1, order

    numbers = [Value((*batch, steps), "int32"), Value((*batch, rows), "int64")]
    packed, _, _ = b.emit("lu", run, [x], [Value(shape_of(x), dtype_of(x)), *numbers])
    _, lower, upper = call.outputs
    below = b.move(lambda a: a.tril(-1)[..., :steps], [packed], lower.shape)
    above = b.move(lambda a: a.triu()[..., :steps, :], [packed], upper.shape)
    return [None, b.add(below, _identity(below)), above]


def _pseudo_inverse(b: Builder, a: Source) -> Source:
    """R⁻¹ Qᵀ of A = Q R: that of a matrix whose columns, or rows, are independent."""
    *batch, rows, columns = shape_of(a)
    if rows < columns:
        return transposed(b, _pseudo_inverse(b, transposed(b, a)))
    dtype = dtype_of(a)
    outputs = [Value((*batch, rows, columns), dtype), Value((*batch, columns, columns), dtype)]
    q, r = b.emit("qr", torch.linalg.qr, [a], outputs, full=False)
    return _solve_by_triangle(b, r, transposed(b, q), lower=False)


@lowers("linalg_pinv")
def _pinv(b: Builder, call: Call) -> Source:
    # What torch takes for dependent gives another loss than this, and nothing is proved.
    return _pseudo_inverse(b, call.arguments["self"])


@lowers("linalg_lstsq")
def _least_squares(b: Builder, call: Call) -> list[Source | None]:
    a, right = call.arguments["self"], call.arguments["b"]
    if len(shape_of(a)) != len(shape_of(right)) or shape_of(a)[:-2] != shape_of(right)[:-2]:
        raise NotLoweredError
    return _with_rest(call, product(b, _pseudo_inverse(b, a), right))


@lowers("linalg_qr")
def _qr(b: Builder, call: Call) -> list[Source]:
    mode = call.arguments["mode"]
    if mode == "r":
        raise NotLoweredError
    run = lambda a: torch.linalg.qr(a, mode)  # noqa: E731 - three words
    return b.emit("qr", run, [call.arguments["A"]], call.outputs, full=mode == "complete")


@lowers("_linalg_eigh")
def _eigenvalues(b: Builder, call: Call) -> list[Source]:
    """Eigenvalues, rising, and vectors; they are there even where nobody asks for them."""
    lower = call.arguments["UPLO"].upper() == "L"
    x = call.arguments["A"]
    outputs = [call.outputs[0], Value(shape_of(x), dtype_of(x))]
    run = lambda a: torch.linalg.eigh(a, call.arguments["UPLO"])  # noqa: E731 - three words
    values, vectors = b.emit("eigh", run, [x], outputs, lower=lower)
    return [values, vectors if call.arguments["compute_v"] else b.constant(0.0, call.outputs[1].shape, dtype_of(x))]


@lowers("_linalg_svd")
def _singular_values(b: Builder, call: Call) -> list[Source]:
    """U, singular values, falling, and Vᵀ; or the values alone."""
    full, x = call.arguments["full_matrices"], call.arguments["A"]
    u, s, v = call.outputs
    if not call.arguments["compute_uv"]:
        values = b.one("svd", torch.linalg.svdvals, [x], s, full=False)
        return [b.constant(0.0, u.shape, u.dtype), values, b.constant(0.0, v.shape, v.dtype)]

    def run(a: Any) -> Any:
        left, values, right = torch.linalg.svd(a, full_matrices=full)
        return [values, left, right]

    values, left, right = b.emit("svd", run, [x], [s, u, v], full=full)
    return [left, values, right]
