"""Functions whose slopes are hard to measure: parameters of all sizes, narrow features, edges, huge constants.

Each kind is a loss in whichever array module it is given (NumPy, torch, JAX), with its gradient by hand in NumPy. The
sizes are drawn on a logarithmic scale.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from xcheck.layout import Vector

# Small enough to be quick, and more than one size in each tensor.
_COMPONENTS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ScaleCase:
    """One function at one θ.

    Attributes:
        theta: θ, shape (n,).
        data: arrays that the loss is given beside θ.
        loss: (array module, θ, *data) -> J, a number.
        gradient: (θ, *data) -> ∇J in NumPy, shape (n,).
        terms: what cancels in each component of the gradient, shape (n,); its own size where nothing does.
        numpy_only: whether the loss knows NumPy alone.
    """

    theta: Vector
    data: tuple[Any, ...]
    loss: Callable[..., Any]
    gradient: Callable[..., Vector]
    terms: Vector
    numpy_only: bool = False


def _powers(rng: np.random.Generator, low: float, high: float, count: int = _COMPONENTS) -> Vector:
    return np.asarray(10.0 ** rng.uniform(low, high, count))


def _together(rng: np.random.Generator, low: float, high: float) -> Vector:
    """Return sizes of one magnitude, a decade apart at most."""
    return np.asarray(10.0 ** rng.uniform(low, high) * 10.0 ** rng.uniform(-0.5, 0.5, _COMPONENTS))


def _mixed(rng: np.random.Generator, low: float, high: float) -> Vector:
    """Return sizes of one magnitude in half of the cases, and of all magnitudes in the others."""
    return _together(rng, low, high) if rng.random() < 0.5 else _powers(rng, low, high)


def _separable(
    theta: Vector,
    data: tuple[Any, ...],
    term: Callable[..., Any],
    slope: Callable[..., Vector],
    *,
    numpy_only: bool = False,
) -> ScaleCase:
    """Return Σ term(θᵢ): its gradient has the components slope(θᵢ), in which nothing cancels."""
    return ScaleCase(
        theta=theta,
        data=data,
        loss=lambda xp, x, *data: term(xp, x, *data).sum(),
        gradient=slope,
        terms=np.abs(slope(theta, *data)),
        numpy_only=numpy_only,
    )


# --- one size, or many ------------------------------------------------------------------------------------------------


def sizes_in_one_tensor(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ sin(θᵢ/sᵢ), with sᵢ from 1e-12 to 1e12."""
    s, w = _powers(rng, -12, 12), rng.standard_normal(_COMPONENTS)
    theta = s * rng.standard_normal(_COMPONENTS)
    return _separable(
        theta, (s, w), lambda xp, x, s, w: w * xp.sin(x / s), lambda x, s, w: np.asarray(w / s * np.cos(x / s))
    )


def squares_in_one_tensor(rng: np.random.Generator) -> ScaleCase:
    """Σ (θᵢ/sᵢ − cᵢ)², with sᵢ from 1e-12 to 1e12."""
    s, c = _powers(rng, -12, 12), rng.standard_normal(_COMPONENTS)
    theta = s * rng.standard_normal(_COMPONENTS)
    return _separable(theta, (s, c), lambda xp, x, s, c: (x / s - c) ** 2, lambda x, s, c: 2 * (x / s - c) / s)


def small_parameters(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ exp(−(θᵢ/s)²), with s from 1e-12 to 1e-3."""
    s, w = _together(rng, -12, -3), rng.standard_normal(_COMPONENTS)
    theta = s * rng.uniform(0.3, 1.5, _COMPONENTS)
    return _separable(
        theta,
        (s, w),
        lambda xp, x, s, w: w * xp.exp(-((x / s) ** 2)),
        lambda x, s, w: np.asarray(-2 * w * x / s**2 * np.exp(-((x / s) ** 2))),
    )


def large_parameters(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ tanh(θᵢ − cᵢ), with cᵢ from 1e3 to 1e8."""
    c, w = np.round(_mixed(rng, 3, 8)), rng.standard_normal(_COMPONENTS)
    theta = c + rng.standard_normal(_COMPONENTS)
    return _separable(
        theta, (c, w), lambda xp, x, c, w: w * xp.tanh(x - c), lambda x, c, w: np.asarray(w / np.cosh(x - c) ** 2)
    )


def scaled_loss(rng: np.random.Generator) -> ScaleCase:
    """K Σ sin θᵢ, with K from 1e-30 to 1e30."""
    k = _powers(rng, -30, 30, 1)
    theta = rng.standard_normal(_COMPONENTS)
    return _separable(theta, (k,), lambda xp, x, k: k * xp.sin(x), lambda x, k: np.asarray(k * np.cos(x)))


def large_constant(rng: np.random.Generator) -> ScaleCase:
    """C + Σ wᵢ sin θᵢ, with C from 1e3 to 1e9."""
    c, w = _powers(rng, 3, 9, 1) / _COMPONENTS, rng.uniform(0.5, 2.0, _COMPONENTS)
    theta = rng.standard_normal(_COMPONENTS)
    return _separable(theta, (c, w), lambda xp, x, c, w: c + w * xp.sin(x), lambda x, c, w: np.asarray(w * np.cos(x)))


# --- features narrower than a step ------------------------------------------------------------------------------------


def pseudo_huber(rng: np.random.Generator) -> ScaleCase:
    """Σ √(d² + θᵢ²), with d from 1e-9 to 1e-3, and θ inside and outside of the bend."""
    d, times = _mixed(rng, -9, -3), 10.0 ** rng.uniform(0, 2)
    theta = d * times * rng.standard_normal(_COMPONENTS)
    return _separable(
        theta, (d,), lambda xp, x, d: xp.sqrt(d**2 + x**2), lambda x, d: np.asarray(x / np.sqrt(d**2 + x**2))
    )


def sharp_softplus(rng: np.random.Generator) -> ScaleCase:
    """Σ softplus(β θᵢ)/β, with β from 1e3 to 1e9, and θ within the bend."""
    beta = _mixed(rng, 3, 9)
    theta = rng.standard_normal(_COMPONENTS) / beta
    return _separable(
        theta,
        (beta,),
        lambda xp, x, beta: (0.5 * (beta * x + abs(beta * x)) + xp.log1p(xp.exp(-abs(beta * x)))) / beta,
        lambda x, beta: np.asarray(1 / (1 + np.exp(-beta * x))),
    )


def narrow_in_broad(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ²/2 + wᵢ tanh((θᵢ − cᵢ)/d), with d from 1e-7 to 1e-3, and θ within the step."""
    d, w = _mixed(rng, -7, -3), rng.standard_normal(_COMPONENTS)
    c = rng.standard_normal(_COMPONENTS)
    theta = c + d * rng.standard_normal(_COMPONENTS)
    return _separable(
        theta,
        (c, d, w),
        lambda xp, x, c, d, w: x**2 / 2 + w * xp.tanh((x - c) / d),
        lambda x, c, d, w: np.asarray(x + w / d / np.cosh((x - c) / d) ** 2),
    )


def fast_sine(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ sin(ω θᵢ), with ω from 1e2 to 1e8."""
    omega, w = _mixed(rng, 2, 8), rng.uniform(0.5, 2.0, _COMPONENTS)
    theta = rng.standard_normal(_COMPONENTS)
    return _separable(
        theta,
        (omega, w),
        lambda xp, x, omega, w: w * xp.sin(omega * x),
        lambda x, omega, w: np.asarray(w * omega * np.cos(omega * x)),
    )


def steep(rng: np.random.Generator) -> ScaleCase:
    """Σ exp(κ θᵢ), with κ from 10 to 300."""
    kappa = _together(rng, 1.5, 2)
    theta = rng.standard_normal(_COMPONENTS)
    return _separable(
        theta, (kappa,), lambda xp, x, kappa: xp.exp(kappa * x), lambda x, kappa: np.asarray(kappa * np.exp(kappa * x))
    )


def steps_at_zero(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ tanh(θᵢ/d) at θ = 0, with d from 1e-12 to 1e-3."""
    d, w = _mixed(rng, -12, -3), rng.standard_normal(_COMPONENTS)
    return _separable(
        np.zeros(_COMPONENTS),
        (d, w),
        lambda xp, x, d, w: w * xp.tanh(x / d),
        lambda x, d, w: np.asarray(w / d / np.cosh(x / d) ** 2),
    )


def cold_maximum(rng: np.random.Generator) -> ScaleCase:
    """t log Σ exp(θᵢ/t), with a temperature t from 1e-6 to 1e-2, and θ within some t of each other."""
    t = _powers(rng, -6, -2, 1)
    theta = rng.standard_normal() + t * rng.standard_normal(_COMPONENTS)

    def gradient(x: Vector, t: Vector) -> Vector:
        p = np.exp((x - x.max()) / t)
        return np.asarray(p / p.sum())

    return ScaleCase(
        theta=theta,
        data=(t,),
        loss=lambda xp, x, t: (x.max() + t * xp.log(xp.exp((x - x.max()) / t).sum())).sum(),
        gradient=gradient,
        terms=gradient(theta, t),
    )


def boltzmann(rng: np.random.Generator) -> ScaleCase:
    """log(1 + exp(−E/kT)) − log T in SI units: E of 1e-21 J and k of 1e-23 J/K are parameters, like T of 300 K."""
    theta = np.array([1e-21, 1.380649e-23, 300.0]) * rng.uniform(0.5, 2.0, 3)

    def gradient(x: Vector) -> Vector:
        ratio = x[0] / (x[1] * x[2])
        share = 1 / (1 + np.exp(ratio))
        return np.array([-share * ratio / x[0], share * ratio / x[1], share * ratio / x[2] - 1 / x[2]])

    return ScaleCase(
        theta=theta,
        data=(),
        loss=lambda xp, x: xp.log1p(xp.exp(-x[0] / (x[1] * x[2]))) - xp.log(x[2]),
        gradient=gradient,
        terms=np.abs(gradient(theta)),
    )


def saturated(rng: np.random.Generator) -> ScaleCase:
    """Σ log(1 + exp(−θᵢ)), with θ from 10 to 35."""
    theta = np.asarray(rng.uniform(8, 33) + rng.uniform(0, 2, _COMPONENTS))
    return _separable(theta, (), lambda xp, x: xp.log1p(xp.exp(-x)), lambda x: np.asarray(-1 / (1 + np.exp(x))))


# --- beside the edge of a domain --------------------------------------------------------------------------------------


def log_barrier(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ − log(bᵢ − θᵢ), at 1e-9 to 1e-3 from the edge."""
    b = rng.uniform(0.5, 4.0, _COMPONENTS)
    theta = b - _mixed(rng, -9, -3)
    return _separable(theta, (b,), lambda xp, x, b: x - xp.log(b - x), lambda x, b: np.asarray(1 + 1 / (b - x)))


def log_near_zero(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ − log θᵢ, with θ from 1e-12 to 1e-3."""
    theta = _mixed(rng, -12, -3)
    return _separable(theta, (), lambda xp, x: x - xp.log(x), lambda x: np.asarray(1 - 1 / x))


def entropy(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ log θᵢ, with θ from 1e-300 to 1e-6."""
    theta = _together(rng, -300, -6)
    return _separable(theta, (), lambda xp, x: x * xp.log(x), lambda x: np.asarray(np.log(x) + 1))


def powers_near_zero(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ θᵢᵖ, with θ from 1e-20 to 1e-3, and p = 0.3, 0.5 or 1.5."""
    theta, w = _together(rng, -20, -3), rng.uniform(0.5, 2.0, _COMPONENTS)
    p = float(rng.choice([0.3, 0.5, 1.5]))
    return _separable(theta, (w,), lambda xp, x, w: w * x**p, lambda x, w: np.asarray(w * p * x ** (p - 1)))


def inverse_functions(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ √(1 − θᵢ²) or Σ wᵢ log(1 − θᵢ²), at 1e-7 to 1e-3 from the edge."""
    theta, w = 1 - _mixed(rng, -7, -3), rng.uniform(0.5, 2.0, _COMPONENTS)
    if rng.random() < 0.5:
        return _separable(
            theta,
            (w,),
            lambda xp, x, w: w * xp.sqrt((1 - x) * (1 + x)),
            lambda x, w: np.asarray(-w * x / np.sqrt((1 - x) * (1 + x))),
        )
    return _separable(
        theta,
        (w,),
        lambda xp, x, w: w * xp.log1p(-(x**2)),
        lambda x, w: np.asarray(-2 * w * x / ((1 - x) * (1 + x))),
    )


def poles(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ (θᵢ − cᵢ)⁻ᵖ with p = 1 or 2, at 1e-9 to 1e-3 from the pole."""
    c, p, w = rng.choice([0.0, 1.0, -3.0], _COMPONENTS), int(rng.integers(1, 3)), rng.uniform(0.5, 2.0, _COMPONENTS)
    theta = c + _mixed(rng, -9, -3)
    return _separable(
        theta,
        (c, w),
        lambda xp, x, c, w: w / (x - c) ** p,
        lambda x, c, w: np.asarray(-p * w / (x - c) ** (p + 1)),
    )


def between_edges(rng: np.random.Generator) -> ScaleCase:
    """Σ log(θᵢ − aᵢ) + log(aᵢ + d − θᵢ), with d from 1e-9 to 1e-3."""
    a, d = rng.choice([0.0, 1.0], _COMPONENTS), _mixed(rng, -9, -3)
    theta = a + d * rng.uniform(0.1, 0.9, _COMPONENTS)
    return _separable(
        theta,
        (a, d),
        lambda xp, x, a, d: xp.log(x - a) + xp.log(d - (x - a)),
        lambda x, a, d: np.asarray(1 / (x - a) - 1 / (d - (x - a))),
    )


def norm_near_zero(rng: np.random.Generator) -> ScaleCase:
    """‖θ‖, with θ from 1e-120 to 1e-6."""
    theta = _together(rng, -120, -6) * rng.choice([-1.0, 1.0], _COMPONENTS)
    return ScaleCase(
        theta=theta,
        data=(),
        loss=lambda xp, x: xp.sqrt((x**2).sum()),
        gradient=lambda x: np.asarray(x / np.sqrt((x**2).sum())),
        terms=np.abs(theta) / np.sqrt((theta**2).sum()),
    )


def before_overflow(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ exp(θᵢ), at 1e-4 to 10 below the θ at which it overflows."""
    theta, w = 709.7827 - _together(rng, -4, 1), rng.uniform(0.01, 0.2, _COMPONENTS)
    return _separable(theta, (w,), lambda xp, x, w: w * xp.exp(x), lambda x, w: np.asarray(w * np.exp(x)))


def raising(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ − log(bᵢ − θᵢ) by Python's own `math.log`, which raises beyond the edge."""
    b = rng.uniform(0.5, 4.0, _COMPONENTS)
    theta = b - _mixed(rng, -9, -2)
    return ScaleCase(
        theta=theta,
        data=(b,),
        loss=lambda xp, x, b: sum(one - math.log(edge - one) for one, edge in zip(x, b, strict=True)),
        gradient=lambda x, b: np.asarray(1 + 1 / (b - x)),
        terms=1 + 1 / (b - theta),
        numpy_only=True,
    )


KINDS: Mapping[str, Callable[[np.random.Generator], ScaleCase]] = {
    "sizes in one tensor": sizes_in_one_tensor,
    "squares in one tensor": squares_in_one_tensor,
    "small parameters": small_parameters,
    "large parameters": large_parameters,
    "scaled loss": scaled_loss,
    "large constant": large_constant,
    "pseudo-Huber": pseudo_huber,
    "sharp softplus": sharp_softplus,
    "narrow in broad": narrow_in_broad,
    "fast sine": fast_sine,
    "steep": steep,
    "saturated": saturated,
    "log barrier": log_barrier,
    "log near zero": log_near_zero,
    "entropy": entropy,
    "powers near zero": powers_near_zero,
    "inside the circle": inverse_functions,
    "raising": raising,
    "steps at zero": steps_at_zero,
    "cold maximum": cold_maximum,
    "Boltzmann": boltzmann,
    "poles": poles,
    "between edges": between_edges,
    "norm near zero": norm_near_zero,
    "before overflow": before_overflow,
}
