"""Functions whose gradient is zero at θ although its terms are not: minima, and gradients that vanish analytically.

The minima are those of maximum-likelihood fits and of a small network, found to the last digits by SciPy.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from scipy.optimize import minimize, root

from benchmarks.suites.scale_case import ScaleCase
from xcheck.layout import Vector

_EXAMPLES, _FEATURES = 40, 4
_HIDDEN = 3


def _erf(xp: Any) -> Callable[[Any], Any]:
    """Return the error function of an array module."""
    if xp.__name__ == "numpy":
        import scipy.special

        return scipy.special.erf
    if xp.__name__ == "torch":
        return xp.special.erf
    import jax.scipy.special

    return jax.scipy.special.erf


def _at_optimum(start: Vector, data: tuple[Any, ...], gradient: Callable[..., Vector]) -> Vector:
    """Return the θ near `start` at which the gradient is zero to the last digits."""
    return np.asarray(root(lambda x: gradient(x, *data), start, tol=1e-15).x)


def _fit(
    rng: np.random.Generator, loss: Callable[..., Any], residual: Callable[[Vector, Vector], Vector], draw: Any
) -> ScaleCase:
    """Return the maximum-likelihood fit of a linear model: the mean of loss(X θ, y), with slopes residual(z, y)."""
    X = rng.standard_normal((_EXAMPLES, _FEATURES)) * 10.0 ** rng.uniform(-1, 1, _FEATURES)
    X[:, 0] = 1.0
    true = rng.standard_normal(_FEATURES) / np.abs(X).max(axis=0)
    y = draw(X @ true, rng)

    def gradient(x: Vector, X: Vector, y: Vector) -> Vector:
        return np.asarray(X.T @ residual(X @ x, y) / _EXAMPLES)

    theta = _at_optimum(true, (X, y), gradient)
    return ScaleCase(
        theta=theta,
        data=(X, y),
        loss=lambda xp, x, X, y: loss(xp, X @ x, y).mean(),
        gradient=gradient,
        terms=np.abs(X * residual(X @ theta, y)[:, None]).mean(axis=0),
    )


def _signs(z: Vector, rng: np.random.Generator) -> Vector:
    """Return labels ±1, a third of them at random, so that nothing separates them."""
    return np.where(rng.random(len(z)) < 1 / 3, rng.choice([-1.0, 1.0], len(z)), np.where(z > 0, 1.0, -1.0))


def logit(rng: np.random.Generator) -> ScaleCase:
    """Logistic regression at its maximum likelihood."""
    return _fit(
        rng,
        lambda xp, z, y: xp.log1p(xp.exp(-y * z)),
        lambda z, y: np.asarray(-y / (1 + np.exp(y * z))),
        _signs,
    )


def probit(rng: np.random.Generator) -> ScaleCase:
    """Probit regression at its maximum likelihood."""

    def residual(z: Vector, y: Vector) -> Vector:
        from scipy.stats import norm

        return np.asarray(-y * norm.pdf(z) / norm.cdf(y * z))

    return _fit(rng, lambda xp, z, y: -xp.log(0.5 * (1 + _erf(xp)(y * z / 2**0.5))), residual, _signs)


def poisson(rng: np.random.Generator) -> ScaleCase:
    """Poisson regression at its maximum likelihood."""
    return _fit(
        rng,
        lambda xp, z, y: xp.exp(z) - y * z,
        lambda z, y: np.asarray(np.exp(z) - y),
        lambda z, rng: rng.poisson(np.exp(np.clip(z, -2, 2))).astype(float),
    )


def least_squares(rng: np.random.Generator) -> ScaleCase:
    """Linear least squares at the minimum."""
    return _fit(
        rng,
        lambda xp, z, y: (z - y) ** 2 / 2,
        lambda z, y: np.asarray(z - y),
        lambda z, rng: z + rng.standard_normal(len(z)),
    )


def normal_likelihood(rng: np.random.Generator) -> ScaleCase:
    """μ and log σ of a normal distribution at their maximum likelihood."""
    y = 10.0 ** rng.uniform(-2, 2) * rng.standard_normal(_EXAMPLES) + rng.uniform(-5, 5)
    theta = np.array([y.mean(), np.log(y.std())])

    def gradient(x: Vector, y: Vector) -> Vector:
        r = (y - x[0]) / np.exp(x[1])
        return np.array([-r.mean() / np.exp(x[1]), 1 - (r**2).mean()])

    return ScaleCase(
        theta=theta,
        data=(y,),
        loss=lambda xp, x, y: x[1] + (((y - x[0]) / xp.exp(x[1])) ** 2).mean() / 2,
        gradient=gradient,
        terms=np.array([np.abs(y - y.mean()).mean() / y.var(), 1.0]),
    )


def rosenbrock(rng: np.random.Generator) -> ScaleCase:
    """Rosenbrock's function of four variables at its minimum, where it is zero."""

    def gradient(x: Vector, a: Vector) -> Vector:
        inner, found = x[1:] - x[:-1] ** 2, np.zeros(len(x))
        found[:-1] = -4 * a * x[:-1] * inner - 2 * (1 - x[:-1])
        found[1:] += 2 * a * inner
        return found

    a = 10.0 ** rng.uniform(0, 3, 1)
    # Every term of the gradient is zero by itself: an error is compared with the bend, 4a, times a step of 1e-3.
    return ScaleCase(
        theta=np.ones(4),
        data=(a,),
        loss=lambda xp, x, a: (a * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum(),
        gradient=gradient,
        terms=np.full(4, 4e-3 * float(a[0])),
    )


def trained_network(rng: np.random.Generator) -> ScaleCase:
    """A network of three tanh units, trained to the end with a small penalty."""
    X, size = rng.standard_normal((_EXAMPLES, 2)), 4 * _HIDDEN + 1
    y = np.sin(X[:, 0]) + 0.3 * rng.standard_normal(_EXAMPLES)

    def loss(xp: Any, x: Any, X: Any, y: Any) -> Any:
        z = X @ x[: 2 * _HIDDEN].reshape(2, _HIDDEN) + x[2 * _HIDDEN : 3 * _HIDDEN]
        out = xp.tanh(z) @ x[3 * _HIDDEN : 4 * _HIDDEN] + x[4 * _HIDDEN]
        return ((out - y) ** 2).mean() / 2 + 0.005 * (x**2).sum()

    def per_example(x: Vector, X: Vector, y: Vector) -> Vector:
        w1, b1, w2 = x[: 2 * _HIDDEN].reshape(2, _HIDDEN), x[2 * _HIDDEN : 3 * _HIDDEN], x[3 * _HIDDEN : 4 * _HIDDEN]
        hidden = np.tanh(X @ w1 + b1)
        residual = hidden @ w2 + x[-1] - y
        delta = residual[:, None] * w2 * (1 - hidden**2)
        weights = (X[:, :, None] * delta[:, None, :]).reshape(len(X), -1)
        return np.hstack([weights, delta, residual[:, None] * hidden, residual[:, None]])

    def gradient(x: Vector, X: Vector, y: Vector) -> Vector:
        return np.asarray(per_example(x, X, y).mean(axis=0) + 0.01 * x)

    start = minimize(lambda x: float(loss(np, x, X, y)), rng.standard_normal(size), jac=lambda x: gradient(x, X, y)).x
    theta = _at_optimum(np.asarray(start), (X, y), gradient)
    terms = np.abs(per_example(theta, X, y)).mean(axis=0) + 0.01 * np.abs(theta)
    return ScaleCase(theta=theta, data=(X, y), loss=loss, gradient=gradient, terms=terms)


# --- gradients that vanish analytically -------------------------------------------------------------------------------


def batch_norm_along_itself(rng: np.random.Generator) -> ScaleCase:
    """Σ vₑ (θₑ − mean)/std with v = θ at this point: the normalised output cannot move along itself."""
    theta = 10.0 ** rng.uniform(-2, 2) * rng.standard_normal(6) + rng.uniform(-1, 1)

    def gradient(x: Vector, v: Vector) -> Vector:
        centred, std = x - x.mean(), x.std()
        unit = centred / std
        return np.asarray((v - v.mean() - unit * (v * unit).mean()) / std)

    return ScaleCase(
        theta=theta,
        data=(theta.copy(),),
        loss=lambda xp, x, v: (v * (x - x.mean()) / ((x - x.mean()) ** 2).mean() ** 0.5).sum(),
        gradient=gradient,
        terms=np.abs(theta) / theta.std(),
    )


def rms_norm_of_width_one(rng: np.random.Generator) -> ScaleCase:
    """Σ vᵢ θᵢ/√(θᵢ²): each output is a sign."""
    theta, v = 10.0 ** rng.uniform(-2, 2) * rng.uniform(0.5, 2.0, 4) * rng.choice([-1.0, 1.0], 4), rng.normal(size=4)
    return ScaleCase(
        theta=theta,
        data=(v,),
        loss=lambda xp, x, v: (v * x / xp.sqrt(x**2)).sum(),
        gradient=lambda x, v: np.zeros(len(x)),
        terms=np.abs(v / theta),
    )


def sum_of_softmax(rng: np.random.Generator) -> ScaleCase:
    """c Σ softmax(θ): the sum is one."""
    theta, c = rng.standard_normal(5), 10.0 ** rng.uniform(-2, 2, 1)
    p = np.exp(theta) / np.exp(theta).sum()
    return ScaleCase(
        theta=theta,
        data=(c,),
        loss=lambda xp, x, c: (c * xp.exp(x) / xp.exp(x).sum()).sum(),
        gradient=lambda x, c: np.zeros(len(x)),
        terms=float(c[0]) * p * (1 - p),
    )


STATIONARY: Mapping[str, Callable[[np.random.Generator], ScaleCase]] = {
    "logit": logit,
    "probit": probit,
    "Poisson": poisson,
    "least squares": least_squares,
    "normal likelihood": normal_likelihood,
    "Rosenbrock": rosenbrock,
    "trained network": trained_network,
    "batch norm along itself": batch_norm_along_itself,
    "RMSNorm of width one": rms_norm_of_width_one,
    "sum of softmax": sum_of_softmax,
}
