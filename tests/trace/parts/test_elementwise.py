"""Functions of complex numbers against mpmath, at ordinary, tiny, huge and special points; and on their cuts."""

from collections.abc import Callable, Sequence
from typing import Any

import mpmath
import numpy as np
import pytest
from mpmath import mp

from tests.trace.parts.complex_programs import balls_of, check_complex, program
from xcheck.certificates.decisions import KinkError, UnsureError
from xcheck.trace import Constant, Value

RANDOM = np.random.default_rng(5).normal(size=(3, 2)).view(complex).ravel().tolist()
POINTS = (*RANDOM, 1e-20 + 3e-21j, 0.5, -0.25 + 1e-12j, 2 - 3j, -1.5 - 0.5j)
FAR = (30 - 2.5j, 1e3 + 1e-3j, -1e-100 + 1e-90j)

ONE: list[tuple[str, Callable[[Any], Any], Sequence[complex]]] = [
    ("neg", lambda z: -z, (*POINTS, 0)),
    ("conj", mp.conj, (*POINTS, 0)),
    ("square", lambda z: z * z, (*POINTS, 0, 1e150 - 1e150j)),
    ("reciprocal", lambda z: 1 / z, (*POINTS, *FAR, 1e-200j)),
    ("sign", lambda z: z / abs(z), (*POINTS, *FAR)),
    ("exp", mp.exp, (*POINTS, 0, 700j, -1e3 + 1j)),
    ("log", mp.log, (*POINTS, *FAR, -1 - 1e-20j)),
    ("sqrt", mp.sqrt, (*POINTS, *FAR, -4 + 1e-20j)),
    ("rsqrt", lambda z: 1 / mp.sqrt(z), (*POINTS, *FAR)),
    ("expm1", lambda z: mp.exp(z) - 1, (*POINTS, 0, 1e-30j)),
    ("log1p", lambda z: mp.log(1 + z), (*POINTS, 0, 1e-30j)),
    ("logistic", lambda z: 1 / (1 + mp.exp(-z)), (*POINTS, 0, 30 + 1j)),
    ("sinh", mp.sinh, (*POINTS, 0, 30 - 1j)),
    ("cosh", mp.cosh, (*POINTS, 0, 30 - 1j)),
    ("tanh", mp.tanh, (*POINTS, 0, 20 - 1j)),
    ("sin", mp.sin, (*POINTS, 0, 1 - 30j)),
    ("cos", mp.cos, (*POINTS, 0, 1 - 30j)),
    ("tan", mp.tan, (*POINTS, 0, 1 - 20j)),
    ("asinh", mp.asinh, (*POINTS, 0, 3 + 1e-3j)),
    ("acosh", mp.acosh, (*POINTS[:4], 2 - 3j, -1.5 - 0.5j)),
    ("atanh", mp.atanh, (*POINTS, 0)),
    ("asin", mp.asin, (*POINTS, 0)),
    ("acos", mp.acos, (*POINTS, 0)),
    ("atan", mp.atan, (*POINTS, 0)),
]
REAL: list[tuple[str, Callable[[Any], Any], Sequence[complex]]] = [
    ("real", mp.re, (*POINTS, 0)),
    ("imag", mp.im, (*POINTS, 0)),
    ("abs", abs, (*POINTS, *FAR)),
    ("angle", mpmath.arg, (*POINTS, *FAR)),
]
TWO: list[tuple[str, Callable[..., Any]]] = [
    ("add", lambda z, y: z + y),
    ("sub", lambda z, y: z - y),
    ("mul", lambda z, y: z * y),
    ("div", lambda z, y: z / y),
    ("pow", lambda z, y: mp.exp(y * mp.log(z))),
]


@pytest.mark.parametrize(("name", "function", "points"), ONE, ids=[row[0] for row in ONE])
def test_complex_functions(name: str, function: Callable[[Any], Any], points: Sequence[complex]) -> None:
    """Both parts and their slopes along both axes are enclosed."""
    check_complex(name, function, [(point,) for point in points])


@pytest.mark.parametrize(("name", "function", "points"), REAL, ids=[row[0] for row in REAL])
def test_real_functions(name: str, function: Callable[[Any], Any], points: Sequence[complex]) -> None:
    """Value and slopes along both axes are enclosed."""
    check_complex(name, function, [(point,) for point in points], real=True)


@pytest.mark.parametrize(("name", "function"), TWO, ids=[row[0] for row in TWO])
def test_functions_of_two(name: str, function: Callable[..., Any]) -> None:
    """Slopes by all four parts are enclosed."""
    far = [] if name == "pow" else [(1e-100 + 2e-101j, 1e-100j), (1e100 - 3e99j, -1e101 + 1e100j)]
    check_complex(name, function, [*zip(POINTS, POINTS[::-1], strict=True), *far])


@pytest.mark.parametrize("power", [-3, -1, 1, 2, 7])
def test_whole_powers(power: int) -> None:
    """They have no cut: the negative axis is a point as any other."""
    points = [(z,) for z in (*POINTS, -2.0, *([0] if power in (1, 2) else []))]
    check_complex("integer_pow", lambda z: z**power, points, y=power)


def test_a_constant_whole_exponent_has_no_cut() -> None:
    """As `integer_pow`."""
    z = Value((1,), "complex128")
    trace = program("pow", [z, Constant(np.array([3 + 0j]))], [Value((1,), "complex128")])
    found = balls_of(trace, [np.array([-2 + 0j])], [[np.array([1 + 0j])]])
    assert [float(one.values[0]) for one in found] == [-8.0, 0.0]


@pytest.mark.parametrize("name", ["log", "sqrt", "angle", "rsqrt", "log1p", "atanh", "acosh", "asin", "acos"])
def test_nothing_is_proved_on_a_cut(name: str) -> None:
    """Where the function jumps no ball is given, with however many digits."""
    z, at = Value((), "complex128"), {"atanh": 2.0, "asin": 2.0, "acos": 2.0, "acosh": -2.0}.get(name, -2.0)
    trace = program(name, [z], [Value((), "float64" if name == "angle" else "complex128")])
    with pytest.raises(UnsureError, match="where it jumps"):
        balls_of(trace, [np.asarray(at + 0j)], [[np.asarray(1j)]])


@pytest.mark.parametrize("name", ["abs", "sqrt", "log", "angle", "sign"])
def test_zero_is_no_point_like_others(name: str) -> None:
    """The modulus has a kink there, and what is made of it or of the angle has no slope."""
    z = Value((), "complex128")
    trace = program(name, [z], [Value((), "float64" if name in ("abs", "angle") else "complex128")])
    with pytest.raises((KinkError, UnsureError)):
        balls_of(trace, [np.asarray(0j)], [[np.asarray(1 + 0.5j)]])
