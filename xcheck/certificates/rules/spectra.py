"""Eigenvalues of symmetric matrices and singular values, where they are distinct.

FLINT encloses eigenvalues and eigenvectors (S. Rump, "Verification methods", Acta Numerica 19, 2010, section 13.4).
With A = V Λ Vᵀ, M = Vᵀ A' V and Fᵢⱼ = 1 / (λⱼ - λᵢ), 0 on the diagonal, Λ' is the diagonal of M and V' = V (F ∘ M)
(M. Giles, "An extended collection of matrix derivative results", Oxford, 2008, section 3.1). An eigenvector has two
signs: it has the one that the framework gives it at θ, and keeps it.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from flint import acb_mat, arb

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Array, Balls, as_array, from_matrix, in_balls, matrix, midpoints, moved
from xcheck.certificates.decisions import NotProvedError, UnsureError
from xcheck.certificates.rules.linear_algebra import floats, over_batch, transposed
from xcheck.certificates.rules.registry import RULES, Surroundings, rule
from xcheck.trace.model import Operation


@rule("eigh")
def _eigh(surroundings: Surroundings, operation: Operation, a: Balls) -> list[Balls]:
    """Eigenvalues, rising, and eigenvectors as columns, of the symmetric matrix that has this triangle."""
    lower = np.tri(a.shape[-1], dtype=bool)
    keep = lower if operation.attributes["lower"] else lower.T
    whole = moved(lambda x: np.where(keep, x, x.swapaxes(-1, -2)), a)
    theirs = np.asarray(operation.run(floats(a, operation.outputs[1].dtype))[1], np.float64)
    signs = iter(theirs.reshape(-1, *a.shape[-2:]))
    _say_that_signs_are_kept(surroundings, operation)
    return over_batch(lambda one: spectrum(operation, one, next(signs)), whole)


def _say_that_signs_are_kept(surroundings: Surroundings, operation: Operation) -> None:
    surroundings.remarks[f"{operation}: the vectors keep the signs that they have at θ"] = None


def spectrum(operation: Operation, a: Balls, theirs: Array | None) -> list[Balls]:
    """Return eigenvalues, rising, and eigenvectors of one symmetric matrix.

    Args:
        operation: for the error.
        a: shape (n, n).
        theirs: eigenvectors with the signs that are wanted, shape (n, n); None where any will do.

    Raises:
        NotProvedError: those are no eigenvectors, near enough.
        UnsureError: eigenvalues may be equal.
    """
    values, vectors = _enclose(operation, in_balls(a.values), theirs)
    v = matrix(vectors, *a.shape)
    turned = v.transpose()
    gaps = values[None, :] - values[:, None]
    np.fill_diagonal(gaps, arb.pos_inf())  # 1 / ∞ is 0
    of_values, of_vectors = [], []
    for slope in a.slopes or ():
        m = from_matrix(turned * matrix(slope, *a.shape) * v, a.shape)
        of_values.append(np.diagonal(m).copy())
        of_vectors.append(from_matrix(v * matrix(as_array(m / gaps), *a.shape), a.shape))
    return [_moving_together(a, values, of_values), _moving_together(a, vectors, of_vectors)]


def _moving_together(a: Balls, values: Array, slopes: Sequence[Array]) -> Balls:
    moving = np.full(values.shape, a.where_moving().any())
    return Balls(values, tuple(slopes) or None, moving if slopes else None)


def _enclose(operation: Operation, a: Array, theirs: Array | None) -> tuple[Array, Array]:
    """Return eigenvalues, rising, and eigenvectors of length 1 as columns.

    The eigenvalues of a symmetric matrix are real, and a vector to a simple one of which one element is 1 is real, too.
    """
    try:
        values, vectors = acb_mat(matrix(a, *a.shape)).eig(right=True)
    except ValueError:
        raise UnsureError(f"{operation} meets eigenvalues that may be equal") from None
    order = np.argsort([float(value.real.mid()) for value in values])
    ordered = [values[number].real for number in order]
    if not all(bool(low < high) for low, high in pairwise(ordered)):
        raise UnsureError(f"{operation} meets eigenvalues that may be equal")
    eigenvectors = np.empty(a.shape, object)
    for place, number in enumerate(order):
        column = _real([vectors[row, int(number)] for row in range(len(a))])
        eigenvectors[:, place] = column * _sign(operation, column, None if theirs is None else theirs[:, place])
    eigenvalues = np.empty(len(a), object)
    eigenvalues[:] = ordered
    return eigenvalues, eigenvectors


def _real(vector: Sequence[Any]) -> Array:
    """Return a complex vector, turned to be real and divided by its length."""
    largest = max(vector, key=lambda z: float(abs(z).mid()))
    real = np.empty(len(vector), object)
    real[:] = [(z / largest).real for z in vector]
    return real / np.sum(real * real).sqrt()


def _sign(operation: Operation, ours: Array, theirs: Array | None) -> int:
    if theirs is None:
        return 1
    cosine = float(midpoints(ours) @ theirs)
    # Right to half an angle of 45 degrees: far more than rounding does, unless eigenvalues are equal to rounding.
    if not abs(cosine) > 0.9:
        raise NotProvedError(f"{operation} has other eigenvectors than the matrix")
    return 1 if cosine > 0 else -1


@rule("svd")
def _svd(surroundings: Surroundings, operation: Operation, a: Balls) -> list[Balls]:
    """Singular values, falling, and U and Vᵀ if there are outputs for them: σ² and V of AᵀA, U = A V / σ.

    Raises:
        NotProvedError: vectors that belong to no singular value are asked for.
    """
    rows, columns = a.shape[-2:]
    outputs = operation.outputs
    theirs = [np.asarray(one, np.float64) for one in operation.run(floats(a, outputs[0].dtype))]
    if len(outputs) == 1:
        return over_batch(lambda one: _singular(surroundings, operation, one, None)[:1], _tall(a))
    if operation.attributes["full"] and rows != columns:
        raise NotProvedError(f"{operation} asks for vectors that belong to no singular value")
    _say_that_signs_are_kept(surroundings, operation)
    right = theirs[2].swapaxes(-1, -2) if rows >= columns else theirs[1]
    known = iter(right.reshape(-1, *right.shape[-2:]))
    s, u, v = over_batch(lambda one: _singular(surroundings, operation, one, next(known)), _tall(a))
    return [s, u, transposed(v)] if rows >= columns else [s, v, transposed(u)]


def _tall(a: Balls) -> Balls:
    return a if a.shape[-2] >= a.shape[-1] else transposed(a)


def _singular(surroundings: Surroundings, operation: Operation, a: Balls, right: Array | None) -> list[Balls]:
    """Return singular values, falling, U and V of one matrix that is not wide."""
    batch = moved(lambda x: x[None], a)
    square = moved(lambda x: x[0], arithmetic.dot(transposed(batch), batch))
    squares, v = spectrum(operation, square, None if right is None else right[:, ::-1])
    falling, v = moved(lambda x: x[::-1], squares), moved(lambda x: x[:, ::-1], v)
    s = RULES["sqrt"](surroundings, operation, falling)
    u = arithmetic.divide(moved(lambda x: x[0], arithmetic.dot(batch, moved(lambda x: x[None], v))), s)
    return [s, u, v]
