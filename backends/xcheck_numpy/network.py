"""The declared network in NumPy: forward, then backward from the last layer to the first.

One example per row: Z = A W ᵀ + b. With Δ = ∂(ΣₑLₑ)/∂Z of shape (m, nₗ):

    last layer      Δ⁽ᴸ⁾ = (∂L/∂A⁽ᴸ⁾ ∘ D⁽ᴸ⁾/p) ∘ g'(Z⁽ᴸ⁾)
    before it       Δ⁽ˡ⁾ = (Δ⁽ˡ⁺¹⁾ W⁽ˡ⁺¹⁾ ∘ D⁽ˡ⁾/p) ∘ g'(Z⁽ˡ⁾)
    weights         ∂J/∂W⁽ˡ⁾ = (1/m) Δ⁽ˡ⁾ᵀ A⁽ˡ⁻¹⁾ + (l2/m) W⁽ˡ⁾ + (l1/2m) sign(W⁽ˡ⁾)
    biases          ∂J/∂b⁽ˡ⁾ = (1/m) Σₑ Δ⁽ˡ⁾ₑ

Source: lecture notes, equations (6)-(8); Rumelhart, Hinton & Williams, "Learning representations by back-propagating
errors", 1986.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from xcheck.objective import Objective
from xcheck.parameters import Vector
from xcheck.problem import Mask, Problem
from xcheck_numpy.activations import ACTIVATIONS, Array
from xcheck_numpy.losses import LOSSES


@dataclass(frozen=True, slots=True)
class _Trace:
    """What the forward pass leaves for the backward pass: Z⁽¹⁾..Z⁽ᴸ⁾, g(Z)⁽¹⁾..⁽ᴸ⁾, A⁽⁰⁾..A⁽ᴸ⁾ after dropout."""

    z: list[Array]
    g: list[Array]
    a: list[Array]


def drop(a: Array, mask: Mask | None, keep_prob: float) -> Array:
    """Inverted dropout: a ∘ D/p. The same map carries ∂L/∂(a ∘ D/p) back to ∂L/∂a."""
    return a if mask is None else a * mask / a.dtype.type(keep_prob)


class NetworkObjective(Objective):
    """Loss and hand-written gradient of a network in one dtype."""

    def __init__(self, problem: Problem, dtype: DTypeLike) -> None:
        super().__init__("numpy", problem.layout.size)
        self._problem = problem
        self._network = problem.network
        self._dtype = np.dtype(dtype)
        self._inputs: Array = problem.inputs.astype(self._dtype)
        self._targets: Array = problem.targets.astype(self._dtype)

    def compute(self, theta: Vector) -> tuple[float, Array]:
        """Return J(θ) and ∂J/∂θ."""
        # Overflow is a result here (the loss is inf), not an event to warn about.
        with np.errstate(all="ignore"):
            parameters = self._problem.layout.unflatten(theta.astype(self._dtype))
            trace = self.forward(parameters)
            gradient = self.backward(parameters, trace)
            return float(self.loss(parameters, trace)), np.concatenate([g.ravel() for g in gradient])

    def forward(self, parameters: dict[str, Array]) -> _Trace:
        """Compute Z⁽ˡ⁾ = A⁽ˡ⁻¹⁾ W⁽ˡ⁾ᵀ + b⁽ˡ⁾ and A⁽ˡ⁾ = g(Z⁽ˡ⁾) ∘ D⁽ˡ⁾/p, layer by layer."""
        masks = self._problem.masks
        trace = _Trace([], [], [drop(self._inputs, masks[0], self._network.input_keep_prob)])
        for number, layer in enumerate(self._network.layers, start=1):
            z = trace.a[-1] @ parameters[f"W{number}"].T + parameters[f"b{number}"]
            g = ACTIVATIONS[layer.activation].value(z)
            trace.z.append(z)
            trace.g.append(g)
            trace.a.append(drop(g, masks[number], layer.keep_prob))
        return trace

    def loss(self, parameters: dict[str, Array], trace: _Trace) -> Array:
        """J = (1/m) Σₑ L + l2/(2m) Σ‖W‖² + l1/(2m) Σ|W|."""
        m = len(self._inputs)
        data = LOSSES[self._network.loss].value(trace.a[-1], self._targets).sum() / m
        weights = [parameters[f"W{number}"] for number in range(1, len(self._network.layers) + 1)]
        squares = sum((W * W).sum() for W in weights)
        absolutes = sum(np.abs(W).sum() for W in weights)
        real = self._dtype.type
        return (
            data + real(self._network.l2) / (2 * m) * squares + real(self._network.l1) / (2 * m) * absolutes
        )

    def backward(self, parameters: dict[str, Array], trace: _Trace) -> list[Array]:
        """Return ∂J/∂W1, ∂J/∂b1, ∂J/∂W2, ...; formulas at the top of this module."""
        m = len(self._inputs)
        upstream = LOSSES[self._network.loss].derivative(trace.a[-1], self._targets)
        gradient: list[Array] = []
        for number in range(len(self._network.layers), 0, -1):
            layer, W = self._network.layers[number - 1], parameters[f"W{number}"]
            upstream = drop(upstream, self._problem.masks[number], layer.keep_prob)
            slope = ACTIVATIONS[layer.activation].derivative(trace.z[number - 1], trace.g[number - 1])
            delta = upstream * slope
            dW = delta.T @ trace.a[number - 1] / m + self.penalty_gradient(W)
            gradient[:0] = [dW, delta.sum(axis=0) / m]
            upstream = delta @ W
        return gradient

    def penalty_gradient(self, W: Array) -> Array:
        """∂/∂W of l2/(2m) ‖W‖² + l1/(2m) Σ|W| = (l2/m) W + (l1/2m) sign(W)."""
        m, real = len(self._inputs), self._dtype.type
        return real(self._network.l2) / m * W + real(self._network.l1) / (2 * m) * np.sign(W)
