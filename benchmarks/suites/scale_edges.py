"""Functions beside the edge of their domain: logarithms, roots, poles, and what overflows; see `scale_cases`."""

import math

import numpy as np

from benchmarks.suites.scale_case import COMPONENTS, ScaleCase, mixed, separable, together


def log_barrier(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ − log(bᵢ − θᵢ), at 1e-9 to 1e-3 from the edge."""
    b = rng.uniform(0.5, 4.0, COMPONENTS)
    theta = b - mixed(rng, -9, -3)
    return separable(theta, (b,), lambda xp, x, b: x - xp.log(b - x), lambda x, b: np.asarray(1 + 1 / (b - x)))


def log_near_zero(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ − log θᵢ, with θ from 1e-12 to 1e-3."""
    theta = mixed(rng, -12, -3)
    return separable(theta, (), lambda xp, x: x - xp.log(x), lambda x: np.asarray(1 - 1 / x))


def entropy(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ log θᵢ, with θ from 1e-300 to 1e-6."""
    theta = together(rng, -300, -6)
    return separable(theta, (), lambda xp, x: x * xp.log(x), lambda x: np.asarray(np.log(x) + 1))


def powers_near_zero(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ θᵢᵖ, with θ from 1e-20 to 1e-3, and p = 0.3, 0.5 or 1.5."""
    theta, w = together(rng, -20, -3), rng.uniform(0.5, 2.0, COMPONENTS)
    p = float(rng.choice([0.3, 0.5, 1.5]))
    return separable(theta, (w,), lambda xp, x, w: w * x**p, lambda x, w: np.asarray(w * p * x ** (p - 1)))


def inverse_functions(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ √(1 − θᵢ²) or Σ wᵢ log(1 − θᵢ²), at 1e-7 to 1e-3 from the edge."""
    theta, w = 1 - mixed(rng, -7, -3), rng.uniform(0.5, 2.0, COMPONENTS)
    if rng.random() < 0.5:
        return separable(
            theta,
            (w,),
            lambda xp, x, w: w * xp.sqrt((1 - x) * (1 + x)),
            lambda x, w: np.asarray(-w * x / np.sqrt((1 - x) * (1 + x))),
        )
    return separable(
        theta,
        (w,),
        lambda xp, x, w: w * xp.log1p(-(x**2)),
        lambda x, w: np.asarray(-2 * w * x / ((1 - x) * (1 + x))),
    )


def poles(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ (θᵢ − cᵢ)⁻ᵖ with p = 1 or 2, at 1e-9 to 1e-3 from the pole."""
    c, p, w = rng.choice([0.0, 1.0, -3.0], COMPONENTS), int(rng.integers(1, 3)), rng.uniform(0.5, 2.0, COMPONENTS)
    theta = c + mixed(rng, -9, -3)
    return separable(
        theta,
        (c, w),
        lambda xp, x, c, w: w / (x - c) ** p,
        lambda x, c, w: np.asarray(-p * w / (x - c) ** (p + 1)),
    )


def between_edges(rng: np.random.Generator) -> ScaleCase:
    """Σ log(θᵢ − aᵢ) + log(aᵢ + d − θᵢ), with d from 1e-9 to 1e-3."""
    a, d = rng.choice([0.0, 1.0], COMPONENTS), mixed(rng, -9, -3)
    theta = a + d * rng.uniform(0.1, 0.9, COMPONENTS)
    return separable(
        theta,
        (a, d),
        lambda xp, x, a, d: xp.log(x - a) + xp.log(d - (x - a)),
        lambda x, a, d: np.asarray(1 / (x - a) - 1 / (d - (x - a))),
    )


def norm_near_zero(rng: np.random.Generator) -> ScaleCase:
    """‖θ‖, with θ from 1e-120 to 1e-6."""
    theta = together(rng, -120, -6) * rng.choice([-1.0, 1.0], COMPONENTS)
    return ScaleCase(
        theta=theta,
        data=(),
        loss=lambda xp, x: xp.sqrt((x**2).sum()),
        gradient=lambda x: np.asarray(x / np.sqrt((x**2).sum())),
        terms=np.abs(theta) / np.sqrt((theta**2).sum()),
    )


def before_overflow(rng: np.random.Generator) -> ScaleCase:
    """Σ wᵢ exp(θᵢ), at 1e-4 to 10 below the θ at which it overflows."""
    theta, w = 709.7827 - together(rng, -4, 1), rng.uniform(0.01, 0.2, COMPONENTS)
    return separable(theta, (w,), lambda xp, x, w: w * xp.exp(x), lambda x, w: np.asarray(w * np.exp(x)))


def raising(rng: np.random.Generator) -> ScaleCase:
    """Σ θᵢ − log(bᵢ − θᵢ) by Python's own `math.log`, which raises beyond the edge."""
    b = rng.uniform(0.5, 4.0, COMPONENTS)
    theta = b - mixed(rng, -9, -2)
    return ScaleCase(
        theta=theta,
        data=(b,),
        loss=lambda xp, x, b: sum(one - math.log(edge - one) for one, edge in zip(x, b, strict=True)),
        gradient=lambda x, b: np.asarray(1 + 1 / (b - x)),
        terms=1 + 1 / (b - theta),
        numpy_only=True,
    )
