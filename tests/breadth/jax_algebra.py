"""jax: linear algebra, indexing, losses and attention."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import jax.scipy as jsp
from jax import nn

from tests.breadth.entry import Collection, Draw, Params, integers, normal, one_hot, signs, square, uniform
from tests.breadth.jax_functions import weigh

COLLECTION = Collection("jax")
add = COLLECTION.add


def positive(A: Any) -> Any:
    """Return A Aᵀ + I."""
    return A @ A.T + jnp.eye(len(A), dtype=A.dtype)


MATRICES: dict[str, Callable[[Any], Any]] = {
    "inv": jnp.linalg.inv,
    "det": jnp.linalg.det,
    "slogdet": lambda A: jnp.linalg.slogdet(A)[1],
    "cholesky": lambda A: jnp.linalg.cholesky(positive(A)),
    "eigvalsh": lambda A: jnp.linalg.eigvalsh(A + A.T),
    "svdvals": lambda A: jnp.linalg.svd(A, compute_uv=False),
    "singular_subspace": lambda A: abs(jnp.linalg.svd(A)[0][:, 0]),
    "qr": lambda A: jnp.linalg.qr(A)[1],
    "lu": lambda A: jsp.linalg.lu(A)[2],
    "pinv": lambda A: jnp.linalg.pinv(A[:, :2]),
    "frobenius_norm": jnp.linalg.norm,
    "spectral_norm": lambda A: jnp.linalg.norm(A, 2),
    "nuclear_norm": lambda A: jnp.linalg.norm(A, "nuc"),
    "matrix_power": lambda A: jnp.linalg.matrix_power(A / 3, 3),
    "expm": lambda A: jsp.linalg.expm(A / 3),
    "kron": lambda A: jnp.kron(A, A.T),
    "sort": lambda A: jnp.cumsum(jnp.sort(A, axis=1), axis=1),
    "top_k": lambda A: jax.lax.top_k(A, 2)[0] ** 2,
    "median": lambda A: jnp.median(A, axis=0),
    "cumsum": lambda A: jnp.tanh(jnp.cumsum(A, axis=0)),
    "cumprod": lambda A: jnp.cumprod(A, axis=1),
    "logsumexp": lambda A: jsp.special.logsumexp(A, axis=1),
    "max": lambda A: A.max(axis=0),
    "std": lambda A: A.std(axis=0, ddof=1),
    "clip": lambda A: jnp.clip(A, -0.2, 2.9),
    "where": lambda A: jnp.where(A > 0, jnp.log1p(jnp.abs(A)), A**2),
    "roll_tril": lambda A: jnp.sin(jnp.tril(jnp.roll(A, 1, axis=0))),
    "rfft": lambda A: jnp.abs(jnp.fft.rfft(A)) ** 2,
    "einsum": lambda A: jnp.einsum("ij,kj,ki->k", A, A, jnp.cos(A)),
    "arctan2": lambda A: jnp.arctan2(A, 1 + A.T**2),
}


def of_matrix(function: Callable[[Any], Any]) -> Callable[..., Any]:
    """Return the loss of a function of one square matrix."""
    return lambda p: weigh(jnp.asarray(function(p["A"])))


for _name, _function in MATRICES.items():
    COLLECTION.put(_name, of_matrix(_function), {"A": square(4)})

VECTOR: dict[str, Draw] = {"A": square(4), "b": normal(4)}


@add(VECTOR)
def solve(p: Params) -> Any:
    """A x = b."""
    return weigh(jnp.linalg.solve(p["A"], p["b"]))


@add(VECTOR)
def solve_triangular(p: Params) -> Any:
    """The lower triangle of A only."""
    return weigh(jsp.linalg.solve_triangular(p["A"], p["b"], lower=True))


@add(VECTOR)
def cho_solve(p: Params) -> Any:
    """A positive matrix by its Cholesky factor."""
    return weigh(jsp.linalg.cho_solve(jsp.linalg.cho_factor(positive(p["A"])), p["b"]))


@add({"knots": normal(6)}, uniform(0.2, 4.8, 5))
def interp(p: Params, x: Any) -> Any:
    """Piecewise linear in x, linear in the values."""
    return weigh(jnp.sin(jnp.interp(x, jnp.arange(6, dtype=x.dtype), p["knots"])))


@add({"z": normal(8), "w": normal(3)}, integers(3, 8))
def segment_sum(p: Params, segments: Any) -> Any:
    """Sums into bins."""
    return weigh(jnp.tanh(jax.ops.segment_sum(p["z"], segments, 3)) * p["w"])


@add({"table": normal(6, 3)}, integers(6, 5))
def take(p: Params, index: Any) -> Any:
    """Rows that the index does not name have a zero gradient."""
    return weigh(jnp.exp(jnp.take(p["table"], index, axis=0)))


@add({"a": normal(6), "b": normal(2)})
def at_set(p: Params) -> Any:
    """Entries are replaced, and others are added to."""
    return weigh(jnp.sin(p["a"].at[1:3].set(p["b"]).at[4].add(p["b"][0] * p["a"][1])))


@add({"a": normal(5), "b": normal(4)})
def convolve(p: Params) -> Any:
    """Of two parameters."""
    return weigh(jnp.tanh(jnp.convolve(p["a"], p["b"])))


@add({"a": normal(5, 2), "b": normal(4, 2)})
def vmapped(p: Params) -> Any:
    """A kernel of all pairs."""
    kernel = jax.vmap(jax.vmap(lambda a, b: jnp.exp(-((a - b) ** 2).sum()), (None, 0)), (0, None))
    return weigh(kernel(p["a"], p["b"]))


@add({"W": normal(3, 2), "v": normal(2)}, normal(3))
def gradient_penalty(p: Params, x: Any) -> Any:
    """A gradient with respect to the data, inside the loss."""
    return jnp.square(jax.grad(lambda x: p["v"] @ jnp.tanh(x @ p["W"]))(x)).sum()


# --- models ---------------------------------------------------------------------------------------------------------

MAP: dict[str, Draw] = {"W": normal(4, 3), "b": normal(3)}
INPUT = normal(6, 4)


@add(MAP, INPUT, one_hot(6, 3))
def softmax_cross_entropy(p: Params, x: Any, y: Any) -> Any:
    """One-hot targets."""
    return -(y * nn.log_softmax(x @ p["W"] + p["b"])).sum(1).mean()


@add(MAP, INPUT, integers(3, 6))
def smoothed_cross_entropy(p: Params, x: Any, y: Any) -> Any:
    """Class numbers, one-hot made here, smoothed."""
    targets = 0.9 * nn.one_hot(y, 3, dtype=x.dtype) + 0.1 / 3
    return -(targets * nn.log_softmax(x @ p["W"] + p["b"])).sum(1).mean()


@add(MAP, INPUT, signs(6, 3))
def logistic_loss(p: Params, x: Any, y: Any) -> Any:
    """log(1 + exp(−y z))."""
    return jnp.logaddexp(0.0, -y * (x @ p["W"] + p["b"])).mean()


@add(MAP, INPUT, normal(6, 3))
def huber_loss(p: Params, x: Any, y: Any) -> Any:
    """Quadratic below 1."""
    error = jnp.abs(x @ p["W"] + p["b"] - y)
    return jnp.where(error < 1, error**2 / 2, error - 0.5).mean()


@add({**MAP, "gain": normal(3), "offset": normal(3)}, INPUT)
def layer_norm(p: Params, x: Any) -> Any:
    """Normalised over the features."""
    z = x @ p["W"] + p["b"]
    z = (z - z.mean(1, keepdims=True)) / jnp.sqrt(z.var(1, keepdims=True) + 1e-5)
    return weigh(p["gain"] * z + p["offset"])


ATTENTION: dict[str, Draw] = {"Q": normal(3, 4), "K": normal(3, 4), "V": normal(3, 4)}


@add({**ATTENTION, "k": normal(4)}, normal(5, 3))
def causal_attention(p: Params, x: Any) -> Any:
    """One head and its mask; the gradient of the keys' bias is zero: only rounding is left of it."""
    scores = (x @ p["Q"]) @ (x @ p["K"] + p["k"]).T / 2
    scores = jnp.where(jnp.tril(jnp.ones((5, 5), dtype=bool)), scores, -jnp.inf)
    return weigh(nn.softmax(scores) @ (x @ p["V"]))


@add(ATTENTION, normal(1, 4, 3), single_inside=True)
def dot_product_attention(p: Params, x: Any) -> Any:
    """Two heads of two units: JAX computes the scores in float32, whatever the arrays are."""
    heads = [(x @ p[name]).reshape(1, 4, 2, 2) for name in "QKV"]
    return weigh(nn.dot_product_attention(*heads))


@add({"mean": normal(3), "L": square(3)}, normal(5, 3))
def multivariate_normal(p: Params, x: Any) -> Any:
    """Minus the log-likelihood."""
    return -jsp.stats.multivariate_normal.logpdf(x, p["mean"], positive(p["L"])).mean()


@add({"W": normal(3, 4), "v": normal(4)}, normal(5, 3))
def stopped_statistics(p: Params, x: Any) -> Any:
    """A right stop_gradient: softmax shifted by a maximum that does not matter."""
    z = x @ p["W"]
    e = jnp.exp(z - jax.lax.stop_gradient(z.max(1, keepdims=True)))
    return weigh(e / e.sum(1, keepdims=True) @ p["v"])
