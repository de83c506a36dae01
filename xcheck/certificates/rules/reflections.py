"""Q and R by Householder's reflections, carried out on balls with their slopes.

H = I - 2 v vᵀ / vᵀv with v = x - β e₁ and β = -sign(x₁) |x| takes x to β e₁ (G. Golub and C. Van Loan, "Matrix
Computations", 4th edition, section 5.1). The signs are those of LAPACK's `geqrf`, which takes 0 for positive and leaves
a column alone that is 0 below the diagonal.
"""

import numpy as np

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Balls, constant, in_balls, moved
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.rules.linear_algebra import floats, outer, over_batch, part, transposed
from xcheck.certificates.rules.registry import RULES, Surroundings, rule
from xcheck.trace.model import Operation


@rule("qr")
def _qr(surroundings: Surroundings, operation: Operation, a: Balls) -> list[Balls]:
    """Q and R: the matrix after all reflections, and their product.

    Raises:
        NotProvedError: the framework itself has other signs.
    """
    rows, columns = a.shape[-2:]
    kept = rows if operation.attributes["full"] else min(rows, columns)

    def one(single: Balls) -> list[Balls]:
        q, r = constant(np.eye(rows)), single
        for number in range(min(rows - 1, columns)):
            v = _mirror(surroundings, operation, part(r, slice(number, None), number), number)
            if v is not None:
                q, r = transposed(_reflect(v, transposed(q))), _reflect(v, r)
        return [part(q, slice(None), slice(kept)), _upper(part(r, slice(kept), slice(None)))]

    q, r = over_batch(one, a)
    _compare_signs(operation, a, r)
    return [q, r]


def _mirror(surroundings: Surroundings, operation: Operation, x: Balls, zeros: int) -> Balls | None:
    """Return v of a reflection, 0 in the places before it and scaled so that vᵀv is 2; None where there is none."""
    below = part(x, slice(1, None))
    if not below.where_moving().any() and all(one == 0 for one in in_balls(below.values)):
        return None
    first = part(x, 0)
    sign = int(surroundings.decisions.signs(first, constant(0.0)))
    square = arithmetic.total(arithmetic.multiply(x, x), (0,))
    length = RULES["sqrt"](surroundings, operation, square)
    beta = length if sign < 0 else arithmetic.negate(length)
    # vᵀv = 2 (|x|² - β x₁).
    scale = RULES["sqrt"](surroundings, operation, arithmetic.subtract(square, arithmetic.multiply(beta, first)))
    top = arithmetic.subtract(first, beta)
    v = arithmetic.divide(moved(lambda a, b: np.concatenate([a[None], b]), top, below), scale)
    return moved(lambda a, b: np.concatenate([a, b]), constant(np.zeros(zeros)), v)


def _reflect(v: Balls, a: Balls) -> Balls:
    """Return A - v (vᵀ A)."""
    row = arithmetic.total(arithmetic.multiply(moved(lambda x: x[:, None], v), a), (0,))
    return arithmetic.subtract(a, outer(v, row))


def _upper(r: Balls) -> Balls:
    """Return the upper triangle: below it the reflections have made zeros."""
    return moved(
        lambda a, zeros: np.where(np.tri(a.shape[0], a.shape[1], -1) > 0, zeros, a), r, constant(np.zeros(r.shape))
    )


def _compare_signs(operation: Operation, a: Balls, r: Balls) -> None:
    theirs = np.asarray(operation.run(floats(a, operation.outputs[1].dtype))[1], np.float64)
    ours = r.values.astype(np.float64)
    diagonal = [np.diagonal(one, axis1=-2, axis2=-1) for one in (theirs, ours)]
    if (diagonal[0] * diagonal[1] < 0).any():
        raise NotProvedError(f"{operation} has other signs than LAPACK")
