"""Linear algebra, for matrices on the last two axes.

What ends after finitely many steps is carried out, step by step, on balls with their slopes: Cholesky's factor,
substitution, elimination (G. Golub and C. Van Loan, "Matrix Computations", 4th edition, sections 4.2, 3.1 and 3.4).
FLINT encloses what solves linear equations. `reflections` have Q and R, `spectra` eigenvalues and singular values.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Array, Balls, as_array, constant, from_matrix, in_balls, matrix, moved
from xcheck.certificates.decisions import NotProvedError, UnsureError
from xcheck.certificates.rules.registry import RULES, Surroundings, rule
from xcheck.certificates.rules.structure import first_extreme
from xcheck.trace.model import Operation


def part(one: Balls, *index: Any) -> Balls:
    """Return the elements at an index of the last two axes."""
    return moved(lambda a: as_array(a[(..., *index)]), one)


def transposed(one: Balls) -> Balls:
    """Return the transposed matrices."""
    return moved(lambda a: a.swapaxes(-1, -2), one)


def outer(column: Balls, row: Balls) -> Balls:
    """Return x yᵀ of vectors on the last axis."""
    return arithmetic.multiply(moved(lambda a: a[..., :, None], column), moved(lambda a: a[..., None, :], row))


def over_batch(function: Callable[..., Sequence[Balls]], *given: Balls) -> list[Balls]:
    """Return what a function of single matrices gives for each of a batch, stacked; of no matrix nothing is known.

    Raises:
        NotProvedError: there is no matrix.
    """
    batch = given[0].shape[:-2]
    rows = [function(*(moved(lambda a, at=at: a[at], one) for one in given)) for at in np.ndindex(*batch)]
    if not rows:
        raise NotProvedError("there is no matrix in the batch")

    def stack(*arrays: Array) -> Array:
        return np.stack(arrays).reshape((*batch, *arrays[0].shape))

    return [moved(stack, *column) for column in zip(*rows, strict=True)]


def floats(one: Balls, dtype: str) -> Array:
    """Return the midpoints in a framework's dtype."""
    return one.values.astype(np.float64).astype(dtype)


# --- triangles ------------------------------------------------------------------------------------------------------


@rule("cholesky")
def _cholesky(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    """L of A = L Lᵀ, from the lower triangle: column by column, the rest less what the column explains."""
    size, columns, rest = a.shape[-1], [], a
    for number in range(size):
        pivot = RULES["sqrt"](surroundings, operation, part(rest, 0, 0))
        below = arithmetic.divide(part(rest, slice(1, None), 0), moved(lambda x: as_array(x[..., None]), pivot))
        columns.append(_padded(number, pivot, below))
        rest = arithmetic.subtract(part(rest, slice(1, None), slice(1, None)), outer(below, below))
    return moved(lambda *parts: np.stack(parts, axis=-1), *columns) if columns else a


def _padded(zeros: int, first: Balls, below: Balls) -> Balls:
    """Return a column: zeros, the element on the diagonal, and what is below it."""

    def put(one: Array, others: Array, above: Array) -> Array:
        return np.concatenate([above, one[..., None], others], axis=-1)

    return moved(put, first, below, constant(np.zeros((*first.shape, zeros))))


def substitute(a: Balls, b: Balls, *, unit: bool = False) -> Balls:
    """Return X of A X = B, A lower triangular: row by row, the rest less what the row explains."""
    rows, rest = [], b
    for number in range(a.shape[-1]):
        row = part(rest, 0, slice(None))
        if not unit:
            row = arithmetic.divide(row, moved(lambda x: as_array(x[..., None]), part(a, number, number)))
        rows.append(row)
        column = part(a, slice(number + 1, None), number)
        rest = arithmetic.subtract(part(rest, slice(1, None), slice(None)), outer(column, row))
    return moved(lambda *parts: np.stack(parts, axis=-2), *rows) if rows else b


@rule("triangular_solve")
def _triangular_solve(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """X of op(A) X = B, or of X op(A) = B, which is op(A)ᵀ Xᵀ = Bᵀ."""
    attributes = operation.attributes
    left, lower, turned = attributes["left"], attributes["lower"], attributes["transposed"]
    if turned == left:  # one of: op transposes, the side does
        a, lower = transposed(a), not lower
    if not left:
        b = transposed(b)
    if not lower:
        a, b = moved(lambda x: x[..., ::-1, ::-1], a), moved(lambda x: x[..., ::-1, :], b)
    found = substitute(a, b, unit=attributes["unit"])
    if not lower:
        found = moved(lambda x: x[..., ::-1, :], found)
    return found if left else transposed(found)


# --- elimination ----------------------------------------------------------------------------------------------------


@rule("lu")
def _lu(surroundings: Surroundings, operation: Operation, a: Balls) -> list[Any]:
    """L and U in one matrix, the pivots and the permutation: the pivot is the first that is largest in size.

    Which is the largest is proved; where two are equal there is a kink, and both sides are looked at.
    """
    pivots: list[Array] = []

    def one(single: Balls) -> list[Balls]:
        found, chosen = _eliminate(surroundings, single)
        pivots.append(chosen)
        return [found]

    [whole] = over_batch(one, a)
    batch, steps = a.shape[:-2], min(a.shape[-2:])
    numbers = np.array(pivots, dtype=int).reshape(*batch, steps)
    orders = np.array([_order(one, a.shape[-2]) for one in pivots]).reshape(*batch, a.shape[-2])
    return [whole, *(x.astype(out.dtype) for x, out in zip((numbers, orders), operation.outputs[1:], strict=True))]


def _order(pivots: Array, rows: int) -> Array:
    found = np.arange(rows)
    for number, pivot in enumerate(pivots):
        found[[number, pivot]] = found[[pivot, number]]
    return found


def _eliminate(surroundings: Surroundings, work: Balls) -> tuple[Balls, Array]:
    rows, columns = work.shape
    pivots = np.zeros(min(rows, columns), int)
    for number in range(len(pivots)):
        below = part(work, slice(number, None), number)
        # The largest square is the largest in size, and has no kink at 0.
        squares = arithmetic.multiply(below, below)
        index, _, _ = first_extreme(surroundings.decisions, squares, largest=True, chooses=False)
        pivots[number] = number + int(index)
        order = np.arange(rows)
        order[[number, pivots[number]]] = order[[pivots[number], number]]
        work = _step(moved(lambda a, order=order: a[order], work), number)
    return work, pivots


def _step(work: Balls, number: int) -> Balls:
    """Eliminate one column below the diagonal, and leave the factors in its place."""
    rest = slice(number + 1, None)
    pivot = part(work, number, number)
    factors = arithmetic.divide(part(work, rest, number), pivot)
    inner = arithmetic.subtract(part(work, rest, rest), outer(factors, part(work, number, rest)))

    def put(whole: Array, column: Array, block: Array) -> Array:
        found = whole.copy()
        found[rest, number], found[rest, rest] = column, block
        return found

    return moved(put, work, factors, inner)


# --- inverses and determinants --------------------------------------------------------------------------------------


def _matrices(one: Balls) -> tuple[Any, list[Any]]:
    """Return a matrix and its slopes as matrices of FLINT."""
    return matrix(one.values, *one.shape), [matrix(slope, *one.shape) for slope in one.slopes or ()]


def _result(found: Sequence[Any], shape: tuple[int, ...], given: Sequence[Balls]) -> Balls:
    """Return value and slopes, all of which move if anything does."""
    arrays = [from_matrix(one, shape) for one in found]
    moves = any(one.where_moving().any() for one in given)
    return Balls(arrays[0], tuple(arrays[1:]) or None, np.full(shape, moves) if arrays[1:] else None)


def _divided(a: Any, b: Any, operation: Operation) -> Any:
    try:
        return a.solve(b)
    except ZeroDivisionError:
        raise UnsureError(f"{operation} meets a matrix that may be singular") from None


@rule("solve")
def _solve(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """X of A X = B: A X' = B' - A' X."""

    def one(left: Balls, right: Balls) -> list[Balls]:
        (m, dm), (r, dr) = _matrices(left), _matrices(right)
        x = _divided(m, r, operation)
        slopes = []
        for number in range(max(len(dm), len(dr))):
            change = dr[number] if dr else r * 0
            slopes.append(_divided(m, change - dm[number] * x if dm else change, operation))
        return [_result([x, *slopes], right.shape, [left, right])]

    return over_batch(one, a, b)[0]


@rule("inv")
def _inverse(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    identity = constant(np.broadcast_to(np.eye(a.shape[-1]), a.shape))
    found: Balls = _solve(surroundings, operation, a, identity)
    return found


@rule("det")
def _determinant(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    """det' = Σ det(A with a column of A' in the place of A's): the determinant is linear in every column."""

    def one(single: Balls) -> list[Balls]:
        values = in_balls(single.values)
        found = [matrix(values, *single.shape).det()]
        for slope in single.slopes or ():
            swapped = (np.where(np.arange(len(values)) == at, in_balls(slope), values) for at in range(len(values)))
            found.append(sum((matrix(array, *single.shape).det() for array in swapped), arb(0)))
        return [_result([matrix(as_array(x), 1, 1) for x in found], (), [single])]

    return over_batch(one, a)[0]


@rule("slogdet")
def _log_determinant(surroundings: Surroundings, operation: Operation, a: Balls) -> list[Balls]:
    """The sign of det A, and log |det A|."""
    found = RULES["det"](surroundings, operation, a)
    signs = RULES["sign"](surroundings, replace(operation, name="sign"), found)
    return [signs, RULES["log"](surroundings, operation, arithmetic.multiply(signs, found))]


@rule("expm")
def _exponential(surroundings: Surroundings, operation: Operation, a: Balls) -> Balls:
    """e^A, and its slope L in the direction E: e^[[A, E], [0, A]] = [[e^A, L], [0, e^A]].

    Source: N. J. Higham, "Functions of Matrices", 2008, theorem 3.6. FLINT scales, sums and squares, and encloses what
    the series leaves out (https://flintlib.org/doc/arb_mat.html#c.arb_mat_exp).
    """

    def one(single: Balls) -> list[Balls]:
        x, size = in_balls(single.values), single.shape[-1]
        found = [matrix(x, size, size).exp()]
        for slope in single.slopes or ():
            whole = np.block([[x, in_balls(slope)], [as_array(np.zeros_like(x)), x]])
            both = from_matrix(matrix(whole, 2 * size, 2 * size).exp(), whole.shape)
            found.append(matrix(both[:size, size:], size, size))
        return [_result(found, single.shape, [single])]

    return over_batch(one, a)[0]
