"""Losses of NumPy arrays as people write them, each with parameters: the table that traces are tried on."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from typing import Any

import numpy as np
from scipy import special

R = np.random.default_rng(12)
X = R.normal(size=(6, 4))
Y = R.normal(size=6)
LABELS = np.array([0, 2, 1, 2, 0, 1])
ONEHOT = np.eye(3)[LABELS]
SIGNS = np.array([1.0, -1.0, 1.0, 1.0, -1.0, -1.0])
V = R.normal(size=5)
POSITIVE = R.uniform(0.5, 2.0, size=5)
M = R.normal(size=(4, 4))
SPD = M @ M.T + 4 * np.eye(4)
POINTS = R.normal(size=(5, 3))

CASES: dict[str, tuple[Callable[..., Any], Any]] = {}


def case(**params: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Put a loss into the table, with its parameters; one that is called `x` is handed over alone."""

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        CASES[function.__name__.removeprefix("_")] = (function, params["x"] if list(params) == ["x"] else params)
        return function

    return register


# --- losses -----------------------------------------------------------------------------------------------------------


@case(w=V[:4], b=0.3)
def _mean_squared_error(p: Any) -> Any:
    return np.mean((X @ p["w"] + p["b"] - Y) ** 2)


@case(x=V[:4])
def _mean_absolute_error(w: Any) -> Any:
    return np.abs(X.dot(w) - Y).mean()


@case(x=V[:4])
def _huber(w: Any, delta: float = 0.7) -> Any:
    r = Y - X @ w
    small = np.abs(r) <= delta
    return np.sum(np.where(small, 0.5 * r**2, delta * (np.abs(r) - 0.5 * delta)))


@case(x=V[:4])
def _log_cosh(w: Any) -> Any:
    return np.sum(np.log(np.cosh(X @ w - Y)))


@case(x=V[:4])
def _quantile_loss(w: Any, q: float = 0.8) -> Any:
    e = Y - X @ w
    return np.mean(np.maximum(q * e, (q - 1) * e))


@case(x=V[:4])
def _hinge(w: Any) -> Any:
    return np.maximum(0, 1 - SIGNS * (X @ w)).mean() + 0.01 * np.dot(w, w)


@case(x=V[:4])
def _logistic_with_logaddexp(w: Any) -> Any:
    return np.logaddexp(0, -SIGNS * (X @ w)).mean()


@case(x=V[:4])
def _logistic_with_clip(w: Any) -> Any:
    p = 1 / (1 + np.exp(-(X @ w)))
    p = np.clip(p, 1e-12, 1 - 1e-12)
    y = (SIGNS + 1) / 2
    return -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))


@case(x=V[:4])
def _logistic_with_expit(w: Any) -> Any:
    return -np.log(special.expit(SIGNS * X.dot(w))).sum()


@case(W=R.normal(size=(4, 3)), b=R.normal(size=3))
def _softmax_cross_entropy(p: Any) -> Any:
    z = X @ p["W"] + p["b"]
    z = z - z.max(axis=1, keepdims=True)
    logp = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    return -logp[np.arange(len(LABELS)), LABELS].mean()


@case(x=R.normal(size=(4, 3)))
def _softmax_with_one_hot(W: Any) -> Any:
    e = np.exp(X @ W)
    probabilities = e / np.sum(e, axis=-1, keepdims=True)
    return -np.mean(np.sum(ONEHOT * np.log(probabilities + 1e-9), axis=1))


@case(x=R.normal(size=(4, 3)))
def _focal_loss(W: Any, gamma: float = 2.0) -> Any:
    z = X @ W
    e = np.exp(z - np.max(z, axis=1)[:, None])
    p = (e / e.sum(1)[:, None])[range(6), LABELS]
    return -((1 - p) ** gamma * np.log(p)).mean()


@case(x=V[:3])
def _kl_divergence(z: Any) -> Any:
    q = np.exp(z) / np.exp(z).sum()
    target = np.array([0.2, 0.5, 0.3])
    return np.sum(special.rel_entr(target, q))


@case(mu=V[:3], log_var=V[2:])
def _kl_of_gaussians(p: Any) -> Any:
    return -0.5 * np.sum(1 + p["log_var"] - np.square(p["mu"]) - np.exp(p["log_var"]))


@case(x=V[:4])
def _poisson_regression(w: Any) -> Any:
    counts = np.array([0, 1, 3, 2, 0, 1])
    eta = X @ w
    return np.sum(np.exp(eta) - counts * eta + special.gammaln(counts + 1))


@case(x=np.array([0.3, 1.2]))
def _negative_binomial(p: Any) -> Any:
    counts = np.array([0, 1, 3, 2, 0, 1])
    r, mu = np.exp(p[0]), np.exp(p[1])
    ll = special.gammaln(counts + r) - special.gammaln(r) - special.gammaln(counts + 1)
    return -(ll + r * np.log(r / (r + mu)) + counts * np.log(mu / (r + mu))).sum()


@case(x=R.normal(size=(3, 4)))
def _triplet_loss(e: Any) -> Any:
    a, p, n = e
    return max(0.0, np.sum((a - p) ** 2) - np.sum((a - n) ** 2) + 5.0)


@case(x=R.normal(size=(4, 3)))
def _contrastive_cosine(e: Any) -> Any:
    unit = e / np.linalg.norm(e, axis=1, keepdims=True)
    similarity = unit @ unit.T / 0.5
    off = similarity[~np.eye(4, dtype=bool)].reshape(4, 3)
    return np.mean(np.log(np.sum(np.exp(off), axis=1)))


@case(x=R.uniform(0.1, 0.9, size=(3, 3)))
def _dice_loss(p: Any) -> Any:
    t = np.tri(3)
    return 1 - 2 * (p * t).sum() / (np.sum(p * p) + t.sum())


@case(x=V[:4])
def _elastic_net(w: Any) -> Any:
    return ((X @ w - Y) ** 2).sum() / (2 * len(Y)) + 0.1 * np.abs(w).sum() + 0.05 * np.linalg.norm(w) ** 2


@case(x=V)
def _margin_ranking(s: Any) -> Any:
    differences = s[:, None] - s[None, :]
    return np.sum(np.maximum(0.3 - differences, 0.0)[np.triu_indices(5, 1)])


# --- networks by hand -------------------------------------------------------------------------------------------------


@case(W1=R.normal(size=(4, 5)), b1=R.normal(size=5), W2=R.normal(size=(5, 1)), b2=R.normal(size=1))
def _mlp_tanh(p: Any) -> Any:
    h = np.tanh(X @ p["W1"] + p["b1"])
    return np.mean((h @ p["W2"] + p["b2"] - Y[:, None]) ** 2)


@case(layers=[{"W": R.normal(size=(4, 5)), "b": R.normal(size=5)}, {"W": R.normal(size=(5, 3)), "b": R.normal(size=3)}])
def _mlp_in_a_loop(p: Any) -> Any:
    h = X
    for i, layer in enumerate(p["layers"]):
        h = h @ layer["W"] + layer["b"]
        if i < len(p["layers"]) - 1:
            h = np.maximum(h, 0)
    h -= h.max(1, keepdims=True)
    return -(h[np.arange(6), LABELS] - np.log(np.exp(h).sum(1))).mean()


@case(x=R.normal(size=(4, 5)))
def _relu_by_mask(W: Any) -> Any:
    h = X @ W
    h[h < 0] = 0
    return (h**2).sum()


@case(x=R.normal(size=(4, 5)))
def _relu_by_product(W: Any) -> Any:
    h = X @ W
    return np.sum(h * (h > 0))


@case(x=R.normal(size=(4, 5)))
def _gelu(W: Any) -> Any:
    h = X @ W
    return np.sum(0.5 * h * (1 + special.erf(h / np.sqrt(2))))


@case(x=R.normal(size=(4, 5)))
def _gelu_with_tanh(W: Any) -> Any:
    h = X @ W
    return np.sum(0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3))))


@case(x=R.normal(size=(4, 5)))
def _swish_and_softplus(W: Any) -> Any:
    h = X @ W
    return np.mean(h / (1 + np.exp(-h))) + np.mean(np.log1p(np.exp(h)))


@case(x=R.normal(size=(4, 5)))
def _leaky_relu_and_elu(W: Any) -> Any:
    h = X @ W
    return np.where(h > 0, h, 0.01 * h).sum() + np.where(h > 0, h, np.expm1(np.minimum(h, 0))).mean()


@case(x=R.normal(size=(6, 4)))
def _layer_norm(x: Any, eps: float = 1e-5) -> Any:
    mu = np.mean(x, axis=-1, keepdims=True)
    var = np.var(x, axis=-1, keepdims=True)
    return np.sum((x - mu) / np.sqrt(var + eps) * X)


@case(g=R.normal(size=4), b=R.normal(size=4), h=R.normal(size=(6, 4)))
def _batch_norm(p: Any) -> Any:
    z = (p["h"] - p["h"].mean(0)) / np.sqrt(p["h"].var(0) + 1e-5)
    return np.sum(np.tanh(p["g"] * z + p["b"]))


@case(x=R.normal(size=(4, 6)))
def _group_norm(h: Any) -> Any:
    parts = h.reshape(4, 2, 3)
    parts = (parts - parts.mean(axis=2, keepdims=True)) / (parts.std(axis=2, keepdims=True) + 1e-3)
    return (parts.reshape(4, 6) ** 3).sum()


@case(q=R.normal(size=(2, 3, 4)), k=R.normal(size=(2, 3, 4)), v=R.normal(size=(2, 3, 4)))
def _attention_einsum(p: Any) -> Any:
    scores = np.einsum("bqd,bkd->bqk", p["q"], p["k"]) / np.sqrt(4)
    mask = np.triu(np.ones((3, 3)), 1).astype(bool)
    scores = np.where(mask, -np.inf, scores)
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    weights /= weights.sum(-1, keepdims=True)
    return np.einsum("bqk,bkd->bqd", weights, p["v"]).sum() ** 2


@case(Wq=R.normal(size=(4, 4)), Wk=R.normal(size=(4, 4)), Wv=R.normal(size=(4, 4)))
def _attention_heads(p: Any) -> Any:
    def split(x: Any) -> Any:
        return x.reshape(6, 2, 2).transpose(1, 0, 2)

    q, k, v = split(X @ p["Wq"]), split(X @ p["Wk"]), split(X @ p["Wv"])
    a = q @ k.swapaxes(-1, -2) / math.sqrt(2)
    a = np.exp(a) / np.exp(a).sum(axis=-1, keepdims=True)
    return np.mean((a @ v).transpose(1, 0, 2).reshape(6, 4) ** 2)


@case(Wx=R.normal(size=(4, 3)), Wh=R.normal(size=(3, 3)), b=R.normal(size=3))
def _recurrent_network(p: Any) -> Any:
    h = np.zeros(3)
    for x in X:
        h = np.tanh(x @ p["Wx"] + h @ p["Wh"] + p["b"])
    return h.sum() ** 2


@case(W=0.5 * R.normal(size=(7, 12)), b=R.normal(size=12))
def _lstm(p: Any) -> Any:
    h, c = np.zeros(3), np.zeros(3)
    for t in range(4):
        z = np.concatenate([X[t], h]) @ p["W"] + p["b"]
        i, f, o, g = np.split(z, 4)
        c = special.expit(f) * c + special.expit(i) * np.tanh(g)
        h = special.expit(o) * np.tanh(c)
    return np.sum(h * h)


@case(k=R.normal(size=(2, 2)))
def _convolution_in_loops(p: Any) -> Any:
    image = SPD
    total = 0.0
    for i in range(3):
        for j in range(3):
            total += np.tanh(np.sum(image[i : i + 2, j : j + 2] * p["k"]))
    return total


@case(x=R.normal(size=(2, 2)))
def _convolution_into_an_array(k: Any) -> Any:
    out = np.zeros((3, 3))
    for i in range(3):
        for j in range(3):
            out[i, j] = np.sum(SPD[i : i + 2, j : j + 2] * k)
    return np.mean(np.maximum(out, 0) ** 2)


@case(x=R.normal(size=(4, 4)))
def _max_pooling(x: Any) -> Any:
    return np.sum(x.reshape(2, 2, 2, 2).max(axis=(1, 3)) ** 2)


@case(E=R.normal(size=(5, 3)), W=R.normal(size=3))
def _embedding(p: Any) -> Any:
    return np.tanh(p["E"][np.array([0, 3, 3, 1])] @ p["W"]).sum()


@case(x=R.normal(size=(4, 3)))
def _dropout_with_a_fixed_mask(W: Any) -> Any:
    mask = np.random.default_rng(0).random((6, 3)) < 0.7
    return np.sum(np.tanh(X @ W) * mask / 0.7)


# --- physics ----------------------------------------------------------------------------------------------------------


@case(x=POINTS)
def _lennard_jones(p: Any) -> Any:
    energy = 0
    for i in range(len(p)):
        for j in range(i + 1, len(p)):
            r2 = np.sum((p[i] - p[j]) ** 2)
            energy += 4 * ((1 / r2) ** 6 - (1 / r2) ** 3)
    return energy


@case(x=POINTS)
def _coulomb_vectorized(p: Any) -> Any:
    d = p[:, np.newaxis, :] - p[np.newaxis, :, :]
    i, j = np.triu_indices(5, k=1)
    return (1.0 / np.sqrt((d**2).sum(-1)[i, j])).sum()


@case(x=V)
def _ising_mean_field(m: Any) -> Any:
    t = np.tanh(m)
    return -np.sum(t * np.roll(t, 1)) + 0.5 * np.sum((1 + t) * np.log((1 + t) / 2) + (1 - t) * np.log((1 - t) / 2))


@case(x=np.array([0.3, -0.2, 0.5, 0.1]))
def _double_pendulum_energy(s: Any) -> Any:
    a, b, va, vb = s
    kinetic = va**2 + 0.5 * vb**2 + va * vb * np.cos(a - b)
    return kinetic - 2 * 9.81 * np.cos(a) - 9.81 * np.cos(b)


@case(x=np.array([1.0, 0.1, 0.0, 0.9]))
def _kepler_by_leapfrog(s: Any) -> Any:
    q, v = s[:2].copy(), s[2:].copy()
    for _ in range(20):
        v += 0.5 * 0.05 * (-q / np.linalg.norm(q) ** 3)
        q += 0.05 * v
        v += 0.5 * 0.05 * (-q / np.linalg.norm(q) ** 3)
    return 0.5 * v @ v - 1 / np.linalg.norm(q)


@case(x=np.array([1.1, 0.4, 0.3]))
def _predator_prey_rk4(p: Any) -> Any:
    def f(y: Any) -> Any:
        return np.array([p[0] * y[0] - p[1] * y[0] * y[1], p[2] * y[0] * y[1] - y[1]])

    y, h = np.array([1.0, 0.5]), 0.1
    for _ in range(10):
        k1 = f(y)
        k2 = f(y + h / 2 * k1)
        k3 = f(y + h / 2 * k2)
        k4 = f(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return np.sum((y - 1) ** 2)


@case(x=R.normal(size=8))
def _heat_equation(u: Any) -> Any:
    u = u.copy()
    for _ in range(5):
        u[1:-1] = u[1:-1] + 0.2 * (u[2:] - 2 * u[1:-1] + u[:-2])
    return np.sum(u**2)


@case(x=R.normal(size=8))
def _periodic_advection(u: Any) -> Any:
    for _ in range(4):
        u = u - 0.3 * (u - np.roll(u, 1))
    return np.dot(u, np.arange(8.0))


@case(x=V[:3])
def _rotation_of_points(angles: Any) -> Any:
    a, b, c = angles
    rx = np.array([[1, 0, 0], [0, np.cos(a), -np.sin(a)], [0, np.sin(a), np.cos(a)]])
    rz = np.array([[np.cos(c), -np.sin(c), 0], [np.sin(c), np.cos(c), 0], [0, 0, 1]])
    return np.sum((POINTS @ (rx @ rz).T - b) ** 2)


@case(x=np.array([0.4, 0.3, -0.2, 0.8]))
def _quaternion(q: Any) -> Any:
    w, x, y, z = q / np.sqrt(np.sum(q**2))
    v = np.array([1.0, 2.0, 3.0])
    u = np.stack([x, y, z])
    return np.sum(v + 2 * np.cross(u, np.cross(u, v) + w * v)) ** 2


@case(x=V)
def _spring_chain(x: Any) -> Any:
    stretch = np.diff(x) - 0.5
    return 0.5 * np.sum(stretch**2) + 0.25 * np.sum(x**4)


@case(x=np.array([0.7, 1.2]))
def _bragg_and_geometry(p: Any) -> Any:
    return np.arctan2(p[0], p[1]) + np.hypot(p[0], p[1]) + np.arcsin(p[0] / 2) * np.arccos(p[1] / 2)


# --- statistics -------------------------------------------------------------------------------------------------------


@case(mu=0.2, log_sigma=-0.1)
def _gaussian_likelihood(p: Any) -> Any:
    sigma = np.exp(p["log_sigma"])
    return 0.5 * np.sum(((Y - p["mu"]) / sigma) ** 2) + len(Y) * (np.log(sigma) + 0.5 * np.log(2 * np.pi))


@case(pi=V[:2], mu=R.normal(size=2), s=POSITIVE[:2])
def _gaussian_mixture(p: Any) -> Any:
    logits = p["pi"] - special.logsumexp(p["pi"])
    log_density = -0.5 * ((Y[:, None] - p["mu"]) / p["s"]) ** 2 - np.log(p["s"])
    joint = logits + log_density
    top = joint.max(axis=1, keepdims=True)
    return -(top[:, 0] + np.log(np.exp(joint - top).sum(axis=1))).sum()


@case(x=np.array([2.0, 3.0]))
def _beta_likelihood(p: Any) -> Any:
    data = np.array([0.2, 0.4, 0.7])
    a, b = p
    return -np.sum(
        (a - 1) * np.log(data)
        + (b - 1) * np.log1p(-data)
        - (special.gammaln(a) + special.gammaln(b) - special.gammaln(a + b))
    )


@case(x=np.array([0.3, 0.1, 4.0]))
def _student_t(p: Any) -> Any:
    mu, log_s, nu = p
    z = (Y - mu) / np.exp(log_s)
    constant = special.gammaln((nu + 1) / 2) - special.gammaln(nu / 2) - 0.5 * np.log(nu * np.pi)
    return -np.sum(constant - log_s - (nu + 1) / 2 * np.log1p(z**2 / nu))


@case(x=R.normal(size=(6, 3)))
def _covariance_and_correlation(z: Any) -> Any:
    return np.sum(np.cov(z.T) ** 2) + np.corrcoef(z, rowvar=False)[0, 1]


@case(x=V)
def _skewness_and_kurtosis(x: Any) -> Any:
    z = (x - x.mean()) / x.std(ddof=1)
    return np.mean(z**3) + np.mean(z**4) - 3


@case(x=V)
def _median_and_quantiles(x: Any) -> Any:
    return np.median(x) ** 2 + np.quantile(x, 0.3) - np.percentile(x, 90) + np.ptp(x)


@case(x=V)
def _trimmed_mean(x: Any) -> Any:
    return np.sort(x)[1:-1].mean() ** 2


@case(x=V)
def _gini(x: Any) -> Any:
    s = np.sort(np.abs(x))
    n = len(s)
    return np.sum((2 * np.arange(1, n + 1) - n - 1) * s) / (n * s.sum())


@case(x=V[:3])
def _weighted_average(z: Any) -> Any:
    w = np.exp(z)
    return np.average(np.array([1.0, 4.0, 2.0]), weights=w)


@case(x=V)
def _order_by_argsort(x: Any) -> Any:
    return np.sum(x[np.argsort(x)] * np.arange(5)) + x[np.argmax(x)] * x[x.argmin()]


@case(x=V)
def _entropy_of_softmax(z: Any) -> Any:
    p = special.softmax(z)
    return -np.sum(special.xlogy(p, p))


@case(a=V, b=POSITIVE)
def _autoregressive(p: Any) -> Any:
    residual = p["a"][1:] - 0.5 * p["a"][:-1]
    return np.sum(residual**2 / p["b"][1:]) + np.log(p["b"]).sum()


@case(x=np.array([0.1, 0.2, 0.7]))
def _garch(p: Any) -> Any:
    omega, alpha, beta = p
    variance, total = 1.0, 0.0
    for r in Y:
        variance = omega + alpha * r**2 + beta * variance
        total += np.log(variance) + r**2 / variance
    return 0.5 * total


@case(x=V[:3])
def _hidden_markov_forward(z: Any) -> Any:
    A = np.exp(z) / np.exp(z).sum()
    alpha: Any = A * 0.3
    for emission in np.abs(X[:, :3]):
        alpha = emission * (alpha @ np.outer(np.ones(3), A))
    return -np.log(alpha.sum())


# --- splines, polynomials, sums ---------------------------------------------------------------------------------------


@case(x=V)
def _polynomial_by_horner(c: Any) -> Any:
    t = np.linspace(-1, 1, 6)
    y = np.zeros_like(t)
    for a in c[::-1]:
        y = y * t + a
    return np.sum((y - Y) ** 2)


@case(x=V)
def _polynomial_by_vander(c: Any) -> Any:
    return np.sum((np.vander(np.linspace(-1, 1, 6), 5) @ c - np.polyval(c, 0.3)) ** 2)


@case(x=V)
def _linear_interpolation(y: Any) -> Any:
    return np.sum(np.interp(np.array([0.5, 1.7, 3.2]), np.arange(5.0), y) ** 2)


@case(x=np.array([0.5, 1.7, 3.2]))
def _interpolation_by_its_place(t: Any) -> Any:
    return np.sum(np.interp(t, np.arange(5.0), V) ** 2)


@case(x=np.array([0.45, 1.7, 3.2]))
def _cubic_spline_basis(t: Any) -> Any:
    total: Any = 0.0
    for knot in range(5):
        u = np.abs(t - knot)
        inner = 2 / 3 - u**2 + u**3 / 2
        outer = (2 - u) ** 3 / 6
        total += V[knot] * np.where(u < 1, inner, np.where(u < 2, outer, 0.0))
    return (total**2).sum()


@case(x=V)
def _fourier_series(c: Any) -> Any:
    t = np.linspace(0, 1, 7)
    return np.trapezoid(sum(a * np.sin(2 * np.pi * (k + 1) * t) for k, a in enumerate(c)) ** 2, t)


@case(x=V)
def _moving_average(x: Any) -> Any:
    smooth = np.convolve(x, np.ones(3) / 3, mode="valid")
    return np.sum(smooth**2) + np.sum(np.correlate(x, [1.0, -1.0]) ** 2)


@case(x=V)
def _cumulative_sums(x: Any) -> Any:
    return np.cumsum(x)[-1] ** 2 + np.cumprod(x).sum() + np.maximum.accumulate(x).sum()


@case(x=V)
def _padded_and_tiled(x: Any) -> Any:
    return np.sum(np.pad(x, (1, 2)) * np.pad(x, (2, 1), mode="reflect")) + np.sum(np.tile(x, 2) * np.repeat(x, 2))


@case(x=SPD)
def _moves_of_a_matrix(a: Any) -> Any:
    b = np.vstack([a[::2], np.flip(a, 0)[:1]])
    c = np.tril(a) @ np.triu(a, 1) + np.diag(np.diag(a))
    return b.sum() + np.trace(c) + np.rot90(a)[0].prod() + np.moveaxis(a[None], 0, -1).squeeze().T.ravel()[3]


@case(x=V)
def _golden_recursion(x: Any) -> Any:
    def f(n: Any) -> Any:
        return x[n % 5] if n < 2 else 0.7 * f(n - 1) + np.sin(f(n - 2))

    return f(7)


@case(x=1.7)
def _newton_for_a_root(a: Any) -> Any:
    y = 1.0
    while abs(y * y - a) > 1e-10:
        y = 0.5 * (y + a / y)
    return y


@case(x=2.5)
def _collatz_like_branches(x: Any) -> Any:
    for _ in range(6):
        x = x / 2 if x > 2 else 3 * x - 1
    return x


@case(x=V)
def _reduce_and_list(x: Any) -> Any:
    parts = [np.sin(v) * k for k, v in enumerate(x)]
    return reduce(lambda a, b: a * 0.5 + b, parts) + np.sum(np.array(parts)) + sum(parts) ** 2


@case(a=1.2, b=0.7)
def _rosenbrock(p: Any) -> Any:
    return (1 - p["a"]) ** 2 + 100 * (p["b"] - p["a"] ** 2) ** 2


@case(x=V)
def _ackley(x: Any) -> Any:
    n = len(x)
    return -20 * np.exp(-0.2 * np.sqrt(np.sum(x**2) / n)) - np.exp(np.sum(np.cos(2 * np.pi * x)) / n) + 20 + np.e


@case(x=V)
def _rastrigin(x: Any) -> Any:
    return 10 * x.size + np.sum(x**2 - 10 * np.cos(2 * np.pi * x))


# --- in place -------------------------------------------------------------------------------------------------------


@case(x=V)
def _updates_in_place(x: Any) -> Any:
    y = x.copy()
    y *= 2
    y[1] += y[0]
    y[2:] -= 0.5
    y[y > 1] = 1.0
    np.multiply(y, y, out=y)
    return y.sum()


@case(x=SPD)
def _views_are_written(a: Any) -> Any:
    b = a.copy()
    row = b[0]
    row *= 2
    b.T[1] += row
    b.reshape(-1)[::5] = 1.0
    return np.sum(b * M)


@case(x=V)
def _filled_array(x: Any) -> Any:
    out = np.empty(6)
    out[0] = 0.0
    out[1:] = x
    for i in range(1, 6):
        out[i] += 0.3 * out[i - 1]
    return out @ out


@case(x=V)
def _state_space_filled(x: Any) -> Any:
    states = np.zeros((6, 2))
    for t in range(5):
        states[t + 1, 0] = 0.9 * states[t, 0] + x[t]
        states[t + 1, 1] = states[t, 1] * 0.5 + np.tanh(states[t, 0])
    return np.mean(states**2)


@case(x=V)
def _sum_of_parts_in_place(x: Any) -> Any:
    total = np.zeros(3)
    for i in range(3):
        total += x[i : i + 3] * x[i]
    return total.max()


@case(x=V)
def _scatter_by_add_at(x: Any) -> Any:
    bins = np.zeros(3)
    np.add.at(bins, np.array([0, 1, 1, 2, 0]), x**2)
    return np.sum(bins**2)


@case(x=V)
def _scatter_by_bincount(x: Any) -> Any:
    return np.sum(np.bincount([0, 1, 1, 2, 0], weights=x, minlength=4) ** 2)


@case(x=V)
def _divided_where_possible(x: Any) -> Any:
    d = np.array([1.0, 0.0, 2.0, 0.0, 3.0])
    return np.sum(np.divide(x, d, out=np.zeros_like(x), where=d != 0) ** 2)


@case(x=V)
def _masked_sums(x: Any) -> Any:
    chosen = x[x > 0]
    return chosen.sum() ** 2 + chosen.size + np.mean(x, where=x < 0) + np.count_nonzero(x > 0)


@case(x=V)
def _choices(x: Any) -> Any:
    return np.sum(np.select([x < -1, x < 0], [x**2, -x], np.sin(x))) + np.heaviside(x, 0.5) @ x + np.sign(x).sum()


# --- numbers of Python ------------------------------------------------------------------------------------------------


@case(x=V[:4])
def _returned_as_float(w: Any) -> Any:
    return float(np.mean((X @ w - Y) ** 2))


@case(x=V[:4])
def _returned_by_item(w: Any) -> Any:
    loss = np.mean((X @ w - Y) ** 2)
    return loss.item()


@case(a=0.4, b=1.3)
def _formulas_of_math(p: Any) -> Any:
    return math.exp(-p["a"]) * math.sin(p["b"]) + math.sqrt(p["a"] * p["b"])


@case(x=V)
def _comparison_in_a_loop(x: Any) -> Any:
    total = 0.0
    for v in x:
        if v > 0:
            total += v**2
        elif v < -0.5:
            total -= 3 * v
    return total


@case(x=V)
def _float_on_the_way(x: Any) -> Any:
    scale = float(np.max(np.abs(x)))
    return np.sum((x / scale) ** 2)


@dataclass
class Model:
    """A model that people write as a class."""

    W: Any
    b: Any

    def predict(self, x: Any) -> Any:
        """Return the prediction."""
        return np.tanh(x @ self.W + self.b)


@case(W=V[:4], b=0.1)
def _model_as_an_object(p: Any) -> Any:
    return np.mean((Model(p["W"], p["b"]).predict(X) - Y) ** 2)


# --- matrices ---------------------------------------------------------------------------------------------------------


@case(x=V[:3])
def _kernel_matrix(t: Any) -> Any:
    d2 = np.sum(POINTS**2, 1)[:, None] + np.sum(POINTS**2, 1)[None] - 2 * np.inner(POINTS, POINTS)
    K = np.exp(t[0]) * np.exp(-0.5 * np.maximum(d2, 0) / np.exp(2 * t[1])) + np.exp(t[2]) * np.eye(5)
    return V @ K @ V + np.trace(K) + np.tensordot(K, K, 2)


@case(u=R.normal(size=(4, 2)), v=R.normal(size=(2, 4)))
def _matrix_factorization(p: Any) -> Any:
    return np.sum((SPD - p["u"] @ p["v"])[M > 0] ** 2) + 0.1 * (np.vdot(p["u"], p["u"]) + np.linalg.norm(p["v"], "fro"))


@case(x=R.normal(size=(3, 4)))
def _norms(a: Any) -> Any:
    return (
        np.linalg.norm(a)
        + np.linalg.norm(a, 1)
        + np.linalg.norm(a, axis=0).sum()
        + np.linalg.norm(a[0], 3)
        + np.linalg.norm(a.ravel(), np.inf)
    )


@case(x=R.normal(size=(2, 2)))
def _kronecker_and_powers(a: Any) -> Any:
    return np.kron(a, np.eye(2)).sum() + np.linalg.matrix_power(a, 3).sum() + np.einsum("ii", a) + np.outer(a, a).mean()
