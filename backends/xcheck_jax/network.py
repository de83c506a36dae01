"""The declared network in JAX, differentiated by jax.value_and_grad."""

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.backend import Objective
from xcheck.network import LEAKY_SLOPE, ActivationName, LossName
from xcheck.parameters import Vector
from xcheck.problem import DtypeName, Problem
from xcheck_jax.settings import own_settings

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


class NetworkObjective(Objective):
    """Loss and gradient of a network by jax.value_and_grad."""

    def __init__(self, problem: Problem, device: str, dtype: DtypeName) -> None:
        super().__init__("jax", problem.layout.size)
        self._layout = problem.layout
        self._network = problem.network
        self._examples = problem.examples
        self._device = jax.devices(device)[0]
        self._dtype = np.dtype(dtype)
        with own_settings(self._device):
            self._inputs = jnp.asarray(problem.inputs, dtype=self._dtype)
            self._targets = jnp.asarray(problem.targets, dtype=self._dtype)
            self._masks = [None if mask is None else jnp.asarray(mask) for mask in problem.masks]
            self._value_and_grad = jax.jit(jax.value_and_grad(self.loss))

    def compute(self, theta: Vector) -> tuple[float, Vector]:
        """Return J(θ) and ∂J/∂θ."""
        with own_settings(self._device):
            loss, gradient = self._value_and_grad(jnp.asarray(theta, dtype=self._dtype))
            return float(loss), np.asarray(gradient, dtype=np.float64)

    def activations(self, theta: Vector) -> list[np.ndarray]:
        """Return A⁽⁰⁾..A⁽ᴸ⁾ at θ."""
        with own_settings(self._device):
            found = self.forward(self._named(jnp.asarray(theta, dtype=self._dtype)))
            return [np.asarray(a, dtype=np.float64) for a in found]

    def _named(self, theta: Array) -> dict[str, Array]:
        return {t.name: theta[t.span].reshape(t.shape) for t in self._layout}

    def forward(self, parameters: dict[str, Array]) -> list[Array]:
        """A⁽⁰⁾..A⁽ᴸ⁾, after dropout."""
        found = [self._dropped(self._inputs, 0)]
        for number, layer in enumerate(self._network.layers, start=1):
            z = found[-1] @ parameters[f"W{number}"].T + parameters[f"b{number}"]
            found.append(self._dropped(ACTIVATIONS[layer.activation](z), number))
        return found

    def loss(self, theta: Array) -> Array:
        """J: mean loss of the examples plus the penalties."""
        m, network = self._examples, self._network
        penalty, parameters = jnp.zeros((), theta.dtype), self._named(theta)
        for number in range(1, len(network.layers) + 1):
            W = parameters[f"W{number}"]
            # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
            if network.l2:
                penalty += network.l2 / (2 * m) * jnp.sum(W**2)
            if network.l1:
                penalty += network.l1 / (2 * m) * jnp.sum(jnp.abs(W))
        return LOSSES[network.loss](self.forward(parameters)[-1], self._targets) / m + penalty

    def _dropped(self, a: Array, number: int) -> Array:
        """Inverted dropout with the pinned mask."""
        mask = self._masks[number]
        return a if mask is None else jnp.where(mask, a / self._network.keep_probs[number], 0)
