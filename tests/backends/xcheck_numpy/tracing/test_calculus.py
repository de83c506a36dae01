"""Tables, polynomials and sums over grids."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.interp([0.2, 3.7, 9.0], np.arange(5.0), x) + np.interp(x, np.arange(5.0), V, left=7.0)[:3],
        lambda x: np.interp(1.5, np.cumsum(x**2), V),
        lambda x: np.searchsorted([-1.0, 0.0, 0.6], x) * x + np.digitize(x, [0.0, 1.0]),
        lambda x: np.trapezoid(x) + np.trapezoid(x, dx=0.1) + np.trapezoid(V, np.cumsum(x**2)) + np.trapezoid(x, V),
        lambda x: np.bincount([0, 2, 2, 1, 0], weights=x, minlength=5),
        lambda x: np.polyval(x, 0.3) + np.polyval([1.0, 2.0], x) + np.polyval(x, x),
        lambda x: np.cov(x) + np.cov(np.stack([x, V, x**2])).sum() + np.cov(x, V, ddof=0)[0, 1],
        lambda x: np.corrcoef(x, V) + np.corrcoef(np.stack([x**2, V]).T, rowvar=False),
        lambda x: np.nan_to_num(x / V) + np.sinc(x),
        lambda x: np.gradient(x, 0.5) + np.gradient(np.stack([x, V, x]), axis=0)[0],
        lambda x: np.isclose(x, V + 1) * x + np.allclose(x, V + 1) + np.array_equal(x, V + 1),
        lambda x: np.poly1d(x)(0.5) + np.polynomial.polynomial.polyval(0.4, x),
    ],
)
def test_tables_and_grids_are_numpys(function: Callable[..., Any]) -> None:
    """At θ, and beside it."""
    assert_followed(function, V)
