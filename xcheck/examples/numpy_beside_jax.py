"""A backward pass by hand beside JAX: one head of attention, loss and gradient in plain NumPy.

What one learns: write the loss twice, the gradient once, and get three opinions: JAX's, one's own, and that of the
differences, which are the judge. Where two functions disagree, the report says who stands alone. `buggy` forgets the
scale 1/√d on the way back to the keys, and on that way only: the gradient of K is exactly twice too large (d = 4), and
those of Q and V are right.
"""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import xcheck


def jax_loss(params: dict[str, Any], X: Any, Y: Any) -> Any:
    """Half the mean squared error of softmax(X Q (X K)ᵀ/√d) X V."""
    queries, keys, values = (X @ params[name] for name in ("Q", "K", "V"))
    weights = jax.nn.softmax(queries @ keys.T / jnp.sqrt(keys.shape[1]), axis=1)
    return jnp.sum((weights @ values - Y) ** 2) / (2 * len(X))


def attended(params: dict[str, Any], X: Any) -> Any:
    """Return queries, keys, values and the attention weights A."""
    queries, keys, values = (X @ params[name] for name in ("Q", "K", "V"))
    scores = queries @ keys.T / np.sqrt(keys.shape[1])
    E = np.exp(scores - scores.max(axis=1, keepdims=True))
    return queries, keys, values, E / E.sum(axis=1, keepdims=True)


def numpy_loss(params: dict[str, Any], X: Any, Y: Any) -> Any:
    """Return the same in NumPy."""
    _, _, values, A = attended(params, X)
    return np.square(A @ values - Y).sum() / (2 * len(X))


def numpy_gradient(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
    """Back through the values, the softmax, A ∘ (dA − Σ dA ∘ A), and the scaled scores."""
    queries, keys, values, A = attended(params, X)
    scale = 1 / np.sqrt(keys.shape[1])
    error = (A @ values - Y) / len(X)
    dA = error @ values.T
    scores = A * (dA - (dA * A).sum(axis=1, keepdims=True))
    return {"Q": X.T @ (scores @ keys * scale), "K": X.T @ (scores.T @ queries * scale), "V": X.T @ (A.T @ error)}


def unscaled_gradient(params: dict[str, Any], X: Any, Y: Any) -> dict[str, Any]:
    """Return the gradient with the keys' 1/√d forgotten."""
    found = numpy_gradient(params, X, Y)
    return {**found, "K": found["K"] * np.sqrt(params["K"].shape[1])}


def compared(gradient: Any) -> xcheck.Case:
    """Return both versions, at a random point."""
    rng = np.random.default_rng(0)
    params = {name: rng.normal(size=(3, 4)) for name in ("Q", "K", "V")}
    data = rng.normal(size=(5, 3)), rng.normal(size=(5, 4))
    objectives = {
        "numpy": xcheck.objective(numpy_loss, "numpy", gradient=gradient),
        "jax": xcheck.objective(jax_loss, "jax"),
    }
    return xcheck.Case(objectives=objectives, params=params, data=data)


@xcheck.case
def right() -> xcheck.Case:
    """Queries and keys are both scaled."""
    return compared(numpy_gradient)


@xcheck.case
def buggy() -> xcheck.Case:
    """The keys are not."""
    return compared(unscaled_gradient)
