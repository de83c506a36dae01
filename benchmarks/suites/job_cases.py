"""Small functions as a test suite checks them: five kinds, of shapes and numbers that are drawn anew for each check.

Each is written once for the three frameworks, which agree in the names of what it needs; NumPy's gradients are written
by hand. They have 3 to 40 parameters.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Literal

import numpy as np

from benchmarks.suites.function_cases import Made
from xcheck.layout import Vector

Framework = Literal["torch", "jax", "numpy"]
FRAMEWORKS: tuple[Framework, ...] = ("torch", "jax", "numpy")

Arrays = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of function.

    Attributes:
        loss: (module of the framework) -> loss(params, *data).
        gradient: the same in NumPy by hand.
        draw: draws parameters and data.
    """

    loss: Callable[[Any], Callable[..., Any]]
    gradient: Callable[..., Arrays]
    draw: Callable[[np.random.Generator], tuple[Arrays, tuple[Any, ...]]]


def small_checks(framework: Framework, count: int, seed: int) -> Iterator[Made]:
    """Yield the functions of a job; their kinds take turns.

    Args:
        framework: whose arrays they take.
        count: how many.
        seed: of shapes and numbers.
    """
    xp = import_module({"torch": "torch", "jax": "jax.numpy", "numpy": "numpy"}[framework])
    kinds, rng = list(KINDS.values()), np.random.default_rng(seed)
    for number in range(count):
        kind = kinds[number % len(kinds)]
        params, data = kind.draw(rng)
        arrays = {name: _array(framework, value) for name, value in params.items()}
        yield Made(
            loss=kind.loss(xp),
            params=arrays,
            data=tuple(_array(framework, value) for value in data),
            gradient=kind.gradient if framework == "numpy" else None,
        )


def _array(framework: Framework, values: Any) -> Any:
    if framework == "torch":
        import torch

        return torch.from_numpy(np.array(values, dtype=np.float64))
    if framework == "jax":
        import jax
        import jax.numpy as jnp

        with jax.enable_x64(True):
            return jnp.asarray(values, dtype=np.float64)
    return np.asarray(values, dtype=np.float64)


# --- the kinds --------------------------------------------------------------------------------------------------------


def curve(xp: Any) -> Callable[..., Any]:
    """Mean (a exp(−b x) + c − y)²: a curve of three numbers through points."""
    return lambda p, x, y: ((p["a"] * xp.exp(-p["b"] * x) + p["c"] - y) ** 2).mean()


def curve_gradient(p: Arrays, x: Vector, y: Vector) -> Arrays:
    """With e = exp(−b x) and r = 2 (a e + c − y)/m: Σ r e, −Σ r a x e, Σ r."""
    e = np.exp(-p["b"] * x)
    r = 2 * (p["a"] * e + p["c"] - y) / x.size
    return {"a": (r * e).sum(), "b": -(r * p["a"] * x * e).sum(), "c": r.sum()}


def logistic(xp: Any) -> Callable[..., Any]:
    """Mean log(1 + exp(−y (X w + b))): logistic regression with labels of ±1."""
    return lambda p, X, y: xp.log(1 + xp.exp(-y * (X @ p["w"] + p["b"]))).mean()


def logistic_gradient(p: Arrays, X: Vector, y: Vector) -> Arrays:
    """With s = −y/(1 + exp(y z))/m: Xᵀ s, Σ s."""
    s = -y / (1 + np.exp(y * (X @ p["w"] + p["b"]))) / y.size
    return {"w": X.T @ s, "b": s.sum()}


def perceptron(xp: Any) -> Callable[..., Any]:
    """Mean (tanh(X W + b) v − y)²: one hidden layer."""
    return lambda p, X, y: ((xp.tanh(X @ p["W"] + p["b"]) @ p["v"] - y) ** 2).mean()


def perceptron_gradient(p: Arrays, X: Vector, y: Vector) -> Arrays:
    """With A = tanh(X W + b), r = 2 (A v − y)/m and δ = r vᵀ (1 − A²): Xᵀ δ, Σ δ, Aᵀ r."""
    A = np.tanh(X @ p["W"] + p["b"])
    r = 2 * (A @ p["v"] - y) / y.size
    delta = np.outer(r, p["v"]) * (1 - A**2)
    return {"W": X.T @ delta, "b": delta.sum(axis=0), "v": A.T @ r}


def softmax(xp: Any) -> Callable[..., Any]:
    """Mean of log Σ exp z − Σ t z, z = X W + b, with one-hot targets t: softmax regression."""

    def loss(p: Arrays, X: Any, t: Any) -> Any:
        z = X @ p["W"] + p["b"]
        return (xp.log(xp.exp(z).sum(-1)) - (t * z).sum(-1)).mean()

    return loss


def softmax_gradient(p: Arrays, X: Vector, t: Vector) -> Arrays:
    """With δ = (softmax z − t)/m: Xᵀ δ, Σ δ."""
    e = np.exp(X @ p["W"] + p["b"])
    delta = (e / e.sum(-1, keepdims=True) - t) / len(X)
    return {"W": X.T @ delta, "b": delta.sum(axis=0)}


def normalisation(xp: Any) -> Callable[..., Any]:
    """Mean (g x/√(mean x² + 10⁻⁵) − y)² with a gain g and an input x: RMS normalisation."""
    return lambda p, y: ((p["gain"] * p["x"] / xp.sqrt((p["x"] ** 2).mean() + 1e-5) - y) ** 2).mean()


def normalisation_gradient(p: Arrays, y: Vector) -> Arrays:
    """With s = √(mean x² + 10⁻⁵), u = x/s and r = 2 (g u − y)/n: r u, and (r g − u mean(r g u))/s."""
    s = np.sqrt((p["x"] ** 2).mean() + 1e-5)
    u = p["x"] / s
    r = 2 * (p["gain"] * u - y) / y.size
    return {"gain": r * u, "x": (r * p["gain"] - u * (r * p["gain"] * u).mean()) / s}


def _sizes(rng: np.random.Generator, *ranges: tuple[int, int]) -> list[int]:
    return [int(rng.integers(low, high, endpoint=True)) for low, high in ranges]


def _draw_curve(rng: np.random.Generator) -> tuple[Arrays, tuple[Any, ...]]:
    (m,) = _sizes(rng, (5, 12))
    a, b, c = rng.standard_normal(3)
    return {"a": a, "b": abs(b), "c": c}, (rng.random(m), rng.standard_normal(m))


def _draw_logistic(rng: np.random.Generator) -> tuple[Arrays, tuple[Any, ...]]:
    m, n = _sizes(rng, (5, 12), (2, 10))
    return {"w": rng.standard_normal(n), "b": rng.standard_normal()}, (
        rng.standard_normal((m, n)),
        rng.choice([-1.0, 1.0], m),
    )


def _draw_perceptron(rng: np.random.Generator) -> tuple[Arrays, tuple[Any, ...]]:
    m, n, k = _sizes(rng, (4, 8), (2, 5), (2, 5))
    params = {"W": rng.standard_normal((n, k)), "b": rng.standard_normal(k), "v": rng.standard_normal(k)}
    return params, (rng.standard_normal((m, n)), rng.standard_normal(m))


def _draw_softmax(rng: np.random.Generator) -> tuple[Arrays, tuple[Any, ...]]:
    m, n, k = _sizes(rng, (4, 8), (2, 5), (2, 5))
    targets = np.eye(k)[rng.integers(0, k, m)]
    return {"W": rng.standard_normal((n, k)), "b": rng.standard_normal(k)}, (rng.standard_normal((m, n)), targets)


def _draw_normalisation(rng: np.random.Generator) -> tuple[Arrays, tuple[Any, ...]]:
    (n,) = _sizes(rng, (3, 12))
    return {"gain": rng.standard_normal(n), "x": rng.standard_normal(n)}, (rng.standard_normal(n),)


KINDS: dict[str, Kind] = {
    "curve": Kind(curve, curve_gradient, _draw_curve),
    "logistic": Kind(logistic, logistic_gradient, _draw_logistic),
    "perceptron": Kind(perceptron, perceptron_gradient, _draw_perceptron),
    "softmax": Kind(softmax, softmax_gradient, _draw_softmax),
    "normalisation": Kind(normalisation, normalisation_gradient, _draw_normalisation),
}
