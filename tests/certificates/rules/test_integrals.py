"""Exponential, error, Fresnel's and elliptic integrals, and Lambert's W, at ordinary, tiny, huge and special points."""

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from mpmath import mp

from tests.certificates.rules.reference import along, apply, assert_encloses, check_formula, single
from xcheck.certificates.balls import constant
from xcheck.certificates.slopes import at_precision

# Name, mpmath's function, points.
ONE: list[tuple[str, Callable[[Any], Any], Sequence[float]]] = [
    ("exp1", mp.e1, (1e-20, 0.3, 2.5, 40.0, 700.0)),
    ("expi", mp.ei, (1e-20, 0.3, -2.5, 40.0, -30.0)),
    ("erfi", mp.erfi, (0.0, 1e-20, 0.3, -2.5, 20.0)),
    ("dawsn", lambda x: mp.sqrt(mp.pi) / 2 * mp.exp(-x * x) * mp.erfi(x), (0.0, 1e-20, 0.3, -2.5, 20.0)),
    ("fresnel_s", mp.fresnels, (1e-20, 0.3, -2.5, 40.3)),
    ("fresnel_c", mp.fresnelc, (0.0, 1e-20, 0.3, -2.5, 40.3)),
    ("lambertw", mp.lambertw, (0.0, 1e-20, 0.3, -0.36, 40.0, 1e100)),
    ("ellipk", mp.ellipk, (1e-3, 0.3, 0.999, -2.5, -1e4)),
    ("ellipe", mp.ellipe, (1e-3, 0.3, 0.999, -2.5, -1e4)),
]


@pytest.mark.parametrize(("name", "function", "points"), ONE, ids=[row[0] for row in ONE])
def test_functions_of_one_argument(name: str, function: Callable[[Any], Any], points: Sequence[float]) -> None:
    """Value and slope are enclosed."""
    check_formula(name, function, [(point,) for point in points])


@pytest.mark.parametrize(("name", "sign"), [("ellipk", 1), ("ellipe", -1)])
def test_elliptic_integrals_at_zero(name: str, sign: int) -> None:
    """Both are π/2 there, and their slopes π/8 and -π/8."""
    with at_precision(256), mp.workdps(150):
        found = apply(name, along([0.0], 1.0))
        assert_encloses(single(found.values), mp.pi / 2)
        assert_encloses(single(found.slopes[0]), sign * mp.pi / 8)


@pytest.mark.parametrize(
    ("name", "point"),
    [
        ("exp1", -1.0),
        ("exp1", 0.0),
        ("expi", 0.0),
        ("ellipk", 1.0),
        ("ellipk", 2.0),
        ("ellipe", 2.0),
        ("lambertw", -0.5),
    ],
)
def test_outside_there_is_no_value(name: str, point: float) -> None:
    """Where a function is infinite or complex nothing is proved."""
    assert not single(apply(name, constant([point])).values).is_finite()
