"""The four operations, sums and products of matrices: shapes, slopes, and what moves."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Array, Balls, constant

X = Balls(np.array([2.0, -3.0]), (np.array([1.0, 0.5]), np.array([0.0, 4.0])))
Y = Balls(np.array([5.0, 0.5]), (np.array([-1.0, 2.0]), np.array([3.0, 0.0])))
C = constant([4.0, -8.0])


def slopes_of(found: Balls) -> list[Any]:
    """Midpoints."""
    assert found.slopes is not None
    return [one.astype(float).tolist() for one in found.slopes]


OPERATIONS: list[tuple[Callable[[Balls, Balls], Balls], Callable[[Array, Array], Array]]] = [
    (arithmetic.add, lambda x, y: x + y),
    (arithmetic.subtract, lambda x, y: x - y),
    (arithmetic.multiply, lambda x, y: x * y),
    (arithmetic.divide, lambda x, y: x / y),
]


@pytest.mark.parametrize(("ours", "numpy"), OPERATIONS, ids=["add", "subtract", "multiply", "divide"])
@pytest.mark.parametrize(("a", "b"), [(X, Y), (X, C), (C, X), (X, constant(2.0)), (constant(2.0), X), (X, X)])
def test_value_and_slopes(
    ours: Callable[[Balls, Balls], Balls], numpy: Callable[[Array, Array], Array], a: Balls, b: Balls
) -> None:
    """Of what moves, of constants, of arrays and single numbers."""
    found = ours(a, b)
    assert np.allclose(found.values.astype(float), numpy(a.values, b.values), rtol=1e-15)
    step = 1e-6
    for number, slope in enumerate(slopes_of(found)):
        da, db = (0 if one.slopes is None else step * one.slopes[number] for one in (a, b))
        ahead, behind = numpy(a.values + da, b.values + db), numpy(a.values - da, b.values - db)
        assert np.allclose(slope, (ahead - behind) / (2 * step), rtol=1e-8)


def _path(values: Any, slopes: Any, seconds: Any) -> tuple[Balls, Callable[[Any], Any]]:
    """Balls with second coefficients, and what they stand for at t."""
    value, first, second = (np.asarray(one, np.float64) for one in (values, slopes, seconds))
    return Balls(value, (first,), None, (second,)), lambda t: value + first * t + second * t * t


def _assert_bends(found: Balls, reference: Callable[[Any], Any]) -> None:
    """The second coefficient is that of a difference, which is exact to 1e-8."""
    step = 1e-4
    bend = (reference(step) - 2 * reference(0.0) + reference(-step)) / (2 * step**2)
    assert found.seconds is not None
    assert np.allclose(found.seconds[0].astype(float), bend, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("ours", "numpy"), OPERATIONS, ids=["add", "subtract", "multiply", "divide"])
def test_second_coefficients(ours: Callable[[Balls, Balls], Balls], numpy: Callable[[Array, Array], Array]) -> None:
    """Of what bends, of constants, of arrays and single numbers; they are unknown if one of the two is."""
    (a, x), (b, y) = _path([2.0, -3.0], [1.0, 0.5], [0.5, -2.0]), _path([5.0, 0.5], [-1.0, 2.0], [3.0, 1.0])
    _assert_bends(ours(a, b), lambda t: numpy(x(t), y(t)))
    _assert_bends(ours(a, C), lambda t: numpy(x(t), C.values))
    _assert_bends(ours(constant(2.0), b), lambda t: numpy(np.asarray(2.0), y(t)))
    assert ours(a, Balls(Y.values, (Y.values,))).seconds is None
    assert ours(X, Y).seconds is None


def test_second_coefficients_of_sums_and_products_of_matrices() -> None:
    """Along axes, and of two matrices that both bend."""
    rng = np.random.default_rng(0)
    (a, x), (b, y) = _path(*rng.normal(size=(3, 2, 3, 4))), _path(*rng.normal(size=(3, 2, 4, 2)))
    _assert_bends(arithmetic.dot(a, b), lambda t: x(t) @ y(t))
    _assert_bends(arithmetic.dot(a, constant(b.values)), lambda t: x(t) @ b.values)
    _assert_bends(arithmetic.total(a, (0, 2)), lambda t: x(t).sum((0, 2)))
    _assert_bends(arithmetic.negate(a), lambda t: -x(t))


def test_products_of_no_matrices() -> None:
    """An empty batch has slopes of its shape."""
    nothing = Balls(np.zeros((0, 2, 3)), (np.zeros((0, 2, 3)),))
    assert [one.shape for one in arithmetic.dot(nothing, constant(np.zeros((0, 3, 1)))).slopes or ()] == [(0, 2, 1)]


@pytest.mark.parametrize("ours", [row[0] for row in OPERATIONS])
def test_constants_stay_constants(ours: Callable[[Balls, Balls], Balls]) -> None:
    """There is nothing to move."""
    assert ours(C, C).slopes is None


@pytest.mark.parametrize("ours", [row[0] for row in OPERATIONS])
def test_what_moves(ours: Callable[[Balls, Balls], Balls]) -> None:
    """An element of the result, if one of its two does."""
    some = Balls(np.ones(2), (np.array([1.0, 0.0]),), np.array([True, False]))
    assert ours(some, constant(2.0)).where_moving().tolist() == [True, False]
    assert ours(constant([[2.0], [3.0]]), some).where_moving().tolist() == [[True, False], [True, False]]
    assert ours(some, Balls(np.ones(2), (np.ones(2),))).where_moving().tolist() == [True, True]


def test_negation() -> None:
    """Of value, slopes, and nothing else."""
    assert slopes_of(arithmetic.negate(X)) == [[-1.0, -0.5], [0.0, -4.0]]
    assert arithmetic.negate(C).slopes is None


def test_a_derivative_that_is_not_needed() -> None:
    """Where nothing moves it may be anything."""
    some = Balls(np.zeros(2), (np.array([1.0, 0.0]),), np.array([True, False]))
    derivative = np.array([arb(3), arb.nan()], object)
    found = arithmetic.chain(some, np.array([arb(0), arb(0)], object), derivative)
    assert slopes_of(found) == [[3.0, 0.0]]
    assert found.where_moving().tolist() == [True, False]


def test_totals() -> None:
    """Over axes, over none, over nothing."""
    assert arithmetic.total(X, ()) is X
    whole = arithmetic.total(X, (0,))
    assert (float(whole.values), slopes_of(whole)) == (-1.0, [1.5, 4.0])
    nothing = arithmetic.total(Balls(np.zeros((2, 0)), (np.zeros((2, 0)),)), (1,))
    assert slopes_of(nothing) == [[0.0, 0.0]]


def test_products_of_matrices() -> None:
    """With a constant on either side, and of nothing."""
    a = Balls(np.ones((1, 2, 3)), (np.full((1, 2, 3), 2.0),))
    b = constant(np.full((1, 3, 1), 5.0))
    assert arithmetic.dot(a, b).values.astype(float).tolist() == [[[15.0], [15.0]]]
    assert slopes_of(arithmetic.dot(arithmetic.negate(a), b))[0] == [[[-30.0], [-30.0]]]
    assert slopes_of(arithmetic.dot(b, Balls(np.ones((1, 1, 2)), (np.ones((1, 1, 2)),))))[0] == [[[5.0, 5.0]] * 3]
    empty = arithmetic.dot(constant(np.ones((1, 2, 0))), constant(np.ones((1, 0, 2))))
    assert empty.values.astype(float).tolist() == [[[0.0, 0.0], [0.0, 0.0]]]


def test_one_shape() -> None:
    """By NumPy's rules."""
    spread = arithmetic.spread(X, constant(1.0))
    assert [one.shape for one in spread] == [(2,), (2,)]
    assert spread[0] is X


def test_what_is_multiplied_with_a_zero_that_stays_does_not_move() -> None:
    """A zero that moves by itself leaves the product moving."""
    found = arithmetic.multiply(X, constant([0.0, 2.0]))
    assert found.where_moving().tolist() == [False, True]
    zeros = Balls(np.zeros(2), (np.ones(2), np.ones(2)))
    assert arithmetic.multiply(zeros, X).where_moving().all()
    partly = Balls(np.zeros(2), (np.array([0.0, 1.0]), np.zeros(2)), np.array([False, True]))
    assert arithmetic.multiply(X, partly).where_moving().tolist() == [False, True]
    assert arithmetic.multiply(constant([0.0]), constant([1.0])).slopes is None
