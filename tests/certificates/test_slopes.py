"""Slopes with proved bounds: right where they are proved, and no proof where there is none."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from mpmath import mp, mpf

from tests.certificates.programs import Program, floats, prove, relu
from tests.certificates.random_programs import NUMBERS, draft
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import PRECISIONS, at_precision, prove_slopes
from xcheck.trace import Trace, Value
from xcheck.trace.model import Source


def test_a_smooth_function() -> None:
    """x exp(y), its slopes along two axes and across, with a radius far below rounding in float64."""
    directions = [[1.0, 0.0], [0.0, 1.0], [2.0, -3.0]]
    found = prove(lambda p, x, y: p.do("mul", x, p.do("exp", y)), 3.0, -0.5, directions=directions)
    e = math.exp(-0.5)
    assert floats(found.slopes) == pytest.approx([e, 3 * e, 2 * e - 9 * e], rel=1e-15)
    assert all(slope.rad() < 1e-35 for slope in found.slopes)
    assert (found.left, found.kinks, found.precision) == (None, (), PRECISIONS[0])
    with at_precision(256):
        assert found.slopes[0].contains(arb(-0.5).exp())


def test_precision_is_put_back() -> None:
    """FLINT's precision is global."""
    before = ctx.prec
    prove(lambda p, x: p.do("exp", x), 1.0)
    with pytest.raises(ZeroDivisionError), at_precision(77):
        _ = 1 / 0
    assert ctx.prec == before


def test_more_digits_decide_what_few_leave_open() -> None:
    """exp(x) against exp(x) + 1e-50: 128 bits cannot tell them apart, 256 can."""

    def build(p: Program, x: Value) -> Source:
        e = p.do("exp", x)
        larger = p.test("gt", p.do("exp", p.do("add", x, 1e-50)), e)
        return p.do("select", larger, 0.0, x)

    found = prove(build, 1.0)
    assert floats(found.slopes) == [1.0]
    assert found.precision == 256


def test_a_constant_loss_has_slope_0() -> None:
    """Nothing depends on θ."""
    found = prove(lambda p, x: p.do("exp", 1.0), 2.0)
    assert floats(found.slopes) == [0.0]


def test_a_loss_that_is_a_constant_of_the_trace() -> None:
    """No operation at all."""
    loss = Program().do("add", 1.0, 2.0)
    trace = Trace(inputs=(loss,), outputs=(loss,), operations=())
    assert floats(prove_slopes(trace, [np.asarray(2.0)], [[np.asarray(3.0)]]).slopes) == [3.0]


def test_a_loss_that_is_no_real_number() -> None:
    """An integer has no slope."""
    with pytest.raises(NotProvedError, match="no real number"):
        prove(lambda p, x: p.test("gt", x, 0.0), 1.0)


# --- kinks ----------------------------------------------------------------------------------------------------------


KINKS: list[tuple[str, Callable[..., Source], float, float]] = [
    ("relu", relu, 1.0, 0.0),
    ("abs", lambda p, x: p.do("abs", x), 1.0, -1.0),
    ("relu(x) - relu(-x), which is x", lambda p, x: p.do("sub", relu(p, x), relu(p, p.do("neg", x))), 1.0, 1.0),
    ("a branch", lambda p, x: p.do("select", p.test("gt", x, 0.0), p.do("mul", x, -1.0), p.do("sin", x)), 1.0, -1.0),
    ("abs(x)^1.5", lambda p, x: p.do("pow", p.do("abs", x), 2.0), 0.0, 0.0),
    ("x floor(x)", lambda p, x: p.do("mul", x, p.do("floor", x)), 0.0, -1.0),
    ("x ceil(x)", lambda p, x: p.do("mul", x, p.do("ceil", x)), 1.0, 0.0),
    ("x trunc(x)", lambda p, x: p.do("mul", x, p.do("trunc", x)), 0.0, 0.0),
    ("x sign(x)", lambda p, x: p.do("mul", x, p.do("sign", x)), 1.0, -1.0),
    ("clamp", lambda p, x: p.do("clamp", 0.0, x, 1.0), 1.0, 0.0),
]


@pytest.mark.parametrize(("build", "right", "left"), [row[1:] for row in KINKS], ids=[row[0] for row in KINKS])
def test_at_a_kink_both_slopes_are_proved(build: Callable[..., Source], right: float, left: float) -> None:
    """On the right and on the left; both along the axis and against it, where the sides change places."""
    found = prove(build, 0.0, directions=[[1.0], [-2.0]])
    assert found.left is not None
    assert floats(found.slopes) == [right, -2 * left]
    assert floats(found.left) == [left, -2 * right]
    assert found.kinks


def test_other_kinks_along_other_directions() -> None:
    """max(x, y) at x = y: along (1, 1) there is none."""
    found = prove(lambda p, x, y: p.do("max", x, y), 2.0, 2.0, directions=[[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]])
    assert found.left is not None
    assert (floats(found.slopes), floats(found.left)) == ([1.0, 1.0, 1.0], [0.0, 1.0, 0.0])


JUMPS: list[tuple[str, Callable[..., Source]]] = [
    ("a step", lambda p, x: p.do("select", p.test("gt", x, 0.0), 0.0, 1.0)),
    ("a hole", lambda p, x: p.do("select", p.test("eq", x, 0.0), x, 5.0)),
    ("floor", lambda p, x: p.do("floor", x)),
    ("round", lambda p, x: p.do("round", p.do("add", x, 0.5))),
    ("sign", lambda p, x: p.do("sign", x)),
    ("the angle on its cut", lambda p, x: p.do("atan2", x, -1.0)),
]


@pytest.mark.parametrize("build", [row[1] for row in JUMPS], ids=[row[0] for row in JUMPS])
def test_nothing_is_proved_at_a_jump(build: Callable[..., Source]) -> None:
    """There is no slope, whatever the derivatives of the pieces are."""
    with pytest.raises(NotProvedError):
        prove(build, 0.0)


def test_a_jump_in_a_wide_enclosure() -> None:
    """exp(200) - exp(200) hides a step of 1 in 128 bits; more bits are asked for, and it is seen."""

    def build(p: Program, x: Value) -> Source:
        nothing = p.do("sub", p.do("exp", 200.0), p.do("exp", 200.0))
        step = p.do("select", p.test("gt", x, 0.0), x, p.do("add", x, 1.0))
        return p.do("add", nothing, step)

    with pytest.raises(NotProvedError, match="jumps"):
        prove(build, 0.0)


def test_a_jump_in_an_enclosure_that_is_wide_on_one_side() -> None:
    """The same where only the loss on the right is hardly known, and that at θ is."""

    def build(p: Program, x: Value) -> Source:
        nothing = p.do("sub", p.do("exp", 200.0), p.do("exp", 200.0))
        right = p.do("add", p.do("add", x, 1.0), nothing)
        return p.do("select", p.test("gt", x, 0.0), x, right)

    with pytest.raises(NotProvedError, match="jumps"):
        prove(build, 0.0)


# --- what is equal for good, and what is no number ------------------------------------------------------------------


def test_what_does_not_move_is_equal_for_good() -> None:
    """The same branch on a relu that is off: it stays 0, and the slope is that of the other branch."""
    found = prove(lambda p, x: p.do("select", p.test("gt", p.do("mul", relu(p, x), 0.0), 0.0), x, 0.0), -1.0)
    assert floats(found.slopes) == [1.0]


def test_a_mask_of_infinities_is_no_kink() -> None:
    """-inf where x is masked out, twice: the largest of them is proved, and so is the slope of the rest."""

    def build(p: Program, x: Value) -> Source:
        masked = p.do("move", p.do("add", x, -np.inf), x, shape=(3,), run=lambda a, b: (np.stack([a, a, b]),))
        return p.do("reduce_max", masked, axes=(0,))

    found = prove(build, 2.0)
    assert (floats(found.slopes), found.left) == ([1.0], None)


def test_two_masked_scores_are_equal() -> None:
    """Where all are masked out, none is larger."""

    def build(p: Program, x: Value) -> Source:
        one, other = p.do("add", x, -np.inf), p.do("add", p.do("mul", x, 2.0), -np.inf)
        return p.do("select", p.test("eq", one, other), 0.0, x)

    assert floats(prove(build, 2.0).slopes) == [1.0]


def test_a_nan_is_not_compared() -> None:
    """Whatever it is compared with."""
    with pytest.raises(NotProvedError, match="nan"):
        prove(lambda p, x: p.do("max", x, math.nan), 1.0)


def test_a_pole() -> None:
    """1/x at 0 is no number."""
    with pytest.raises(NotProvedError, match="not finite"):
        prove(lambda p, x: p.do("div", 1.0, x), 0.0)


@pytest.mark.parametrize("number", [2.0**60, -(2.0**60), 1e200])
def test_large_integers_are_not_rounded(number: float) -> None:
    """floor(x) of x + 1 is x + 1, also where float64 has no such number."""

    def build(p: Program, x: Value) -> Source:
        above = p.do("add", p.do("mul", x, 0.0), 1.5)
        floor = p.do("floor", p.do("add", above, number))
        return p.do("mul", x, p.do("sub", floor, number))

    assert floats(prove(build, 3.0).slopes) == [1.0]


def test_complex_numbers_are_refused() -> None:
    """There are no rules for them; cut off or compared, they would be wrong."""

    def build(p: Program, x: Value) -> Source:
        z: Any = p.do("to_integer", x, dtype="complex128")
        return p.do("select", p.test("eq", z, 1.0 + 0j), 0.0, x)

    with pytest.raises(NotProvedError, match="complex"):
        prove(build, 1.5)


# --- random programs ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [{}, {"again": True}, {"flat": True}], ids=["any", "again", "flat"])
@pytest.mark.parametrize("first", range(0, 400, 100))
def test_random_programs_against_differences(first: int, kind: dict[str, bool]) -> None:
    """Whatever is proved of them, at points where much is equal, differences of 120 digits on both sides confirm."""
    step, proved, kinks = mpf("1e-40"), 0, 0
    for seed in range(first, first + 100):
        program, at = draft(seed, **kind), NUMBERS[seed % len(NUMBERS)]
        try:
            found = prove_slopes(program.trace, [np.asarray(at)], [[np.asarray(1.0)]])
        except NotProvedError:
            continue
        with mp.workdps(120):
            value, ahead, behind = (program.value(mpf(at) + shift) for shift in (0, step, -step))
            sides = [float((ahead - value) / step), float((value - behind) / step)]
        proved, kinks = proved + 1, kinks + (found.left is not None)
        slopes = floats([found.slopes[0], (found.left or found.slopes)[0]])
        assert sides == pytest.approx(slopes, rel=1e-12, abs=1e-12), (seed, program.names, at)
    assert proved > 30
    assert kinks > 5
