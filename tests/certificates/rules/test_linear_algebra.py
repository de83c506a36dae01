"""Factors, solutions and determinants of matrices against mpmath."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp

from tests.certificates.rules.reference import along, apply, check_matrices
from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, UnsureError
from xcheck.certificates.rules.linear_algebra import floats, outer, over_batch, part, substitute, transposed
from xcheck.trace import Value

RNG = np.random.default_rng(0)
SQUARE = RNG.normal(size=(2, 4, 4))
RIGHT = RNG.normal(size=(2, 4, 3))
TALL = RNG.normal(size=(2, 5, 3))
POSITIVE = SQUARE @ SQUARE.swapaxes(-1, -2) + np.eye(4)
INTEGERS = (Value((), "int32"), Value((), "int32"))


def lower(a: Any, *, unit: bool = False) -> Any:
    """The lower triangle of a matrix of mpmath, with or without ones on the diagonal."""
    return mp.matrix(
        [[(1 if unit and i == j else a[i, j]) if i >= j else 0 for j in range(a.cols)] for i in range(a.rows)]
    )


def test_cholesky() -> None:
    """Only the lower triangle is read."""

    def reference(a: Any) -> Sequence[Any]:
        return [mp.cholesky(lower(a) + lower(a).T - mp.diag([a[i, i] for i in range(a.rows)]))]

    check_matrices("cholesky", reference, [POSITIVE])


def test_a_matrix_that_is_not_positive_has_no_factor() -> None:
    """The root of a negative number is no number."""
    found = apply("cholesky", constant([[1.0, 0.0], [2.0, 1.0]]))
    assert not found.values[1, 1].is_finite()


@pytest.mark.parametrize("left", [True, False])
@pytest.mark.parametrize("is_lower", [True, False])
@pytest.mark.parametrize("turned", [True, False])
@pytest.mark.parametrize("unit", [True, False])
def test_triangular_solve(left: bool, is_lower: bool, turned: bool, unit: bool) -> None:
    """From the left and from the right, either triangle, transposed or not, with ones on the diagonal or not."""

    def reference(a: Any, b: Any) -> Sequence[Any]:
        triangle = lower(a, unit=unit) if is_lower else lower(a.T, unit=unit).T
        inverse = mp.inverse(triangle.T if turned else triangle)
        return [inverse * b if left else b * inverse]

    right = RIGHT if left else RIGHT.swapaxes(-1, -2)
    check_matrices(
        "triangular_solve", reference, [SQUARE, right], left=left, lower=is_lower, transposed=turned, unit=unit
    )


@pytest.mark.parametrize("array", [SQUARE, TALL, TALL.swapaxes(-1, -2)], ids=["square", "tall", "wide"])
def test_lu(array: Any) -> None:
    """L and U of the rows in the order that the pivots make, which is the one that LAPACK has."""
    scipy_linalg = pytest.importorskip("scipy.linalg")
    rows, columns = array.shape[-2:]
    orders = [np.argmax(scipy_linalg.lu(one)[0].T, axis=1) for one in array]
    remaining = iter([order for order in orders for _ in range(5)])

    def reference(a: Any) -> Sequence[Any]:
        order = next(remaining)
        work = mp.matrix([[a[int(i), j] for j in range(columns)] for i in order])
        for k in range(min(rows, columns)):
            for i in range(k + 1, rows):
                work[i, k] = work[i, k] / work[k, k]
                for j in range(k + 1, columns):
                    work[i, j] = work[i, j] - work[i, k] * work[k, j]
        return [work]

    found = check_matrices("lu", reference, [array], outputs=(Value((), "float64"), *INTEGERS))
    assert np.array_equal(found[2], orders)
    for pivots, order in zip(found[1], orders, strict=True):
        rebuilt = np.arange(rows)
        for number, pivot in enumerate(pivots):
            rebuilt[[number, pivot]] = rebuilt[[pivot, number]]
        assert np.array_equal(rebuilt, order)


def test_equal_pivots_are_a_kink() -> None:
    """Which is the largest depends on the side."""
    outputs = (Value((), "float64"), *INTEGERS)
    tie = along([[1.0, 2.0], [-1.0, 5.0]], [[0.0, 0.0], [1.0, 0.0]])
    with pytest.raises(KinkError):
        apply("lu", tie, outputs=outputs)
    permutations = [apply("lu", tie, decisions=Decisions(side=side), outputs=outputs)[2].tolist() for side in (1, -1)]
    assert permutations == [[0, 1], [1, 0]]
    still = apply("lu", constant([[1.0, 2.0], [-1.0, 5.0]]), outputs=outputs)
    assert still[1].tolist() == [0, 1]  # of equals that stay equal the first


def test_solve() -> None:
    """Matrices on the right."""
    check_matrices("solve", lambda a, b: [mp.inverse(a) * b], [SQUARE, RIGHT])


def test_inverse() -> None:
    """Of either sign."""
    check_matrices("inv", lambda a: [mp.inverse(a)], [SQUARE])


def test_a_singular_matrix_has_no_inverse() -> None:
    """More digits are asked for, and none suffice."""
    with pytest.raises(UnsureError, match="singular"):
        apply("inv", constant(np.ones((2, 2))))


def test_determinants() -> None:
    """The determinant, and the logarithm of its size with its sign."""
    check_matrices("det", lambda a: [mp.det(a)], [SQUARE])
    signs = np.sign(np.linalg.det(SQUARE))
    found = apply("slogdet", along(SQUARE, np.ones(SQUARE.shape)))
    assert found[0].values.tolist() == signs.tolist()
    assert np.allclose(found[1].values.astype(float), np.linalg.slogdet(SQUARE)[1])


def test_the_determinant_of_a_singular_matrix_has_a_slope() -> None:
    """It is linear in every element."""
    found = apply("det", along([[1.0, 2.0], [2.0, 4.0]], [[0.0, 0.0], [0.0, 1.0]]))
    assert (float(found.values), float(found.slopes[0])) == (0.0, 1.0)


def test_solutions_with_what_does_not_move() -> None:
    """A constant matrix, a constant right side, and both."""
    matrix, side = [[2.0, 0.0], [0.0, 4.0]], [[1.0], [1.0]]
    moving = along(side, [[1.0], [0.0]])
    assert apply("solve", constant(matrix), moving).slopes[0].astype(float).tolist() == [[0.5], [0.0]]
    turned = apply("solve", along(matrix, [[1.0, 0.0], [0.0, 0.0]]), constant(side))
    assert turned.slopes[0].astype(float).tolist() == [[-0.25], [0.0]]
    assert apply("solve", constant(matrix), constant(side)).slopes is None


# --- parts ----------------------------------------------------------------------------------------------------------


def test_parts_of_matrices() -> None:
    """Elements, columns, products and triangles, with their slopes."""
    a = along([[1.0, 0.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]])
    assert part(a, 1, 0).values.tolist() == 3.0
    assert transposed(a).slopes is not None
    product = outer(part(a, slice(None), 0), constant([1.0, 2.0]))
    assert product.values.astype(float).tolist() == [[1.0, 2.0], [3.0, 6.0]]
    assert substitute(a, constant(np.eye(2))).values.astype(float).tolist() == [[1.0, 0.0], [-0.75, 0.25]]
    assert floats(a, "float32").dtype == np.float32


def test_a_batch_is_put_together_again() -> None:
    """Over all its axes."""
    [found] = over_batch(lambda one: [transposed(one)], Balls(SQUARE.reshape(2, 1, 4, 4)))
    assert np.array_equal(found.values, SQUARE.reshape(2, 1, 4, 4).swapaxes(-1, -2))


# --- exponentials -----------------------------------------------------------------------------------------------------

MATRICES = {
    "ordinary": RNG.normal(size=(2, 3, 3)),
    "large": 20 * RNG.normal(size=(1, 3, 3)),
    "tiny": 1e-20 * RNG.normal(size=(1, 3, 3)),
    "nilpotent": np.array([[[0.0, 1.0], [0.0, 0.0]]]),
    "one number": np.array([[[0.3]]]),
}


@pytest.mark.parametrize("name", ["ordinary", "large", "one number"])
def test_the_exponential(name: str) -> None:
    """Value and slopes, of matrices of either size."""

    def reference(a: Any) -> Sequence[Any]:
        return [mp.expm(a)]

    check_matrices("expm", reference, [MATRICES[name]])


@pytest.mark.parametrize("name", ["tiny", "nilpotent"])
def test_the_exponential_by_its_series(name: str) -> None:
    """1 + A, and the slope E + (A E + E A) / 2 + A E A / 6, of matrices whose powers vanish, or nearly so."""
    a = MATRICES[name]
    e = RNG.normal(size=a.shape)
    found = apply("expm", Balls(a, (e,)))
    np.testing.assert_allclose(found.values.astype(float), np.eye(a.shape[-1]) + a, rtol=1e-15)
    expected = e + (a @ e + e @ a) / 2 + a @ e @ a / 6
    np.testing.assert_allclose(found.slopes[0].astype(float), expected, rtol=1e-14)


def test_a_matrix_of_which_nothing_moves() -> None:
    """It moves as a whole, or not at all."""
    moving = np.zeros((2, 2, 2), bool)
    moving[0, 1, 0] = True
    found = apply("expm", Balls(np.ones((2, 2, 2)), (moving * 1.0,), moving))
    assert found.where_moving().tolist() == [[[True] * 2] * 2, [[False] * 2] * 2]
    assert apply("expm", constant(np.ones((2, 2)))).slopes is None


def test_no_matrix() -> None:
    """Of nothing nothing is known."""
    with pytest.raises(NotProvedError, match="no matrix"):
        apply("expm", constant(np.zeros((0, 2, 2))))
