"""Arithmetic, powers, comparisons and what they choose."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from flint import arb
from mpmath import mp, mpf

from tests.certificates.rules.reference import (
    BITS,
    DIGITS,
    along,
    apply,
    assert_encloses,
    bend_of,
    bent,
    check_formula,
    single,
)
from xcheck.certificates.balls import Balls, constant, second
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, UnsureError
from xcheck.certificates.rules.elementwise import choose
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Value

PAIRS = ((0.3, 0.7), (-2.5, 1e-30), (1e300, -1e299), (1e-20, -3.0))
FORMULAS: list[tuple[str, Callable[..., Any], Sequence[Sequence[float]], dict[str, Any]]] = [
    ("add", lambda x, y: x + y, PAIRS, {}),
    ("sub", lambda x, y: x - y, (*PAIRS, (1.0, 1.0)), {}),
    ("mul", lambda x, y: x * y, (*PAIRS, (0.0, 0.0)), {}),
    ("div", lambda x, y: x / y, (*PAIRS, (0.0, 3.0)), {}),
    ("pow", lambda x, y: x**y, ((0.3, 0.7), (2.0, -3.0), (1e300, 0.5), (1e-300, 1.5), (1.0, 1e3)), {}),
    ("atan2", mp.atan2, ((0.3, 0.7), (0.3, -0.7), (-0.3, -0.7), (0.0, 2.0), (1e300, 1e299)), {}),
    ("neg", lambda x: -x, ((0.0,), (1e-300,), (-2.0,)), {}),
    ("integer_pow", lambda x: x**3, ((1e-30,), (-2.0,)), {"y": 3}),
    ("integer_pow", lambda x: x**-2, ((1e-30,), (-2.0,)), {"y": -2}),
    ("integer_pow", lambda x: mpf(1), ((0.0,), (-2.0,)), {"y": 0}),
]


@pytest.mark.parametrize(("name", "function", "points", "more"), FORMULAS)
def test_formulas(
    name: str, function: Callable[..., Any], points: Sequence[Sequence[float]], more: dict[str, Any]
) -> None:
    """Value and slopes by every argument are enclosed."""
    check_formula(name, function, points, **more)


def test_a_power_that_is_an_integer() -> None:
    """Given as one, or as a number that does not move: then the base may be negative."""
    for power in (np.array([3, 2]), constant([3.0, 2.0])):
        found = apply("pow", along([-2.0, 0.0], 1.0), power)
        assert found.values.astype(float).tolist() == [-8.0, 0.0]
        assert found.slopes[0].astype(float).tolist() == [12.0, 0.0]


@pytest.mark.parametrize(("base", "power"), [(-2.0, 0.5), (0.0, 1.5), (0.0, -1.0)])
def test_powers_without_a_slope(base: float, power: float) -> None:
    """Of a negative number, or of 0, next to which there is no power."""
    assert not single(apply("pow", along([base], 1.0), constant([power])).slopes[0]).is_finite()


def test_a_power_of_zero_that_stays() -> None:
    """A relu that is off, to any positive power."""
    off = Balls(np.zeros(1), (np.zeros(1),), np.zeros(1, bool))
    found = apply("pow", off, constant([0.5]))
    assert (single(found.values), single(found.slopes[0])) == (0, 0)


@pytest.mark.parametrize("y", [0.0, -0.0])
def test_the_cut_of_the_angle(y: float) -> None:
    """There the sign of zero decides, and the function jumps."""
    with pytest.raises(UnsureError, match="cut"):
        apply("atan2", along([y], 1.0), constant([-1.0]))


def test_comparisons() -> None:
    """Of what lies apart, of what is equal and stays, of a number with itself."""
    a, b = constant([1.0, 2.0, 3.0]), constant([2.0, 2.0, 2.0])
    expected = {
        "lt": [True, False, False],
        "le": [True, True, False],
        "gt": [False, False, True],
        "ge": [False, True, True],
        "eq": [False, True, False],
        "ne": [True, False, True],
    }
    for name, holds in expected.items():
        assert apply(name, a, b).tolist() == holds
    x = along([1.0], 1.0)
    assert [bool(apply(name, x, x)) for name in expected] == [False, True, False, True, True, False]
    nan = constant([np.nan])
    assert bool(apply("ne", nan, nan))
    assert not bool(apply("eq", nan, nan))


def test_the_order_in_which_zeros_have_signs() -> None:
    """The sign of a zero is not kept; all else is compared as ever."""
    assert apply("total_lt", constant([1.0]), constant([2.0])).tolist() == [True]
    assert apply("total_le", constant([2.0]), constant([2.0])).tolist() == [True]
    with pytest.raises(NotProvedError, match="signs"):
        apply("total_lt", constant([-0.0]), constant([0.0]))


def test_what_is_finite() -> None:
    """Finite numbers are, infinities that stay are not; of balls that may be anything nothing is known."""
    assert apply("is_finite", constant([1.0, np.inf, np.nan])).tolist() == [True, False, False]
    assert apply("is_nan", constant([1.0, np.inf, np.nan])).tolist() == [False, False, True]
    balls = np.array([arb(1), arb.neg_inf()], object)
    assert apply("is_finite", Balls(balls)).tolist() == [True, False]
    assert apply("is_nan", Balls(balls)).tolist() == [False, False]
    for unknown in (arb.nan(), arb(0, np.inf)):
        for name in ("is_finite", "is_nan"):
            with pytest.raises(UnsureError):
                apply(name, Balls(np.array([unknown], object)))
    pole = Balls(np.array([arb.neg_inf()], object), (np.array([arb.nan()], object),))
    with pytest.raises(UnsureError, match="infinities"):
        apply("is_finite", pole)


def test_selection() -> None:
    """By a truth or a number; integers are chosen, too."""
    a, b = along([1.0, 2.0], 1.0), constant([3.0, 4.0])
    found = choose(np.array([False, True]), a, b)
    assert (found.values.tolist(), found.where_moving().tolist()) == ([1.0, 4.0], [True, False])
    assert apply("select", np.array([1, 0]), a, b).values.tolist() == [3.0, 2.0]
    assert apply("select", np.array([1, 0]), np.array([5, 6]), np.array([7, 8])).tolist() == [7, 6]


@pytest.mark.parametrize(("side", "expected"), [(1, [1.0, 0.0]), (-1, [0.0, 1.0])])
def test_extremes_at_a_tie(side: int, expected: list[float]) -> None:
    """max and min of x and 0 at x = 0, seen from either side."""
    x, zero = along([0.0], 1.0), constant([0.0])
    with pytest.raises(KinkError):
        apply("max", x, zero)
    found = [apply(name, x, zero, decisions=Decisions(side=side)) for name in ("max", "min")]
    assert [float(single(one.slopes[0])) for one in found] == expected


@pytest.mark.parametrize("name", ["max", "min"])
def test_what_is_chosen_of_equals_moves_if_one_does(name: str) -> None:
    """The larger of 0 and t² is no constant."""
    flat = along([0.0], 0.0)
    for pair in ((flat, constant([0.0])), (constant([0.0]), flat)):
        assert apply(name, *pair).where_moving().tolist() == [True]
    still = Balls(np.zeros(1), (np.zeros(1),), np.zeros(1, bool))
    assert apply(name, still, constant([0.0])).where_moving().tolist() == [False]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("floor", [-2.0, -1.0, 0.0, 2.0, 3.0]),
        ("ceil", [-1.0, -1.0, 1.0, 3.0, 3.0]),
        ("trunc", [-1.0, -1.0, 0.0, 2.0, 3.0]),
        ("round", [-2.0, -1.0, 0.0, 2.0, 3.0]),
    ],
)
def test_rounding_to_integers(name: str, expected: list[float]) -> None:
    """Of constants, also on a jump: `round` goes to the even neighbour."""
    assert apply(name, constant([-1.5, -1.0, 0.5, 2.5, 3.0])).values.astype(float).tolist() == expected


@pytest.mark.parametrize(
    ("name", "right", "left"),
    [("floor", 2.0, 1.0), ("ceil", 3.0, 2.0), ("trunc", 2.0, 1.0), ("round", 2.0, 2.0)],
)
def test_rounding_on_either_side_of_an_integer(name: str, right: float, left: float) -> None:
    """At 2 the side decides, but for `round`, whose jump is half a step away."""
    x = along([2.0], 1.0)
    if name != "round":
        with pytest.raises(KinkError):
            apply(name, x)
    found = [single(apply(name, x, decisions=Decisions(side=side)).values) for side in (1, -1)]
    assert [float(one) for one in found] == [right, left]


@pytest.mark.parametrize(("at", "right", "left"), [(0.5, 1.0, 0.0), (1.5, 2.0, 1.0), (-0.5, 0.0, -1.0)])
def test_rounding_on_either_side_of_a_half(at: float, right: float, left: float) -> None:
    """Up on the right, down on the left."""
    found = [single(apply("round", along([at], 1.0), decisions=Decisions(side=side)).values) for side in (1, -1)]
    assert [float(one) for one in found] == [right, left]


def test_rounding_what_is_not_certain() -> None:
    """A ball across an integer, and one that may be infinite, ask for more digits."""
    for ball in (arb(2, 1e-9), arb.nan(), arb.pos_inf()):
        with pytest.raises(UnsureError):
            apply("floor", Balls(np.array([ball], object)))


@pytest.mark.parametrize(
    ("name", "numpy"), [("floor_divide", np.floor_divide), ("remainder", np.remainder), ("fmod", np.fmod)]
)
def test_division_with_a_rest(name: str, numpy: Any) -> None:
    """Of numbers of either sign; by both of them the rest has slopes x' - q y'."""
    x, y = np.array([7.5, -7.5, 7.5, -7.5]), np.array([2.0, 2.0, -2.0, -2.0])
    found = apply(name, along(x, 1.0, 0.0), along(y, 0.0, 1.0))
    assert found.values.astype(float).tolist() == numpy(x, y).tolist()
    if name == "floor_divide":
        assert found.slopes is None
    else:
        quotient = np.floor(x / y) if name == "remainder" else np.trunc(x / y)
        assert [slope.astype(float).tolist() for slope in found.slopes] == [[1.0] * 4, (-quotient).tolist()]


@pytest.mark.parametrize("name", ["floor_divide", "remainder"])
def test_a_division_that_comes_out_even(name: str) -> None:
    """There the rest jumps, and the side decides."""
    pair = along([6.0], 1.0), constant([2.0])
    with pytest.raises(KinkError):
        apply(name, *pair)
    found = [single(apply(name, *pair, decisions=Decisions(side=side)).values) for side in (1, -1)]
    assert [float(one) for one in found] == ([3.0, 2.0] if name == "floor_divide" else [0.0, 2.0])


def test_casts_to_integers() -> None:
    """Towards 0; what has no place in the integers is refused."""
    outputs = [Value((2,), "int8")]
    assert apply("to_integer", constant([-2.75, 2.75]), outputs=outputs).tolist() == [-2, 2]
    with pytest.raises(NotProvedError, match="no place"):
        apply("to_integer", constant([1.0, 300.0]), outputs=outputs)


def test_casts_to_truths() -> None:
    """Everything but 0 is true."""
    assert apply("is_nonzero", constant([0.0, -1e-300])).tolist() == [False, True]
    with pytest.raises(KinkError):
        apply("is_nonzero", along([0.0], 1.0))


def test_casts_round_nothing_and_say_so() -> None:
    """A number keeps its digits; so does one whose gradient is stopped."""
    x = along([0.1], 1.0)
    assert apply("cast", x) is x
    assert apply("stop_gradient", x) is x


def test_signs_and_sizes() -> None:
    """Of numbers apart from 0."""
    x = along([-2.0, 3.0], 1.0)
    assert apply("sign", x).values.tolist() == [-1.0, 1.0]
    found = apply("abs", x)
    assert found.values.astype(float).tolist() == [2.0, 3.0]
    assert found.slopes[0].astype(float).tolist() == [-1.0, 1.0]
    with pytest.raises(NotProvedError, match="equal slopes"):
        apply("sign", along([0.0], 0.0), decisions=Decisions(side=1, seconds=True))


def test_the_root_of_a_power_is_that_of_the_root() -> None:
    """x to the power 1/2 at 0, where only the slope of x decides that there is none."""
    with pytest.raises(NotProvedError, match="square root of exactly 0"):
        apply("pow", along([0.0], 1.0), constant([0.5]))


def pow_of(power: int, x: Any) -> Any:
    """x^n."""
    return x**power


def test_second_coefficients() -> None:
    """Of whole powers, sizes and extremes: of equals with equal slopes, the larger or the smaller one."""
    x = bent([3.0], 2.0, -1.0)
    for power in (-1, 0, 1, 2, 5):
        with at_precision(BITS), mp.workdps(DIGITS):
            found = apply("integer_pow", x, attributes={"y": power})
            assert_encloses(single(second(found, 0)), bend_of(partial(pow_of, power), (3.0, 2.0, -1.0)), power)
    zero, below, side = bent([0.0], 0.0, 1.0), bent([0.0], 0.0, -2.0), Decisions(side=1, seconds=True)
    for name, given, expected in (("max", (zero, below), 1), ("min", (zero, below), -2), ("abs", (below,), 2)):
        assert single(second(apply(name, *given, decisions=side), 0)) == expected


@pytest.mark.parametrize("name", ["max", "min", "abs"])
def test_second_coefficients_of_numbers_that_may_be_equal(name: str) -> None:
    """The ball around both holds that of either, whichever it is."""

    def near(middle: float, slope: float, coefficient: float) -> Balls:
        value, first = (np.array([arb(x, 1e-30)], object) for x in (middle, slope))
        return Balls(value, (first,), None, (np.array([coefficient]),))

    given = [near(0.0, 0.0, 3.0)] if name == "abs" else [near(1.0, 2.0, 3.0), near(1.0, 2.0, -5.0)]
    expected = (3.0, -3.0) if name == "abs" else (3.0, -5.0)
    for parts in (given, given[::-1]):
        found = single(second(apply(name, *parts, decisions=Decisions(side=1, seconds=True)), 0))
        assert all(found.contains(coefficient) for coefficient in expected)


def test_clamping() -> None:
    """Bounds may be single numbers; outside nothing moves."""
    found = apply("clamp", constant(-1.0), along([-2.0, 0.5, 3.0], 1.0), constant(1.0))
    assert found.values.astype(float).tolist() == [-1.0, 0.5, 1.0]
    assert found.slopes[0].astype(float).tolist() == [0.0, 1.0, 0.0]
    assert found.moving.tolist() == [False, True, False]
