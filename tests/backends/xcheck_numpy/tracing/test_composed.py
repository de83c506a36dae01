"""Universal functions that are made of others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.backends.xcheck_numpy.following import assert_followed, trace_of
from xcheck.trace import UntraceableError

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])


@pytest.mark.parametrize(
    "function",
    [
        lambda x: special.fresnel(x)[0] * special.fresnel(x)[1] + special.lambertw(x**2).real,
        lambda x: np.frexp(np.exp(x))[0] * np.frexp(np.exp(x))[1] + np.modf(x)[0] * np.modf(x)[1],
        lambda x: np.divmod(x, 0.7)[0] * np.divmod(x, 0.7)[1] + np.float_power(x, 2) + np.heaviside(x, 0.5) * x,
        lambda x: np.power(x + 0j, 1j).real + np.positive(x + 1j).imag * x + np.logical_and(x + 1j, x) * x,
    ],
)
def test_they_are_followed(function: Callable[..., Any]) -> None:
    """Whatever they are made of."""
    assert_followed(function, V)


@pytest.mark.parametrize(
    ("loss", "what"),
    [
        (lambda x: special.lambertw(x, -1).real.sum(), "another branch, or below -1/e, cannot be followed"),
        (lambda x: special.lambertw(-x).real.sum(), "another branch, or below -1/e, cannot be followed"),
        (lambda x: np.abs(np.copysign((1j * x).real, x)).sum() + np.abs(np.logaddexp(1j * x, x)).sum(), "logaddexp"),
    ],
)
def test_where_a_function_is_another_one_it_is_refused(loss: Any, what: str) -> None:
    """Where it jumps, on other branches, of numbers that it does not take."""
    with pytest.raises(UntraceableError, match=what):
        trace_of(loss, np.array([0.5, 1.0, 2.0]))
