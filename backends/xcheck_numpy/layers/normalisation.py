"""Layer, RMS and batch norm, forward and backward; x̂ is x after it is normalised, before gain and bias."""

from typing import Any, TypeAlias

import numpy as np

from xcheck.networks.layers import BatchNorm, LayerNorm, RmsNorm
from xcheck_numpy.activations import Array
from xcheck_numpy.layers.operation import Operation, Tensors

Axes: TypeAlias = tuple[int, ...]


def standardize(x: Array, axes: Axes, epsilon: float) -> tuple[Array, Array]:
    """Return x̂ = (x − μ)/s and s = √(σ² + ε), with μ and σ² over `axes`."""
    centred = x - x.mean(axis=axes, keepdims=True)
    scale = np.sqrt((centred * centred).mean(axis=axes, keepdims=True) + x.dtype.type(epsilon))
    return centred / scale, scale


def standardize_backward(arrived: Array, normal: Array, scale: Array, axes: Axes) -> Array:
    """∂/∂x = (δ − mean δ − x̂ mean(δ ∘ x̂))/s, with δ = ∂/∂x̂ and means over `axes`.

    The second term comes through μ, the third through σ². Source: Ioffe & Szegedy, "Batch normalization", 2015, section
    3, where the same is written in steps.
    """
    through_mean = arrived.mean(axis=axes, keepdims=True)
    through_variance = normal * (arrived * normal).mean(axis=axes, keepdims=True)
    return (arrived - through_mean - through_variance) / scale


def rescale(x: Array, axes: Axes, epsilon: float) -> tuple[Array, Array]:
    """Return x̂ = x/s and s = √(ρ + ε), with ρ the mean of x² over `axes`."""
    scale = np.sqrt((x * x).mean(axis=axes, keepdims=True) + x.dtype.type(epsilon))
    return x / scale, scale


def rescale_backward(arrived: Array, normal: Array, scale: Array, axes: Axes) -> Array:
    """∂/∂x = (δ − x̂ mean(δ ∘ x̂))/s, with δ = ∂/∂x̂ and the mean over `axes`.

    Source: Zhang & Sennrich, "Root mean square layer normalization", 2019, section 3.
    """
    return (arrived - normal * (arrived * normal).mean(axis=axes, keepdims=True)) / scale


def layer_norm(layer: LayerNorm, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """y = γ x̂ + β, normalised over the axes that γ has."""
    normal, scale = standardize(x, _last(x, tensors), layer.epsilon)
    return tensors["gamma"] * normal + tensors["beta"], (normal, scale)


def layer_norm_backward(layer: LayerNorm, tensors: Tensors, kept: Any, delta: Array) -> tuple[Array, dict[str, Array]]:
    """∂/∂x̂ = γ Δ; ∂/∂γ = Σ Δ ∘ x̂ and ∂/∂β = Σ Δ, over the axes that γ does not have.

    Source: Ba, Kiros & Hinton, "Layer normalization", 2016.
    """
    normal, scale = kept
    axes, others = _last(delta, tensors), _first(delta, tensors)
    dx = standardize_backward(tensors["gamma"] * delta, normal, scale, axes)
    return dx, {"gamma": (delta * normal).sum(axis=others), "beta": delta.sum(axis=others)}


def rms_norm(layer: RmsNorm, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """y = γ x̂, rescaled over the axes that γ has."""
    normal, scale = rescale(x, _last(x, tensors), layer.epsilon)
    return tensors["gamma"] * normal, (normal, scale)


def rms_norm_backward(layer: RmsNorm, tensors: Tensors, kept: Any, delta: Array) -> tuple[Array, dict[str, Array]]:
    """∂/∂x̂ = γ Δ; ∂/∂γ = Σ Δ ∘ x̂, over the axes that γ does not have.

    Source: Zhang & Sennrich, "Root mean square layer normalization", 2019.
    """
    normal, scale = kept
    dx = rescale_backward(tensors["gamma"] * delta, normal, scale, _last(delta, tensors))
    return dx, {"gamma": (delta * normal).sum(axis=_first(delta, tensors))}


def batch_norm(layer: BatchNorm, tensors: Tensors, x: Array) -> tuple[Array, Any]:
    """y = γ x̂ + β for each channel, normalised over examples and positions."""
    normal, scale = standardize(x, _all_but_channels(x), layer.epsilon)
    return _per_channel(tensors["gamma"], x) * normal + _per_channel(tensors["beta"], x), (normal, scale)


def batch_norm_backward(layer: BatchNorm, tensors: Tensors, kept: Any, delta: Array) -> tuple[Array, dict[str, Array]]:
    """∂/∂x̂ = γ Δ; ∂/∂γ = Σ Δ ∘ x̂ and ∂/∂β = Σ Δ, over examples and positions.

    Source: Ioffe & Szegedy, "Batch normalization", 2015.
    """
    normal, scale = kept
    axes = _all_but_channels(delta)
    dx = standardize_backward(_per_channel(tensors["gamma"], delta) * delta, normal, scale, axes)
    return dx, {"gamma": (delta * normal).sum(axis=axes), "beta": delta.sum(axis=axes)}


def _last(x: Array, tensors: Tensors) -> Axes:
    """Return the axes of x that γ has."""
    return tuple(range(x.ndim - tensors["gamma"].ndim, x.ndim))


def _first(x: Array, tensors: Tensors) -> Axes:
    """Return the axes of x that γ does not have, that of the examples among them."""
    return tuple(range(x.ndim - tensors["gamma"].ndim))


def _all_but_channels(x: Array) -> Axes:
    return (0, *range(2, x.ndim))


def _per_channel(values: Array, x: Array) -> Array:
    """Return one number for every channel, to be multiplied with x of shape (m, channels, ...)."""
    return values.reshape(-1, *(1,) * (x.ndim - 2))


LAYER_NORM = Operation(layer_norm, layer_norm_backward)
RMS_NORM = Operation(rms_norm, rms_norm_backward)
BATCH_NORM = Operation(batch_norm, batch_norm_backward)
