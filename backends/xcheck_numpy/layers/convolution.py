"""Convolution along one axis or two, forward and backward."""

from typing import Any

import numpy as np

from xcheck.networks.layers import Convolution
from xcheck_numpy.activations import Array
from xcheck_numpy.layers.operation import Operation, Tensors
from xcheck_numpy.layers.windows import crop, pad, parts, slide


def convolve(layer: Convolution, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """y[e, o, i] = b[o] + Σ W[o, c, p] x̄[e, c, s i + p], over channels c and places p of the kernel."""
    W, padded = tensors["W"], pad(x, layer.padding)
    windows = slide(padded, layer.kernel, layer.stride)
    # Channels and the places in a window are summed over; what is left is (m, *places, o).
    behind = tuple(range(windows.ndim - W.ndim + 2, windows.ndim))
    summed = np.tensordot(windows, W, axes=((1, *behind), tuple(range(1, W.ndim))))
    return np.moveaxis(summed + tensors["b"], -1, 1), padded


def convolve_backward(
    layer: Convolution, tensors: Tensors, padded: Array, delta: Array
) -> tuple[Array, dict[str, Array]]:
    """Return ∂/∂x, without what was padded, and ∂/∂ of the tensors.

    ∂/∂x̄[e, c, s i + p] += Σ Δ[e, o, i] W[o, c, p]    over output channels o, for all places i, p
    ∂/∂W[o, c, p] = Σ Δ[e, o, i] x̄[e, c, s i + p]     over examples e and places i
    ∂/∂b[o]       = Σ Δ[e, o, i]

    Source: LeCun et al., "Gradient-based learning applied to document recognition", 1998; Dumoulin & Visin, "A guide to
    convolution arithmetic for deep learning", 2016, section 4.
    """
    places = delta.shape[2:]
    each = (0, *range(2, delta.ndim))  # examples and places
    dW = np.tensordot(delta, slide(padded, layer.kernel, layer.stride), axes=(each, each))
    dx = np.zeros_like(padded)
    for inside, index in parts(layer.kernel, layer.stride, places):
        # (m, *places, c), from the output channels of Δ to the input channels of W at this place of the kernel.
        there: tuple[Any, ...] = (slice(None), slice(None), *inside)
        share = np.tensordot(delta, tensors["W"][there], axes=((1,), (0,)))
        dx[index] += np.moveaxis(share, -1, 1)
    return crop(dx, layer.padding), {"W": dW, "b": delta.sum(axis=each)}


CONVOLUTION = Operation(convolve, convolve_backward)
