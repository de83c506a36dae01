"""Networks of any layers in PyTorch, by the operations of torch.nn.functional; autograd differentiates them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch.nn.functional as F
from torch import Tensor

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
from xcheck_torch.network import ACTIVATIONS, LOSSES

Tensors = Mapping[str, Tensor]


def _convolution(layer: Convolution, own: Tensors, x: Tensor) -> Tensor:
    convolve = F.conv1d if len(layer.kernel) == 1 else F.conv2d
    return convolve(x, own["W"], own["b"], stride=layer.stride, padding=layer.padding)


def _max_pool(layer: MaxPool, own: Tensors, x: Tensor) -> Tensor:
    pool = F.max_pool1d if len(layer.size) == 1 else F.max_pool2d
    return pool(x, layer.size, layer.stride)


def _average_pool(layer: AveragePool, own: Tensors, x: Tensor) -> Tensor:
    pool = F.avg_pool1d if len(layer.size) == 1 else F.avg_pool2d
    return pool(x, layer.size, layer.stride)


def _layer_norm(layer: LayerNorm, own: Tensors, x: Tensor) -> Tensor:
    return F.layer_norm(x, own["gamma"].shape, own["gamma"], own["beta"], layer.epsilon)


def _rms_norm(layer: RmsNorm, own: Tensors, x: Tensor) -> Tensor:
    return F.rms_norm(x, own["gamma"].shape, own["gamma"], layer.epsilon)


def _batch_norm(layer: BatchNorm, own: Tensors, x: Tensor) -> Tensor:
    return F.batch_norm(x, None, None, own["gamma"], own["beta"], training=True, eps=layer.epsilon)


OPERATIONS: dict[type[Layer], Callable[[Any, Tensors, Tensor], Tensor]] = {
    DenseLayer: lambda layer, own, x: F.linear(x, own["W"], own["b"]),
    Convolution: _convolution,
    MaxPool: _max_pool,
    AveragePool: _average_pool,
    LayerNorm: _layer_norm,
    RmsNorm: _rms_norm,
    BatchNorm: _batch_norm,
    Flatten: lambda layer, own, x: x.flatten(1),
    Reshape: lambda layer, own, x: x.reshape(len(x), *layer.shape),
}


def layered_function(network: LayeredNetwork) -> Function:
    """Return the network as a function `loss(params, X, Y, masks)` of named tensors."""

    def loss(params: Tensors, X: Tensor, Y: Tensor, masks: Tensors) -> Tensor:
        m, penalty = len(X), X.new_zeros(())
        for name in network.weights:
            # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
            if network.l2:
                penalty = penalty + network.l2 / (2 * m) * params[name].square().sum()
            if network.l1:
                penalty = penalty + network.l1 / (2 * m) * params[name].abs().sum()
        inputs = _drop(X, masks, INPUT_MASK, network.input_keep_prob)
        return LOSSES[network.loss](_forward(network.placed, params, inputs, masks), Y) / m + penalty

    return Function(loss=loss, backend="torch")


def _forward(layers: Sequence[Placed], params: Tensors, x: Tensor, masks: Tensors) -> Tensor:
    for placed in layers:
        if isinstance(placed.layer, Residual):
            y = x + _forward(placed.inside, params, x, masks)
        else:
            own = {each.name: params[placed.named(each)] for each in placed.parameters}
            y = OPERATIONS[type(placed.layer)](placed.layer, own, x)
        x = _drop(ACTIVATIONS[placed.layer.activation](y), masks, placed.number, placed.layer.keep_prob)
    return x


def _drop(a: Tensor, masks: Tensors, number: str, keep_prob: float) -> Tensor:
    """Apply inverted dropout with the mask that was drawn beforehand."""
    return a * masks[number] / keep_prob if number in masks else a
