"""What stands for functions that ask nobody: the same with plain numbers, and followed with tracers."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy
import scipy.linalg as sla
from scipy import special, stats

from tests.backends.xcheck_numpy.following import assert_followed
from xcheck_numpy.tracing.recorder import Recorder
from xcheck_numpy.tracing.stand_ins import stand_in, stand_ins
from xcheck_numpy.tracing.tracer import Tracer

V = np.array([0.5, 0.25, 2.0])
M = np.array([[3.5, -0.5, 0.25], [0.3, 4.0, -1.0], [-0.7, 0.4, 3.75]])


@pytest.mark.parametrize(
    "name",
    [
        *("exp", "log", "log2", "log10", "log1p", "expm1", "sqrt", "cbrt", "sin", "cos", "tan", "sinh", "cosh", "tanh"),
        *("asinh", "atan", "erf", "erfc", "lgamma", "degrees", "radians", "fabs", "exp2"),
    ],
)
def test_math_is_followed(name: str) -> None:
    """Each function of `math` that has a counterpart in NumPy or SciPy."""
    assert_followed(lambda x: np.array([getattr(math, name)(part) for part in x]), V)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: math.atan2(x[0], 2) + math.pow(x[1], 3) + math.hypot(x[0], x[1]) + math.prod([x[0], x[1]]),
        lambda x: math.asin(x[0]) + math.acos(x[1]) + math.atanh(x[0]) + math.acosh(x[2]) + math.copysign(x[0], -1),
        lambda x: special.softmax(x) + special.log_softmax(np.outer(x, x), axis=1) + special.logsumexp(x),
        lambda x: special.logsumexp(np.outer(x, x), axis=0, keepdims=True) + special.logsumexp(x, b=[1.0, 2.0, 0.5]),
        lambda x: scipy.special.softmax(x) + scipy.special.expit(list(x)),
        lambda x: sla.solve_triangular(M * x, V, lower=True) + sla.solve_triangular(M * x, V, trans="T"),
        lambda x: (
            sla.solve_triangular(M * x, V, trans="C") + sla.expm(M * x / 4) @ V + sla.expm(np.diag([1, 2, 0])) @ x
        ),
        lambda x: sla.cholesky(M @ M.T + np.diag(x)) + sla.cholesky(M @ M.T + np.diag(x), lower=True),
        lambda x: sla.cho_solve(sla.cho_factor(M @ M.T + np.diag(x)), V * x),
        lambda x: sla.solve(M * x, V) + sla.inv(M * x) + sla.det(M * x) + sla.norm(M * x),
        lambda x: np.max([x[0], x[1], 0.1]) + np.dot([x[0], x[1]], [1.0, 2.0]) + np.exp([x[0], 1.0]).sum(),
        lambda x: np.stack([x, V]) + np.add.reduce([x[0], x[1]]) + np.asarray([x, x]) + np.array(x, ndmin=2),
        lambda x: np.eye(3)[0] * x + np.full((3,), x[0]) + np.full(shape=3, fill_value=x[1]) + np.ones(3, dtype=int),
        lambda x: sum(getattr(stats.norm, name)(x, 0.3, scale=x[2]) for name in ("logpdf", "pdf", "cdf", "logcdf")),
        lambda x: stats.norm.logsf(0.5, x) + stats.norm.sf(x) + stats.norm.logpdf(0.1) + stats.norm.rvs(random_state=0),
        lambda x: np.float64(x[0]) + np.float64(x[1:]).sum() + np.zeros(2, np.float64) + float(x[2]),
        lambda x: sum([math.inf > x[0], math.isfinite(x[0]), isinstance(x[0], float), isinstance(x, np.ndarray)]) * x,
    ],
)
def test_functions_are_followed(function: Callable[..., Any]) -> None:
    """With tracers as arguments, in lists, and beside plain arrays."""
    assert_followed(function, V)


def test_plain_numbers_stay_plain() -> None:
    """Whoever computes a constant gets what Python gives; arrays of floating numbers may be written into."""
    others = stand_ins(Recorder())
    assert stand_in(math, others).exp(1.0) == math.exp(1.0)
    assert type(stand_in(math, others).exp(1.0)) is float
    assert stand_in(float, others)("2.5") == 2.5
    assert issubclass(int, stand_in(float, others)) is False
    assert np.dtype(stand_in(float, others)) == np.dtype(stand_in(np.float64, others)) == np.float64
    assert isinstance(np.float64(1.5), stand_in(np.float64, others))
    assert stand_in(special, others).softmax(V).sum() == pytest.approx(1)
    assert isinstance(stand_in(np, others).zeros(3), Tracer)
    assert type(stand_in(np, others).zeros(3, int)) is np.ndarray
    assert stand_in(np, others).asarray(V) is V
    assert stand_in([1], others) == [1]
