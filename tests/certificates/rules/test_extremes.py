"""Extremes along axes: which element it is, and what is proved where nobody knows."""

import numpy as np
import pytest
from flint import arb

from tests.certificates.rules.reference import along, apply, bent, flags, floats
from xcheck.certificates.balls import Balls, constant, second
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, UnsureError
from xcheck.certificates.rules.structure import at_last, compare, first_extreme, last_axis
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Value

RNG = np.random.default_rng(0)
A, VA = RNG.normal(size=(2, 3, 4)), RNG.normal(size=(2, 3, 4))
INT = (Value((), "int64"),)


def test_extremes_along_axes() -> None:
    """Value, slope, and where they are."""
    x = along(A, VA)
    for name, numpy in (("reduce_max", np.max), ("reduce_min", np.min)):
        found = apply(name, x, attributes={"axes": (1, 2)})
        assert floats(found.values) == numpy(A, axis=(1, 2)).tolist()
        assert floats(found.slopes[0]) == VA[numpy(A, axis=(1, 2), keepdims=True) == A].tolist()
    for name, where in (("argmax", np.argmax), ("argmin", np.argmin)):
        assert np.array_equal(apply(name, x, outputs=INT, attributes={"axes": (2,)}), where(A, axis=2))
    assert apply("reduce_max", x, attributes={"axes": ()}) is x


def test_the_first_of_equals_that_stay() -> None:
    """As NumPy has it; masked scores are such."""
    assert apply("argmax", constant([1.0, 3.0, 3.0]), outputs=INT, attributes={"axes": (0,)}) == 1
    masked = along([-np.inf, -np.inf], 1.0)
    assert apply("argmax", masked, outputs=INT, attributes={"axes": (0,)}) == 0


def test_equals_that_move() -> None:
    """With other slopes a kink, decided by the side; with equal slopes the value is known, but not the place."""
    tie = along([1.0, 1.0, 0.0], [-1.0, 2.0, 9.0])
    with pytest.raises(KinkError):
        apply("reduce_max", tie, attributes={"axes": (0,)})
    for side, slope, place in ((1, 2.0, 1), (-1, -1.0, 0)):
        decisions = Decisions(side=side)
        assert floats(apply("reduce_max", tie, decisions=decisions, attributes={"axes": (0,)}).slopes[0]) == slope
        assert apply("argmax", tie, decisions=decisions, outputs=INT, attributes={"axes": (0,)}) == place
    flat = along([1.0, 1.0], 3.0)
    assert floats(apply("reduce_max", flat, attributes={"axes": (0,)}).slopes[0]) == 3.0
    with pytest.raises(NotProvedError):
        apply("argmax", flat, decisions=Decisions(side=1, seconds=True), outputs=INT, attributes={"axes": (0,)})


def test_the_largest_moves_if_one_of_its_equals_does() -> None:
    """Whichever of them is taken."""
    for moving in ((True, False), (False, True)):
        assert apply("reduce_max", flags(*moving), attributes={"axes": (0,)}).moving.tolist() is True
    assert apply("reduce_max", flags(False, False), attributes={"axes": (0,)}).moving.tolist() is False
    smaller = Balls(np.array([0.0, -1.0]), (np.zeros(2),), np.array([False, True]))
    assert apply("reduce_max", smaller, attributes={"axes": (0,)}).moving.tolist() is False


def test_a_winner_that_midpoints_do_not_tell() -> None:
    """Balls whose midpoints are equal in float64 are told apart by their digits, or not at all."""
    near = np.array([arb(1), arb(1) + arb(2) ** -70, arb(1) - arb(2) ** -70], object)
    with at_precision(128):
        near = np.array([arb(1), arb(1) + arb(2) ** -70, arb(1) - arb(2) ** -70], object)
        index, equal, undecided = first_extreme(Decisions(), Balls(near), largest=True, chooses=True)
        assert (int(index), equal.tolist(), undecided.tolist()) == (1, [False, True, False], [False] * 3)
        blurred = Balls(near + arb(0, 1e-15))
        with pytest.raises(UnsureError):
            first_extreme(Decisions(), blurred, largest=True, chooses=False)
        index, _, undecided = first_extreme(Decisions(), blurred, largest=True, chooses=True)
        assert undecided.tolist() == [number != int(index) for number in range(3)]


@pytest.mark.parametrize(("name", "sign"), [("reduce_max", 1), ("reduce_min", -1)])
def test_the_ball_around_what_may_be_the_largest(name: str, sign: int) -> None:
    """Two of three numbers overlap with their slopes: whichever it is, value and slope lie in the balls."""
    values = np.array([[arb(sign), arb(sign, 1e-30), arb(0)]], object)
    slopes = np.array([[arb(2, 1e-28), arb(2), arb(9)]], object)
    for order in ([0, 1, 2], [1, 2, 0], [2, 0, 1]):
        with at_precision(128):
            found = apply(name, Balls(values[:, order], (slopes[:, order],)), attributes={"axes": (1,)})
        value, slope = found.values[0], found.slopes[0][0]
        assert all(value.contains(one) for one in values[0, :2])
        assert all(slope.contains(one) for one in slopes[0, :2])
        assert value.rad() < 1e-29
        assert slope.rad() < 1e-27


def test_second_coefficients_of_the_largest() -> None:
    """Of equals with equal slopes, the largest coefficient."""
    x = bent([1.0, 1.0, 0.0, 1.0], 0.0, [2.0, 5.0, 9.0, 3.0])
    side = Decisions(side=1, seconds=True)
    for name, expected in (("reduce_max", 5.0), ("reduce_min", 9.0)):
        found = apply(name, x, decisions=side, attributes={"axes": (0,)})
        assert floats(second(found, 0)) == expected


def test_the_ball_around_moves_if_one_of_them_does() -> None:
    """Whichever of them is taken."""
    for flags_of in ((True, False), (False, True), (False, False)):
        x = Balls(np.array([arb(1), arb(1, 1e-30)], object), (np.zeros(2),), np.array(flags_of))
        assert apply("reduce_max", x, attributes={"axes": (0,)}).moving.tolist() is any(flags_of)


@pytest.mark.parametrize("name", ["reduce_max", "reduce_min", "argmax", "argmin"])
def test_the_extreme_of_nothing_is_refused(name: str) -> None:
    """With the operation's name: along an axis of no elements there is none."""
    empty = along(np.zeros((2, 0)), np.zeros((2, 0)))
    with pytest.raises(NotProvedError, match=r"`there` asks for the extreme of no elements"):
        apply(name, empty, decisions=Decisions(place="`there`"), outputs=INT, attributes={"axes": (1,)})


def test_comparisons_with_and_without_a_choice() -> None:
    """Only a choice leaves numbers open."""
    x = Balls(np.array([arb(1, 1e-9)], object))
    signs, undecided = compare(Decisions(), x, constant([1.0]), chooses=True)
    assert (signs.tolist(), undecided.tolist()) == ([0], [True])
    with pytest.raises(UnsureError):
        compare(Decisions(), x, constant([1.0]), chooses=False)
    signs, undecided = compare(Decisions(), x, constant([0.0]), chooses=False)
    assert (signs.tolist(), undecided.tolist()) == ([1], [False])


def test_axes_become_one() -> None:
    """The last."""
    found = last_axis(constant(A), (0, 2))
    assert np.array_equal(found.values, A.transpose(1, 0, 2).reshape(3, 8))
    assert np.array_equal(at_last(found, 5).values, A[1, :, 1])
