"""What moves, adds up and multiplies complex arrays, against NumPy and by its slopes."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

from tests.trace.parts.complex_programs import balls_of, program
from xcheck.certificates.balls import midpoints
from xcheck.trace import Constant, Value, replay

Z = np.random.default_rng(8).normal(size=(2, 3, 4)).view(complex)
LINEAR: list[tuple[str, Callable[[Any], Any], dict[str, Any]]] = [
    ("move", lambda a: np.moveaxis(a, 0, 1)[::-1], {}),
    ("sum", lambda a: a.sum(axis=(0, 2)), {"axes": (0, 2)}),
    ("cumsum", lambda a: np.cumsum(a, 1), {"axis": 1}),
    ("stop_gradient", lambda a: a, {}),
]


def _choose(which: Any, no: Any, yes: Any) -> Any:
    return (np.where(which, yes, no),)


def numbers(found: Sequence[Any]) -> Any:
    """Both parts as complex numbers."""
    re, im = (midpoints(one) for one in found)
    return re + 1j * im


@pytest.mark.parametrize(("name", "function", "attributes"), LINEAR, ids=[row[0] for row in LINEAR])
def test_linear_operations(name: str, function: Any, attributes: dict[str, Any]) -> None:
    """Values and slopes are those of the same operation on complex numbers."""
    shape = function(Z).shape
    trace = program(
        name, [Value(Z.shape, "complex128")], [Value(shape, "complex128")], lambda a: (function(a),), **attributes
    )
    v = Z[::-1] * 1j
    found = balls_of(trace, [Z], [[v]])
    np.testing.assert_allclose(numbers([one.values for one in found]), function(Z), rtol=1e-14)
    np.testing.assert_allclose(numbers([(one.slopes or ())[0] for one in found]), function(v), rtol=1e-14)
    np.testing.assert_allclose(numbers(replay(trace, [Z.real, Z.imag])), function(Z), rtol=1e-14)


@pytest.mark.parametrize(
    ("name", "function", "attributes"),
    [
        ("prod", lambda a: a.prod(axis=(0, 2)), {"axes": (0, 2)}),
        ("cumprod", lambda a: np.cumprod(a, 1), {"axis": 1, "reverse": False}),
        ("cumprod", lambda a: np.flip(np.cumprod(np.flip(a, 1), 1), 1), {"axis": 1, "reverse": True}),
    ],
)
def test_products_along_axes(name: str, function: Any, attributes: dict[str, Any]) -> None:
    """Values are NumPy's; the slope is that of a polynomial, which a complex step tells."""
    shape = function(Z).shape
    trace = program(name, [Value(Z.shape, "complex128")], [Value(shape, "complex128")], **attributes)
    v, step = Z[::-1].real, 1e-7
    found = balls_of(trace, [Z], [[v + 0j]])
    np.testing.assert_allclose(numbers([one.values for one in found]), function(Z), rtol=1e-13)
    expected = (function(Z + step * v) - function(Z - step * v)) / (2 * step)
    np.testing.assert_allclose(numbers([(one.slopes or ())[0] for one in found]), expected, rtol=1e-6, atol=1e-7)


def test_matrix_products_with_a_real_factor() -> None:
    """A real factor has an imaginary part of 0."""
    a, b = Z, np.random.default_rng(9).normal(size=(2, 2, 3))
    trace = program("dot", [Value(b.shape, "float64"), Value(a.shape, "complex128")], [Value((2, 2, 2), "complex128")])
    found = balls_of(trace, [b, a], [[b, 0 * a]])
    np.testing.assert_allclose(numbers([one.values for one in found]), b @ a, rtol=1e-13)
    np.testing.assert_allclose(numbers([(one.slopes or ())[0] for one in found]), b @ a, rtol=1e-13)


def test_choosing_and_adding_where_integers_say() -> None:
    """Truth values and indices are read for both parts."""
    z, which = Value((3,), "complex128"), Constant(np.array([True, False, True]))
    other = Constant(np.array([1 + 1j, 2, 3j]))
    trace = program("select", [which, z, other], [Value((3,), "complex128")], _choose)
    found = balls_of(trace, [Z[0, :, 0]], [])
    np.testing.assert_array_equal(
        numbers([one.values for one in found]), np.where(which.array, other.array, Z[0, :, 0])
    )
    where = Constant(np.array([2, -1, 2]))
    trace = program("scatter_add", [other, where, z], [Value((3,), "complex128")], positions=np.asarray)
    found = balls_of(trace, [Z[0, :, 0]], [])
    expected = other.array + np.array([0, 0, Z[0, 0, 0] + Z[0, 2, 0]])
    np.testing.assert_allclose(numbers([one.values for one in found]), expected, rtol=1e-14)


def test_parts_joined_and_taken_for_real() -> None:
    """Two real arrays are one complex one, whose real part a cast to real numbers keeps."""
    x, y = Value((2,), "float64"), Value((2,), "float64")
    trace = program("complex", [x, y], [Value((2,), "complex128")])
    assert trace.operations == ()
    assert trace.outputs == (x, y)
    trace = program("cast", [Value((2,), "complex128")], [Value((2,), "float64")])
    assert trace.outputs == (trace.inputs[0],)


@pytest.mark.parametrize(("name", "expected"), [("is_finite", [True, False, False]), ("is_nan", [False, True, False])])
def test_tests_of_numbers(name: str, expected: list[bool]) -> None:
    """Finite in both parts; nan in one."""
    z = np.array([1 + 1j, complex(0, np.nan), complex(np.inf, 0)])
    trace = program(name, [Value((3,), "complex128")], [Value((3,), "bool")])
    assert replay(trace, [z.real, z.imag])[0].tolist() == expected


@pytest.mark.parametrize(("name", "expected"), [("eq", [True, False]), ("ne", [False, True])])
def test_comparisons(name: str, expected: list[bool]) -> None:
    """Two numbers are equal if both parts are."""
    z = Value((2,), "complex128")
    trace = program(name, [z, Constant(np.array([1 + 1j, 1]))], [Value((2,), "bool")])
    assert replay(trace, [np.ones(2), np.ones(2)])[0].tolist() == expected
    trace = program("is_nonzero", [Value((2,), "complex128")], [Value((2,), "bool")])
    assert replay(trace, [np.zeros(2), np.array([0.0, 2.0])])[0].tolist() == [False, True]
