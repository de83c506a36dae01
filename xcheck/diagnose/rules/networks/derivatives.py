"""Derivatives of activations and losses, as they are and as people write them by mistake.

σ is the logistic function, Φ and φ the normal distribution and density, a = g(z), p the probabilities.
"""

from collections.abc import Callable

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.network import LEAKY_SLOPE, ActivationName, LossName
from xcheck.oracle.network.forward import NATURAL, NUMPY, logistic

Slope = Callable[[Vector], Vector]


def _sigma(z: Vector) -> Vector:
    return np.asarray(logistic(NUMPY, z))


def _phi(z: Vector) -> Vector:
    return np.exp(-z * z / 2) / np.sqrt(2 * np.pi)


def _Phi(z: Vector) -> Vector:  # noqa: N802 - Φ, not φ
    return np.asarray(NUMPY.normal(z))


# g'(z) of each activation, written so that nothing cancels far from 0: 1 − tanh² z is (1 − tanh z)(1 + tanh z).
SLOPES: dict[ActivationName, Slope] = {
    "identity": np.ones_like,
    "sigmoid": lambda z: _sigma(z) * _sigma(-z),
    "tanh": lambda z: (1 - np.tanh(z)) * (1 + np.tanh(z)),
    "relu": lambda z: np.where(z > 0, 1.0, 0.0),
    "leaky_relu": lambda z: np.where(z > 0, 1.0, LEAKY_SLOPE),
    "elu": lambda z: np.exp(np.minimum(z, 0.0)),
    "softplus": _sigma,
    "gelu": lambda z: _Phi(z) + z * _phi(z),
    "silu": lambda z: _sigma(z) * (1 + z * _sigma(-z)),
}


def _gelu_by_tanh(z: Vector) -> Vector:
    """Derivative of ½ z (1 + tanh(√(2/π) (z + 0.044715 z³))): Hendrycks & Gimpel's approximation of gelu."""
    c = np.sqrt(2 / np.pi)
    t = np.tanh(c * (z + 0.044715 * z**3))
    return np.asarray((1 + t) / 2 + z / 2 * (1 - t) * (1 + t) * c * (1 + 3 * 0.044715 * z**2))


# What stands in the place of g'(z), as a function of z and a.
MISTAKES: dict[ActivationName, dict[str, Callable[[Vector, Vector], Vector]]] = {
    "identity": {},
    "sigmoid": {
        "a (1 + a)": lambda z, a: a * (1 + a),
        "a": lambda z, a: a,
        "1 − a": lambda z, a: 1 - a,
        "1 − a²": lambda z, a: 1 - a**2,
        "z (1 − z)": lambda z, a: z * (1 - z),
        "a² (1 − a)": lambda z, a: a**2 * (1 - a),
    },
    "tanh": {
        "1 + a²": lambda z, a: 1 + a**2,
        "1 − a": lambda z, a: 1 - a,
        "a²": lambda z, a: a**2,
        "1 − z²": lambda z, a: 1 - z**2,
        "a (1 − a)": lambda z, a: a * (1 - a),
        "(1 − a²)²": lambda z, a: (1 - a**2) ** 2,
    },
    "relu": {"a": lambda z, a: a, "z": lambda z, a: z, "1 below 0, 0 above": lambda z, a: np.where(z < 0, 1.0, 0.0)},
    "leaky_relu": {},
    "elu": {
        "a below 0": lambda z, a: np.where(z > 0, 1.0, a),
        "a + 1 everywhere": lambda z, a: a + 1,
        "eᶻ everywhere": lambda z, a: np.exp(z),
    },
    "softplus": {
        "σ(−z)": lambda z, a: _sigma(-z),
        "1 − e⁻ᶻ": lambda z, a: 1 - np.exp(-z),
        "eᶻ": lambda z, a: np.exp(z),
    },
    "gelu": {
        "Φ(z), without z φ(z)": lambda z, a: _Phi(z),
        "Φ(z) − z φ(z)": lambda z, a: _Phi(z) - z * _phi(z),
        "that of its tanh approximation": lambda z, a: _gelu_by_tanh(z),
        "σ(1.702 z) and its slope": lambda z, a: _sigma(1.702 * z) * (1 + 1.702 * z * _sigma(-1.702 * z)),
    },
    "silu": {
        "σ(z), without z σ'(z)": lambda z, a: _sigma(z),
        "a + σ(z) (1 + a)": lambda z, a: a + _sigma(z) * (1 + a),
        "z σ(z) (1 − σ(z))": lambda z, a: z * _sigma(z) * _sigma(-z),
    },
}

# Activations whose slope below 0, or at 0, is a constant or a convention, and is mistaken for another one.
PIECEWISE: frozenset[ActivationName] = frozenset({"relu", "leaky_relu", "elu"})


def mistaken_slopes(name: ActivationName, z: Vector, a: Vector) -> dict[str, Vector]:
    """Return what people write in the place of g'(z), by name, shapes (m, nₗ)."""
    slopes = {"1: no derivative at all": np.ones_like(z), "g'(a), at the activation and not at z": SLOPES[name](a)}
    slopes |= {what: formula(z, a) for what, formula in MISTAKES[name].items()}
    slopes |= {
        f"the derivative of {other}": slope(z) for other, slope in SLOPES.items() if other not in (name, "identity")
    }
    slopes["g(z), the activation itself"] = np.asarray(NATURAL[name](NUMPY, z))
    if name not in ("identity", "relu"):  # 0 and 1 are their own squares
        slopes["its square: it is there twice"] = SLOPES[name](z) ** 2
    return slopes


# --- losses ---------------------------------------------------------------------------------------------------------


def _softmax(z: Vector) -> Vector:
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True))


# ∂L/∂z of each loss, as a function of the outputs z and the targets y.
LOSS_SLOPES: dict[LossName, Callable[[Vector, Vector], Vector]] = {
    "binary_cross_entropy": lambda z, y: (1 - y) * _sigma(z) - y * _sigma(-z),
    "softmax_cross_entropy": lambda z, y: _softmax(z) - y,
    "mean_squared_error": lambda z, y: z - y,
}

# What people write in their place.
LOSS_MISTAKES: dict[LossName, dict[str, Callable[[Vector, Vector], Vector]]] = {
    "binary_cross_entropy": {
        "−y (1 − p), without the term of (1 − y)": lambda z, y: -y * _sigma(-z),
        "(1 − y) p, without the term of y": lambda z, y: (1 - y) * _sigma(z),
        "p, without − y": lambda z, y: _sigma(z),
        "(p − y)/(p (1 − p)), without p'": lambda z, y: (_sigma(z) - y) / (_sigma(z) * _sigma(-z)),
        "(p − y) p (1 − p), with p' twice": lambda z, y: (_sigma(z) - y) * _sigma(z) * _sigma(-z),
        "z − y, of the logits": lambda z, y: z - y,
        "y − p": lambda z, y: y - _sigma(z),
        "−y/p": lambda z, y: -y / _sigma(z),
    },
    "softmax_cross_entropy": {
        "−y (1 − p), the diagonal of softmax's Jacobian only": lambda z, y: -y * (1 - _softmax(z)),
        "p, without − y": lambda z, y: _softmax(z),
        "−y/p, without softmax's Jacobian": lambda z, y: -y / _softmax(z),
        "−y, without softmax": lambda z, y: -y,
        "(p − y) p (1 − p), with p' twice": lambda z, y: (_softmax(z) - y) * _softmax(z) * (1 - _softmax(z)),
        "σ(z) − y, sigmoid for softmax": lambda z, y: _sigma(z) - y,
        "z − y, of the logits": lambda z, y: z - y,
    },
    "mean_squared_error": {
        "z, without − y": lambda z, y: z,
        "sign(z − y), of the absolute error": lambda z, y: np.sign(z - y),
        "(z − y)², the loss itself": lambda z, y: (z - y) ** 2,
        "z + y": lambda z, y: z + y,
    },
}
