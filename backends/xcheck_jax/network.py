"""The declared network in JAX, differentiated by jax.value_and_grad."""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import LayerRole, Vector
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import LEAKY_SLOPE, ActivationName, LossName, Network
from xcheck.networks.problem import Problem
from xcheck.trace import Trace
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of

ACTIVATIONS: dict[ActivationName, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
    "leaky_relu": lambda z: jax.nn.leaky_relu(z, LEAKY_SLOPE),
    "elu": jax.nn.elu,
    "softplus": jax.nn.softplus,
    "gelu": lambda z: jax.nn.gelu(z, approximate=False),
    "silu": jax.nn.silu,
}


def _binary_cross_entropy(z: Array, y: Array) -> Array:
    return jnp.sum(jax.nn.softplus(z) - y * z)


def _softmax_cross_entropy(z: Array, y: Array) -> Array:
    return -jnp.sum(y * jax.nn.log_softmax(z, axis=1))


def _mean_squared_error(z: Array, y: Array) -> Array:
    return 0.5 * jnp.sum(jnp.square(z - y))


# Each sums over all examples; the mean is taken once, in `loss`.
LOSSES: dict[LossName, Callable[[Array, Array], Array]] = {
    "binary_cross_entropy": _binary_cross_entropy,
    "softmax_cross_entropy": _softmax_cross_entropy,
    "mean_squared_error": _mean_squared_error,
}


# X, Y and the masks; None where all units are kept.
Data: TypeAlias = tuple[Array, Array, tuple[Array | None, ...]]


def forward(network: Network, parameters: Mapping[LayerRole, Array], data: Data) -> list[Array]:
    """Return A⁽⁰⁾..A⁽ᴸ⁾, after dropout."""
    inputs, _, masks = data
    activations = [_drop(network, inputs, masks, 0)]
    for number, layer in enumerate(network.layers, start=1):
        z = activations[-1] @ parameters[number, "weight"].T + parameters[number, "bias"]
        activations.append(_drop(network, ACTIVATIONS[layer.activation](z), masks, number))
    return activations


def loss(network: Network, theta: Array, data: Data) -> Array:
    """Return J: the mean loss of the examples plus the penalties."""
    parameters, m = network_layout(network).by_role(theta), len(data[0])
    penalty = jnp.zeros((), theta.dtype)
    for number in range(1, len(network.layers) + 1):
        W = parameters[number, "weight"]
        # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
        if network.l2:
            penalty += network.l2 / (2 * m) * jnp.sum(W**2)
        if network.l1:
            penalty += network.l1 / (2 * m) * jnp.sum(jnp.abs(W))
    return LOSSES[network.loss](forward(network, parameters, data)[-1], data[1]) / m + penalty


# Compiled once per network and number of examples, not once per draw of them: training asks about many batches.
value_and_gradient = jax.jit(jax.value_and_grad(loss, argnums=1), static_argnums=0)


def _drop(network: Network, a: Array, masks: Sequence[Array | None], number: int) -> Array:
    """Apply inverted dropout with the mask that was drawn beforehand."""
    mask = masks[number]
    return a if mask is None else jnp.where(mask, a / network.keep_probs[number], 0)


class NetworkObjective(Objective):
    """Loss and gradient of a network by jax.value_and_grad."""

    def __init__(self, problem: Problem, device: str, dtype: DtypeName) -> None:
        super().__init__("jax", problem.layout.size)
        self._network = problem.network
        self._device = jax.devices(device)[0]
        self._dtype = jnp.dtype(dtype)
        with own_settings(self._device):
            inputs, targets = (jnp.asarray(array, dtype=self._dtype) for array in (problem.inputs, problem.targets))
            # Masks stay booleans: `where` below keeps a nan of a dropped unit out of the loss.
            masks = tuple(None if mask is None else jnp.asarray(mask) for mask in problem.masks)
            self._data: Data = (inputs, targets, masks)

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        """Return J(θ) and ∂J/∂θ."""
        with own_settings(self._device):
            value, gradient = value_and_gradient(self._network, jnp.asarray(theta, dtype=self._dtype), self._data)
            return float(value), np.asarray(gradient, dtype=np.float64)

    def loss(self, theta: Array) -> Array:
        """Return J(θ) as a function that JAX can transform."""
        return loss(self._network, theta, self._data)

    def trace(self) -> Trace:
        """Return the operations of the loss at θ."""
        return self._trace(self.loss)

    def gradient_trace(self) -> Trace:
        """Return the operations of jax.grad at θ."""
        return self._trace(jax.grad(self.loss))

    def _trace(self, function: Callable[[Array], Array]) -> Trace:
        with own_settings(self._device):
            return trace_of(jax.make_jaxpr(function)(jax.ShapeDtypeStruct((self.size,), self._dtype)))

    def activations(self, theta: Vector) -> list[np.ndarray]:
        """Return A⁽⁰⁾..A⁽ᴸ⁾ at θ."""
        with own_settings(self._device):
            parameters = network_layout(self._network).by_role(jnp.asarray(theta, dtype=self._dtype))
            return [np.asarray(a, dtype=np.float64) for a in forward(self._network, parameters, self._data)]
