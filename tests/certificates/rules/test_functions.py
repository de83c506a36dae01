"""Elementary functions of one argument against mpmath, at ordinary, tiny, huge and special points."""

from collections.abc import Callable, Sequence
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
from xcheck.certificates.rules.functions import of_one, where_moving
from xcheck.certificates.slopes import at_precision

EVERYWHERE = (0.0, 1e-30, -1e-3, 0.7, -2.5, 30.0)
POSITIVE = (1e-300, 1e-3, 0.7, 1.0, 2.5, 1e300)
INSIDE = (0.0, 1e-30, 0.3, -0.7, 0.999999)

# Name, mpmath's function, points.
TABLE: list[tuple[str, Callable[[Any], Any], Sequence[float]]] = [
    ("exp", mp.exp, (*EVERYWHERE, 700.0, -1e5)),
    ("exp2", lambda x: mpf(2) ** x, (*EVERYWHERE, 1000.0)),
    ("expm1", mp.expm1, (*EVERYWHERE, -35.0)),
    ("log", mp.log, POSITIVE),
    ("log1p", mp.log1p, (*INSIDE, 1e300, -0.9999999)),
    ("log2", lambda x: mp.log(x, 2), POSITIVE),
    ("log10", lambda x: mp.log(x, 10), POSITIVE),
    ("sqrt", mp.sqrt, POSITIVE),
    ("rsqrt", lambda x: 1 / mp.sqrt(x), POSITIVE),
    ("cbrt", lambda x: mp.sign(x) * mp.cbrt(abs(x)), (*POSITIVE, -8.0, -1e-300)),
    ("square", lambda x: x * x, (*EVERYWHERE, 1e300)),
    ("reciprocal", lambda x: 1 / x, (*POSITIVE, -3.0)),
    ("sin", mp.sin, (*EVERYWHERE, 1e8)),
    ("cos", mp.cos, (*EVERYWHERE, 1e8)),
    ("tan", mp.tan, (*EVERYWHERE, 1.5707963267948966)),
    ("asin", mp.asin, INSIDE),
    ("acos", mp.acos, INSIDE),
    ("atan", mp.atan, (*EVERYWHERE, 1e8)),
    ("sinh", mp.sinh, (*EVERYWHERE, -700.0)),
    ("cosh", mp.cosh, (*EVERYWHERE, -700.0)),
    ("tanh", mp.tanh, (*EVERYWHERE, 0.5, -45.0)),
    ("asinh", mp.asinh, (*EVERYWHERE, -1e8)),
    ("acosh", mp.acosh, (1.0000001, 2.0, 1e8)),
    ("atanh", mp.atanh, INSIDE),
    ("logistic", lambda x: 1 / (1 + mp.exp(-x)), (*EVERYWHERE, 90.0, -700.0)),
    ("erf", mp.erf, (0.0, 1e-30, -0.5, 2.0, 9.0)),
    ("erfc", mp.erfc, (0.0, 1e-30, -0.5, 2.0, 26.0, 100.0)),
    ("erf_inv", mp.erfinv, (0.0, 1e-20, 0.5, -0.9, 0.999)),
    ("lgamma", lambda x: mp.log(abs(mp.gamma(x))), (1e-20, 0.5, 1.0, 2.0, 7.25, 1e6, -0.5, -2.75)),
    ("digamma", mp.digamma, (1e-20, 0.5, 1.0, 1.4616321449683623, 7.25, 1e6, -0.5, -2.75)),
]


@pytest.mark.parametrize(("name", "function", "points"), TABLE, ids=[row[0] for row in TABLE])
def test_value_and_slope_are_enclosed(name: str, function: Callable[[Any], Any], points: Sequence[float]) -> None:
    """At points of every kind."""
    check_formula(name, function, [(point,) for point in points])


def test_random_points() -> None:
    """What holds at chosen points holds between them."""
    points = [(float(x),) for x in np.random.default_rng(0).uniform(0.01, 0.99, size=5)]
    for name, function, _ in TABLE:
        if name != "acosh":
            check_formula(name, function, points)


@pytest.mark.parametrize(
    ("name", "at"),
    [("log", -1.0), ("log", 0.0), ("asin", 2.0), ("acosh", 0.5), ("atanh", 1.0), ("rsqrt", 0.0), ("lgamma", -2.0)],
)
def test_outside_there_is_no_value(name: str, at: float) -> None:
    """And nothing is proved."""
    assert not single(apply(name, constant([at])).values).is_finite()


@pytest.mark.parametrize(("name", "at"), [("asin", 1.0), ("acos", -1.0), ("acosh", 1.0), ("cbrt", 0.0)])
def test_on_the_edge_there_is_a_value_and_no_slope(name: str, at: float) -> None:
    """The slope is infinite there."""
    found = apply(name, along([at], 1.0))
    assert single(found.values).is_finite()
    assert not single(found.slopes[0]).is_finite()


# Each has a second derivative of its own, of which second coefficients are made.
BENT = (
    *("exp", "expm1", "log", "log1p", "sqrt", "square", "reciprocal"),
    *("sin", "cos", "tan", "atan", "sinh", "cosh", "tanh"),
)


@pytest.mark.parametrize(("name", "function", "points"), [row for row in TABLE if row[0] in BENT], ids=BENT)
def test_second_coefficients_are_enclosed(name: str, function: Callable[[Any], Any], points: Sequence[float]) -> None:
    """Of f(x + 3 t/2 - t²/4), where a difference of three values is exact enough."""
    for point in points:
        if point and not 1e-3 <= abs(point) <= 100:
            continue
        with at_precision(BITS), mp.workdps(DIGITS):
            found = apply(name, bent([point], 1.5, -0.25))
            reference = bend_of(function, (point, 1.5, -0.25))
            assert_encloses(single(second(found, 0)), reference, point)


def test_second_coefficients_without_a_second_derivative() -> None:
    """They are known where x' is 0, as f' x₂, and nowhere else."""
    found = apply("erf", bent([0.5, 0.5], [0.0, 1.0], 3.0))
    assert float(second(found, 0)[0]) == pytest.approx(3 * float(2 / mp.sqrt(mp.pi) * mp.exp(-0.25)))
    assert second(found, 0)[1].is_nan()
    assert apply("erf", along([0.5], 1.0)).seconds is None


def test_the_root_of_what_stays_zero() -> None:
    """If nothing moves there is no kink."""
    still = apply("sqrt", Balls(np.zeros(2), (np.zeros(2),), np.zeros(2, bool)))
    assert still.slopes[0].astype(float).tolist() == [0.0, 0.0]
    assert apply("sqrt", constant([0.0])).values[0] == 0


def test_infinities() -> None:
    """Where a limit is attained for good, there it is, with slope 0."""
    masked = along([-np.inf], 3.0)
    for name in ("exp", "exp2", "logistic"):
        found = apply(name, masked)
        assert single(found.values) == 0
        assert single(found.slopes[0]) == 0


def test_the_cube_root_of_what_may_have_either_sign() -> None:
    """More digits are needed."""
    unsure = np.array([arb(0, 1e-9)], object)
    assert single(apply("cbrt", Balls(unsure)).values).is_nan()


def test_a_wrong_formula_is_found() -> None:
    """The tester is tested: 1e-30 of a derivative is enough."""
    wrong = of_one(arb.exp, lambda x, y: y * (1 + arb(10) ** -30))
    with at_precision(256), mp.workdps(150):
        found = wrong(along([1.0], 1.0))
        assert found.slopes is not None
        with pytest.raises(AssertionError):
            assert_encloses(found.slopes[0][0], mp.exp(1))


def test_derivatives_are_taken_where_something_moves() -> None:
    """Elsewhere the formula is not asked."""
    one = Balls(np.array([0.0, 2.0]), (np.array([0.0, 1.0]),), np.array([False, True]))
    found = where_moving(lambda x: 1 / x, one, one.values)
    assert found.astype(float).tolist() == [0.0, 0.5]
    number = Balls(np.array(2.0), (np.array(1.0),), np.array(True))
    assert float(where_moving(lambda x: 1 / x, number, number.values)) == 0.5
