"""The declared network in NumPy: forward, then backward from the last layer to the first.

One example per row: Z = A W ᵀ + b. With Δ = ∂(ΣₑLₑ)/∂Z of shape (m, nₗ):

    last layer      Δ⁽ᴸ⁾ = (∂L/∂A⁽ᴸ⁾ ∘ D⁽ᴸ⁾/p) ∘ g'(Z⁽ᴸ⁾)
    before it       Δ⁽ˡ⁾ = (Δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾ ∘ D⁽ˡ⁾/p) ∘ g'(Z⁽ˡ⁾)
    weights         ∂J/∂W⁽ˡ⁾ = (1/m) Δ⁽ˡ⁾ᵀ A⁽ˡ⁻¹⁾ + (l2/m) W⁽ˡ⁾ + (l1/2m) sign(W⁽ˡ⁾)
    biases          ∂J/∂b⁽ˡ⁾ = (1/m) Σₑ Δ⁽ˡ⁾ₑ

Source: lecture notes, equations (6)-(8); Rumelhart, Hinton & Williams, "Learning representations by back-propagating
errors", 1986.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from xcheck.backend.contract import Objective
from xcheck.layout import LayerRole, Vector
from xcheck.networks.network import ActivationName, LossName
from xcheck.networks.problem import Problem
from xcheck_numpy.activations import ACTIVATIONS, Activation, Array
from xcheck_numpy.losses import LOSSES, Loss


@dataclass(frozen=True, slots=True)
class Trace:
    """What the forward pass leaves for the backward pass: Z⁽¹⁾..⁽ᴸ⁾, g(Z)⁽¹⁾..⁽ᴸ⁾, and A⁽⁰⁾..A⁽ᴸ⁾ after dropout."""

    z: list[Array]
    g: list[Array]
    a: list[Array]


class NetworkObjective(Objective):
    """Loss and hand-written gradient of a network in one dtype.

    Args:
        problem: the network with its data.
        dtype: float32, float64 or longdouble; everything is computed in it.
        activations: g and g' by name.
        losses: L and ∂L/∂z by name.
    """

    def __init__(
        self,
        problem: Problem,
        dtype: DTypeLike,
        *,
        activations: Mapping[ActivationName, Activation] = ACTIVATIONS,
        losses: Mapping[LossName, Loss] = LOSSES,
    ) -> None:
        super().__init__("numpy", problem.layout.size)
        self.problem = problem
        self.network = problem.network
        self.examples = problem.examples
        # Constants of a formula become numbers of this dtype: one of float64 would widen what it is multiplied by.
        self._real: Callable[[Any], Any] = np.dtype(dtype).type
        self._inputs: Array = problem.inputs.astype(dtype)
        self._targets: Array = problem.targets.astype(dtype)
        self._activations = [activations[layer.activation] for layer in self.network.layers]
        self._loss = losses[self.network.loss]

    def compute(self, theta: Vector) -> tuple[float, Array]:
        """Return J(θ) and ∂J/∂θ."""
        # Overflow is a result here, an infinite loss, and nothing to warn about.
        with np.errstate(all="ignore"):
            parameters = self.problem.layout.by_role(theta.astype(self._inputs.dtype))
            trace = self.forward(parameters)
            gradient = self.backward(parameters, trace)
            return float(self.loss(parameters, trace)), np.concatenate([g.ravel() for g in gradient])

    def activations(self, theta: Vector) -> list[Array]:
        """Return A⁽⁰⁾..A⁽ᴸ⁾ at θ."""
        with np.errstate(all="ignore"):
            return self.forward(self.problem.layout.by_role(theta.astype(self._inputs.dtype))).a

    # --- forward ----------------------------------------------------------------------------------------------------

    def forward(self, parameters: Mapping[LayerRole, Array]) -> Trace:
        """Compute Z⁽ˡ⁾ = A⁽ˡ⁻¹⁾ W⁽ˡ⁾ᵀ + b⁽ˡ⁾ and A⁽ˡ⁾ = g(Z⁽ˡ⁾) ∘ D⁽ˡ⁾/p, layer by layer."""
        trace = Trace([], [], [self.drop(self._inputs, 0)])
        for number, activation in enumerate(self._activations, start=1):
            z = trace.a[-1] @ parameters[number, "weight"].T + parameters[number, "bias"]
            g = activation.value(z)
            trace.z.append(z)
            trace.g.append(g)
            trace.a.append(self.drop(g, number))
        return trace

    def drop(self, a: Array, number: int) -> Array:
        """Return a ∘ D/p (inverted dropout)."""
        mask = self.problem.masks[number]
        return a if mask is None else a * mask / self._real(self.network.keep_probs[number])

    def loss(self, parameters: Mapping[LayerRole, Array], trace: Trace) -> Array:
        """J = (1/m) Σₑ L + l2/(2m) Σ‖W‖² + l1/(2m) Σ|W|."""
        data = self._loss.value(trace.a[-1], self._targets).sum() / self.examples
        weights = [parameters[number, "weight"] for number in range(1, len(self.network.layers) + 1)]
        penalty = self._real(0)
        # Without its λ a penalty is absent, not 0 · Σ: squares of huge weights overflow.
        if self.network.l2:
            penalty += self._real(self.network.l2 / (2 * self.examples)) * sum((W * W).sum() for W in weights)
        if self.network.l1:
            penalty += self._real(self.network.l1 / (2 * self.examples)) * sum(np.abs(W).sum() for W in weights)
        return data + penalty

    # --- backward ---------------------------------------------------------------------------------------------------

    def backward(self, parameters: Mapping[LayerRole, Array], trace: Trace) -> list[Array]:
        """Return ∂J/∂W⁽¹⁾, ∂J/∂b⁽¹⁾, ∂J/∂W⁽²⁾, ...; formulas at the top of this module."""
        upstream = self._loss.derivative(trace.a[-1], self._targets)
        gradient: list[Array] = []
        # From the last layer to the first; ∂J/∂A of the layer below is handed down.
        for number in range(len(self._activations), 0, -1):
            W, z, g = parameters[number, "weight"], trace.z[number - 1], trace.g[number - 1]
            delta = self.drop_backward(upstream, number) * self._activations[number - 1].derivative(z, g)
            dW = self.weight_gradient(delta, trace.a[number - 1]) + self.penalty_gradient(W)
            gradient[:0] = [dW, self.bias_gradient(delta)]
            upstream = self.pass_down(delta, W)
        return gradient

    def drop_backward(self, upstream: Array, number: int) -> Array:
        """∂/∂a of a ∘ D/p: the same mask and the same 1/p carry the gradient back."""
        return self.drop(upstream, number)

    def weight_gradient(self, delta: Array, a: Array) -> Array:
        """(1/m) Δ⁽ˡ⁾ᵀ A⁽ˡ⁻¹⁾."""
        return delta.T @ a / self.examples

    def bias_gradient(self, delta: Array) -> Array:
        """(1/m) Σₑ Δ⁽ˡ⁾ₑ."""
        return delta.sum(axis=0) / self.examples

    def pass_down(self, delta: Array, W: Array) -> Array:
        """∂(ΣₑLₑ)/∂A⁽ˡ⁻¹⁾ = Δ⁽ˡ⁾ W⁽ˡ⁾."""
        return delta @ W

    def penalty_gradient(self, W: Array) -> Array:
        """∂/∂W of l2/(2m) ‖W‖² + l1/(2m) Σ|W| = (l2/m) W + (l1/2m) sign(W)."""
        l2, l1 = self.network.l2 / self.examples, self.network.l1 / (2 * self.examples)
        return self._real(l2) * W + self._real(l1) * np.sign(W)
