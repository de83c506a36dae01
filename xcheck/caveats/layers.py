"""Layers: how large activations and gradients are in each layer, and which units pass no gradient.

With A⁽ˡ⁾ and Z⁽ˡ⁾ as the oracle computes them at θ, over all m examples:

    activation   √(mean over units and examples of A²)
    gradient     √(mean over units of d²),   dᵢ = (1/m) Σₑ |∂Lₑ/∂zᵢ|, the oracle's slope along the bias bᵢ, unsummed
    gain         nₗ₋₁ · (mean of W²): 1 where weights are drawn with variance 1/n, 2 where with 2/n

A healthy initialisation keeps the first two alike from layer to layer: a linear layer multiplies the mean square of
what it is given by the third, and relu halves it. Source: lecture notes, "Vanishing/exploding gradients" and "Weight
initialization for deep NN"; He et al., "Delving deep into rectifiers", 2015.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, LossName, default_initializer
from xcheck.networks.problem import Mask, Problem
from xcheck.oracle import Estimate

# A unit is saturated when its slope is below this part of its largest in most examples: |z| > 4.1 for tanh, 8.3 for
# sigmoid. Less than a thousandth of what arrives there then passes back through it.
SATURATED = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerState:
    """The state of one layer at θ.

    Attributes:
        number: l, from 1.
        units: nₗ.
        activation: its name.
        activation_rms: size of A⁽ˡ⁾, dropout included.
        gradient_rms: size of ∂L/∂Z⁽ˡ⁾.
        gain: nₗ₋₁ · (mean of W⁽ˡ⁾²).
        dead: units that pass no gradient back in any example: relu of z ≤ 0, or dropped.
        saturated: units whose slope is next to nothing in most examples; of outputs, the slope of their probability.
    """

    number: int
    units: int
    activation: ActivationName
    activation_rms: float
    gradient_rms: float
    gain: float
    dead: tuple[int, ...]
    saturated: tuple[int, ...]

    @property
    def advised_gain(self) -> int:
        """The gain that the notes advise: 2 for the relu family, 1 otherwise."""
        return 2 if default_initializer(self.activation) == "he" else 1


def layers_of(problem: Problem, estimate: Estimate) -> tuple[LayerState, ...]:
    """Return the state of every layer at θ."""
    return tuple(_layer(problem, estimate, number) for number in range(1, len(problem.network.layers) + 1))


def _layer(problem: Problem, estimate: Estimate, number: int) -> LayerState:
    layer = problem.network.layers[number - 1]
    z, a = (np.asarray(arrays) for arrays in (estimate.trace.z[number - 1], estimate.trace.a[number]))
    # Only in the last layer does the loss bend: its probabilities saturate even if the activation is the identity.
    last = number == len(problem.network.layers)
    slope = _slope(layer.activation, problem.network.loss if last else None, z, a)
    return LayerState(
        number=number,
        units=layer.units,
        activation=layer.activation,
        activation_rms=_rms(a),
        gradient_rms=_rms(estimate.magnitude[problem.layout.tensor(number, "bias").span]),
        gain=_gain(problem.layout.unflatten(problem.theta)[problem.layout.tensor(number, "weight").name]),
        dead=_where(np.all(_idle(layer.activation, z, problem.masks[number]), axis=0)),
        saturated=_where(np.median(slope, axis=0) < SATURATED),
    )


def _rms(values: Vector) -> float:
    """Return √(mean of squares), scaled so that no square overflows or vanishes."""
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0 or not np.isfinite(largest):
        return largest
    return largest * float(np.sqrt(np.mean((values / largest) ** 2)))


@np.errstate(over="ignore")  # weights of 1e200 have an infinite gain
def _gain(W: Vector) -> float:
    return float(W.shape[1] * np.mean(W**2))


def _where(flags: ArrayLike) -> tuple[int, ...]:
    return tuple(int(unit) for unit in np.flatnonzero(flags))


def _idle(activation: ActivationName, z: Vector, mask: Mask | None) -> NDArray[np.bool_]:
    """Return where no gradient passes, shape (m, nₗ)."""
    # Other activations have a slope everywhere, however small: units that are saturated are told of apart.
    flat = z <= 0 if activation == "relu" else np.zeros(z.shape, dtype=bool)
    return flat if mask is None else flat | ~mask


# g'(z) in units of its largest value: tanh' = sech² z, and σ' = ¼ sech² (z/2).
_SLOPES: dict[ActivationName, Callable[[Vector], Vector]] = {
    "tanh": lambda z: np.cosh(z) ** -2.0,
    "sigmoid": lambda z: np.cosh(z / 2) ** -2.0,
}


@np.errstate(over="ignore", invalid="ignore")  # cosh 1000 is inf, and its slope 0
def _slope(activation: ActivationName, loss: LossName | None, z: Vector, a: Vector) -> Vector:
    """Return how steep each unit is in units of its largest slope, shape (m, nₗ); 1 where nothing saturates.

    In the last layer that is the slope of the loss's probabilities, 4 p (1 − p): of each output for binary
    cross-entropy, of the likeliest class for softmax.
    """
    if loss == "binary_cross_entropy":
        return _SLOPES["sigmoid"](a)
    if loss == "softmax_cross_entropy":
        weights = np.exp(a - a.max(axis=1, keepdims=True))
        # 1 − p of the likeliest class as a sum of the others: 1 − p itself would cancel.
        rest = np.sort(weights, axis=1)[:, :-1].sum(axis=1, keepdims=True) / weights.sum(axis=1, keepdims=True)
        return np.broadcast_to(4 * rest * (1 - rest), a.shape)
    return _SLOPES.get(activation, np.ones_like)(z)
