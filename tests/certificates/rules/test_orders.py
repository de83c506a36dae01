"""Orders along axes: numbers in order, what goes along, and what is proved where nobody knows the order."""

from typing import Any

import numpy as np
import pytest
from flint import arb

from tests.certificates.rules.reference import along, apply, bent
from xcheck.certificates.balls import Balls, constant, in_balls, second
from xcheck.certificates.decisions import Decisions, NotProvedError, UnsureError
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Value

RNG = np.random.default_rng(0)
A, VA = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4))


def flags(*moving: bool) -> Balls:
    """Zeros with slope 0, some of which move."""
    zeros = np.zeros(len(moving))
    return Balls(zeros, (zeros,), np.array(moving))


def floats(array: Any) -> Any:
    """Midpoints as a list."""
    return np.asarray(array).astype(float).tolist()


def blurred(*parts: tuple[float, float], slopes: Any = None) -> Balls:
    """Balls of these midpoints and radii."""
    values = np.array([arb(middle, radius) for middle, radius in parts], object)
    return Balls(values, None if slopes is None else (np.asarray(slopes, np.float64),))


def test_the_ball_around_numbers_that_may_be_equal() -> None:
    """Two of three overlap: in both of their places is the ball around both, with that around their slopes."""
    with at_precision(128):
        slope = np.array([arb(2), arb(7), arb(2, 1e-28)], object)
        values = np.array([arb(1), arb(3), arb(1, 1e-30)], object)
        [found] = apply("sort", Balls(values, (slope,)), attributes={"axis": 0})
        assert floats(found.values) == [1.0, 1.0, 3.0]
        assert all(found.values[place].contains(values[0]) for place in (0, 1))
        assert all(found.values[place].contains(values[2]) for place in (0, 1))
        assert all(found.slopes[0][place].contains(slope[2]) for place in (0, 1))
        assert found.slopes[0][2] == 7


def test_the_ball_around_runs() -> None:
    """A wide ball reaches beyond its neighbour: 0 ± 20 and 1 ± 1 are a run, and 5 belongs to it, 30 does not."""
    x = blurred((0.0, 20.0), (5.0, 0.0), (30.0, 0.0), (1.0, 1.0))
    [found] = apply("sort", x, attributes={"axis": 0})
    for place in range(3):
        assert all(found.values[place].contains(part) for part in (x.values[0], x.values[1], x.values[3]))
    assert found.values[3] == 30
    rows = Balls(np.stack([x.values, in_balls(np.array([4.0, 3.0, 2.0, 1.0]))]))
    [both] = apply("sort", rows, attributes={"axis": 1})
    assert floats(both.values[1]) == [1.0, 2.0, 3.0, 4.0]


def test_numbers_that_may_be_equal_with_other_slopes() -> None:
    """They ask for more digits, and so do numbers that others go along with."""
    x = blurred((1.0, 1e-9), (1.0, 1e-9), slopes=[2.0, 3.0])
    with pytest.raises(UnsureError):
        apply("sort", x, attributes={"axis": 0})
    with pytest.raises(UnsureError):
        apply("sort", blurred((1.0, 1e-9), (1.0, 1e-9)), np.array([0, 1]), attributes={"axis": 0})


def test_a_kink_in_an_order_is_met_once() -> None:
    """However many numbers there are."""
    decisions = Decisions(side=1)
    apply("sort", along([1.0, 1.0, 3.0], [2.0, 5.0, 0.0]), decisions=decisions, attributes={"axis": 0})
    assert len(decisions.kinks) == 1


def test_an_order_of_nothing_or_of_one() -> None:
    """It is what it was."""
    for count in (0, 1):
        [found] = apply("sort", along(np.zeros((2, count)), np.ones((2, count))), attributes={"axis": 1})
        assert found.shape == (2, count)


def test_sorting() -> None:
    """Along an axis, with what goes along."""
    keys, others = apply("sort", along(A, VA), A * 10, attributes={"axis": 1})
    order = np.argsort(A, axis=1)
    assert floats(keys.values) == np.sort(A, axis=1).tolist()
    assert floats(keys.slopes[0]) == np.take_along_axis(VA, order, 1).tolist()
    assert np.array_equal(others, np.sort(A, axis=1) * 10)


def test_sorting_equals() -> None:
    """With other slopes the side decides; with equal slopes the values are known, but not what goes along."""
    tie = along([2.0, 1.0, 1.0], [0.0, 3.0, -3.0])
    for side, slopes in ((1, [-3.0, 3.0, 0.0]), (-1, [3.0, -3.0, 0.0])):
        [found] = apply("sort", tie, decisions=Decisions(side=side), attributes={"axis": 0})
        assert floats(found.slopes[0]) == slopes
    flat = along([1.0, 1.0], 3.0)
    assert floats(apply("sort", flat, attributes={"axis": 0})[0].values) == [1.0, 1.0]
    with pytest.raises(NotProvedError):
        apply("sort", flat, np.array([0, 1]), decisions=Decisions(side=1, seconds=True), attributes={"axis": 0})
    with pytest.raises(NotProvedError, match="by what is none"):
        apply("sort", np.array([1, 0]), flat, attributes={"axis": 0})


@pytest.mark.parametrize("moving", [(True, False, False), (False, False, True), (False, True, False)])
def test_equals_in_order_move_together(moving: tuple[bool, bool, bool]) -> None:
    """Each may be in the place of any other."""
    assert apply("sort", flags(*moving), attributes={"axis": 0})[0].moving.tolist() == [True] * 3
    still = apply("sort", flags(False, False), attributes={"axis": 0})[0]
    assert still.moving.tolist() == [False, False]


def test_equals_apart_do_not_move_together() -> None:
    """What is smaller for certain stays where it is."""
    zeros = np.zeros(3)
    keys = Balls(np.array([1.0, 0.0, 0.0]), (zeros,), np.array([False, False, True]))
    assert apply("sort", keys, attributes={"axis": 0})[0].moving.tolist() == [True, True, False]


def test_the_k_largest() -> None:
    """In falling order, with their places; of equals that stay the first comes first."""
    outputs = (Value((2,), "float64"), Value((2,), "int32"))
    values, places = apply("top_k", along([1.0, 3.0, 2.0], [1.0, 2.0, 3.0]), outputs=outputs, attributes={"k": 2})
    assert (floats(values.values), floats(values.slopes[0]), places.tolist()) == ([3.0, 2.0], [2.0, 3.0], [1, 2])
    _, places = apply("top_k", constant([3.0, 1.0, 3.0]), outputs=outputs, attributes={"k": 2})
    assert places.tolist() == [0, 2]


def test_a_nan_has_no_place_in_an_order() -> None:
    """Nothing is proved of it."""
    with pytest.raises(UnsureError, match="nan"):
        apply("sort", constant([1.0, np.nan]), attributes={"axis": 0})
    with pytest.raises(UnsureError, match="nan"):
        apply("reduce_max", Balls(in_balls(np.array([np.nan, 1.0]))), attributes={"axes": (0,)})


def test_second_coefficients_in_order() -> None:
    """They are known of numbers that lie apart, and not of equals."""
    side = Decisions(side=1, seconds=True)
    assert apply("sort", bent([1.0, 1.0], 0.0, [2.0, 5.0]), decisions=side, attributes={"axis": 0})[0].seconds is None
    apart = apply("sort", bent([2.0, 1.0], 0.0, [3.0, 4.0]), decisions=side, attributes={"axis": 0})[0]
    assert floats(second(apart, 0)) == [4.0, 3.0]
