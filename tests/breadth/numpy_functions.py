"""NumPy: regressions, likelihoods and other losses, with gradients written by hand.

They write to no array and use NumPy's functions under the name `np` only, so the same source runs with `jax.numpy`
in its place: the tests compare the gradients with `jax.grad`.
"""

from typing import Any

import numpy as np

from tests.breadth.entry import Collection, Draw, Params, integers, normal, one_hot, signs, square, uniform

COLLECTION = Collection("numpy")
gradient_of = COLLECTION.gradient_of
WEIGHTS: dict[str, Draw] = {"w": normal(4), "b": normal()}
X = normal(12, 4)


def sigmoid(z: Any) -> Any:
    """1/(1 + exp(−z))."""
    return 1 / (1 + np.exp(-z))


def line(p: Params, X: Any) -> Any:
    """Return X w + b."""
    return X @ p["w"] + p["b"]


def of_line(delta: Any, X: Any) -> Params:
    """Return the gradient of a mean, from its derivatives with respect to the outputs of the line."""
    return {"w": X.T @ delta / len(X), "b": delta.mean()}


def linear_regression(p: Params, X: Any, y: Any) -> Any:
    """Half the mean squared error."""
    return np.square(line(p, X) - y).mean() / 2


@gradient_of(linear_regression, WEIGHTS, X, normal(12))
def linear_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """Δ = z − y."""
    return of_line(line(p, X) - y, X)


def ridge_regression(p: Params, X: Any, y: Any) -> Any:
    """A penalty of the weights."""
    return linear_regression(p, X, y) + 0.15 * p["w"] @ p["w"]


@gradient_of(ridge_regression, WEIGHTS, X, normal(12))
def ridge_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """The penalty adds 0.3 w, and nothing to the bias."""
    gradient = linear_regression_gradient(p, X, y)
    return {**gradient, "w": gradient["w"] + 0.3 * p["w"]}


def logistic_regression(p: Params, X: Any, y: Any) -> Any:
    """Labels −1 and 1."""
    return np.logaddexp(0.0, -y * line(p, X)).mean()


@gradient_of(logistic_regression, WEIGHTS, X, signs(12))
def logistic_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """Δ = −y σ(−y z)."""
    return of_line(-y * sigmoid(-y * line(p, X)), X)


def poisson_regression(p: Params, X: Any, y: Any) -> Any:
    """Logarithmic rates."""
    z = line(p, X)
    return (np.exp(z) - y * z).mean()


@gradient_of(poisson_regression, WEIGHTS, normal(12, 4, scale=0.5), integers(6, 12))
def poisson_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """Δ = exp z − y."""
    return of_line(np.exp(line(p, X)) - y, X)


def huber_regression(p: Params, X: Any, y: Any) -> Any:
    """Quadratic below 1."""
    error = np.abs(line(p, X) - y)
    return np.where(error < 1, error**2 / 2, error - 0.5).mean()


@gradient_of(huber_regression, WEIGHTS, X, normal(12))
def huber_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """Δ = z − y, clipped."""
    return of_line(np.clip(line(p, X) - y, -1, 1), X)


def squared_hinge(p: Params, X: Any, y: Any) -> Any:
    """A margin of 1, squared."""
    return np.square(np.maximum(0, 1 - y * line(p, X))).mean()


@gradient_of(squared_hinge, WEIGHTS, X, signs(12))
def squared_hinge_gradient(p: Params, X: Any, y: Any) -> Params:
    """Δ = −2 y max(0, 1 − y z)."""
    return of_line(-2 * y * np.maximum(0, 1 - y * line(p, X)), X)


def quantile_regression(p: Params, X: Any, y: Any) -> Any:
    """The pinball loss of the upper quartile."""
    error = y - line(p, X)
    return np.maximum(0.75 * error, -0.25 * error).mean()


@gradient_of(quantile_regression, WEIGHTS, X, normal(12))
def quantile_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """Δ = −0.75 or 0.25."""
    return of_line(np.where(y > line(p, X), -0.75, 0.25), X)


def student_t_regression(p: Params, X: Any, y: Any) -> Any:
    """Heavy tails with four degrees of freedom and a scale of its own."""
    error = (line(p, X) - y) * np.exp(-p["s"])
    return (2.5 * np.log1p(np.square(error) / 4)).mean() + p["s"]


@gradient_of(student_t_regression, {**WEIGHTS, "s": normal()}, X, normal(12))
def student_t_regression_gradient(p: Params, X: Any, y: Any) -> Params:
    """With e = (z − y) exp(−s): Δ = 5 e exp(−s)/(4 + e²), ∂s = 1 − mean 5 e²/(4 + e²)."""
    error = (line(p, X) - y) * np.exp(-p["s"])
    slope = 5 * error / (4 + np.square(error))
    return {**of_line(slope * np.exp(-p["s"]), X), "s": 1 - (slope * error).mean()}


def softmax_regression(p: Params, X: Any, Y: Any) -> Any:
    """One-hot targets."""
    Z = X @ p["W"] + p["b"]
    return (np.log(np.exp(Z).sum(axis=1)) - (Y * Z).sum(axis=1)).mean()


@gradient_of(softmax_regression, {"W": normal(4, 3), "b": normal(3)}, X, one_hot(12, 3))
def softmax_regression_gradient(p: Params, X: Any, Y: Any) -> Params:
    """Δ = softmax(Z) − Y."""
    E = np.exp(X @ p["W"] + p["b"])
    delta = (E / E.sum(axis=1, keepdims=True) - Y) / len(X)
    return {"W": X.T @ delta, "b": delta.sum(axis=0)}


def log_sum_exp(p: Params, A: Any) -> Any:
    """log Σ exp(A w)."""
    return np.log(np.exp(A @ p["w"]).sum())


@gradient_of(log_sum_exp, {"w": normal(5)}, normal(7, 5))
def log_sum_exp_gradient(p: Params, A: Any) -> Params:
    """Aᵀ softmax(A w)."""
    e = np.exp(A @ p["w"])
    return {"w": A.T @ e / e.sum()}


def rosenbrock(p: Params) -> Any:
    """Σ 100 (xᵢ₊₁ − xᵢ²)² + (1 − xᵢ)²."""
    x = p["x"]
    return (100 * np.square(x[1:] - x[:-1] ** 2) + np.square(1 - x[:-1])).sum()


@gradient_of(rosenbrock, {"x": normal(6)})
def rosenbrock_gradient(p: Params) -> Params:
    """Every inner component counts in two terms."""
    x = p["x"]
    valley = x[1:] - x[:-1] ** 2
    left = -400 * x[:-1] * valley - 2 * (1 - x[:-1])
    return {"x": np.concatenate([left, np.zeros(1)]) + np.concatenate([np.zeros(1), 200 * valley])}


def quadratic_form(p: Params, c: Any) -> Any:
    """xᵀ A x/2 − c x: A has no symmetry."""
    return p["x"] @ p["A"] @ p["x"] / 2 - c @ p["x"]


@gradient_of(quadratic_form, {"x": normal(4), "A": square(4)}, normal(4))
def quadratic_form_gradient(p: Params, c: Any) -> Params:
    """(A + Aᵀ) x/2 − c and x xᵀ/2."""
    x, A = p["x"], p["A"]
    return {"x": (A + A.T) @ x / 2 - c, "A": np.outer(x, x) / 2}


def log_determinant(p: Params, S: Any) -> Any:
    """log |A| + tr(S A)."""
    return np.linalg.slogdet(p["A"])[1] + np.trace(S @ p["A"])


@gradient_of(log_determinant, {"A": square(4)}, normal(4, 4))
def log_determinant_gradient(p: Params, S: Any) -> Params:
    """A⁻ᵀ + Sᵀ."""
    return {"A": np.linalg.inv(p["A"]).T + S.T}


def gaussian_likelihood(p: Params, X: Any) -> Any:
    """Minus the mean log-likelihood of independent normals, up to a constant."""
    return (np.square((X - p["mean"]) * np.exp(-p["log_sd"])) / 2 + p["log_sd"]).mean()


@gradient_of(gaussian_likelihood, {"mean": normal(4), "log_sd": normal(4, scale=0.5)}, X)
def gaussian_likelihood_gradient(p: Params, X: Any) -> Params:
    """With e = (x − μ)/σ: −e/σ and 1 − e²."""
    scale = np.exp(-p["log_sd"])
    error = (X - p["mean"]) * scale
    return {"mean": -(error * scale).sum(axis=0) / X.size, "log_sd": (1 - error**2).sum(axis=0) / X.size}


def gaussian_mixture(p: Params, x: Any) -> Any:
    """Minus the mean log-likelihood of a mixture of three normals, up to a constant."""
    error = (x[:, None] - p["mean"]) * np.exp(-p["log_sd"])
    joint = p["logits"] - error**2 / 2 - p["log_sd"]
    return np.log(np.exp(p["logits"]).sum()) - np.log(np.exp(joint).sum(axis=1)).mean()


@gradient_of(gaussian_mixture, {"mean": normal(3), "log_sd": normal(3, scale=0.3), "logits": normal(3)}, normal(20))
def gaussian_mixture_gradient(p: Params, x: Any) -> Params:
    """With the responsibilities r: softmax − r, −r e/σ and r (1 − e²), averaged."""
    scale, prior = np.exp(-p["log_sd"]), np.exp(p["logits"])
    error = (x[:, None] - p["mean"]) * scale
    joint = prior * scale * np.exp(-(error**2) / 2)
    r = joint / joint.sum(axis=1, keepdims=True)
    return {
        "mean": -(r * error * scale).mean(axis=0),
        "log_sd": (r * (1 - error**2)).mean(axis=0),
        "logits": prior / prior.sum() - r.mean(axis=0),
    }


def cox_partial_likelihood(p: Params, X: Any) -> Any:
    """Rows in the order of the events, none censored: each against those still at risk."""
    z = X @ p["w"]
    return (np.log(np.cumsum(np.exp(z)[::-1])[::-1]) - z).mean()


@gradient_of(cox_partial_likelihood, {"w": normal(4)}, X)
def cox_partial_likelihood_gradient(p: Params, X: Any) -> Params:
    """The mean of X over those at risk, minus X of the one."""
    e = np.exp(X @ p["w"])
    at_risk = np.cumsum(e[::-1])[::-1]
    means = np.cumsum((e[:, None] * X)[::-1], axis=0)[::-1] / at_risk[:, None]
    return {"w": (means - X).mean(axis=0)}


def bradley_terry(p: Params, winners: Any, losers: Any) -> Any:
    """Strengths of players; the same player may meet itself, which teaches nothing."""
    return np.logaddexp(0.0, p["strength"][losers] - p["strength"][winners]).mean()


@gradient_of(bradley_terry, {"strength": normal(5)}, integers(5, 9), integers(5, 9))
def bradley_terry_gradient(p: Params, winners: Any, losers: Any) -> Params:
    """σ(s_loser − s_winner), taken from the winner and given to the loser."""
    surprise = sigmoid(p["strength"][losers] - p["strength"][winners]) / len(winners)
    return {"strength": np.eye(5)[losers].T @ surprise - np.eye(5)[winners].T @ surprise}


def autoregression(p: Params, x: Any) -> Any:
    """Each value from the two before it."""
    return np.square(x[2:] - p["a"][0] * x[1:-1] - p["a"][1] * x[:-2] - p["c"]).mean()


@gradient_of(autoregression, {"a": uniform(-0.9, 0.9, 2), "c": normal()}, normal(15))
def autoregression_gradient(p: Params, x: Any) -> Params:
    """−2 e times what e is linear in."""
    e = x[2:] - p["a"][0] * x[1:-1] - p["a"][1] * x[:-2] - p["c"]
    return {"a": -2 * np.stack([(e * x[1:-1]).mean(), (e * x[:-2]).mean()]), "c": -2 * e.mean()}
