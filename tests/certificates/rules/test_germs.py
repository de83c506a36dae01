"""Square roots of zero and quotients of zeros."""

from collections.abc import Callable

import numpy as np
import pytest
from flint import arb

from tests.certificates.programs import Program, floats, prove, quotient, square
from tests.certificates.rules.reference import along, apply, bent, single
from xcheck.certificates.balls import Balls, constant, second
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, SecondOrderError, UnsureError
from xcheck.trace import Value
from xcheck.trace.model import Source

SIDES = [Decisions(side=side, seconds=True) for side in (1, -1)]


@pytest.mark.parametrize("decisions", SIDES)
def test_the_root_of_zero(decisions: Decisions) -> None:
    """√(4 t²) is 2 |t|; other elements are what they are, and what comes next of the root is not known."""
    found = apply("sqrt", bent([0.0, 9.0], [0.0, 6.0], [4.0, 1.0]), decisions=decisions)
    assert found.values.astype(float).tolist() == [0.0, 3.0]
    assert found.slopes[0].astype(float).tolist() == pytest.approx([2.0 * decisions.side, 1.0])
    assert second(found, 0)[0].is_nan()


def test_the_root_of_zero_needs_a_side_and_second_coefficients() -> None:
    """It is a kink; at t = 0 itself its value is 0, and its slope is not asked for."""
    flat = along([0.0], 0.0)
    with pytest.raises(KinkError):
        apply("sqrt", flat)
    with pytest.raises(SecondOrderError):
        apply("sqrt", flat, decisions=Decisions(side=1))
    found = apply("sqrt", flat, decisions=Decisions(at_zero=True))
    assert single(found.values) == 0
    assert not single(found.slopes[0]).is_finite()


@pytest.mark.parametrize(
    "x", [bent([0.0], 0.0, 0.0), bent([0.0], 0.0, -1.0), bent([0.0], 0.0, np.nan), along([0.0], 0.0)]
)
def test_the_root_of_what_is_not_quadratic(x: Balls) -> None:
    """It is that of a negative number, or has a slope that second coefficients do not tell."""
    with pytest.raises(NotProvedError, match="second derivatives do not tell"):
        apply("sqrt", x, decisions=SIDES[0])


def test_the_root_of_what_may_be_flat_or_not() -> None:
    """More digits are needed where balls hold 0; with a slope there is none."""
    blurred = np.array([arb(0, 1e-9)], object)
    for x in (Balls(np.zeros(1), (blurred,)), Balls(np.zeros(1), (np.zeros(1),), None, (blurred,))):
        with pytest.raises(UnsureError):
            apply("sqrt", x, decisions=SIDES[0])
    with pytest.raises(NotProvedError, match="square root of exactly 0"):
        apply("sqrt", along([0.0], 1.0))


@pytest.mark.parametrize("decisions", SIDES)
def test_the_quotient_of_zeros(decisions: Decisions) -> None:
    """(3 t + 5 t²) / (2 t - t²) is 3/2 + 13/4 t + ..."""
    found = apply(
        "div", bent([0.0, 1.0], [3.0, 0.0], [5.0, 0.0]), bent([0.0, 2.0], [2.0, 0.0], [-1.0, 0.0]), decisions=decisions
    )
    assert found.values.astype(float).tolist() == [1.5, 0.5]
    assert found.slopes[0].astype(float).tolist() == [3.25, 0.0]
    assert second(found, 0)[0].is_nan()
    assert second(found, 0)[1] == 0


def test_the_quotient_of_zeros_at_theta_itself() -> None:
    """It is no number there, and none without a side; on a side second coefficients are asked for."""
    for decisions in (Decisions(), Decisions(at_zero=True)):
        assert not single(apply("div", along([0.0], 1.0), along([0.0], 2.0), decisions=decisions).values).is_finite()
    with pytest.raises(SecondOrderError):
        apply("div", along([0.0], 1.0), along([0.0], 2.0), decisions=Decisions(side=1))


@pytest.mark.parametrize("below", [bent([0.0], 0.0, 1.0), constant([0.0]), bent([np.nan], 1.0, 0.0)])
def test_the_quotient_of_other_zeros_is_no_number(below: Balls) -> None:
    """It would take higher coefficients, or is none at all."""
    found = apply("div", bent([0.0], 0.0, 1.0), below, decisions=SIDES[0])
    assert not single(found.values).is_finite()


def _logarithm_over_sine(p: Program, x: Source) -> Value:
    return quotient(p, x, p.do("log1p", x), p.do("sin", p.do("mul", x, 2.0)), 0.5)


ROOTS: list[tuple[str, Callable[..., Source], float, float]] = [
    ("the root of x²", lambda p, x: p.do("sqrt", square(p, x)), 1.0, -1.0),
    ("x² to the power 1/2", lambda p, x: p.do("pow", square(p, x), 0.5), 1.0, -1.0),
    ("hypot", lambda p, x: p.do("hypot", x, p.do("mul", x, 2.0)), 5**0.5, -(5**0.5)),
    ("the root of 1 - cos", lambda p, x: p.do("sqrt", p.do("sub", 1.0, p.do("cos", x))), 0.5**0.5, -(0.5**0.5)),
    ("the root of x sinh(x)", lambda p, x: p.do("sqrt", p.do("mul", x, p.do("sinh", x))), 1.0, -1.0),
    ("the root of x² (x + 1)", lambda p, x: p.do("sqrt", p.do("mul", square(p, x), p.do("add", x, 1.0))), 1.0, -1.0),
    ("x |x| by a root", lambda p, x: p.do("mul", x, p.do("sqrt", square(p, x))), 0.0, 0.0),
    ("sin(x) / x", lambda p, x: quotient(p, x, p.do("sin", x), x, 1.0), 0.0, 0.0),
    ("expm1(x) / x", lambda p, x: quotient(p, x, p.do("expm1", x), x, 1.0), 0.5, 0.5),
    ("x² / |x|", lambda p, x: quotient(p, x, square(p, x), p.do("abs", x), 0.0), 1.0, -1.0),
    ("log1p(x) / sin(2 x)", _logarithm_over_sine, -0.25, -0.25),
    ("0 / x", lambda p, x: quotient(p, x, p.do("mul", x, 0.0), x, 0.0), 0.0, 0.0),
]


@pytest.mark.parametrize(("build", "right", "left"), [row[1:] for row in ROOTS], ids=[row[0] for row in ROOTS])
def test_roots_and_quotients_of_zeros(build: Callable[..., Source], right: float, left: float) -> None:
    """Their slopes on both sides, also against the axis, where the sides change places."""
    found = prove(build, 0.0, directions=[[1.0], [-2.0]])
    assert found.left is not None
    assert floats(found.slopes) == pytest.approx([right, -2 * left], rel=1e-15)
    assert floats(found.left) == pytest.approx([left, -2 * right], rel=1e-15)
    assert found.kinks


def test_the_length_of_a_vector_at_zero() -> None:
    """It is |t| times the length of the direction, and that of a part is flat along what does not belong to it."""

    def build(p: Program, x: Value, y: Value, z: Value) -> Source:
        squares = p.do("add", square(p, x), square(p, y))
        return p.do("add", p.do("sqrt", squares), p.do("mul", z, 3.0))

    found = prove(build, 0.0, 0.0, 0.0, directions=[[3.0, -4.0, 0.0], [3.0, -4.0, 1.0], [0.0, 0.0, 1.0]])
    assert found.left is not None
    assert (floats(found.slopes), floats(found.left)) == ([5.0, 8.0, 3.0], [-5.0, -2.0, 3.0])
    assert found.ties == 1
