"""Functions whose slopes are hard to measure: parameters of all sizes, narrow features, edges, huge constants.

Each kind is a loss in whichever array module it is given (NumPy, torch, JAX), with its gradient by hand in NumPy. The
sizes are drawn on a logarithmic scale.
"""

from collections.abc import Callable, Mapping

import numpy as np

from benchmarks.suites.scale_case import COMPONENTS, ScaleCase, mixed, powers, separable, together
from benchmarks.suites.scale_edges import (
    before_overflow,
    between_edges,
    entropy,
    inverse_functions,
    log_barrier,
    log_near_zero,
    norm_near_zero,
    poles,
    powers_near_zero,
    raising,
)
from xcheck.layout import Vector

# --- one size, or many ------------------------------------------------------------------------------------------------


def sizes_in_one_tensor(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ sin(θᵢ/sᵢ), with sᵢ from 1e-12 to 1e12."""
    s, w = powers(rng, -12, 12), rng.standard_normal(COMPONENTS)
    theta = s * rng.standard_normal(COMPONENTS)
    return separable(
        theta, (s, w), lambda xp, x, s, w: w * xp.sin(x / s), lambda x, s, w: np.asarray(w / s * np.cos(x / s))
    )


def squares_in_one_tensor(rng: np.random.Generator) -> ScaleCase:
    """Σ (θᵢ/sᵢ − cᵢ)², with sᵢ from 1e-12 to 1e12."""
    s, c = powers(rng, -12, 12), rng.standard_normal(COMPONENTS)
    theta = s * rng.standard_normal(COMPONENTS)
    return separable(theta, (s, c), lambda xp, x, s, c: (x / s - c) ** 2, lambda x, s, c: 2 * (x / s - c) / s)


def small_parameters(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ exp(−(θᵢ/s)²), with s from 1e-12 to 1e-3."""
    s, w = together(rng, -12, -3), rng.standard_normal(COMPONENTS)
    theta = s * rng.uniform(0.3, 1.5, COMPONENTS)
    return separable(
        theta,
        (s, w),
        lambda xp, x, s, w: w * xp.exp(-((x / s) ** 2)),
        lambda x, s, w: np.asarray(-2 * w * x / s**2 * np.exp(-((x / s) ** 2))),
    )


def large_parameters(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ tanh(θᵢ − cᵢ), with cᵢ from 1e3 to 1e8."""
    c, w = np.round(mixed(rng, 3, 8)), rng.standard_normal(COMPONENTS)
    theta = c + rng.standard_normal(COMPONENTS)
    return separable(
        theta, (c, w), lambda xp, x, c, w: w * xp.tanh(x - c), lambda x, c, w: np.asarray(w / np.cosh(x - c) ** 2)
    )


def scaled_loss(rng: np.random.Generator) -> ScaleCase:
    """K Σ sin θᵢ, with K from 1e-30 to 1e30."""
    k = powers(rng, -30, 30, 1)
    theta = rng.standard_normal(COMPONENTS)
    return separable(theta, (k,), lambda xp, x, k: k * xp.sin(x), lambda x, k: np.asarray(k * np.cos(x)))


def large_constant(rng: np.random.Generator) -> ScaleCase:
    """C + Σ wᵢ sin θᵢ, with C from 1e3 to 1e9."""
    c, w = powers(rng, 3, 9, 1) / COMPONENTS, rng.uniform(0.5, 2.0, COMPONENTS)
    theta = rng.standard_normal(COMPONENTS)
    return separable(theta, (c, w), lambda xp, x, c, w: c + w * xp.sin(x), lambda x, c, w: np.asarray(w * np.cos(x)))


# --- features narrower than a step ------------------------------------------------------------------------------------


def pseudo_huber(rng: np.random.Generator) -> ScaleCase:
    """Σ √(d² + θᵢ²), with d from 1e-9 to 1e-3, and θ inside and outside of the bend."""
    d, times = mixed(rng, -9, -3), 10.0 ** rng.uniform(0, 2)
    theta = d * times * rng.standard_normal(COMPONENTS)
    return separable(
        theta, (d,), lambda xp, x, d: xp.sqrt(d**2 + x**2), lambda x, d: np.asarray(x / np.sqrt(d**2 + x**2))
    )


def sharp_softplus(rng: np.random.Generator) -> ScaleCase:
    """Σ softplus(β θᵢ)/β, with β from 1e3 to 1e9, and θ within the bend."""
    beta = mixed(rng, 3, 9)
    theta = rng.standard_normal(COMPONENTS) / beta
    return separable(
        theta,
        (beta,),
        lambda xp, x, beta: (0.5 * (beta * x + abs(beta * x)) + xp.log1p(xp.exp(-abs(beta * x)))) / beta,
        lambda x, beta: np.asarray(1 / (1 + np.exp(-beta * x))),
    )


def narrow_in_broad(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ²/2 + wᵢ tanh((θᵢ − cᵢ)/d), with d from 1e-7 to 1e-3, and θ within the step."""
    d, w = mixed(rng, -7, -3), rng.standard_normal(COMPONENTS)
    c = rng.standard_normal(COMPONENTS)
    theta = c + d * rng.standard_normal(COMPONENTS)
    return separable(
        theta,
        (c, d, w),
        lambda xp, x, c, d, w: x**2 / 2 + w * xp.tanh((x - c) / d),
        lambda x, c, d, w: np.asarray(x + w / d / np.cosh((x - c) / d) ** 2),
    )


def fast_sine(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ sin(ω θᵢ), with ω from 1e2 to 1e8."""
    omega, w = mixed(rng, 2, 8), rng.uniform(0.5, 2.0, COMPONENTS)
    theta = rng.standard_normal(COMPONENTS)
    return separable(
        theta,
        (omega, w),
        lambda xp, x, omega, w: w * xp.sin(omega * x),
        lambda x, omega, w: np.asarray(w * omega * np.cos(omega * x)),
    )


def steep(rng: np.random.Generator) -> ScaleCase:
    """Σ exp(κ θᵢ), with κ from 10 to 300."""
    kappa = together(rng, 1.5, 2)
    theta = rng.standard_normal(COMPONENTS)
    return separable(
        theta, (kappa,), lambda xp, x, kappa: xp.exp(kappa * x), lambda x, kappa: np.asarray(kappa * np.exp(kappa * x))
    )


def steps_at_zero(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ tanh(θᵢ/d) at θ = 0, with d from 1e-12 to 1e-3."""
    d, w = mixed(rng, -12, -3), rng.standard_normal(COMPONENTS)
    return separable(
        np.zeros(COMPONENTS),
        (d, w),
        lambda xp, x, d, w: w * xp.tanh(x / d),
        lambda x, d, w: np.asarray(w / d / np.cosh(x / d) ** 2),
    )


def cold_maximum(rng: np.random.Generator) -> ScaleCase:
    """t log Σ exp(θᵢ/t), with a temperature t from 1e-6 to 1e-2, and θ within some t of each other."""
    t = powers(rng, -6, -2, 1)
    theta = rng.standard_normal() + t * rng.standard_normal(COMPONENTS)

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
    theta = np.asarray(rng.uniform(8, 33) + rng.uniform(0, 2, COMPONENTS))
    return separable(theta, (), lambda xp, x: xp.log1p(xp.exp(-x)), lambda x: np.asarray(-1 / (1 + np.exp(x))))


# The order is a part of the seeds.
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
