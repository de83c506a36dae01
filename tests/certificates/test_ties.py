"""Equal numbers: by second derivatives, by two ways, and where nobody knows which is larger."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from tests.certificates.programs import Program, chosen, element, floats, of_two, prove, quotient, square
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import PRECISIONS
from xcheck.trace import Value
from xcheck.trace.model import Source


def _sorted(p: Program, x: Source, number: int, *, turned: bool) -> Value:
    parts = (0.0, square(p, x))
    pair = of_two(p, *(parts[::-1] if turned else parts))
    return element(p, p.do("sort", pair, shape=(2,), axis=0), number)


# Each is x for t ≠ 0, with slope 1, and decides at t = 0 by what is equal there and nowhere else.
# Second derivatives decide on both sides.
DECIDED: list[tuple[str, Callable[..., Source]]] = [
    ("x² > 0", lambda p, x: chosen(p, x, "gt", square(p, x))),
    ("x² == 0", lambda p, x: p.do("select", p.test("eq", square(p, x), 0.0), x, 0.0)),
    ("max(0, x²) > 0", lambda p, x: chosen(p, x, "gt", p.do("max", 0.0, square(p, x)))),
    ("max(x², 0) > 0", lambda p, x: chosen(p, x, "gt", p.do("max", square(p, x), 0.0))),
    ("clamp(0, x², 1) > 0", lambda p, x: chosen(p, x, "gt", p.do("clamp", 0.0, square(p, x), 1.0))),
    ("abs(x²) > 0", lambda p, x: chosen(p, x, "gt", p.do("abs", square(p, x)))),
    (
        "the largest of 0 and x²",
        lambda p, x: chosen(p, x, "gt", p.do("reduce_max", of_two(p, 0.0, square(p, x)), axes=(0,))),
    ),
    (
        "the running maximum",
        lambda p, x: chosen(
            p, x, "gt", element(p, p.do("cummax", of_two(p, 0.0, square(p, x)), shape=(2,), axis=0), 1)
        ),
    ),
    ("floor(-x²) == 0", lambda p, x: p.do("mul", x, p.do("neg", p.do("floor", p.do("neg", square(p, x)))))),
]


@pytest.mark.parametrize("build", [row[1] for row in DECIDED], ids=[row[0] for row in DECIDED])
def test_what_second_derivatives_decide(build: Callable[..., Source]) -> None:
    """The slope is that of both sides, not of the branch that is taken at t = 0; so along other directions."""
    found = prove(build, 0.0, directions=[[1.0], [-2.0]])
    assert (floats(found.slopes), floats(found.left or ())) == ([1.0, -2.0], [1.0, -2.0])
    assert found.kinks


# Of these second derivatives are not known, or do not decide.
ATTACKS: list[tuple[str, Callable[..., Source]]] = [
    ("the second in order of 0, x²", lambda p, x: chosen(p, x, "gt", _sorted(p, x, 1, turned=False))),
    ("the second in order of x², 0", lambda p, x: chosen(p, x, "gt", _sorted(p, x, 1, turned=True))),
    ("log(x²) is finite", lambda p, x: p.do("select", p.test("is_finite", p.do("log", square(p, x))), 0.0, x)),
    ("1/x² is finite", lambda p, x: p.do("select", p.test("is_finite", p.do("div", 1.0, square(p, x))), 0.0, x)),
    ("log(x²) == -inf", lambda p, x: p.do("select", p.test("eq", p.do("log", square(p, x)), -np.inf), x, 0.0)),
    ("x⁴ > 0", lambda p, x: chosen(p, x, "gt", p.do("integer_pow", x, y=4))),
    ("x³ > 0", lambda p, x: chosen(p, x, "gt", p.do("integer_pow", x, y=3))),
    ("the root of x⁴", lambda p, x: p.do("sqrt", p.do("integer_pow", x, y=4))),
    ("the root of x³", lambda p, x: p.do("sqrt", p.do("integer_pow", x, y=3))),
    ("the root of -x²", lambda p, x: p.do("sqrt", p.do("neg", square(p, x)))),
    ("the root of x", lambda p, x: p.do("sqrt", x)),
    ("a step in x²", lambda p, x: p.do("select", p.test("gt", square(p, x), 0.0), 1.0, x)),
    ("x / x", lambda p, x: p.do("div", x, x)),
    ("x² / x² beside a branch", lambda p, x: quotient(p, x, square(p, x), square(p, x), 1.0)),
    ("sin(x) / x beside a branch of another value", lambda p, x: quotient(p, x, p.do("sin", x), x, 2.0)),
]


@pytest.mark.parametrize("build", [row[1] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_what_second_derivatives_do_not_tell_is_not_proved(build: Callable[..., Source]) -> None:
    """A tie of equal slopes that moves is equal at t = 0 alone."""
    with pytest.raises(NotProvedError):
        prove(build, 0.0)


# --- equal numbers, computed in two ways ----------------------------------------------------------------------------


def again(p: Program, x: Source) -> Value:
    """x, by way of its exponential: a ball that holds x and is none."""
    return p.do("log", p.do("exp", x))


TWICE: list[tuple[str, Callable[..., Source], float]] = [
    ("max", lambda p, x: p.do("max", p.do("sin", x), p.do("sin", again(p, x))), math.cos(0.5)),
    ("min", lambda p, x: p.do("min", p.do("mul", x, 3.0), p.do("mul", again(p, x), 3.0)), 3.0),
    ("reduce_max", lambda p, x: p.do("reduce_max", of_two(p, x, again(p, x)), axes=(0,)), 1.0),
    ("cummin", lambda p, x: element(p, p.do("cummin", of_two(p, x, again(p, x)), shape=(2,), axis=0), 1), 1.0),
    ("sort", lambda p, x: element(p, p.do("sort", of_two(p, again(p, x), x), shape=(2,), axis=0), 1), 1.0),
    ("clamp", lambda p, x: p.do("clamp", again(p, x), x, 9.0), 1.0),
    ("abs of no difference", lambda p, x: p.do("add", x, p.do("abs", p.do("sub", x, again(p, x)))), 1.0),
]


@pytest.mark.parametrize(("build", "slope"), [row[1:] for row in TWICE], ids=[row[0] for row in TWICE])
def test_the_extreme_of_one_number_by_two_ways(build: Callable[..., Source], slope: float) -> None:
    """Nobody knows which is larger; the slope is that of both, in a ball that is hardly wider, with few bits."""
    found = prove(build, 0.5, directions=[[1.0], [-2.0]])
    assert floats(found.slopes) == pytest.approx([slope, -2 * slope], rel=1e-15)
    assert all(one.rad() < 1e-35 for one in found.slopes)
    assert (found.left, found.kinks, found.precision) == (None, (), PRECISIONS[0])


OPEN: list[tuple[str, Callable[..., Source]]] = [
    ("a kink", lambda p, x: p.do("max", again(p, x), p.do("sub", p.do("mul", x, 2.0), 0.5))),
    ("a branch", lambda p, x: p.do("select", p.test("gt", again(p, x), x), x, p.do("neg", x))),
    ("a place", lambda p, x: p.do("select", p.do("argmax", of_two(p, x, again(p, x)), axes=(0,)), x, 0.0)),
    ("a step", lambda p, x: p.do("floor", p.do("mul", again(p, x), 2.0))),
    ("a sign", lambda p, x: p.do("mul", x, p.do("sign", p.do("sub", again(p, x), x)))),
]


@pytest.mark.parametrize("build", [row[1] for row in OPEN], ids=[row[0] for row in OPEN])
def test_what_depends_on_which_is_larger_is_not_proved(build: Callable[..., Source]) -> None:
    """Equal numbers by two ways, whose order decides more than which of the two is returned."""
    with pytest.raises(NotProvedError):
        prove(build, 0.5)
