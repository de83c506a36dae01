"""Hessian–vector products H v from differences of a gradient, with an error bar on every component.

    D(t) = (g(θ + t v) − g(θ − t v))/2t          R = (4 D(t) − D(2t))/3          bar = |R − R'| + c σ/t

as for differences of J (`xcheck.oracle.estimators.central`), with σ the noise of each component of g, measured from
difference tables along v.
"""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from xcheck.dtypes import FLOAT64
from xcheck.layout import Layout, Vector
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, extrapolate, truncation_error
from xcheck.oracle.estimators.noise import POINTS, noise_level
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.function_estimate import nothing_measured

# All scales from 2⁻⁸ to 2⁻⁴⁰, a factor of 16 apart: nothing is known about how H changes along v.
_STEPS = tuple(2.0**-k for k in range(8, 41, 4))
# Samples for the noise of g: so close that third differences of what is smooth vanish, 2¹⁹ roundings of θ apart.
_SPACING = 2.0**-34
# H v is a sum of products, as a gradient is: the same 256 roundings of float64.
_ROUNDINGS = 2.0**8 * FLOAT64


def hessian_estimate(gradient: Callable[[Vector], Vector], theta: Vector, vectors: Vector) -> Estimate:
    """Return H v for each of `vectors`, one after the other, as one estimate.

    Args:
        gradient: θ, shape (n,), -> ∂J/∂θ.
        theta: shape (n,).
        vectors: shape (k, n).
    """
    measured = [_along(gradient, theta, vector) for vector in vectors]
    value, bar = (np.concatenate(parts) for parts in zip(*measured, strict=True))
    nothing = nothing_measured(Layout.of({"H v": value.shape}))
    magnitude = np.abs(np.nan_to_num(value))
    scale = np.repeat(np.abs(value.reshape(len(vectors), -1)).max(axis=1, initial=0.0), theta.size)
    return replace(
        nothing,
        value=value,
        error_bar=bar,
        lower=value,
        upper=value,
        conventions=value[None],
        # Each H v is one vector: components are negligible relative to its largest.
        magnitude=np.where(magnitude > 0, np.maximum(magnitude, scale), 0.0),
        loss=0.0,
        rounding=Rounding(_ROUNDINGS * np.nan_to_num(scale), 0.0),
        evaluations=len(vectors) * (6 * len(_STEPS) + POINTS),
    )


@np.errstate(all="ignore")  # a gradient that is not finite nearby leaves a bar that is not
def _along(gradient: Callable[[Vector], Vector], theta: Vector, vector: Vector) -> tuple[Vector, Vector]:
    """Return H v and its bar, each component from the step whose bar is narrowest.

    An irregular value (`xcheck.oracle.estimators.central.truncation_error`) is used only until there is a regular one.
    """
    length = 1.0 / max(1.0, float(np.abs(vector).max(initial=0.0)))
    samples = np.stack([gradient(theta + k * _SPACING * length * vector) for k in range(1, POINTS + 1)], axis=-1)
    noise = noise_level(samples) + FLOAT64 * np.abs(samples[:, 0])
    best, width = np.full(theta.size, np.nan), np.full(theta.size, np.inf)
    settled = np.zeros(theta.size, dtype=bool)
    for step in _STEPS:
        t = step * length
        differences = [
            (gradient(theta + k * t * vector) - gradient(theta - k * t * vector)) / (2 * k * t) for k in (1, 2, 4)
        ]
        value, rounding = extrapolate(differences[0], differences[1]), NOISE_MULTIPLE * noise / t
        truncation, irregular = truncation_error(differences, rounding)
        bar = truncation + rounding
        # Steps become shorter: a value stays until a shorter step gives a narrower bar, or contradicts it.
        contradicted = ~irregular & (np.abs(value - best) > bar + width)
        better = (bar < width) | ~settled | contradicted
        best, width = np.where(better, value, best), np.where(better, bar, width)
        settled |= ~irregular
    return best, width
