"""Increments of activations and losses, g(z + δ) − g(z) and L(z + δ) − L(z), computed without subtracting.

A difference of two losses that agree in ten digits keeps six. The functions here have addition theorems that give the
difference itself, to full relative precision, from constants known at z and elementary functions of the small δ:

    sigmoid     Δσ = σ(z) σ(−z) E/(1 + σ(z) E)                       E = e^δ − 1
    tanh        Δtanh = T sech²z/(1 + T tanh z)                      T = tanh δ
    softplus    log(1 + σ(z) E)
    elu         e^z E  for z < 0
    silu        δ (σ + Δσ) + z Δσ
    gelu        δ (Φ + ΔΦ) + z ΔΦ      ΔΦ = φ(z) ∫₀^δ e^(−zt − t²/2) dt, by three Gauss–Legendre points (off by < 2⁻⁶⁰)

    binary cross-entropy     log(1 + σ(−z) (e^(−δ) − 1)) for y = 1, log(1 + σ(z) E) for y = 0
    softmax cross-entropy    log(1 + Σₖ pₖ (e^dₖ − 1)),   dₖ = δₖ − Σ y δ
    squared error            Σ δ (z − y + δ/2)

They are identities, exact for δ of any size; no derivative of g or L is used, so the oracle stays independent of the
derivatives that it checks. Where δ is too long for the polynomials of `xcheck.oracle.network.elementary`, the two
values are subtracted as usual.

Arrays have the units in their first axis and the examples in the last, and broadcast: expansion points have the shape
(n, m), increments the shape (n, ..., m).

Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 4.2.18, 4.5.26, 25.4.30; the rest follows from
the definitions in `xcheck.networks.network`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Self

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, LossName
from xcheck.oracle.network.elementary import expm1, log1p, tanh
from xcheck.oracle.network.forward import JAX, LOSSES, NUMPY, evaluate_branch, logistic

# So many classes are summed up one by one, which fuses into one loop; more are summed as an array.
_UNROLLED = 32
# Nodes and weights of Gauss and Legendre's three points on [0, 1]: exact to the fifth degree.
_GAUSS = ((0.5 - np.sqrt(0.15), 5 / 18), (0.5, 8 / 18), (0.5 + np.sqrt(0.15), 5 / 18))


class _Point:
    """Arrays at θ, each with the units in its first axis."""

    __slots__ = ()

    def map(self, change: Callable[[Any], Any]) -> Self:
        """Return the point with `change` applied to every array, for example to choose units."""
        changed: Self = jax.tree.map(change, self)
        return changed


@dataclass(frozen=True, slots=True)
class ExpansionPoint(_Point):
    """The values of a layer at θ that its increments are computed from, shape (n, m) each.

    Attributes:
        z: pre-activations.
        branch: the active branch of a piecewise activation, else None.
        constants: values at θ in the addition theorem of the activation.
    """

    z: Any
    branch: Any
    constants: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class LossExpansionPoint(_Point):
    """The values of the outputs at θ that increments of the loss are computed from, shape (n_L, m) each.

    Attributes:
        outputs: A⁽ᴸ⁾.
        targets: Y.
        constants: values at θ in the addition theorem of the loss.
    """

    outputs: Any
    targets: Any
    constants: tuple[Any, ...]


jax.tree_util.register_dataclass(ExpansionPoint, ["z", "branch", "constants"], [])
jax.tree_util.register_dataclass(LossExpansionPoint, ["outputs", "targets", "constants"], [])


def _sech2(z: Vector) -> Vector:
    e = np.exp(-2 * np.abs(z))
    return np.asarray(4 * e / (1 + e) ** 2)


_CONSTANTS: dict[ActivationName, Callable[[Vector], tuple[Vector, ...]]] = {
    "sigmoid": lambda z: (logistic(NUMPY, z), logistic(NUMPY, -z)),
    "tanh": lambda z: (np.tanh(z), _sech2(z)),
    "softplus": lambda z: (logistic(NUMPY, z),),
    "elu": lambda z: (np.exp(np.minimum(z, 1.0)),),
    "silu": lambda z: (logistic(NUMPY, z), logistic(NUMPY, -z)),
    "gelu": lambda z: (NUMPY.normal(z), np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)),
}


def expand_at(name: ActivationName, z: Vector, branch: Vector | None) -> ExpansionPoint:
    """Return the expansion point of a layer with pre-activations `z`, shape (n, m)."""
    return ExpansionPoint(z, branch, _CONSTANTS[name](z) if name in _CONSTANTS else ())


def _sigmoid(point: ExpansionPoint, delta: Array) -> Array:
    s, t = point.constants
    e = expm1(delta)
    return s * t * e / (1 + s * e)


def _tanh(point: ExpansionPoint, delta: Array) -> Array:
    a, sech2 = point.constants
    t = tanh(delta)
    return t * sech2 / (1 + a * t)


def _silu(point: ExpansionPoint, delta: Array) -> Array:
    increment = _sigmoid(point, delta)
    return delta * (point.constants[0] + increment) + point.z * increment


def _gelu(point: ExpansionPoint, delta: Array) -> Array:
    cumulative, density = point.constants
    nodes = ((weight, x * delta) for x, weight in _GAUSS)
    integral = sum(weight * (1 + expm1(-t * (point.z + t / 2))) for weight, t in nodes)
    increment = density * delta * integral
    # Φ + ΔΦ, and not Φ(z + δ): what is known at z is not computed again.
    return delta * (cumulative + increment) + point.z * increment


def _elu(point: ExpansionPoint, delta: Array) -> Array:
    return jnp.where(point.branch > 0, delta, point.constants[0] * expm1(delta))


_INCREMENTS: dict[ActivationName, Callable[[ExpansionPoint, Array], Array]] = {
    "identity": lambda point, delta: delta,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": lambda point, delta: log1p(point.constants[0] * expm1(delta)),
    "relu": lambda point, delta: point.branch * delta,
    "leaky_relu": lambda point, delta: point.branch * delta,
    "elu": _elu,
    "silu": _silu,
    "gelu": _gelu,
}


def activation_increment(name: ActivationName, point: ExpansionPoint, delta: Array, *, short: bool) -> Array:
    """Return g(z + δ) − g(z) on the branch that is active at θ.

    Args:
        name: g.
        point: of the layer, of a shape that broadcasts with `delta`.
        delta: δ.
        short: whether |δ| (1 + |z|) ≤ SHORT everywhere.
    """
    if short:
        return _INCREMENTS[name](point, delta)
    # Some δ is too long for the polynomials: the two values are subtracted.
    here = evaluate_branch(JAX, name, point.z, point.branch)
    return evaluate_branch(JAX, name, point.z + delta, point.branch) - here


# --- losses ---------------------------------------------------------------------------------------------------------

Increments = Callable[[Any], Array]


def _softmax_constants(z: Vector, y: Vector) -> tuple[Vector, ...]:
    e = np.exp(z - z.max(axis=0))
    p = e / e.sum(axis=0)
    # The others' share, summed and not 1 − p, which would lose its digits where p is almost 1.
    return p, (1 - np.eye(len(p))) @ p


_LOSS_CONSTANTS: dict[LossName, Callable[[Vector, Vector], tuple[Vector, ...]]] = {
    "binary_cross_entropy": lambda z, y: (logistic(NUMPY, z), logistic(NUMPY, -z)),
    "softmax_cross_entropy": _softmax_constants,
    "mean_squared_error": lambda z, y: (z - y,),
}


def expand_loss_at(name: LossName, outputs: Vector, targets: Vector) -> LossExpansionPoint:
    """Return the expansion point of the loss at `outputs`, shape (n_L, m)."""
    return LossExpansionPoint(outputs, targets, _LOSS_CONSTANTS[name](outputs, targets))


def _binary(constants: tuple[Array, ...], y: Array, delta: Array) -> Array:
    s, t = constants
    return y * log1p(t * expm1(-delta)) + (1 - y) * log1p(s * expm1(delta))


def _squared(constants: tuple[Array, ...], y: Array, delta: Array) -> Array:
    return delta * (constants[0] + delta / 2)


_SEPARABLE: dict[LossName, Callable[[tuple[Array, ...], Array, Array], Array]] = {
    "binary_cross_entropy": _binary,
    "mean_squared_error": _squared,
}


def _broadcastable(part: Array, increments: Array) -> Array:
    """Return values of all outputs, (n_L, m), in a shape that broadcasts with their increments, (n_L, ..., m)."""
    return part.reshape(part.shape[0], *[1] * (increments.ndim - 2), part.shape[-1])


def _summed(term: Increments, count: int) -> Array:
    """Return Σₖ term(k); `term` takes an index, or a slice for all at once."""
    if count > _UNROLLED:
        return term(slice(None)).sum(axis=0)
    total = term(0)
    for k in range(1, count):
        total = total + term(k)
    return total


def loss_increment(
    name: LossName, point: LossExpansionPoint, increments: Increments, *, short: bool, centred: bool = False
) -> Array:
    """Return L(z + δ) − L(z) of every example when all outputs move.

    Args:
        name: L.
        point: of the outputs.
        increments: returns δ of output k, or of all outputs for a slice: shape (..., m) or (n_L, ..., m).
        short: whether |δ| ≤ SHORT/2 everywhere.
        centred: whether Σ y δ = 0 already.
    """
    count = len(point.targets)
    if not short or count > _UNROLLED:
        whole = increments(slice(None))
        point = point.map(lambda part: _broadcastable(part, whole))
    constants, y = point.constants, point.targets
    if not short:
        moved = point.outputs + increments(slice(None))
        here = jnp.broadcast_to(point.outputs, moved.shape)
        there = jnp.broadcast_to(y, moved.shape)
        # LOSSES has the outputs in axis 1.
        return LOSSES[name](JAX, moved[None], there[None])[0] - LOSSES[name](JAX, here[None], there[None])[0]
    if name == "softmax_cross_entropy":
        # L = log Σ e^dₖ with d = z − Σ y z: the outputs' increments count relative to Σ y δ.
        drift = 0.0 if centred else _summed(lambda k: y[k] * increments(k), count)
        return log1p(_summed(lambda k: constants[0][k] * expm1(increments(k) - drift), count))
    # What is left are sums over the outputs: each term has an addition theorem of its own.
    separable = _SEPARABLE[name]
    return _summed(lambda k: separable(tuple(part[k] for part in constants), y[k], increments(k)), count)


def loss_increment_of_one(name: LossName, point: LossExpansionPoint, delta: Array) -> Array:
    """Return L(z + δ) − L(z) of every example when one output moves by a short `delta`.

    Args:
        name: L.
        point: of that output alone.
        delta: δ.
    """
    if name != "softmax_cross_entropy":
        return _SEPARABLE[name](point.constants, point.targets, delta)
    # The others move by −y δ after Σ y δ is taken out, all alike: one term with their joint probability.
    (p, others), y = point.constants, point.targets
    return log1p(p * expm1((1 - y) * delta) + others * expm1(-y * delta))
