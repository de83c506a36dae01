"""Factorisations of matrices and what is solved by them."""

from typing import Any

import torch

from xcheck.trace import Value
from xcheck.trace.model import Source
from xcheck_torch.lowering.arrays import dtype_of, shape_of
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import Call, NotLoweredError, lowers


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
