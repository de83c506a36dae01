"""Linear algebra of JAX in the words of `xcheck.trace`."""

from collections.abc import Sequence
from typing import Any

from xcheck.trace.model import Array
from xcheck_jax.lowered import Lowered, Run


def cholesky(equation: Any, run: Run) -> list[Lowered]:
    """JAX leaves the triangle of zeros to those that call it, or not: here it is zeros."""
    return [Lowered("cholesky", run)]


def triangular_solve(equation: Any, run: Run) -> list[Lowered]:
    """A real matrix is its own conjugate."""
    params = equation.params
    attributes = {
        "left": params["left_side"],
        "lower": params["lower"],
        "transposed": params["transpose_a"],
        "unit": params["unit_diagonal"],
    }
    return [Lowered("triangular_solve", run, attributes)]


def lu(equation: Any, run: Run) -> list[Lowered]:
    """The factors in one matrix, the pivots, the permutation."""
    return [Lowered("lu", run)]


def qr(equation: Any, run: Run) -> list[Lowered]:
    """With columns that change places it is another operation."""
    if equation.params.get("pivoting"):
        return [Lowered("qr with pivots", run)]
    return [Lowered("qr", run, {"full": equation.params["full_matrices"]})]


def eigh(equation: Any, run: Run) -> list[Lowered]:
    """JAX returns the vectors first."""
    params = equation.params
    if params.get("subset_by_index") is not None or not params.get("sort_eigenvalues", True):
        return [Lowered("some of eigh", run)]
    vectors, values = (variable.aval.shape for variable in equation.outvars)

    def turned(*given: Array) -> Sequence[Array]:
        return tuple(run(*given))[::-1]

    return [
        Lowered("eigh", turned, {"lower": params["lower"]}, shapes=(values, vectors)),
        Lowered("move", lambda *given: given[::-1]),
    ]


def svd(equation: Any, run: Run) -> list[Lowered]:
    """The singular values, and both sets of vectors if they are asked for."""
    if equation.params.get("subset_by_index") is not None:
        return [Lowered("some of svd", run)]
    return [Lowered("svd", run, {"full": equation.params["full_matrices"]})]
