"""Activations and their derivatives, written by hand; generic in dtype (float32, float64, longdouble).

Each g is a pair of functions: `g(z)`, and `derivative(z, a)` with a = g(z) at hand because many derivatives are
cheapest in terms of it. At a kink (z = 0) the derivative is the slope of the side z < 0.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from xcheck.networks.network import LEAKY_SLOPE, ActivationName

Array: TypeAlias = NDArray[Any]


def sigmoid(z: Array) -> Array:
    """σ(z) = 1/(1 + e⁻ᶻ), without overflow: e^−|z| never exceeds 1."""
    tail = np.exp(-np.abs(z))
    return np.where(z >= 0, 1, tail) / (1 + tail)


def sigmoid_derivative(z: Array, a: Array) -> Array:
    """σ' = σ(1 − σ) = σ(z) σ(−z); the second form keeps its digits when σ is close to 1."""
    return a * sigmoid(-z)


def tanh_derivative(z: Array, a: Array) -> Array:
    """Tanh' = 1 − tanh²."""
    return (1 - a) * (1 + a)


def relu(z: Array) -> Array:
    """max(z, 0)."""
    return np.maximum(z, 0)


def relu_derivative(z: Array, a: Array) -> Array:
    """1 where z > 0, else 0."""
    return (z > 0).astype(z.dtype)


def leaky_relu(z: Array) -> Array:
    """Z where z > 0, else 0.01 z."""
    return np.where(z > 0, z, z * z.dtype.type(LEAKY_SLOPE))


def leaky_relu_derivative(z: Array, a: Array) -> Array:
    """1 where z > 0, else 0.01."""
    return np.where(z > 0, z.dtype.type(1), z.dtype.type(LEAKY_SLOPE))


def elu(z: Array) -> Array:
    """Z where z > 0, else eᶻ − 1."""
    return np.where(z > 0, z, np.expm1(np.minimum(z, 0)))


def elu_derivative(z: Array, a: Array) -> Array:
    """1 where z > 0, else eᶻ."""
    return np.exp(np.minimum(z, 0))


def softplus(z: Array) -> Array:
    """log(1 + eᶻ) = max(z, 0) + log(1 + e^−|z|)."""
    return np.maximum(z, 0) + np.log1p(np.exp(-np.abs(z)))


def softplus_derivative(z: Array, a: Array) -> Array:
    """Softplus' = σ."""
    return sigmoid(z)


def erf(x: Array) -> Array:
    """Error function, which NumPy lacks: 2/√π e^−x² Σₖ 2ᵏ x²ᵏ⁺¹ / (1·3·…·(2k + 1)).

    All terms have the sign of x, so nothing cancels. Beyond |x| = 7, 1 − |erf| is below 1e-22.
    Source: Abramowitz & Stegun, Handbook of Mathematical Functions, 7.1.6.
    """
    one = x.dtype.type(1)
    # Beyond 7 the result is ±1 to the last digit, while the series would need ever more terms.
    x = np.clip(x, -7 * one, 7 * one)
    term, total, doubled = x, x, 2 * x * x
    k = 0
    # Terms grow until k is about x² and shrink from there on, ever faster: the last one is a quarter of the last digit.
    while np.any(np.abs(term) > np.finfo(x.dtype).eps * np.abs(total) / 4):
        k += 1
        term = term * (doubled / (2 * k + 1))
        total = total + term
    # 2/√π in the working precision: longdouble has more digits than math.pi.
    return 1 / np.sqrt(np.arctan(one)) * np.exp(-x * x) * total


def normal_distribution(z: Array) -> Array:
    """Φ(z) = (1 + erf(z/√2))/2."""
    return (1 + erf(z / np.sqrt(z.dtype.type(2)))) / 2


def gelu(z: Array) -> Array:
    """Exact gelu: z Φ(z)."""
    return z * normal_distribution(z)


def gelu_derivative(z: Array, a: Array) -> Array:
    """Φ(z) + z φ(z), φ(z) = e^(−z²/2)/√(2π) the normal density."""
    one = z.dtype.type(1)
    density = np.exp(-z * z / 2) / np.sqrt(8 * np.arctan(one))
    return normal_distribution(z) + z * density


def silu(z: Array) -> Array:
    """Z σ(z)."""
    return z * sigmoid(z)


def silu_derivative(z: Array, a: Array) -> Array:
    """(z σ)' = σ + z σ(1 − σ) = σ(z) (1 + z σ(−z))."""
    return sigmoid(z) * (1 + z * sigmoid(-z))


@dataclass(frozen=True, slots=True)
class Activation:
    """g and g'."""

    value: Callable[[Array], Array]
    derivative: Callable[[Array, Array], Array]


ACTIVATIONS: dict[ActivationName, Activation] = {
    "identity": Activation(lambda z: z, lambda z, a: np.ones_like(z)),
    "sigmoid": Activation(sigmoid, sigmoid_derivative),
    "tanh": Activation(np.tanh, tanh_derivative),
    "relu": Activation(relu, relu_derivative),
    "leaky_relu": Activation(leaky_relu, leaky_relu_derivative),
    "elu": Activation(elu, elu_derivative),
    "softplus": Activation(softplus, softplus_derivative),
    "gelu": Activation(gelu, gelu_derivative),
    "silu": Activation(silu, silu_derivative),
}
