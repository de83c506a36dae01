"""Initializers: how the parameters of a declared network are laid out and drawn."""

from itertools import pairwise

import numpy as np

from xcheck.layout import Layout, Tensor, Vector
from xcheck.networks.network import InitializerName, Network


def network_layout(network: Network) -> Layout:
    """Lay out the parameters of a network: W1 (n₁, n₀), b1 (n₁,), W2, b2, ... in this order.

    >>> from xcheck.networks.network import Dense
    >>> network = Network(inputs=3, layers=(Dense(units=2),), loss="mean_squared_error")
    >>> [(tensor.name, tensor.shape) for tensor in network_layout(network)]
    [('W1', (2, 3)), ('b1', (2,))]
    """
    tensors: list[Tensor] = []
    offset = 0
    for number, (inputs, units) in enumerate(pairwise(network.widths), start=1):
        weights = Tensor(f"W{number}", (units, inputs), offset, layer=number, role="weight")
        biases = Tensor(f"b{number}", (units,), offset + weights.size, layer=number, role="bias")
        tensors += [weights, biases]
        offset = biases.span.stop
    return Layout(tuple(tensors))


def draw_weights(initializer: InitializerName, shape: tuple[int, ...], inputs: int, rng: np.random.Generator) -> Vector:
    """Draw W of one layer.

    Args:
        initializer: how.
        shape: of W.
        inputs: the number of inputs that each output is a sum over.
        rng: what is drawn from.
    """
    match initializer:
        case "he":
            return rng.standard_normal(shape) * np.sqrt(2.0 / inputs)
        case "xavier":
            return rng.standard_normal(shape) * np.sqrt(1.0 / inputs)
        case "normal":
            return rng.standard_normal(shape) * 0.01
        case "zeros":
            return np.zeros(shape)


def initialize(network: Network, rng: np.random.Generator) -> Vector:
    """Draw θ: weights by each layer's initializer, biases zero.

    he: variance 2/n, xavier: variance 1/n (n = inputs of the layer), normal: standard deviation 0.01, zeros.
    Source: lecture notes, "Weight initialization for deep NN"; He et al., "Delving deep into rectifiers", 2015; Glorot
    & Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Returns:
        θ, shape (n,).
    """
    layout = network_layout(network)
    # Layer by layer from one generator: the layers of a longer network begin like those of a shorter one.
    theta = np.zeros(layout.size)
    for number, (inputs, layer) in enumerate(zip(network.widths, network.layers, strict=False), start=1):
        drawn = draw_weights(layer.initializer_name, (layer.units, inputs), inputs, rng)
        theta[layout.tensor(number, "weight").span] = drawn.ravel()
    return theta
