"""Universal functions, their arguments and methods."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy import special

from tests.backends.xcheck_numpy.following import assert_followed, trace_of
from xcheck.trace import UntraceableError, replay

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


def _in_place(x: Any) -> Any:
    y = x.copy()
    y += x
    y -= 0.5
    y *= x
    y /= 3
    y **= 2
    np.exp(y, out=y)
    np.add(y, 1.0, out=y, where=x > 0)
    return y


@pytest.mark.parametrize(
    "function",
    [
        *(
            getattr(np, name)
            for name in ("exp", "expm1", "exp2", "sin", "cos", "tan", "sinh", "cosh", "tanh", "arctan")
        ),
        *(
            getattr(np, name)
            for name in ("arcsinh", "square", "reciprocal", "cbrt", "negative", "positive", "absolute")
        ),
        *(getattr(np, name) for name in ("fabs", "sign", "floor", "ceil", "rint", "trunc", "deg2rad", "degrees")),
        *(getattr(special, name) for name in ("expit", "erf", "erfc", "log_expit", "ndtr")),
        lambda x: np.log(x**2) + np.log2(x**2) - np.log10(x**2) + np.log1p(x**2) + np.sqrt(x**2),
        lambda x: np.arcsin(x / 3) + np.arccos(x / 3) + np.arctanh(x / 3) + np.arccosh(2 + x**2),
        lambda x: np.maximum(x, 0.1) + np.minimum(x, V) + np.fmax(x, 0) - np.fmin(x, 0),
        lambda x: np.arctan2(x, 2) + np.hypot(x, 1) + np.logaddexp(x, 1) + np.logaddexp2(1, x),
        lambda x: x**3 + x**-2 + (x**2) ** 0.5 + (x**2) ** 0.3 + 2.0**x + (x**2) ** x + x**0 + x**1,
        lambda x: x % 0.3 + x // 0.3 + np.fmod(x, 0.3) + sum(np.divmod(x, 0.4)) + sum(np.modf(x)),
        lambda x: np.heaviside(x, 0.5) + np.copysign(2, x) + np.clip(x, -1, 1) + x.clip(0),
        lambda x: (x > 0) * x + np.logical_and(x > 0, x < 1) + ~(x > 0) + (np.isfinite(x) | np.isnan(x)) + np.isinf(x),
        lambda x: (
            special.xlogy(x, x**2) + special.xlog1py(x, x**2) + special.rel_entr(x**2, 2.0) + special.kl_div(x**2, 2)
        ),
        lambda x: special.beta(x**2, 1.5) + special.betaln(2.0, x**2) + special.gamma(x**2) + special.gamma(x / 3),
        lambda x: special.i0e(x) + special.i1e(x) + special.gammainc(1.5, x**2) + special.gammaincc(1.5, x**2),
        lambda x: special.betainc(1.5, 2.5, special.expit(x)) + special.ndtri(special.ndtr(x)) + special.log_ndtr(x),
        lambda x: special.j0(x) + special.j1(x) + special.y0(x**2) + special.k1(x**2) + special.k0e(x**2),
        lambda x: special.jv(2, x) + special.yv(0.5, x**2) + special.iv(3, x) + special.kv(1.5, x**2),
        lambda x: special.exp1(x**2) + special.expi(x) + special.erfi(x) + special.dawsn(x),
        lambda x: special.ellipk(np.tanh(x)) + special.ellipe(np.tanh(x)),
        lambda x: special.logit(special.expit(x)) + special.gammaln(x**2) + special.psi(x**2),
        lambda x: np.add.reduce(x) * np.multiply.reduce(x) + np.maximum.reduce(x) - np.logaddexp.reduce(x),
        lambda x: np.add.accumulate(x) + np.minimum.accumulate(x) + np.logaddexp.accumulate(x),
        lambda x: np.subtract.outer(x, V) * np.multiply.outer(V, x),
        lambda x: (x > 0).sum() / 2 * x + np.count_nonzero(x > 0) * x,
        lambda x: np.divide(1.0, x, out=np.zeros_like(x), where=x > 0),
        lambda x: abs(-x) + (+x) + (1 - x) + (1 / x) + 2 * x - x,
        lambda x: np.add(x, 1, dtype=np.float64),
        _in_place,
    ],
)
def test_numbers_are_those_of_numpy(function: Callable[..., Any]) -> None:
    """At θ, and beside it."""
    assert_followed(function, V)


def _multiply_at(x: Any) -> Any:
    np.multiply.at(x, [0], 2.0)
    return x


@pytest.mark.parametrize(
    ("function", "what"),
    [
        (lambda x: np.add.reduceat(x, [0, 2]), "`np.add.reduceat` cannot be followed"),
        (np.subtract.reduce, "`np.subtract.reduce` cannot be followed"),
        (np.divide.accumulate, "`np.divide.accumulate` cannot be followed"),
        (lambda x: np.frexp(x)[0], "`np.frexp` of 0 or a power of two cannot be followed"),
        (_multiply_at, "`np.multiply.at` cannot be followed"),
    ],
)
def test_what_is_not_followed_is_named(function: Callable[..., Any], what: str) -> None:
    """With the method."""
    with pytest.raises(UntraceableError, match=what):
        trace_of(lambda x: np.sum(function(x.copy())), V)


def test_an_array_of_numpy_that_was_written_into_is_not_read_any_more() -> None:
    """`y += x` with a plain y makes a tracer; whoever still has the plain one gets nan, and the loss is another one."""
    plain = SimpleNamespace(y=np.zeros(5))

    def loss(x: Any) -> Any:
        y = plain.y
        y += x
        return np.sum(y) + 0 * np.sum(plain.y)

    [found] = replay(trace_of(loss, V), [V])
    assert np.isnan(found)


def test_narrow_numbers_stay_narrow() -> None:
    """A number of Python takes the dtype of the array, and casts are recorded."""
    trace = trace_of(lambda x: np.sum(x.astype(np.float32) * 2.0), V)
    assert [operation.name for operation in trace.operations][:1] == ["cast"]
    assert {value.dtype for operation in trace.operations for value in operation.outputs} == {"float32"}
