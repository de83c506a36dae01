"""The network of any layers in NumPy: forward through all of them, and backward from the last to the first.

With Δ⁽ˡ⁾ = ∂(Σₑ Lₑ)/∂y⁽ˡ⁾, g and D/p of layer l, and ∂/∂x of its operation:

    Δ⁽ᴸ⁾ = (∂L/∂a⁽ᴸ⁾ ∘ D⁽ᴸ⁾/p) ∘ g'(y⁽ᴸ⁾)         Δ⁽ˡ⁾ = (∂/∂x⁽ˡ⁺¹⁾ ∘ D⁽ˡ⁾/p) ∘ g'(y⁽ˡ⁾)
    ∂J/∂t = (1/m) ∂(Σₑ Lₑ)/∂t, and (l2/m) W + (l1/2m) sign(W) more of a weight W
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

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
from xcheck_numpy.activations import ACTIVATIONS, Array
from xcheck_numpy.layers.convolution import CONVOLUTION
from xcheck_numpy.layers.dense import DENSE, RESHAPE
from xcheck_numpy.layers.normalisation import BATCH_NORM, LAYER_NORM, RMS_NORM
from xcheck_numpy.layers.operation import Operation
from xcheck_numpy.layers.pooling import AVERAGE_POOL, MAX_POOL
from xcheck_numpy.losses import LOSSES

OPERATIONS: dict[type[Layer], Operation] = {
    DenseLayer: DENSE,
    Convolution: CONVOLUTION,
    MaxPool: MAX_POOL,
    AveragePool: AVERAGE_POOL,
    LayerNorm: LAYER_NORM,
    RmsNorm: RMS_NORM,
    BatchNorm: BATCH_NORM,
    Flatten: RESHAPE,
    Reshape: RESHAPE,
}


@dataclass(frozen=True, slots=True)
class Step:
    """What the forward pass of one layer leaves for the backward pass: what its operation kept, y, and g(y)."""

    kept: Any
    y: Array
    g: Array


class LayeredFunction:
    """Loss and hand-written gradient of a network of any layers, in the dtype of what it is given.

    Args:
        network: the network.
        operations: both halves of an operation, by kind of layer.
    """

    def __init__(self, network: LayeredNetwork, operations: Mapping[type[Layer], Operation] = OPERATIONS) -> None:
        self.network = network
        self._operations = operations

    def loss(self, params: Mapping[str, Array], X: Array, Y: Array, masks: Mapping[str, Array]) -> Array:
        """J = (1/m) Σₑ L + l2/(2m) Σ‖W‖² + l1/(2m) Σ|W|; `masks` as in `LayeredProblem`."""
        with np.errstate(all="ignore"):  # an infinite loss is a result
            return self._cost(params, self._run(params, X, masks)[0], Y)

    def value_and_gradient(
        self, params: Mapping[str, Array], X: Array, Y: Array, masks: Mapping[str, Array]
    ) -> tuple[Array, dict[str, Array]]:
        """Return J and ∂J/∂ every tensor, by name; formulas at the top of this module."""
        network, m = self.network, len(X)
        with np.errstate(all="ignore"):
            outputs, steps = self._run(params, X, masks)
            gradient: dict[str, Array] = {}
            self._back(network.placed, steps, params, masks, LOSSES[network.loss].derivative(outputs, Y), gradient)
            found = {name: gradient[name] / m for name in network.shapes}
            for name in network.weights:
                W = params[name]
                found[name] = found[name] + _real(W, network.l2 / m) * W + _real(W, network.l1 / (2 * m)) * np.sign(W)
            return self._cost(params, outputs, Y), found

    def _cost(self, params: Mapping[str, Array], outputs: Array, Y: Array) -> Array:
        network, m = self.network, len(outputs)
        cost = LOSSES[network.loss].value(outputs, Y).sum() / m
        # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
        for name in network.weights:
            W = params[name]
            if network.l2:
                cost = cost + _real(W, network.l2 / (2 * m)) * (W * W).sum()
            if network.l1:
                cost = cost + _real(W, network.l1 / (2 * m)) * np.abs(W).sum()
        return cost

    # --- forward ----------------------------------------------------------------------------------------------------

    def _run(self, params: Mapping[str, Array], X: Array, masks: Mapping[str, Array]) -> tuple[Array, list[Step]]:
        x = _drop(X, masks, INPUT_MASK, self.network.input_keep_prob)
        return self._forward(self.network.placed, params, x, masks)

    def _forward(
        self, layers: Sequence[Placed], params: Mapping[str, Array], x: Array, masks: Mapping[str, Array]
    ) -> tuple[Array, list[Step]]:
        """Return what comes out of some layers, and what each leaves for the backward pass."""
        steps = []
        for placed in layers:
            if isinstance(placed.layer, Residual):
                made, kept = self._forward(placed.inside, params, x, masks)
                y: Array = x + made
            else:
                y, kept = self._operations[type(placed.layer)].forward(placed.layer, _own(placed, params), x)
            g = ACTIVATIONS[placed.layer.activation].value(y)
            steps.append(Step(kept, y, g))
            x = _drop(g, masks, placed.number, placed.layer.keep_prob)
        return x, steps

    # --- backward ---------------------------------------------------------------------------------------------------

    def _back(
        self,
        layers: Sequence[Placed],
        steps: Sequence[Step],
        params: Mapping[str, Array],
        masks: Mapping[str, Array],
        arrived: Array,
        gradient: dict[str, Array],
    ) -> Array:
        """Carry ∂/∂a of the last of some layers down to ∂/∂x of the first, and note ∂/∂ of their tensors.

        Of a residual y = x + F(x), ∂/∂x is Δ and what comes down through F.
        """
        for placed, step in zip(reversed(layers), reversed(steps), strict=True):
            arrived = _drop(arrived, masks, placed.number, placed.layer.keep_prob)
            delta = arrived * ACTIVATIONS[placed.layer.activation].derivative(step.y, step.g)
            if isinstance(placed.layer, Residual):
                arrived = delta + self._back(placed.inside, step.kept, params, masks, delta, gradient)
                continue
            operation = self._operations[type(placed.layer)]
            arrived, own = operation.backward(placed.layer, _own(placed, params), step.kept, delta)
            gradient |= {f"{name}{placed.number}": array for name, array in own.items()}
        return arrived


def _own(placed: Placed, params: Mapping[str, Array]) -> dict[str, Array]:
    """Return the tensors of one layer by their names without its number."""
    return {each.name: params[placed.named(each)] for each in placed.parameters}


def _drop(a: Array, masks: Mapping[str, Array], number: str, keep_prob: float) -> Array:
    """Return a ∘ D/p (inverted dropout); backward it is the same."""
    return a * masks[number] / _real(a, keep_prob) if number in masks else a


def _real(like: Array, value: float) -> Any:
    """Return a constant in the dtype of an array: one of float64 would widen what it is multiplied by."""
    return like.dtype.type(value)


def layered_function(network: LayeredNetwork) -> Function:
    """Return the network as a function with a hand-written gradient."""
    made = LayeredFunction(network)
    return Function(loss=made.loss, backend="numpy", forms={"value_and_gradient": made.value_and_gradient})
