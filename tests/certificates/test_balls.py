"""Balls: exact where they are floats, closed to anything else, and moved together with their slopes."""

import numpy as np
import pytest
from flint import arb

from xcheck.certificates.balls import (
    Balls,
    also_moving,
    as_array,
    constant,
    extreme_seconds,
    from_matrix,
    in_balls,
    inner,
    join_moving,
    joined,
    matrix,
    midpoints,
    moved,
    places,
    second,
)
from xcheck.certificates.slopes import at_precision


@pytest.mark.parametrize("intruder", [1.0, np.float64(1.0), 1, None])
def test_a_float_among_balls_is_an_error(intruder: object) -> None:
    """One is enough for rounded arithmetic, in values or in slopes."""
    mixed, pure = np.array([arb(1), intruder], object), np.array([arb(1), arb(2)], object)
    with pytest.raises(TypeError, match="something else"):
        Balls(mixed)
    with pytest.raises(TypeError, match="something else"):
        Balls(pure, (mixed,))
    with pytest.raises(TypeError, match="something else"):
        moved(lambda a: np.array([a[0], intruder], object), Balls(pure))


def test_shapes() -> None:
    """Those of the values."""
    one = Balls(np.zeros((2, 3)), (np.zeros((2, 3)), np.zeros((2, 3))))
    assert (one.shape, one.ndim, one.directions) == ((2, 3), 2, 2)
    assert constant(1.0).directions == 0


def test_where_things_move() -> None:
    """Everywhere, nowhere, or where it is said."""
    assert Balls(np.zeros(2), (np.zeros(2),)).where_moving().tolist() == [True, True]
    assert constant([0.0, 0.0]).where_moving().tolist() == [False, False]
    some = Balls(np.zeros(2), (np.zeros(2),), np.array([True, False]))
    assert some.where_moving().tolist() == [True, False]
    joined = join_moving((2,), some, constant([0.0, 0.0]))
    assert joined is not None
    assert joined.tolist() == [True, False]
    assert join_moving((2,), constant([0.0, 0.0])) is None


def test_what_may_move_too() -> None:
    """Is added; where everything moves there is nothing to add."""
    some = Balls(np.zeros(2), (np.zeros(2),), np.array([True, False]))
    assert also_moving(some, np.array([False, True])).where_moving().tolist() == [True, True]
    everything = Balls(np.zeros(2), (np.zeros(2),))
    assert also_moving(everything, np.array([False, True])) is everything


def test_floats_become_balls_exactly() -> None:
    """A tenth of float64 is what it is, with however few digits one computes."""
    with at_precision(53):
        balls = in_balls(np.array([0.1, 1e300, 5e-324, -np.inf]))
    with at_precision(256):
        assert all(ball.is_exact() for ball in balls[:3])
        assert balls[0] == arb(0.1) != arb(1) / 10
    assert in_balls(balls) is balls
    assert in_balls(np.zeros((0, 2))).dtype == object


def test_bare_numbers_become_arrays() -> None:
    """NumPy returns them for arrays without axes; a float of NumPy does not become an object."""
    assert as_array(arb(1)).shape == ()
    assert as_array(np.float64(1.0)).dtype == np.float64
    assert as_array(np.zeros(2)).shape == (2,)


def test_moves_of_balls_and_floats_together() -> None:
    """The floats become balls; what has no slope has slope 0, and does not move."""
    a, b = Balls(in_balls(np.array([1.0])), (np.array([2.0]),)), constant([3.0])
    found = moved(lambda x, y: np.concatenate([x, y]), a, b)
    assert [float(x) for x in found.values] == [1.0, 3.0]
    assert found.slopes is not None
    assert found.slopes[0].tolist() == [2.0, 0.0]
    assert found.where_moving().tolist() == [True, False]


def test_matrices() -> None:
    """Of floats, exactly; and back."""
    array = np.array([[0.1, 2.0, 3.0], [4.0, 5.0, 6.0]])
    found = from_matrix(matrix(array, 2, 3), (2, 3))
    assert found[0, 0] == arb(0.1)
    assert np.array_equal(midpoints(found), array)


def test_an_inner_product_does_not_cancel() -> None:
    """1e200 + 1 - 1e200 is 1."""
    with at_precision(1024):
        assert inner(np.array([1e200, 1.0, -1e200]), np.ones(3)) == 1


def test_second_coefficients_move_along() -> None:
    """Constants have 0, and where they are not known they are nan."""
    x = Balls(np.array([1.0]), (np.array([2.0]),), None, (np.array([3.0]),))
    unknown = Balls(np.array([1.0]), (np.array([2.0]),))
    found = moved(lambda *parts: np.concatenate(parts), constant([5.0]), x, unknown)
    assert np.array_equal(second(found, 0), [0.0, 3.0, np.nan], equal_nan=True)
    assert moved(lambda *parts: np.concatenate(parts), constant([5.0]), unknown).seconds is None
    assert np.isnan(second(unknown, 0)).all()
    part = Balls(x.values, x.slopes, np.array([False]), x.seconds)
    assert second(also_moving(part, np.array([True])), 0).tolist() == [3.0]
    both = second(joined(x, constant([1.0]), np.array([True])), 0).item()
    assert both.contains(3.0)
    assert both.contains(0.0)


def test_the_extreme_second_coefficient() -> None:
    """Where it is asked for; what is not known stays so."""
    one = Balls(np.zeros(3), (np.zeros(3),), None, (np.array([1.0, 1.0, np.nan]),))
    other = Balls(np.zeros(3), (np.zeros(3),), None, (np.array([2.0, 2.0, 2.0]),))
    where = np.array([True, False, True])
    largest = second(extreme_seconds(one, other, where, largest=True), 0).astype(float)
    assert np.array_equal(largest, [2.0, 1.0, np.nan], equal_nan=True)
    smallest = second(extreme_seconds(one, other, where, largest=False), 0).astype(float)
    assert np.array_equal(smallest, [1.0, 1.0, np.nan], equal_nan=True)
    plain = Balls(np.zeros(3), (np.zeros(3),))
    assert extreme_seconds(plain, other, where, largest=True) is plain


def test_places() -> None:
    """The index of what is true, also of a single truth value."""
    assert list(places(np.array([[False, True], [True, False]]))) == [(0, 1), (1, 0)]
    assert list(places(np.array(True))) == [()]
    assert list(places(np.array(False))) == []


def test_balls_around_two() -> None:
    """They contain both where that is asked for, in values and slopes; elsewhere nothing changes."""
    one = Balls(np.array([1.0, 2.0]), (np.array([3.0, 4.0]),))
    other = constant([1.5, 9.0])
    where = np.array([True, False])
    for left, right in ((one, other), (other, one)):
        found = joined(left, right, where)
        assert found.slopes is not None
        assert all(found.values[0].contains(x) for x in (1.0, 1.5))
        assert all(found.slopes[0][0].contains(x) for x in (0.0, 3.0))
        assert found.values[1] == left.values[1]
    assert joined(one, other, where).where_moving().tolist() == [True, True]
    assert joined(other, one, where).where_moving().tolist() == [True, False]
    assert joined(one, other, np.zeros(2, bool)) is one
    single = joined(constant(1.0), constant(2.0), np.array(True))
    assert single.values.item().contains(1.5)
    assert single.slopes is None
