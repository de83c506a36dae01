"""Functions of complex matrices against NumPy and SciPy, and their slopes against differences."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg

from tests.trace.parts.complex_programs import balls_of, program
from xcheck.certificates.balls import midpoints
from xcheck.trace import Value, replay

R = np.random.default_rng(2)
A = R.normal(size=(2, 3, 3)) + 1j * R.normal(size=(2, 3, 3))
B = R.normal(size=(2, 3, 2)) + 1j * R.normal(size=(2, 3, 2))
CASES: list[tuple[str, Callable[..., Any], list[Any]]] = [
    ("inv", np.linalg.inv, [A]),
    ("expm", linalg.expm, [A]),
    ("solve", np.linalg.solve, [A, B]),
]


@pytest.mark.parametrize(("name", "function", "given"), CASES, ids=[row[0] for row in CASES])
def test_functions_of_matrices(name: str, function: Callable[..., Any], given: list[Any]) -> None:
    """Values are those of the libraries, in balls and carried out; slopes are differences."""
    expected = function(*given)
    trace = program(name, [Value(one.shape, "complex128") for one in given], [Value(expected.shape, "complex128")])
    directions = [R.normal(size=one.shape) + 1j * R.normal(size=one.shape) for one in given]
    re, im = balls_of(trace, given, [directions])
    np.testing.assert_allclose(midpoints(re.values) + 1j * midpoints(im.values), expected, rtol=1e-11)
    found = replay(trace, [part for one in given for part in (one.real, one.imag)])
    np.testing.assert_allclose(found[0] + 1j * found[1], expected, rtol=1e-11)
    step = 1e-6
    ahead, behind = (
        function(*(one + sign * step * v for one, v in zip(given, directions, strict=True))) for sign in (1, -1)
    )
    slopes = midpoints((re.slopes or ())[0]) + 1j * midpoints((im.slopes or ())[0])
    np.testing.assert_allclose(slopes, (ahead - behind) / (2 * step), rtol=1e-6, atol=1e-7)
