"""Losses of one example and their derivatives with respect to the outputs z, written by hand.

Everything is (m, n_L) in, (m,) or (m, n_L) out, in the dtype of z.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from xcheck.networks.network import LossName
from xcheck_numpy.activations import Array, sigmoid, softplus


def binary_cross_entropy(z: Array, y: Array) -> Array:
    """L = Σₖ log(1 + e^zₖ) − yₖ zₖ."""
    return (softplus(z) - y * z).sum(axis=1)


def binary_cross_entropy_derivative(z: Array, y: Array) -> Array:
    """∂L/∂zₖ = σ(zₖ) − yₖ."""
    return sigmoid(z) - y


def softmax_cross_entropy(z: Array, y: Array) -> Array:
    """L = log Σₖ e^zₖ − Σₖ yₖ zₖ; the largest logit is subtracted first, so that nothing overflows."""
    shifted = z - z.max(axis=1, keepdims=True)
    return np.log(np.exp(shifted).sum(axis=1)) - (y * shifted).sum(axis=1)


def softmax_cross_entropy_derivative(z: Array, y: Array) -> Array:
    """∂L/∂zₖ = softmax(z)ₖ − yₖ, for targets that sum to one."""
    # The largest logit is subtracted here too: softmax does not change by it, and the exponentials are at most 1.
    exponentials = np.exp(z - z.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True) - y


def mean_squared_error(z: Array, y: Array) -> Array:
    """L = ½ Σₖ (zₖ − yₖ)²."""
    return ((z - y) ** 2).sum(axis=1) / 2


def mean_squared_error_derivative(z: Array, y: Array) -> Array:
    """∂L/∂zₖ = zₖ − yₖ."""
    return z - y


@dataclass(frozen=True, slots=True)
class Loss:
    """L and ∂L/∂z."""

    value: Callable[[Array, Array], Array]
    derivative: Callable[[Array, Array], Array]


LOSSES: dict[LossName, Loss] = {
    "binary_cross_entropy": Loss(binary_cross_entropy, binary_cross_entropy_derivative),
    "softmax_cross_entropy": Loss(softmax_cross_entropy, softmax_cross_entropy_derivative),
    "mean_squared_error": Loss(mean_squared_error, mean_squared_error_derivative),
}
