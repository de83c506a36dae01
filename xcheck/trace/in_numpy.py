"""A trace carried out by NumPy and SciPy in float64, operation by operation.

What has no function here is carried out by the framework's own operation. A loop or a branch is entered: whoever
watches the operations sees those of its body.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy import special

from xcheck.trace.loops import Loops
from xcheck.trace.model import Array, Operation, array_of
from xcheck.trace.replay import Carry, replay

# Operation and arrays -> arrays; called for every operation that is no loop.
Watch = Callable[[Operation, Sequence[Array]], Sequence[Array]]


def carry_out(operation: Operation, given: Sequence[Array]) -> Sequence[Array]:
    """Return the outputs of one operation that is no loop."""
    function = FUNCTIONS.get(operation.name)
    if function is None:
        return [array_of(found) for found in operation.run(*given)]
    return [np.asarray(function(operation.attributes, *given))]


def entering_loops(watch: Watch) -> Carry:
    """Return what carries out loops and branches by their bodies, and leaves every other operation to `watch`."""

    def carry(operation: Operation, given: Sequence[Array]) -> Sequence[Array]:
        if operation.name == "scan":
            return loops.scan(operation, given)
        if operation.name == "while":
            return loops.repeat(operation.attributes, given)
        if operation.name == "cond":
            return loops.branch(operation.attributes, given[0], given[1:])
        return watch(operation, given)

    loops: Loops[Array] = Loops(
        run=lambda body, inputs: replay(body, inputs, carry),
        item=lambda one, number: one[number],
        stack=np.stack,
        nothing=lambda output: np.zeros(output.shape, np.float64 if output.is_floating else output.dtype),
        where=_where,
    )
    return carry


def _where(holds: Array, new: Array, old: Array) -> Array:
    return np.where(holds.reshape(*holds.shape, *[1] * (np.ndim(new) - holds.ndim)), new, old)


def _along(function: Callable[..., Array]) -> Callable[..., Array]:
    return lambda attributes, x: function(x, axis=tuple(attributes["axes"]))


def _accumulated(function: np.ufunc) -> Callable[..., Array]:
    def accumulate(attributes: Mapping[str, Any], x: Array) -> Array:
        axis = attributes["axis"]
        if attributes.get("reverse", False):
            return np.flip(function.accumulate(np.flip(x, axis), axis), axis)
        return np.asarray(function.accumulate(x, axis))

    return accumulate


# Operations on elements, which need no attributes.
ELEMENTWISE: Mapping[str, Callable[..., Any]] = {
    **{
        name: getattr(np, name)
        for name in ("exp", "exp2", "expm1", "log", "log1p", "log2", "log10", "sqrt", "cbrt", "square", "reciprocal")
    },
    **{
        name: getattr(np, name)
        for name in ("sin", "cos", "tan", "sinh", "cosh", "tanh", "abs", "sign", "floor", "ceil")
    },
    "add": np.add,
    "sub": np.subtract,
    "mul": np.multiply,
    "neg": np.negative,
    "max": np.maximum,
    "min": np.minimum,
    "pow": np.power,
    "atan2": np.arctan2,
    "asin": np.arcsin,
    "acos": np.arccos,
    "atan": np.arctan,
    "asinh": np.arcsinh,
    "acosh": np.arccosh,
    "atanh": np.arctanh,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "logistic": special.expit,
    "erf": special.erf,
    "erfc": special.erfc,
    "erf_inv": special.erfinv,
    "lgamma": special.gammaln,
    "digamma": special.digamma,
    "lt": np.less,
    "le": np.less_equal,
    "gt": np.greater,
    "ge": np.greater_equal,
    "eq": np.equal,
    "ne": np.not_equal,
    "is_finite": np.isfinite,
    "is_nan": np.isnan,
    "stop_gradient": np.asarray,
    # In float64 throughout: what is narrower is the business of whoever asks how far rounding goes.
    "cast": np.asarray,
    "clamp": lambda low, x, high: np.minimum(np.maximum(x, low), high),
}


def _of_elements(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda attributes, *given: function(*given)


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    **{name: _of_elements(function) for name, function in ELEMENTWISE.items()},
    "integer_pow": lambda attributes, x: np.power(np.asarray(x, np.float64), attributes["y"]),
    "dot": lambda attributes, a, b: np.matmul(a, b),
    "sum": _along(np.sum),
    "prod": _along(np.prod),
    "reduce_max": _along(np.max),
    "reduce_min": _along(np.min),
    "cumsum": _accumulated(np.add),
    "cumprod": _accumulated(np.multiply),
    "cummax": _accumulated(np.maximum),
    "cummin": _accumulated(np.minimum),
}
