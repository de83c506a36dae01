"""A Jacobian written by hand: a damped oscillation, fitted by scipy.optimize.least_squares(residuals, x0, jac=...).

What one learns: `jacobian=` looks at every entry, and says what is wrong of the matrix: its rows are residuals, its
columns parameters. `buggy` forgets the inner derivative with respect to the frequency: a solver that is handed it takes
more steps, or stops elsewhere, and complains of nothing.
"""

from typing import Any

import numpy as np

import xcheck


def residuals(x: Any, t: Any, measured: Any) -> Any:
    """a exp(−λ t) cos(ω t) − y, with x = (a, λ, ω)."""
    amplitude, rate, frequency = x
    return amplitude * np.exp(-rate * t) * np.cos(frequency * t) - measured


def jacobian(x: Any, t: Any, measured: Any) -> Any:
    """Return ∂rᵢ/∂xⱼ, shape (residuals, 3)."""
    amplitude, rate, frequency = x
    decay = np.exp(-rate * t)
    wave, slope = np.cos(frequency * t), np.sin(frequency * t)
    return np.stack([decay * wave, -t * amplitude * decay * wave, -t * amplitude * decay * slope], axis=1)


def jacobian_without_inner(x: Any, t: Any, measured: Any) -> Any:
    """Return the same without the t that ω t has as its derivative."""
    found = jacobian(x, t, measured)
    found[:, 2] /= t
    return found


def fitted(by_hand: Any) -> xcheck.Case:
    """Return the residuals of twelve measurements, at a first guess."""
    t = np.linspace(0.25, 3.0, 12)
    measured = 1.9 * np.exp(-0.4 * t) * np.cos(2.1 * t)
    return xcheck.Case(
        objectives=residuals, params=np.array([1.5, 0.3, 2.0]), data=(t, measured), settings={"jacobian": by_hand}
    )


@xcheck.case
def right() -> xcheck.Case:
    """Every entry."""
    return fitted(jacobian)


@xcheck.case
def buggy() -> xcheck.Case:
    """The inner derivative of cos ω t is forgotten."""
    return fitted(jacobian_without_inner)
