"""Slopes over long steps: what a loss that jumps everywhere by a little has for a slope between far apart points.

Along v the losses J₋₃ ... J₃ at θ + kHv give, with an error of H⁶ ∂⁷J/140,

    D = (J₃ − J₋₃ − 9 (J₂ − J₋₂) + 45 (J₁ − J₋₁))/60H

and, by their sixth difference Δ⁶, a noise σ = |Δ⁶|/√924 of each: jumps of a solver that stops at a tolerance are noise
over steps that are longer than the distance between them. Of several H the one is taken where σ/H is least.

Source: Fornberg, "Generation of finite difference formulas on arbitrarily spaced grids", 1988, for the weights.
"""

from collections.abc import Callable

import numpy as np

from xcheck.layout import Vector

_PLACES = np.arange(-3.0, 4.0)
_SLOPE = np.array([-1.0, 9.0, -45.0, 0.0, 45.0, -9.0, 1.0]) / 60
_SIXTH = np.array([1.0, -6.0, 15.0, -20.0, 15.0, -6.0, 1.0]) / np.sqrt(924)
# In units of θ: from a sixteenth, beyond which functions are hardly smooth, to what shows jumps of 1e-12. Guesses.
_STEPS = 2.0 ** -np.arange(4, 13, 2)
# The slope carries 1.1 σ/H, and σ is measured by one number, which is less than a fourteenth of what it should be once
# in eighteen times: a guess, as three slopes of four must be within.
_MULTIPLE = 16.0


@np.errstate(all="ignore")  # what is not finite is no slope
def measure_long_steps(
    losses: Callable[[Vector], Vector], theta: Vector, directions: Vector
) -> tuple[Vector, Vector, Vector]:
    """Return slopes along directions over long steps, their error bars, and the noise σ of J there, shape (d,) each.

    Args:
        losses: Θ, shape (k, n), -> losses (k,).
        theta: θ, shape (n,).
        directions: shape (d, n), of the size of θ.
    """
    points = [theta + step * place * v for v in directions for step in _STEPS for place in _PLACES]
    values = losses(np.stack(points)).reshape(len(directions), len(_STEPS), len(_PLACES))
    noise = np.abs(values @ _SIXTH)
    error = np.where(np.isfinite(noise), _MULTIPLE * noise / _STEPS, np.inf)
    best = error.argmin(axis=1)
    rows = np.arange(len(directions))
    return (values @ _SLOPE / _STEPS)[rows, best], error[rows, best], noise[rows, best]
