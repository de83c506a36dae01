"""Special functions against mpmath, at ordinary, tiny, huge and special points."""

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
from flint import arb
from mpmath import mp, mpf

from tests.certificates.rules.reference import along, apply, assert_encloses, check_formula, derivative, single
from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError
from xcheck.certificates.slopes import at_precision


def _ndtri(p: Any) -> Any:
    start = mpmath.sqrt(2) * (mp.erfinv(2 * p - 1) if p > mpf("1e-10") else -mpmath.sqrt(-mpmath.log(p)))
    return mp.findroot(lambda x: mp.log(mp.ncdf(x)) - mp.log(p), start)


def _incomplete_beta(a: Any, b: Any, x: Any) -> Any:
    return mp.betainc(a, b, 0, x, regularized=True)


# Name, mpmath's function, points.
ONE: list[tuple[str, Callable[[Any], Any], Sequence[float]]] = [
    ("i0", lambda x: mp.besseli(0, x), (0.0, 1e-20, 0.3, -2.5, 40.0, 700.0)),
    ("i1", lambda x: mp.besseli(1, x), (0.0, 1e-20, 0.3, -2.5, 40.0, 700.0)),
    ("bessel_i0e", lambda x: mp.exp(-abs(x)) * mp.besseli(0, x), (1e-20, 0.3, -2.5, 40.0, -1e4)),
    ("bessel_i1e", lambda x: mp.exp(-abs(x)) * mp.besseli(1, x), (1e-20, 0.3, -2.5, 40.0, -1e4)),
    ("ndtr", mp.ncdf, (0.0, 1e-20, 1.5, -1.5, -30.0, -1e3)),
    ("log_ndtr", lambda x: mp.log(mp.erfc(-x / mp.sqrt(2)) / 2), (0.0, 0.7, -1.5, -30.0, -1e3)),
    ("ndtri", _ndtri, (0.5, 0.1, 0.975, 1e-9)),
    ("erfcx", lambda x: mp.exp(x * x) * mp.erfc(x), (0.0, 1e-20, 0.4, -3.0, 25.0, 1e4)),
    ("entr", lambda x: -x * mp.log(x), (1e-300, 0.3, 1.0, 7.0)),
    ("logit", lambda x: mp.log(x / (1 - x)), (1e-20, 0.3, 0.5, 0.999)),
    ("sinc", lambda x: mp.sinpi(x) / (mp.pi * x) if x else mpf(1), (0.0, 1e-3, 0.5, 1.0, -2.75, 1e6 + 0.1)),
]
TWO: list[tuple[str, Callable[..., Any], Sequence[tuple[float, float]]]] = [
    ("igamma", lambda a, x: mp.gammainc(a, 0, x, regularized=True), ((0.5, 0.3), (3.0, 2.0), (1e-3, 1.0), (20.0, 9.5))),
    ("igammac", lambda a, x: mp.gammainc(a, x, regularized=True), ((0.5, 0.3), (3.0, 2.0), (2.5, 30.0))),
    ("zeta", mp.zeta, ((2.0, 1.0), (3.5, 0.25), (1.0625, 4.0), (9.0, 20.0))),
    ("xlogy", lambda x, y: x * mp.log(y), ((0.5, 3.0), (-2.0, 1e-300), (0.0, 2.0))),
    ("xlog1py", lambda x, y: x * mp.log1p(y), ((0.5, 3.0), (-2.0, 1e-300), (0.0, 2.0))),
    ("logaddexp", lambda x, y: mp.log(mp.exp(x) + mp.exp(y)), ((0.5, 0.5), (-30.0, 3.0), (1e4, 1e4 - 1), (0.0, 0.0))),
    ("logaddexp2", lambda x, y: mp.log(mpf(2) ** x + mpf(2) ** y, 2), ((0.5, 0.5), (-30.0, 3.0), (0.0, 0.0))),
    ("hypot", mp.hypot, ((3.0, 4.0), (1e-300, 1e-301), (1e300, -1e299), (0.0, 2.0))),
]


@pytest.mark.parametrize(("name", "function", "points"), ONE, ids=[row[0] for row in ONE])
def test_functions_of_one_argument(name: str, function: Callable[[Any], Any], points: Sequence[float]) -> None:
    """Value and slope are enclosed."""
    check_formula(name, function, [(point,) for point in points])


@pytest.mark.parametrize(("name", "function", "points"), TWO, ids=[row[0] for row in TWO])
def test_functions_of_two_arguments(
    name: str, function: Callable[..., Any], points: Sequence[tuple[float, float]]
) -> None:
    """Value and slope by either are enclosed."""
    check_formula(name, function, points)


def test_the_incomplete_beta_function() -> None:
    """It has slopes by all three arguments."""
    points = [(2.0, 3.0, 0.3), (0.5, 0.25, 0.75), (1.0, 1.0, 0.5), (12.0, 0.5, 0.9)]
    check_formula("regularized_incomplete_beta", _incomplete_beta, points)


@pytest.mark.parametrize("order", [0, 1, 2, 5])
def test_polygamma_by_its_argument(order: int) -> None:
    """Of either sign; the order may come as an integer."""
    points = (0.3, 1.4616321449683623, 7.0, -0.5, -2.25)
    with at_precision(256), mp.workdps(150):
        found = apply("polygamma", constant(np.full(5, float(order))), along(points, 1.0))
        again = apply("polygamma", np.full(5, order), along(points, 1.0))
        for place, point in enumerate(points):
            assert_encloses(found.values[place], mp.psi(order, mpf(point)))
            assert_encloses(found.slopes[0][place], mp.psi(order + 1, mpf(point)))
            assert again.values[place].overlaps(found.values[place])


def test_the_order_of_polygamma_has_no_slope() -> None:
    """An order is an integer."""
    with pytest.raises(NotProvedError, match="order of polygamma"):
        apply("polygamma", along([2.0], 1.0), along([0.3], 1.0))


@pytest.mark.parametrize(("name", "slope"), [("bessel_i0e", -1), ("bessel_i1e", 0.5)])
@pytest.mark.parametrize("side", [1, -1])
def test_scaled_bessel_functions_at_their_kink(name: str, slope: float, side: int) -> None:
    """exp(-|x|) I0(x) falls on both sides of 0, exp(-|x|) I1(x) rises through it."""
    with pytest.raises(KinkError):
        apply(name, along([0.0], 1.0))
    found = apply(name, along([0.0], 1.0), decisions=Decisions(side=side))
    assert_encloses(single(found.slopes[0]), mpf(slope * side if name == "bessel_i0e" else slope))


@pytest.mark.parametrize("side", [1, -1])
def test_a_kink_that_cancels(side: int) -> None:
    """exp(|x|) times exp(-|x|) I0(x) is I0(x), whose slope at 0 is 0 on both sides."""
    x = along([0.0], 1.0)
    size = apply("abs", x, decisions=Decisions(side=side))
    product = arithmetic.multiply(apply("exp", size), apply("bessel_i0e", x, decisions=Decisions(side=side)))
    assert product.slopes is not None
    assert_encloses(single(product.slopes[0]), mpf(0))


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("igamma", (-1.0, 2.0)),
        ("igammac", (1.0, -2.0)),
        ("regularized_incomplete_beta", (1.0, 2.0, 1.5)),
        ("polygamma", (0.5, 2.0)),
        ("ndtri", (1.5,)),
        ("logit", (1.5,)),
    ],
)
def test_outside_there_is_no_value(name: str, point: Sequence[float]) -> None:
    """A real function has none where none is defined, and nothing is proved there."""
    assert not single(apply(name, *(constant([x]) for x in point)).values).is_finite()


def test_what_does_not_move_needs_no_derivative() -> None:
    """At x = 0 the incomplete gamma function has no slope by x; if x stays there, it has none to have."""
    moving = np.array([False, True])
    x = Balls(np.array([0.0, 1.0]), (np.array([0.0, 1.0]),), moving)
    with at_precision(256):
        found = apply("igamma", constant([0.5, 0.5]), x)
    assert single(found.values[:1]) == 0
    assert single(found.slopes[0][:1]) == 0
    assert found.moving.tolist() == [False, True]
    with mp.workdps(150):
        reference = derivative(lambda a: mp.gammainc(mpf("0.5"), 0, a, regularized=True), (1.0,), 0)
        assert_encloses(found.slopes[0][1], reference)


def test_a_product_with_a_logarithm_of_zero() -> None:
    """It is 0 where the factor is and stays 0."""
    still = Balls(np.zeros(1), (np.zeros(1),), np.array([False]))
    found = apply("xlogy", still, Balls(np.zeros(1), (np.zeros(1),), np.array([False])))
    assert single(found.values) == 0
    assert single(found.slopes[0]) == arb(0)
