"""How far activations and losses move: g(z + δ) − g(z) and L(z + δ) − L(z), computed without subtracting.

A difference of two losses that agree in ten digits keeps six. The functions here have addition theorems that give the
difference itself, to full relative precision, from what is known at z and elementary functions of the small δ:

    sigmoid     Δσ = σ(z) σ(−z) E/(1 + σ(z) E)                       E = e^δ − 1
    tanh        Δtanh = T sech²z/(1 + T tanh z)                      T = tanh δ
    softplus    log(1 + σ(z) E)
    elu         e^z E  for z < 0
    silu        δ (σ + Δσ) + z Δσ
    gelu        δ (Φ + ΔΦ) + z ΔΦ      ΔΦ = φ(z) ∫₀^δ e^(−zt − t²/2) dt, by three Gauss–Legendre points (off by < 2⁻⁶⁰)

    binary cross-entropy     log(1 + σ(−z) (e^(−δ) − 1)) for y = 1, log(1 + σ(z) E) for y = 0
    softmax cross-entropy    log(1 + Σₖ pₖ (e^dₖ − 1)),   dₖ = δₖ − Σ y δ
    squared error            Σ δ (z − y + δ/2)

They are identities of the functions, of whatever size δ is, and not their derivatives: what is differenced is J. Where
δ is too long for the polynomials of `xcheck.oracle.engines.elementary`, the two values are subtracted as usual.

All arrays have the units first and the examples last, and broadcast: anchors (n, m), moves (n, ..., m).

Source: Abramowitz & Stegun, "Handbook of Mathematical Functions", 1964, 4.2.18, 4.5.26, 25.4.30; the rest follows from
the definitions in `xcheck.networks.network`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, LossName
from xcheck.oracle.engines.elementary import expm1, log1p, tanh
from xcheck.oracle.network.forward import JAX, LOSSES, NUMPY, continued, logistic

# So many classes are summed up one by one, which fuses into one loop; more are summed as an array.
_UNROLLED = 32
# Nodes and weights of Gauss and Legendre's three points on [0, 1]: exact to the fifth degree.
_GAUSS = ((0.5 - np.sqrt(0.15), 5 / 18), (0.5, 8 / 18), (0.5 + np.sqrt(0.15), 5 / 18))


@dataclass(frozen=True, slots=True)
class ExpansionPoint:
    """What is known of a layer at θ, shape (n, m) each.

    Attributes:
        z: pre-activations.
        piece: the piece of a piecewise activation that is active, else None.
        known: what the addition theorem of the activation starts from.
    """

    z: Any
    piece: Any
    known: tuple[Any, ...]

    def at(self, change: Callable[[Any], Any]) -> "ExpansionPoint":
        """Return the anchor with `change` applied to every array: chosen units, or other axes."""
        changed: ExpansionPoint = jax.tree.map(change, self)
        return changed


@dataclass(frozen=True, slots=True)
class LossAnchor:
    """What is known of the outputs at θ, shape (n_L, m) each.

    Attributes:
        outputs: A⁽ᴸ⁾.
        targets: Y.
        known: what the addition theorem of the loss starts from.
    """

    outputs: Any
    targets: Any
    known: tuple[Any, ...]

    def at(self, change: Callable[[Any], Any]) -> "LossAnchor":
        """Return the anchor with `change` applied to every array."""
        changed: LossAnchor = jax.tree.map(change, self)
        return changed


jax.tree_util.register_dataclass(ExpansionPoint, ["z", "piece", "known"], [])
jax.tree_util.register_dataclass(LossAnchor, ["outputs", "targets", "known"], [])


def _sech2(z: Vector) -> Vector:
    e = np.exp(-2 * np.abs(z))
    return np.asarray(4 * e / (1 + e) ** 2)


_KNOWN: dict[ActivationName, Callable[[Vector], tuple[Vector, ...]]] = {
    "sigmoid": lambda z: (logistic(NUMPY, z), logistic(NUMPY, -z)),
    "tanh": lambda z: (np.tanh(z), _sech2(z)),
    "softplus": lambda z: (logistic(NUMPY, z),),
    "elu": lambda z: (np.exp(np.minimum(z, 1.0)),),
    "silu": lambda z: (logistic(NUMPY, z), logistic(NUMPY, -z)),
    "gelu": lambda z: (NUMPY.normal(z), np.exp(-(z**2) / 2) / np.sqrt(2 * np.pi)),
}


def expand_at(name: ActivationName, z: Vector, piece: Vector | None) -> ExpansionPoint:
    """Return the anchor of a layer with pre-activations `z`, shape (n, m)."""
    return ExpansionPoint(z, piece, _KNOWN[name](z) if name in _KNOWN else ())


def _sigmoid(anchor: ExpansionPoint, delta: Array) -> Array:
    s, t = anchor.known
    e = expm1(delta)
    return s * t * e / (1 + s * e)


def _tanh(anchor: ExpansionPoint, delta: Array) -> Array:
    a, sech2 = anchor.known
    t = tanh(delta)
    return t * sech2 / (1 + a * t)


def _silu(anchor: ExpansionPoint, delta: Array) -> Array:
    moved = _sigmoid(anchor, delta)
    return delta * (anchor.known[0] + moved) + anchor.z * moved


def _gelu(anchor: ExpansionPoint, delta: Array) -> Array:
    cumulative, density = anchor.known
    points = ((weight, x * delta) for x, weight in _GAUSS)
    integral = sum(weight * (1 + expm1(-t * (anchor.z + t / 2))) for weight, t in points)
    moved = density * delta * integral
    return delta * (cumulative + moved) + anchor.z * moved


def _elu(anchor: ExpansionPoint, delta: Array) -> Array:
    return jnp.where(anchor.piece > 0, delta, anchor.known[0] * expm1(delta))


_MOVED: dict[ActivationName, Callable[[ExpansionPoint, Array], Array]] = {
    "identity": lambda anchor, delta: delta,
    "sigmoid": _sigmoid,
    "tanh": _tanh,
    "softplus": lambda anchor, delta: log1p(anchor.known[0] * expm1(delta)),
    "relu": lambda anchor, delta: anchor.piece * delta,
    "leaky_relu": lambda anchor, delta: anchor.piece * delta,
    "elu": _elu,
    "silu": _silu,
    "gelu": _gelu,
}


def activation_moved(name: ActivationName, anchor: ExpansionPoint, delta: Array, *, short: bool) -> Array:
    """Return g(z + δ) − g(z) on the piece that is active at θ.

    Args:
        name: g.
        anchor: of the layer, of a shape that fits `delta`.
        delta: δ.
        short: whether |δ| (1 + |z|) ≤ SHORT everywhere.
    """
    if short:
        return _MOVED[name](anchor, delta)
    here = continued(JAX, name, anchor.z, anchor.piece)
    return continued(JAX, name, anchor.z + delta, anchor.piece) - here


# --- losses ---------------------------------------------------------------------------------------------------------

Moves = Callable[[Any], Array]


def _softmax_known(z: Vector, y: Vector) -> tuple[Vector, ...]:
    e = np.exp(z - z.max(axis=0))
    p = e / e.sum(axis=0)
    # The others' share, summed and not 1 − p, which would lose its digits where p is almost 1.
    return p, (1 - np.eye(len(p))) @ p


_LOSS_KNOWN: dict[LossName, Callable[[Vector, Vector], tuple[Vector, ...]]] = {
    "binary_cross_entropy": lambda z, y: (logistic(NUMPY, z), logistic(NUMPY, -z)),
    "softmax_cross_entropy": _softmax_known,
    "mean_squared_error": lambda z, y: (z - y,),
}


def loss_anchored(name: LossName, outputs: Vector, targets: Vector) -> LossAnchor:
    """Return the anchor of the loss at `outputs`, shape (n_L, m)."""
    return LossAnchor(outputs, targets, _LOSS_KNOWN[name](outputs, targets))


def _binary(known: tuple[Array, ...], y: Array, delta: Array) -> Array:
    s, t = known
    return y * log1p(t * expm1(-delta)) + (1 - y) * log1p(s * expm1(delta))


def _squared(known: tuple[Array, ...], y: Array, delta: Array) -> Array:
    return delta * (known[0] + delta / 2)


_SEPARABLE: dict[LossName, Callable[[tuple[Array, ...], Array, Array], Array]] = {
    "binary_cross_entropy": _binary,
    "mean_squared_error": _squared,
}


def _fit(part: Array, moved: Array) -> Array:
    """Return what is known of all outputs, (n_L, m), in a shape that fits their moves, (n_L, ..., m)."""
    return part.reshape(part.shape[0], *[1] * (moved.ndim - 2), part.shape[-1])


def _summed(term: Moves, count: int) -> Array:
    """Return Σₖ term(k); `term` takes an index, or a slice for all at once."""
    if count > _UNROLLED:
        return term(slice(None)).sum(axis=0)
    total = term(0)
    for k in range(1, count):
        total = total + term(k)
    return total


def loss_moved(name: LossName, anchor: LossAnchor, moves: Moves, *, short: bool, centred: bool = False) -> Array:
    """Return L(z + δ) − L(z) of every example when all outputs move.

    Args:
        name: L.
        anchor: of the outputs.
        moves: δ of output k, or of all of them for a slice: shape (..., m) or (n_L, ..., m).
        short: whether |δ| ≤ SHORT/2 everywhere.
        centred: whether Σ y δ = 0 already.
    """
    count = len(anchor.targets)
    if not short or count > _UNROLLED:
        whole = moves(slice(None))
        anchor = anchor.at(lambda part: _fit(part, whole))
    known, y = anchor.known, anchor.targets
    if not short:
        moved = anchor.outputs + moves(slice(None))
        here = jnp.broadcast_to(anchor.outputs, moved.shape)
        there = jnp.broadcast_to(y, moved.shape)
        # LOSSES has the outputs in axis 1.
        return LOSSES[name](JAX, moved[None], there[None])[0] - LOSSES[name](JAX, here[None], there[None])[0]
    if name == "softmax_cross_entropy":
        drift = 0.0 if centred else _summed(lambda k: y[k] * moves(k), count)
        return log1p(_summed(lambda k: known[0][k] * expm1(moves(k) - drift), count))
    separable = _SEPARABLE[name]
    return _summed(lambda k: separable(tuple(part[k] for part in known), y[k], moves(k)), count)


def loss_moved_by_one(name: LossName, anchor: LossAnchor, delta: Array) -> Array:
    """Return L(z + δ) − L(z) of every example when one output moves; `delta` is short.

    Args:
        name: L.
        anchor: of that output alone.
        delta: δ.
    """
    if name != "softmax_cross_entropy":
        return _SEPARABLE[name](anchor.known, anchor.targets, delta)
    (p, others), y = anchor.known, anchor.targets
    return log1p(p * expm1((1 - y) * delta) + others * expm1(-y * delta))
