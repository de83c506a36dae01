"""Elementary functions of one argument, element by element: FLINT's value, and the derivative from x and y = f(x).

The formulas are those of every table; in balls, so that what cancels in them is part of the radius.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from flint import acb, arb

from xcheck.certificates.arithmetic import chain
from xcheck.certificates.balls import Array, Balls, as_array, in_balls
from xcheck.certificates.rules.registry import elementwise

Function = Callable[[Any], Any]
Derivative = Callable[[Any, Any], Any]


def of_one(
    function: Function, derivative: Derivative, second_derivative: Derivative | None = None
) -> Callable[[Balls], Balls]:
    """Return f of balls: f(x)' = f'(x) x', with f'(x) = derivative(x, f(x)), and f'' so, too."""
    values_of = np.frompyfunc(function, 1, 1)

    def apply(a: Balls) -> Balls:
        x = in_balls(a.values)
        values = as_array(values_of(x))
        if a.slopes is None:
            return Balls(values)
        bend = None
        if a.seconds is not None and second_derivative is not None:
            bend = where_moving(second_derivative, a, x, values)
        return chain(a, values, where_moving(derivative, a, x, values), bend)

    return apply


def where_moving(derivative: Callable[..., Any], a: Balls, *arrays: Array) -> Array:
    """Return derivatives where a moves; what does not move needs none, and may have none."""
    if a.moving is None:
        return as_array(np.frompyfunc(derivative, len(arrays), 1)(*arrays))
    found = in_balls(np.zeros(a.shape)).copy()
    for at in zip(*np.nonzero(a.moving), strict=True) if a.ndim else [()] * int(a.moving):
        found[at] = derivative(*(array[at] for array in arrays))
    return found


def _cube_root(x: Any) -> Any:
    if x < 0:
        return -((-x).root(3))
    if x > 0:
        return x.root(3)
    if x == 0:
        return arb(0)  # FLINT gives nan
    return arb.nan()  # the sign is not certain: more digits are needed


def _log_of(base: int) -> Function:
    return lambda x: x.log() / arb(base).log()


def _d_log_of(base: int) -> Derivative:
    return lambda x, y: 1 / (x * arb(base).log())


def _two_over_root_pi() -> Any:
    return 2 / arb.pi().sqrt()


_TABLE: dict[str, tuple[Function, Derivative]] = {
    "exp": (arb.exp, lambda x, y: y),
    "exp2": (lambda x: (x * arb(2).log()).exp(), lambda x, y: y * arb(2).log()),
    "expm1": (arb.expm1, lambda x, y: x.exp()),
    "log": (arb.log, lambda x, y: 1 / x),
    "log1p": (arb.log1p, lambda x, y: 1 / (1 + x)),
    "log2": (_log_of(2), _d_log_of(2)),
    "log10": (_log_of(10), _d_log_of(10)),
    "rsqrt": (lambda x: x.rsqrt(), lambda x, y: -y / (2 * x)),
    "cbrt": (_cube_root, lambda x, y: 1 / (3 * y * y)),
    "square": (lambda x: x * x, lambda x, y: 2 * x),
    "reciprocal": (lambda x: 1 / x, lambda x, y: -y * y),
    "sin": (arb.sin, lambda x, y: x.cos()),
    "cos": (arb.cos, lambda x, y: -x.sin()),
    "tan": (arb.tan, lambda x, y: 1 + y * y),
    "asin": (arb.asin, lambda x, y: (1 - x * x).rsqrt()),
    "acos": (arb.acos, lambda x, y: -(1 - x * x).rsqrt()),
    "atan": (arb.atan, lambda x, y: 1 / (1 + x * x)),
    "sinh": (arb.sinh, lambda x, y: x.cosh()),
    "cosh": (arb.cosh, lambda x, y: x.sinh()),
    "tanh": (arb.tanh, lambda x, y: x.sech() ** 2),
    "asinh": (arb.asinh, lambda x, y: (1 + x * x).rsqrt()),
    "acosh": (arb.acosh, lambda x, y: (x * x - 1).rsqrt()),
    "atanh": (arb.atanh, lambda x, y: 1 / (1 - x * x)),
    "logistic": (lambda x: 1 / (1 + (-x).exp()), lambda x, y: y / (1 + x.exp())),
    "erf": (arb.erf, lambda x, y: _two_over_root_pi() * (-x * x).exp()),
    "erfc": (arb.erfc, lambda x, y: -_two_over_root_pi() * (-x * x).exp()),
    "erf_inv": (arb.erfinv, lambda x, y: (y * y).exp() / _two_over_root_pi()),
    # log |Γ(x)|, the real part of log Γ(x) also where x < 0; its second derivative is ψ'(x): NIST DLMF 5.15.
    "lgamma": (lambda x: acb(x).lgamma().real, lambda x, y: x.digamma()),
    "digamma": (arb.digamma, lambda x, y: acb(x).polygamma(1).real),
}

# Second derivatives, where second coefficients are asked for. Without one they are known where x' is 0.
_BENDS: dict[str, Derivative] = {
    "exp": lambda x, y: y,
    "expm1": lambda x, y: x.exp(),
    "log": lambda x, y: -1 / (x * x),
    "log1p": lambda x, y: -1 / ((1 + x) * (1 + x)),
    "square": lambda x, y: arb(2),
    "reciprocal": lambda x, y: 2 * y * y * y,
    "sin": lambda x, y: -y,
    "cos": lambda x, y: -y,
    "tan": lambda x, y: 2 * y * (1 + y * y),
    "atan": lambda x, y: -2 * x / ((1 + x * x) * (1 + x * x)),
    "sinh": lambda x, y: y,
    "cosh": lambda x, y: y,
    "tanh": lambda x, y: -2 * y * x.sech() ** 2,
}

for _name, _pair in _TABLE.items():
    elementwise(_name, of_one(*_pair, _BENDS.get(_name)))
