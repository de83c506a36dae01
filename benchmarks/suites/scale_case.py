"""ScaleCase: a loss whose slopes are hard to measure, with its gradient by hand, and how sizes are drawn."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from xcheck.layout import Vector

# Small enough to be quick, and more than one size in each tensor.
COMPONENTS = 4


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


def powers(rng: np.random.Generator, low: float, high: float, count: int = COMPONENTS) -> Vector:
    """Return sizes of all magnitudes between two powers of ten."""
    return np.asarray(10.0 ** rng.uniform(low, high, count))


def together(rng: np.random.Generator, low: float, high: float) -> Vector:
    """Return sizes of one magnitude, a decade apart at most."""
    return np.asarray(10.0 ** rng.uniform(low, high) * 10.0 ** rng.uniform(-0.5, 0.5, COMPONENTS))


def mixed(rng: np.random.Generator, low: float, high: float) -> Vector:
    """Return sizes of one magnitude in half of the cases, and of all magnitudes in the others."""
    return together(rng, low, high) if rng.random() < 0.5 else powers(rng, low, high)


def separable(
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
