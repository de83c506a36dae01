"""The fully connected layer, and the same numbers in another shape."""

import math
from typing import Any

from xcheck.networks.layers import DenseLayer, Flatten, Reshape
from xcheck_numpy.activations import Array
from xcheck_numpy.layers.operation import Operation, Tensors


def dense(layer: DenseLayer, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """Y = X Wᵀ + b, one example per row."""
    return x @ tensors["W"].T + tensors["b"], x


def dense_backward(layer: DenseLayer, tensors: Tensors, x: Array, delta: Array) -> tuple[Array, dict[str, Array]]:
    """∂/∂X = Δ W, ∂/∂W = Δᵀ X, ∂/∂b = Σₑ Δₑ.

    Source: Rumelhart, Hinton & Williams, "Learning representations by back-propagating errors", 1986.
    """
    return delta @ tensors["W"], {"W": delta.T @ x, "b": delta.sum(axis=0)}


def reshape(layer: Flatten | Reshape, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """Return the numbers of every example in another shape, in C-order."""
    shape = (math.prod(x.shape[1:]),) if isinstance(layer, Flatten) else layer.shape
    return x.reshape(len(x), *shape), x.shape


def reshape_backward(
    layer: Flatten | Reshape, tensors: Tensors, shape: tuple[int, ...], delta: Array
) -> tuple[Array, dict[str, Array]]:
    """∂/∂x is Δ in the shape of x."""
    return delta.reshape(shape), {}


DENSE = Operation(dense, dense_backward)
RESHAPE = Operation(reshape, reshape_backward)
