"""Pooling along one axis or two, forward and backward."""

import math
from typing import Any

import numpy as np

from xcheck.networks.layers import AveragePool, MaxPool
from xcheck_numpy.activations import Array
from xcheck_numpy.layers.operation import Operation, Tensors
from xcheck_numpy.layers.windows import parts, slide


def max_pool(layer: MaxPool, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """y[e, c, i] = maxₚ x[e, c, s i + p]."""
    windows = slide(x, layer.size, layer.stride)
    flat = windows.reshape(*windows.shape[: x.ndim], -1)
    # The first of several largest numbers, in C-order, is the one that the slope goes to.
    return flat.max(axis=-1), (x.shape, flat.argmax(axis=-1))


def max_pool_backward(layer: MaxPool, tensors: Tensors, kept: Any, delta: Array) -> tuple[Array, dict[str, Array]]:
    """∂/∂x[e, c, s i + p*] += Δ[e, c, i], with p* where the first largest number of window i stands.

    Source: Boureau, Ponce & LeCun, "A theoretical analysis of feature pooling in visual recognition", 2010.
    """
    shape, largest = kept
    dx = np.zeros(shape, dtype=delta.dtype)
    for number, (_, index) in enumerate(parts(layer.size, layer.stride, delta.shape[2:])):
        dx[index] += delta * (largest == number)
    return dx, {}


def average_pool(layer: AveragePool, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """y[e, c, i] = (1/k) Σₚ x[e, c, s i + p], with k numbers in a window."""
    windows = slide(x, layer.size, layer.stride)
    return windows.mean(axis=tuple(range(x.ndim, windows.ndim))), x.shape


def average_pool_backward(
    layer: AveragePool, tensors: Tensors, shape: tuple[int, ...], delta: Array
) -> tuple[Array, dict[str, Array]]:
    """∂/∂x[e, c, s i + p] += Δ[e, c, i]/k, for all p of window i.

    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998.
    """
    dx = np.zeros(shape, dtype=delta.dtype)
    for _, index in parts(layer.size, layer.stride, delta.shape[2:]):
        dx[index] += delta / math.prod(layer.size)
    return dx, {}


MAX_POOL = Operation(max_pool, max_pool_backward)
AVERAGE_POOL = Operation(average_pool, average_pool_backward)
