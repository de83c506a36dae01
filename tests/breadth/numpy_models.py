"""NumPy: networks, kernels, factorisations and differential equations, with gradients written by hand.

The same rules as in `numpy_functions`: no array is written to, and the source also runs with `jax.numpy` as `np`.
"""

from typing import Any

import numpy as np

from tests.breadth.entry import Collection, Draw, Params, normal, one_hot, signs, uniform

COLLECTION = Collection("numpy")
gradient_of = COLLECTION.gradient_of
MLP: dict[str, Draw] = {"W1": normal(4, 5), "b1": normal(5), "W2": normal(5, 2), "b2": normal(2)}


def tanh_mlp(p: Params, X: Any, Y: Any) -> Any:
    """Half the mean squared error of one hidden layer."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    return np.square(a @ p["W2"] + p["b2"] - Y).sum() / (2 * len(X))


@gradient_of(tanh_mlp, MLP, normal(8, 4), normal(8, 2))
def tanh_mlp_gradient(p: Params, X: Any, Y: Any) -> Params:
    """tanh' = 1 − a²."""
    a = np.tanh(X @ p["W1"] + p["b1"])
    above = (a @ p["W2"] + p["b2"] - Y) / len(X)
    below = (above @ p["W2"].T) * (1 - a**2)
    return {"W1": X.T @ below, "b1": below.sum(axis=0), "W2": a.T @ above, "b2": above.sum(axis=0)}


def relu_mlp(p: Params, X: Any, Y: Any) -> Any:
    """Cross-entropy of one hidden layer."""
    Z = np.maximum(0, X @ p["W1"] + p["b1"]) @ p["W2"] + p["b2"]
    return (np.log(np.exp(Z).sum(axis=1)) - (Y * Z).sum(axis=1)).mean()


@gradient_of(relu_mlp, MLP, normal(8, 4), one_hot(8, 2))
def relu_mlp_gradient(p: Params, X: Any, Y: Any) -> Params:
    """relu' = [z > 0]."""
    z = X @ p["W1"] + p["b1"]
    a = np.maximum(0, z)
    E = np.exp(a @ p["W2"] + p["b2"])
    above = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    below = (above @ p["W2"].T) * (z > 0)
    return {"W1": X.T @ below, "b1": below.sum(axis=0), "W2": a.T @ above, "b2": above.sum(axis=0)}


def layer_norm(p: Params, X: Any, Y: Any) -> Any:
    """Normalised over the features, then compared with targets."""
    Z = X @ p["W"]
    Z = (Z - Z.mean(axis=1, keepdims=True)) / np.sqrt(Z.var(axis=1, keepdims=True) + 1e-3)
    return np.square(p["gain"] * Z + p["offset"] - Y).mean() / 2


@gradient_of(layer_norm, {"W": normal(3, 5), "gain": normal(5), "offset": normal(5)}, normal(6, 3), normal(6, 5))
def layer_norm_gradient(p: Params, X: Any, Y: Any) -> Params:
    """Through n = (z − mean)/sd: (δ − mean δ − n mean(δ n))/sd."""
    Z = X @ p["W"]
    sd = np.sqrt(Z.var(axis=1, keepdims=True) + 1e-3)
    n = (Z - Z.mean(axis=1, keepdims=True)) / sd
    upstream = (p["gain"] * n + p["offset"] - Y) / Y.size
    delta = upstream * p["gain"]
    delta = (delta - delta.mean(axis=1, keepdims=True) - n * (delta * n).mean(axis=1, keepdims=True)) / sd
    return {"W": X.T @ delta, "gain": (upstream * n).sum(axis=0), "offset": upstream.sum(axis=0)}


def attention(p: Params, X: Any, Y: Any) -> Any:
    """One head, compared with targets."""
    S = (X @ p["Q"]) @ (X @ p["K"]).T
    A = np.exp(S) / np.exp(S).sum(axis=1, keepdims=True)
    return np.square(A @ X @ p["V"] - Y).mean() / 2


@gradient_of(
    attention,
    {"Q": normal(3, 2, scale=0.5), "K": normal(3, 2, scale=0.5), "V": normal(3, 2)},
    normal(5, 3),
    normal(5, 2),
)
def attention_gradient(p: Params, X: Any, Y: Any) -> Params:
    """Through the softmax: A (δ − Σ A δ)."""
    q, k, v = X @ p["Q"], X @ p["K"], X @ p["V"]
    A = np.exp(q @ k.T)
    A = A / A.sum(axis=1, keepdims=True)
    upstream = (A @ v - Y) / Y.size
    delta = upstream @ v.T
    delta = A * (delta - (A * delta).sum(axis=1, keepdims=True))
    return {"Q": X.T @ (delta @ k), "K": X.T @ (delta.T @ q), "V": X.T @ (A.T @ upstream)}


def convolution(p: Params, x: Any, y: Any) -> Any:
    """One dimension, valid, compared with targets."""
    return np.square(np.convolve(x, p["kernel"], mode="valid") + p["bias"] - y).mean() / 2


@gradient_of(convolution, {"kernel": normal(4), "bias": normal()}, normal(12), normal(9))
def convolution_gradient(p: Params, x: Any, y: Any) -> Params:
    """The correlation of the error with x, back to front."""
    error = (np.convolve(x, p["kernel"], mode="valid") + p["bias"] - y) / len(y)
    return {"kernel": np.convolve(x, error[::-1], mode="valid")[::-1], "bias": error.sum()}


def cosine_similarity(p: Params) -> Any:
    """Of two vectors."""
    return p["a"] @ p["b"] / np.sqrt((p["a"] @ p["a"]) * (p["b"] @ p["b"]))


@gradient_of(cosine_similarity, {"a": normal(5), "b": normal(5)})
def cosine_similarity_gradient(p: Params) -> Params:
    """(b/|b| − cos a/|a|)/|a|, and the same for b."""
    a, b = p["a"] / np.sqrt(p["a"] @ p["a"]), p["b"] / np.sqrt(p["b"] @ p["b"])
    cosine = a @ b
    return {"a": (b - cosine * a) / np.sqrt(p["a"] @ p["a"]), "b": (a - cosine * b) / np.sqrt(p["b"] @ p["b"])}


def triplet_loss(p: Params, A: Any, P: Any, N: Any) -> Any:
    """Squared distances of linear embeddings, a margin of 1."""
    near, far = np.square((A - P) @ p["W"]).sum(axis=1), np.square((A - N) @ p["W"]).sum(axis=1)
    return np.maximum(0, near - far + 1).mean()


@gradient_of(triplet_loss, {"W": normal(4, 3)}, normal(7, 4), normal(7, 4), normal(7, 4))
def triplet_loss_gradient(p: Params, A: Any, P: Any, N: Any) -> Params:
    """2 (dᵀd − eᵀe) W over the triplets inside the margin."""
    near, far = (A - P) @ p["W"], (A - N) @ p["W"]
    active = (np.square(near).sum(axis=1) - np.square(far).sum(axis=1) + 1 > 0)[:, None] * 2 / len(A)
    return {"W": (A - P).T @ (active * near) - (A - N).T @ (active * far)}


def matrix_factorisation(p: Params, R: Any, seen: Any) -> Any:
    """Squared error of the entries that were seen, and a penalty."""
    error = (p["U"] @ p["V"].T - R) * (seen > 0)
    return np.square(error).sum() / 2 + 0.05 * (np.square(p["U"]).sum() + np.square(p["V"]).sum())


@gradient_of(matrix_factorisation, {"U": normal(5, 2), "V": normal(4, 2)}, normal(5, 4), signs(5, 4))
def matrix_factorisation_gradient(p: Params, R: Any, seen: Any) -> Params:
    """E V + 0.1 U and Eᵀ U + 0.1 V."""
    error = (p["U"] @ p["V"].T - R) * (seen > 0)
    return {"U": error @ p["V"] + 0.1 * p["U"], "V": error.T @ p["U"] + 0.1 * p["V"]}


def factorisation_machine(p: Params, X: Any, y: Any) -> Any:
    """A line and all products of two features."""
    products = (np.square(X @ p["V"]) - np.square(X) @ np.square(p["V"])).sum(axis=1) / 2
    return np.square(X @ p["w"] + products - y).mean() / 2


@gradient_of(factorisation_machine, {"w": normal(4), "V": normal(4, 3)}, normal(9, 4), normal(9))
def factorisation_machine_gradient(p: Params, X: Any, y: Any) -> Params:
    """For V: Xᵀ (δ X V) − V Xᵀ² δ."""
    products = (np.square(X @ p["V"]) - np.square(X) @ np.square(p["V"])).sum(axis=1) / 2
    delta = (X @ p["w"] + products - y) / len(X)
    return {
        "w": X.T @ delta,
        "V": X.T @ (delta[:, None] * (X @ p["V"])) - p["V"] * (np.square(X).T @ delta)[:, None],
    }


def distances(X: Any, centres: Any) -> Any:
    """Return all squared distances."""
    return np.square(X[:, None, :] - centres[None]).sum(axis=2)


def kmeans_distortion(p: Params, X: Any) -> Any:
    """The squared distance to the nearest centre."""
    return distances(X, p["centres"]).min(axis=1).mean()


@gradient_of(kmeans_distortion, {"centres": normal(3, 2)}, normal(15, 2))
def kmeans_distortion_gradient(p: Params, X: Any) -> Params:
    """2 (centre − x) over the points that are nearest to it."""
    nearest = np.eye(3)[distances(X, p["centres"]).argmin(axis=1)]
    return {"centres": 2 * (nearest.sum(axis=0)[:, None] * p["centres"] - nearest.T @ X) / len(X)}


def gaussian_process(p: Params, X: Any, y: Any) -> Any:
    """Minus the log marginal likelihood, up to a constant; logarithms of amplitude, length and noise."""
    K = np.exp(2 * p["amplitude"] - distances(X, X) * np.exp(-2 * p["length"]) / 2)
    K = K + np.exp(2 * p["noise"]) * np.eye(len(X))
    return (y @ np.linalg.solve(K, y) + np.linalg.slogdet(K)[1]) / 2


SCALES: dict[str, Draw] = {"amplitude": normal(scale=0.3), "length": normal(scale=0.3), "noise": normal(scale=0.3)}


@gradient_of(gaussian_process, SCALES, normal(7, 2), normal(7))
def gaussian_process_gradient(p: Params, X: Any, y: Any) -> Params:
    """tr((K⁻¹ − α αᵀ) ∂K)/2 with α = K⁻¹ y."""
    D = distances(X, X) * np.exp(-2 * p["length"])
    smooth, noise = np.exp(2 * p["amplitude"] - D / 2), np.exp(2 * p["noise"]) * np.eye(len(X))
    inverse = np.linalg.inv(smooth + noise)
    M = inverse - np.outer(inverse @ y, inverse @ y)
    return {"amplitude": (M * smooth).sum(), "length": (M * smooth * D).sum() / 2, "noise": (M * noise).sum()}


def ising_pseudo_likelihood(p: Params, S: Any) -> Any:
    """Every spin given the others; the couplings' diagonal and their antisymmetric part don't count."""
    J = (p["J"] + p["J"].T) / 2 * (1 - np.eye(len(p["h"])))
    return np.logaddexp(0.0, -2 * S * (S @ J + p["h"])).sum() / len(S)


@gradient_of(ising_pseudo_likelihood, {"J": normal(4, 4, scale=0.5), "h": normal(4)}, signs(10, 4))
def ising_pseudo_likelihood_gradient(p: Params, S: Any) -> Params:
    """Δ = −2 s σ(−2 s field), symmetrised for J."""
    off = 1 - np.eye(len(p["h"]))
    field = S @ ((p["J"] + p["J"].T) / 2 * off) + p["h"]
    delta = -2 * S / (1 + np.exp(2 * S * field)) / len(S)
    return {"J": (S.T @ delta + delta.T @ S) / 2 * off, "h": delta.sum(axis=0)}


def logistic_growth(p: Params, t: Any, y: Any) -> Any:
    """A curve K/(1 + exp(−r (t − t₀))), fitted."""
    return np.square(p["K"] / (1 + np.exp(-p["r"] * (t - p["t0"]))) - y).sum()


CURVE: dict[str, Draw] = {"K": uniform(1, 3), "r": uniform(0.5, 2), "t0": normal()}


@gradient_of(logistic_growth, CURVE, normal(10), uniform(0, 3, 10))
def logistic_growth_gradient(p: Params, t: Any, y: Any) -> Params:
    """With the share s = 1/(1 + …): s, K s (1 − s)(t − t₀) and −K s (1 − s) r."""
    s = 1 / (1 + np.exp(-p["r"] * (t - p["t0"])))
    error = 2 * (p["K"] * s - y)
    slope = error * p["K"] * s * (1 - s)
    return {"K": (error * s).sum(), "r": (slope * (t - p["t0"])).sum(), "t0": -p["r"] * slope.sum()}


def euler_states(p: Params, steps: int = 8, h: float = 0.2) -> list[Any]:
    """Return the states of z' = tanh(A z), by Euler's method."""
    states = [p["z"]]
    for _ in range(steps):
        states = [*states, states[-1] + h * np.tanh(p["A"] @ states[-1])]
    return states


def euler_steps(p: Params, target: Any) -> Any:
    """The distance of the last state from a target."""
    return np.square(euler_states(p)[-1] - target).sum() / 2


@gradient_of(euler_steps, {"A": normal(3, 3), "z": normal(3)}, normal(3))
def euler_steps_gradient(p: Params, target: Any) -> Params:
    """The adjoint, backwards through the steps."""
    states, h, A = euler_states(p), 0.2, p["A"]
    adjoint, sum_A = states[-1] - target, np.zeros((3, 3))
    for state in states[-2::-1]:
        delta = h * adjoint * (1 - np.tanh(A @ state) ** 2)
        sum_A = sum_A + np.outer(delta, state)
        adjoint = adjoint + A.T @ delta
    return {"A": sum_A, "z": adjoint}


def spline(p: Params, x: Any, y: Any) -> Any:
    """A truncated cubic basis with knots that move."""
    basis = np.maximum(0, x[:, None] - p["knots"]) ** 3
    return np.square(basis @ p["c"] - y).mean() / 2


@gradient_of(spline, {"c": normal(4), "knots": uniform(-1, 1, 4)}, uniform(-1.5, 1.5, 14), normal(14))
def spline_gradient(p: Params, x: Any, y: Any) -> Params:
    """The basis itself, and −3 c (x − knot)₊²."""
    hinge = np.maximum(0, x[:, None] - p["knots"])
    error = (hinge**3 @ p["c"] - y) / len(x)
    return {"c": (hinge**3).T @ error, "knots": -3 * p["c"] * ((hinge**2).T @ error)}
