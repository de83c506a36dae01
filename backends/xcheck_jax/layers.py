"""Networks of any layers in JAX, by jax.lax and jax.numpy; jax.grad differentiates them."""

import math
from collections.abc import Callable, Mapping, Sequence
from itertools import product
from typing import Any

import jax.numpy as jnp
from jax import Array, lax

from xcheck.functions.function import Function
from xcheck.networks.layers import (
    AveragePool,
    BatchNorm,
    Convolution,
    DenseLayer,
    Flatten,
    Layer,
    LayeredNetwork,
    LayerNorm,
    MaxPool,
    Placed,
    Reshape,
    Residual,
    RmsNorm,
)
from xcheck.networks.layers.problem import INPUT_MASK
from xcheck_jax.network import ACTIVATIONS, LOSSES

Arrays = Mapping[str, Array]


def _convolution(layer: Convolution, own: Arrays, x: Array) -> Array:
    """Return the sum over the places of the kernel of one product of matrices each.

    Not by lax.conv_general_dilated: where the oracle evaluates many kernels at once, as jax.vmap does it, that is a
    grouped convolution, which XLA computes on a CPU in float64 about a thousand times more slowly than these products.
    """
    axes = len(layer.kernel)
    padded = jnp.pad(x, [(0, 0), (0, 0), *((zeros, zeros) for zeros in layer.padding)])
    places = [
        (length - size) // step + 1
        for length, size, step in zip(padded.shape[2:], layer.kernel, layer.stride, strict=True)
    ]
    y = own["b"].reshape(-1, *(1,) * axes)
    for inside in product(*map(range, layer.kernel)):
        # Of x̄ every s-th number from this place on: what the kernel's number there is multiplied by.
        index = tuple(
            slice(first, first + step * count, step)
            for first, step, count in zip(inside, layer.stride, places, strict=True)
        )
        y = y + jnp.einsum("mc...,oc->mo...", padded[:, :, *index], own["W"][:, :, *inside])
    return y


def _max_pool(layer: MaxPool, own: Arrays, x: Array) -> Array:
    return lax.reduce_window(x, -jnp.inf, lax.max, (1, 1, *layer.size), (1, 1, *layer.stride), "VALID")


def _average_pool(layer: AveragePool, own: Arrays, x: Array) -> Array:
    summed = lax.reduce_window(x, 0.0, lax.add, (1, 1, *layer.size), (1, 1, *layer.stride), "VALID")
    return summed / math.prod(layer.size)


def _standardized(x: Array, axes: tuple[int, ...], epsilon: float) -> Array:
    mean, variance = jnp.mean(x, axis=axes, keepdims=True), jnp.var(x, axis=axes, keepdims=True)
    return (x - mean) * lax.rsqrt(variance + epsilon)


def _layer_norm(layer: LayerNorm, own: Arrays, x: Array) -> Array:
    axes = tuple(range(x.ndim - own["gamma"].ndim, x.ndim))
    return own["gamma"] * _standardized(x, axes, layer.epsilon) + own["beta"]


def _rms_norm(layer: RmsNorm, own: Arrays, x: Array) -> Array:
    axes = tuple(range(x.ndim - own["gamma"].ndim, x.ndim))
    return own["gamma"] * x * lax.rsqrt(jnp.mean(jnp.square(x), axis=axes, keepdims=True) + layer.epsilon)


def _batch_norm(layer: BatchNorm, own: Arrays, x: Array) -> Array:
    gamma, beta = (own[name].reshape(-1, *(1,) * (x.ndim - 2)) for name in ("gamma", "beta"))
    return gamma * _standardized(x, (0, *range(2, x.ndim)), layer.epsilon) + beta


OPERATIONS: dict[type[Layer], Callable[[Any, Arrays, Array], Array]] = {
    DenseLayer: lambda layer, own, x: x @ own["W"].T + own["b"],
    Convolution: _convolution,
    MaxPool: _max_pool,
    AveragePool: _average_pool,
    LayerNorm: _layer_norm,
    RmsNorm: _rms_norm,
    BatchNorm: _batch_norm,
    Flatten: lambda layer, own, x: x.reshape(len(x), -1),
    Reshape: lambda layer, own, x: x.reshape(len(x), *layer.shape),
}


def layered_function(network: LayeredNetwork) -> Function:
    """Return the network as a function `loss(params, X, Y, masks)` of named arrays."""

    def loss(params: Arrays, X: Array, Y: Array, masks: Arrays) -> Array:
        m, penalty = len(X), jnp.zeros((), X.dtype)
        for name in network.weights:
            # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
            if network.l2:
                penalty += network.l2 / (2 * m) * jnp.sum(jnp.square(params[name]))
            if network.l1:
                penalty += network.l1 / (2 * m) * jnp.sum(jnp.abs(params[name]))
        inputs = _drop(X, masks, INPUT_MASK, network.input_keep_prob)
        return LOSSES[network.loss](_forward(network.placed, params, inputs, masks), Y) / m + penalty

    return Function(loss=loss, backend="jax")


def _forward(layers: Sequence[Placed], params: Arrays, x: Array, masks: Arrays) -> Array:
    for placed in layers:
        if isinstance(placed.layer, Residual):
            y = x + _forward(placed.inside, params, x, masks)
        else:
            own = {each.name: params[placed.named(each)] for each in placed.parameters}
            y = OPERATIONS[type(placed.layer)](placed.layer, own, x)
        x = _drop(ACTIVATIONS[placed.layer.activation](y), masks, placed.number, placed.layer.keep_prob)
    return x


def _drop(a: Array, masks: Arrays, number: str, keep_prob: float) -> Array:
    """Apply inverted dropout with the mask that was drawn beforehand."""
    return jnp.where(masks[number], a / keep_prob, 0) if number in masks else a
