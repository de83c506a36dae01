"""Partial derivatives of operations on elements, and cotangents of those that sum, select or move, in NumPy.

An operation y = f(x₁, x₂, ...) of a trace hands to each of its inputs x̄ = (∂y/∂x)ᵀ ȳ. Of operations on elements the
partial derivatives are arrays of the shape of y; of the others the product with ȳ is what there is.

Source: Griewank & Walther, "Evaluating Derivatives", 2008, chapter 3.2.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
from scipy import special

from xcheck.trace.model import Array

# Attributes, inputs and output -> ∂y/∂x for each input, None where there is no derivative.
Partials: TypeAlias = Callable[[Mapping[str, Any], Sequence[Array], Array], Sequence[Array | None]]
# Attributes, inputs, output and its cotangent -> cotangents of the inputs, None where there is none.
Handed: TypeAlias = Callable[[Mapping[str, Any], Sequence[Array], Array, Array], Sequence[Array | None]]


def _one(slope: Callable[[Array, Array], Any]) -> Partials:
    """Return the partials of y = f(x), whose slope is a function of x and y."""
    return lambda attributes, given, y: (np.asarray(slope(given[0], y)),)


def _two(first: Callable[..., Any], second: Callable[..., Any]) -> Partials:
    """Return the partials of y = f(a, b), which are functions of a, b and y."""
    return lambda attributes, given, y: (np.asarray(first(*given, y)), np.asarray(second(*given, y)))


def _ones(*arrays: Array) -> Array:
    return np.ones(arrays[-1].shape)


def _of_power(attributes: Mapping[str, Any], given: Sequence[Array], y: Array) -> Sequence[Array]:
    n = attributes["y"]
    return (n * np.power(np.asarray(given[0], np.float64), n - 1),)


def _of_select(attributes: Mapping[str, Any], given: Sequence[Array], y: Array) -> Sequence[Array | None]:
    which = np.asarray(given[0]).astype(np.intp)
    return (None, *((which == number).astype(np.float64) for number in range(len(given) - 1)))


PARTIALS: Mapping[str, Partials] = {
    "neg": _one(lambda x, y: -_ones(y)),
    "exp": _one(lambda x, y: y),
    "exp2": _one(lambda x, y: y * np.log(2)),
    "expm1": _one(lambda x, y: y + 1),
    "log": _one(lambda x, y: 1 / x),
    "log1p": _one(lambda x, y: 1 / (1 + x)),
    "log2": _one(lambda x, y: 1 / (x * np.log(2))),
    "log10": _one(lambda x, y: 1 / (x * np.log(10))),
    "sqrt": _one(lambda x, y: 1 / (2 * y)),
    "rsqrt": _one(lambda x, y: -(y**3) / 2),
    "cbrt": _one(lambda x, y: 1 / (3 * y**2)),
    "square": _one(lambda x, y: 2 * x),
    "reciprocal": _one(lambda x, y: -(y**2)),
    "sin": _one(lambda x, y: np.cos(x)),
    "cos": _one(lambda x, y: -np.sin(x)),
    "tan": _one(lambda x, y: 1 + y**2),
    "sinh": _one(lambda x, y: np.cosh(x)),
    "cosh": _one(lambda x, y: np.sinh(x)),
    "tanh": _one(lambda x, y: (1 - y) * (1 + y)),
    "atan": _one(lambda x, y: 1 / (1 + x**2)),
    "asinh": _one(lambda x, y: 1 / np.sqrt(1 + x**2)),
    "logistic": _one(lambda x, y: y * (1 - y)),
    "erf": _one(lambda x, y: 2 / np.sqrt(np.pi) * np.exp(-(x**2))),
    "erfc": _one(lambda x, y: -2 / np.sqrt(np.pi) * np.exp(-(x**2))),
    "lgamma": _one(lambda x, y: special.digamma(x)),
    "abs": _one(lambda x, y: np.sign(x)),
    "integer_pow": _of_power,
    "add": _two(_ones, _ones),
    "sub": _two(_ones, lambda a, b, y: -_ones(y)),
    "mul": _two(lambda a, b, y: b, lambda a, b, y: a),
    "div": _two(lambda a, b, y: 1 / b, lambda a, b, y: -y / b),
    "pow": _two(lambda a, b, y: b * a ** (b - 1), lambda a, b, y: y * np.log(a)),
    "max": _two(lambda a, b, y: (a >= b) * 1.0, lambda a, b, y: (b > a) * 1.0),
    "min": _two(lambda a, b, y: (a <= b) * 1.0, lambda a, b, y: (b < a) * 1.0),
    "logaddexp": _two(lambda a, b, y: np.exp(a - y), lambda a, b, y: np.exp(b - y)),
    "hypot": _two(lambda a, b, y: a / y, lambda a, b, y: b / y),
    "select": _of_select,
    "cast": _one(lambda x, y: _ones(y)),
    "stop_gradient": _one(lambda x, y: 0 * _ones(y)),
    **dict.fromkeys(("sign", "floor", "ceil", "round", "rint", "trunc"), _one(lambda x, y: 0 * _ones(y))),
}


def _spread(axes: Sequence[int], y: Array) -> Array:
    return np.expand_dims(y, tuple(axes))


def _of_sum(attributes: Mapping[str, Any], given: Sequence[Array], y: Array, cotangent: Array) -> Sequence[Array]:
    return (np.broadcast_to(_spread(attributes["axes"], cotangent), given[0].shape),)


def _of_extreme(attributes: Mapping[str, Any], given: Sequence[Array], y: Array, cotangent: Array) -> Sequence[Array]:
    axes = tuple(attributes["axes"])
    largest = given[0] == _spread(axes, y)
    return (largest / largest.sum(axis=axes, keepdims=True) * _spread(axes, cotangent),)


def _of_log_sum(attributes: Mapping[str, Any], given: Sequence[Array], y: Array, cotangent: Array) -> Sequence[Array]:
    axes = attributes["axes"]
    return (np.exp(given[0] - _spread(axes, y)) * _spread(axes, cotangent),)


def _of_cumulated(attributes: Mapping[str, Any], given: Sequence[Array], y: Array, cotangent: Array) -> Sequence[Array]:
    axis = attributes["axis"]
    if attributes.get("reverse", False):
        return (np.cumsum(cotangent, axis),)
    return (np.flip(np.cumsum(np.flip(cotangent, axis), axis), axis),)


def _of_product(attributes: Mapping[str, Any], given: Sequence[Array], y: Array, cotangent: Array) -> Sequence[Array]:
    a, b = given
    return cotangent @ np.swapaxes(b, -1, -2), np.swapaxes(a, -1, -2) @ cotangent


HANDED: Mapping[str, Handed] = {
    "sum": _of_sum,
    "reduce_max": _of_extreme,
    "reduce_min": _of_extreme,
    "logsumexp": _of_log_sum,
    "cumsum": _of_cumulated,
    "dot": _of_product,
}
