"""Operations on elements in torch, as a trace has them: loss and slopes are those of torch."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy import special

from tests.backends.xcheck_torch.traced import assert_traced, between_0_and_1, made, prove, randn
from xcheck.certificates.decisions import NotProvedError
from xcheck.trace import replay

ANYWHERE = (
    *("exp", "exp2", "expm1", "sin", "cos", "tan", "asinh", "sinh", "cosh", "atan", "erf", "erfc", "sigmoid", "tanh"),
    *("reciprocal", "square", "sinc", "frac", "neg", "abs", "deg2rad", "rad2deg", "positive"),
)
BETWEEN_0_AND_1 = (
    *("log", "log1p", "log2", "log10", "sqrt", "rsqrt", "asin", "acos", "atanh", "lgamma", "erfinv", "logit"),
)


@pytest.mark.parametrize("name", ANYWHERE)
def test_functions_of_one_number(name: str) -> None:
    """At numbers of both signs."""
    assert_traced(lambda x: getattr(torch, name)(x).sum(), randn(2, 3))


@pytest.mark.parametrize("name", BETWEEN_0_AND_1)
def test_functions_of_one_number_between_0_and_1(name: str) -> None:
    """Where they are defined."""
    assert_traced(lambda x: getattr(torch, name)(x).sum(), between_0_and_1(2, 3))


def test_functions_of_numbers_above_1() -> None:
    """acosh, and gamma functions that are sums of others."""
    assert_traced(lambda x: (torch.acosh(1 + x) + torch.special.multigammaln(3 + x, 2)).sum(), between_0_and_1(2, 3))


ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: torch.add(x, y, alpha=0.3),
    "sub": lambda x, y: torch.sub(x, y, alpha=0.3) - y,
    "rsub": lambda x, y: torch.rsub(x, y, alpha=2) + (1 - x),
    "mul": lambda x, y: x * y * 0.1,
    "div": lambda x, y: x / y + 1 / x + torch.div(x, y, rounding_mode="floor") * x,
    "trunc": lambda x, y: torch.div(x, y, rounding_mode="trunc") * x + torch.floor_divide(x.detach(), 0.3) * x,
    "remainder": lambda x, y: torch.remainder(x, y) + torch.fmod(x, 0.7),
    "frexp": lambda x, y: torch.frexp(x)[0] * torch.frexp(8 * y)[0] * torch.frexp(y / 5)[1],
    "round": lambda x, y: torch.round(x, decimals=1) * x + torch.round(x) * x + torch.round(10 * x, decimals=-1) * x,
    "floor": lambda x, y: torch.floor(x) * x + torch.ceil(x) * y + torch.trunc(x) * x,
    "powers": lambda x, y: x**3 + x**2.0 + x**-2 + x**1 + x**0 + x.abs() ** 0.5 + x.abs() ** -0.5 + x.abs() ** 1.5,
    "pow": lambda x, y: x.abs() ** y + 2**x + torch.float_power(x, 2),
    "addcmul": lambda x, y: torch.addcmul(x, x, y, value=0.3) + torch.addcdiv(x, x, y, value=2),
    "lerp": lambda x, y: torch.lerp(x, y, 0.3) + torch.lerp(x, y, x.sin()),
    "hypot": lambda x, y: torch.hypot(x, y) + torch.atan2(x, y),
    "copysign": lambda x, y: torch.copysign(x, y) + x.sign() * y + torch.sgn(y) * x,
    "logaddexp": lambda x, y: torch.logaddexp(x, y) + torch.logaddexp2(x, y),
    "xlogy": lambda x, y: torch.xlogy(x, y.abs()) + torch.special.xlog1py(x, y.abs()) + torch.special.entr(y.abs()),
    "logit": lambda x, y: torch.logit(x.sigmoid(), eps=0.3),
}


@pytest.mark.parametrize("name", ARITHMETIC)
def test_arithmetic(name: str) -> None:
    """With factors and broadcasting."""
    assert_traced(lambda p: ARITHMETIC[name](p["x"], p["y"]).sum(), {"x": randn(2, 3), "y": randn(3, seed=1)})


def test_0_times_a_logarithm() -> None:
    """x log y is 0 where x is."""
    x = torch.tensor([0.0, 2.0], dtype=torch.float64)
    assert_traced(lambda y: torch.xlogy(x, y).sum() + torch.sinc(0 * y).sum(), between_0_and_1(2))


SPECIAL: dict[str, Callable[[Any], Any]] = {
    "i0": torch.special.i0,
    "i1": torch.special.i1,
    "bessel_i0e": torch.special.i0e,
    "bessel_i1e": torch.special.i1e,
    "ndtri": torch.special.ndtri,
    "log_ndtr": torch.special.log_ndtr,
    "erfcx": torch.special.erfcx,
    "digamma": torch.digamma,
    "polygamma": lambda x: torch.polygamma(2, x),
    "zeta": lambda x: torch.special.zeta(torch.full_like(x, 2.5), x),
    "igamma": lambda x: torch.special.gammainc(torch.full_like(x, 2.5), x),
    "igammac": lambda x: torch.special.gammaincc(torch.full_like(x, 2.5), x),
}


# torch's own are less exact than rounding: so far, of the gradient's norm.
LOOSE = 1e-10


@pytest.mark.parametrize("name", SPECIAL)
def test_special_functions(name: str) -> None:
    """By the names of a trace; loss and slope are those of torch, as far as it computes them well."""
    x = between_0_and_1(2, 3)
    traced = made(lambda x: SPECIAL[name](x).sum(), x)
    trace, direction = traced.trace(), np.linspace(1, 2, 6)
    assert name in [operation.name for operation in trace.operations]
    loss, gradient = traced.loss_and_gradient(traced.arguments.theta)
    found = prove(traced, trace, direction[None])
    assert float(found.value) == pytest.approx(loss, rel=LOOSE)
    assert float(replay(trace, [x.numpy()])[0]) == pytest.approx(loss, rel=1e-13)
    assert float(found.slopes[0]) == pytest.approx(gradient @ direction, abs=LOOSE * float(np.linalg.norm(gradient)))


# Functions of which torch has no derivative: a name of a trace -> torch's function, SciPy's derivative.
UNDIFFERENTIATED: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "airy_ai": (torch.special.airy_ai, lambda x: special.airy(x)[1]),
    "spherical_bessel_j0": (torch.special.spherical_bessel_j0, lambda x: special.spherical_jn(0, x, derivative=True)),
    "j0": (torch.special.bessel_j0, lambda x: special.jvp(0, x)),
    "j1": (torch.special.bessel_j1, lambda x: special.jvp(1, x)),
    "y0": (torch.special.bessel_y0, lambda x: special.yvp(0, x)),
    "y1": (torch.special.bessel_y1, lambda x: special.yvp(1, x)),
    "i0": (torch.special.modified_bessel_i0, lambda x: special.ivp(0, x)),
    "i1": (torch.special.modified_bessel_i1, lambda x: special.ivp(1, x)),
    "k0": (torch.special.modified_bessel_k0, lambda x: special.kvp(0, x)),
    "k1": (torch.special.modified_bessel_k1, lambda x: special.kvp(1, x)),
    "k0e": (torch.special.scaled_modified_bessel_k0, lambda x: special.k0e(x) - special.k1e(x)),
    "k1e": (torch.special.scaled_modified_bessel_k1, lambda x: special.k1e(x) + np.exp(x) * special.kvp(1, x)),
}


@pytest.mark.parametrize("name", UNDIFFERENTIATED)
def test_special_functions_without_a_derivative_in_torch(name: str) -> None:
    """Their slopes are SciPy's, and their losses torch's."""
    function, derivative = UNDIFFERENTIATED[name]
    x, direction = between_0_and_1(2, 3), np.linspace(1, 2, 6)
    traced = made(lambda x: function(x).sum(), x)
    trace = traced.trace()
    assert name in [operation.name for operation in trace.operations]
    found = prove(traced, trace, direction[None])
    slopes = np.ravel(derivative(x.numpy()))
    assert float(found.value) == pytest.approx(float(function(x).sum()), rel=LOOSE)
    assert float(replay(trace, [x.numpy()])[0]) == pytest.approx(float(function(x).sum()), rel=1e-13)
    assert float(found.slopes[0]) == pytest.approx(slopes @ direction, abs=LOOSE * float(np.linalg.norm(slopes)))


def test_a_mantissa_jumps_at_powers_of_two() -> None:
    """From 1 to 1/2; nothing is proved there."""
    at = torch.tensor([0.7, 2.0], dtype=torch.float64)
    objective = made(lambda x: torch.frexp(x)[0].sum(), at)
    with pytest.raises(NotProvedError, match="which integer"):
        prove(objective, objective.trace(), np.ones((1, 2)))
