"""Bessel functions and the Airy function against mpmath, at ordinary, tiny, huge and special points."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from tests.certificates.rules.reference import along, apply, assert_encloses, check_formula, derivative, single
from xcheck.certificates.balls import constant
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import at_precision

ANYWHERE = (0.0, 1e-20, 0.3, -2.5, 40.0, 1e4)
# mpmath takes seconds for K between 10 and 100.
POSITIVE = (1e-20, 0.3, 2.5, 700.0)
# Name, mpmath's function, points.
ONE: list[tuple[str, Callable[[Any], Any], Sequence[float]]] = [
    ("j0", lambda x: mp.besselj(0, x), ANYWHERE),
    ("j1", lambda x: mp.besselj(1, x), ANYWHERE),
    ("y0", lambda x: mp.bessely(0, x), POSITIVE),
    ("y1", lambda x: mp.bessely(1, x), POSITIVE),
    ("k0", lambda x: mp.besselk(0, x), POSITIVE),
    ("k1", lambda x: mp.besselk(1, x), POSITIVE),
    ("k0e", lambda x: mp.exp(x) * mp.besselk(0, x), POSITIVE),
    ("k1e", lambda x: mp.exp(x) * mp.besselk(1, x), POSITIVE),
    ("airy_ai", mp.airyai, (0.0, 1e-20, 0.3, -2.5, 40.0, -100.0)),
    ("spherical_bessel_j0", lambda x: mp.sin(x) / x if x else mpf(1), (0.0, 1e-3, 0.3, -2.5, 1e6 + 0.1)),
]
OF_ORDER: dict[str, Callable[[Any, Any], Any]] = {
    "jv": mp.besselj,
    "yv": mp.bessely,
    "iv": mp.besseli,
    "kv": mp.besselk,
}


@pytest.mark.parametrize(("name", "function", "points"), ONE, ids=[row[0] for row in ONE])
def test_functions_of_one_argument(name: str, function: Callable[[Any], Any], points: Sequence[float]) -> None:
    """Value and slope are enclosed."""
    check_formula(name, function, [(point,) for point in points])


@pytest.mark.parametrize("order", [0.0, 1.0, 0.5, 4.0, -2.0, 2.25])
@pytest.mark.parametrize("name", OF_ORDER)
def test_functions_of_an_order(name: str, order: float) -> None:
    """Value and slope by x are enclosed."""
    points = (1e-3, 0.7, 3.0, 700.0)
    with at_precision(256), mp.workdps(150):
        found = apply(name, constant(np.full(4, order)), along(points, 1.0))
        for place, point in enumerate(points):
            assert_encloses(found.values[place], OF_ORDER[name](mpf(order), mpf(point)))
            reference = derivative(lambda x: OF_ORDER[name](mpf(order), x), (point,), 0)
            assert_encloses(found.slopes[0][place], reference)


@pytest.mark.parametrize("name", OF_ORDER)
def test_the_order_has_no_slope(name: str) -> None:
    """Nothing is proved of a slope by the order."""
    with pytest.raises(NotProvedError, match="by its order"):
        apply(name, along([2.0], 1.0), along([0.3], 1.0))


@pytest.mark.parametrize("point", [0.0, -1.5])
@pytest.mark.parametrize("name", ["y0", "y1", "k0", "k1", "k0e", "k1e"])
def test_outside_there_is_no_value(name: str, point: float) -> None:
    """Y and K are infinite at 0 and complex below."""
    assert not single(apply(name, constant([point])).values).is_finite()
