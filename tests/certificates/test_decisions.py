"""Decisions: what is compared is decided with proof or not at all."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb

from tests.certificates.rules.reference import bent
from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, SecondOrderError, UnsureError

Compare = Callable[[Decisions, Balls, Balls], Any]


def moving(value: float, *slopes: float) -> Balls:
    """A number with slopes."""
    return Balls(np.array([value]), tuple(np.array([one]) for one in slopes))


def still(value: float) -> Balls:
    """A number among others that move, which does not."""
    return Balls(np.array([value]), (np.zeros(1),), np.array([False]))


def ball(middle: float, radius: float) -> Balls:
    """A ball that is not exact."""
    return Balls(np.array([arb(middle, radius)], object))


def near(middle: float, *slopes: Any) -> Balls:
    """A number that is known to 1e-30, with slopes."""
    return Balls(np.array([arb(middle, 1e-30)], object), tuple(np.array([arb(one)], object) for one in slopes))


def chosen_signs(decisions: Decisions, left: Balls, right: Balls) -> Any:
    """The signs of `choices`, where all of them are known."""
    signs, undecided = decisions.choices(left, right)
    assert not undecided.any()
    return signs


def test_what_lies_apart() -> None:
    """Floats, balls, and both."""
    assert Decisions().signs(constant([1.0, 3.0]), constant([2.0, 2.0])).tolist() == [-1, 1]
    assert Decisions().signs(ball(1.0, 0.5), constant([2.0])).tolist() == [-1]
    assert Decisions().signs(ball(3.0, 0.5), ball(1.0, 0.5)).tolist() == [1]
    assert Decisions().signs(constant(1.0), constant(2.0)).tolist() == -1


def test_what_overlaps_asks_for_digits() -> None:
    """Also where only the edges touch, and where the midpoints are equal."""
    for other in (ball(1.0, 0.5), ball(2.0, 0.5), ball(1.5, 1e-30)):
        with pytest.raises(UnsureError):
            Decisions().signs(other, constant([1.5]))
    same = ball(1.0, 1e-30)
    with pytest.raises(UnsureError):
        Decisions().signs(same, Balls(same.values.copy()))


def test_a_number_is_equal_to_itself() -> None:
    """However wide its ball is."""
    wide = ball(1.0, 0.5)
    assert Decisions().signs(wide, wide).tolist() == [0]


@pytest.mark.parametrize("compare", [Decisions.signs, Decisions.choices])
def test_nan(compare: Compare) -> None:
    """Is not compared."""
    for one in (constant([np.nan]), Balls(np.array([arb.nan()], object))):
        with pytest.raises(UnsureError, match="nan"):
            compare(Decisions(), one, constant([1.0]))


def test_what_does_not_move_is_equal_for_good() -> None:
    """No side is asked for."""
    for one in (constant([0.0]), still(0.0)):
        assert Decisions().signs(one, constant([0.0])).tolist() == [0]
        assert Decisions(side=1).signs(one, still(0.0)).tolist() == [0]


@pytest.mark.parametrize("compare", [Decisions.signs, chosen_signs])
@pytest.mark.parametrize(("slope", "side", "sign"), [(2.0, 1, 1), (2.0, -1, -1), (-2.0, 1, -1), (-2.0, -1, 1)])
def test_a_kink(compare: Compare, slope: float, side: int, sign: int) -> None:
    """The slopes decide it, side by side."""
    x, zero = moving(0.0, slope), constant([0.0])
    with pytest.raises(KinkError):
        compare(Decisions(), x, zero)
    decisions = Decisions(side=side, place="there")
    assert compare(decisions, x, zero).tolist() == [sign]
    assert compare(decisions, zero, x).tolist() == [-sign]
    assert decisions.kinks == ["there", "there"]
    assert Decisions(at_zero=True).signs(x, zero).tolist() == [0]


def test_directions_that_disagree() -> None:
    """One after the other, then."""
    for slopes in ((1.0, -1.0), (1.0, 0.0)):
        with pytest.raises(KinkError):
            Decisions(side=1).signs(moving(0.0, *slopes), constant([0.0]))


def test_a_flat_tie() -> None:
    """Which is larger is not known; where one of the two is returned it does not matter."""
    x = moving(1.0, 3.0)
    other = moving(1.0, 3.0)
    with pytest.raises(KinkError):
        Decisions().signs(x, other)
    for side in (0, 1, -1):
        assert chosen_signs(Decisions(side=side), x, other).tolist() == [0]


@pytest.mark.parametrize("side", [1, -1])
def test_second_coefficients_decide_on_either_side(side: int) -> None:
    """They do where they are asked for, known and apart; t² is larger than 0 on both sides."""
    x, zero = bent([0.0], 0.0, 2.0), constant([0.0])
    with pytest.raises(SecondOrderError):
        Decisions(side=side).signs(x, zero)
    decisions = Decisions(side=side, seconds=True, place="there")
    assert decisions.signs(x, zero).tolist() == [1]
    assert decisions.signs(zero, x).tolist() == [-1]
    assert decisions.signs(bent([0.0], 1.0, 2.0), bent([0.0], 1.0, 3.0)).tolist() == [-1]
    assert decisions.kinks == ["there"] * 3
    for unknown in (bent([0.0], 0.0, 0.0), bent([0.0], 0.0, np.nan), moving(0.0, 0.0)):
        with pytest.raises(NotProvedError, match="second derivatives"):
            decisions.signs(unknown, zero)
    blurred = Balls(np.zeros(1), (np.zeros(1),), None, (np.array([arb(0, 1e-9)], object),))
    with pytest.raises(UnsureError, match="second derivatives"):
        decisions.signs(blurred, zero)


def test_slopes_that_overlap_ask_for_digits() -> None:
    """Whether it is a kink is not known."""
    x = Balls(np.array([0.0]), (np.array([arb(0, 1e-9)], object),))
    with pytest.raises(UnsureError, match="may differ"):
        Decisions().signs(x, constant([0.0]))


def test_a_choice_of_what_overlaps_with_its_slopes_is_left_open() -> None:
    """It may be left open on either side, and with slopes that overlap in every direction only."""
    for pair in ((near(1.0, 2.0), near(1.0, 2.0)), (near(1.0), near(1.0)), (near(1.0, 0.0), near(1.0))):
        for decisions in (Decisions(), Decisions(side=1), Decisions(side=-1), Decisions(at_zero=True)):
            signs, undecided = decisions.choices(*pair)
            assert (signs.tolist(), undecided.tolist(), decisions.kinks) == ([0], [True], [])
        with pytest.raises(UnsureError):
            Decisions().signs(*pair)
    for pair in ((near(1.0, 2.0, 3.0), near(1.0, 2.0, 4.0)), (near(1.0, 2.0), near(1.0))):
        with pytest.raises(UnsureError, match="compares"):
            Decisions(side=1).choices(*pair)


def test_a_choice_without_a_slope_is_not_left_open() -> None:
    """Infinite numbers, and slopes that may be anything, enclose nothing."""
    nowhere = Balls(np.array([arb(1.0, 1e-30)], object), (np.array([arb.nan()], object),))
    for pair in ((nowhere, near(1.0, 2.0)), (near(1.0, 2.0), nowhere)):
        with pytest.raises(UnsureError):
            Decisions().choices(*pair)
    wide = Balls(np.array([arb(0, float("inf"))], object))
    with pytest.raises(UnsureError):
        Decisions().choices(wide, constant([1.0]))


def test_a_choice_of_equals_whose_slopes_overlap() -> None:
    """It is left open; with a kink along another direction each direction is looked at by itself."""
    blurred = arb(2.0, 1e-30)
    x = Balls(np.array([1.0]), (np.array([blurred], object),))
    signs, undecided = Decisions(side=1).choices(x, moving(1.0, 2.0))
    assert (signs.tolist(), undecided.tolist()) == ([0], [True])
    both = Balls(np.array([1.0]), (np.array([blurred], object), np.array([arb(5.0)], object)))
    with pytest.raises(KinkError):
        Decisions(side=1).choices(both, moving(1.0, 2.0, 2.0))


def test_infinities() -> None:
    """Are equal for good if their slopes are finite; those of a pole may be finite nearby."""
    mask = Balls(np.array([-np.inf]), (np.array([1.0]),))
    assert Decisions().signs(mask, Balls(np.array([-np.inf]), (np.array([2.0]),))).tolist() == [0]
    assert Decisions().signs(mask, constant([0.0])).tolist() == [-1]
    pole = Balls(np.array([-np.inf]), (np.array([arb.nan()], object),))
    for pair in ((pole, mask), (constant([-np.inf]), pole)):
        with pytest.raises(UnsureError, match="infinities"):
            Decisions().signs(*pair)


def test_many_at_once() -> None:
    """Each element by itself."""
    values = np.array([[1.0, 2.0], [0.0, -np.inf]])
    x = Balls(values, (np.ones((2, 2)),))
    y = constant([[2.0, 1.0], [0.0, -np.inf]])
    assert Decisions(side=-1).signs(x, y).tolist() == [[-1, 1], [-1, 0]]
