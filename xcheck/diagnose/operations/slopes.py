"""Slopes of many functions of t at t = 0, each from its own best step.

Every function is evaluated at the same steps ±h, h = 2⁻⁷, 2⁻⁸, ..., since a batch costs what its operations cost,
however much each of them bends. Of each the step is taken whose error is least as far as the neighbouring steps tell.
With the central differences D(h) and the values R(h) = (4 D(h) − D(2h))/3, of fourth order, that error is the larger of
|R(h) − R(2h)| and |R(h) − R(h/2)|. To it comes half the jump of the slope at 0,

    K = 2 s(h) − s(2h),    s(h) = D⁺(h) − D⁻(h) = h f'' + O(h³) where f is smooth,

in which the second derivative cancels, and which is left at a kink.

Source: to choose a step from a tableau of extrapolated differences is from Ridders, "Accurate computation of F'(x) and
F'(x) F''(x)", 1982.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector

# From where third derivatives of a well-scaled function count to where rounding leaves six digits: a guess.
_LONGEST, _SHORTEST = -7, -20
_H = 2.0 ** np.arange(_LONGEST, _SHORTEST - 1, -1)
STEPS: Vector = np.concatenate([_H, -_H])
# Roundings of f and of the sum of its terms, in units of the root of their squares: as in other estimators.
_NOISE = 8.0


@dataclass(frozen=True, slots=True, eq=False)
class Slopes:
    """Slopes of k functions.

    Attributes:
        value: shape (k,); nan where a function has no values around 0.
        lower, upper: the slopes of both sides where there is a kink, else the value, shape (k,) each.
        bar: by how much each of these may be off, shape (k,).
    """

    value: Vector
    lower: Vector
    upper: Vector
    bar: Vector


@np.errstate(all="ignore")  # where a function has no value the slope is nan
def slopes_of(responses: Vector, rounding: Vector) -> Slopes:
    """Return slopes at 0.

    Args:
        responses: f(t) − f(0) at the steps of `STEPS`, shape (2 steps, k).
        rounding: unit roundoff times the root of the sum of the squares of the terms that f sums, shape (k,).
    """
    step = _H[:, None]
    right, left = responses[: len(_H)] / step, -responses[len(_H) :] / step
    central, jump = (right + left) / 2, right - left
    extrapolated = (4 * central[1:] - central[:-1]) / 3
    kink = np.abs(2 * jump[1:] - jump[:-1]) / 2
    change = np.abs(np.diff(extrapolated, axis=0))
    noise = _NOISE * rounding / step[2:-1]
    # Row i of these is the step 2 + i: both of its neighbours are there.
    spread = np.maximum(change[:-1], change[1:]) + noise
    error = spread + kink[1:-1]
    error = np.where(np.isfinite(error), error, np.inf)
    best = error.argmin(axis=0)
    columns = np.arange(responses.shape[1])
    value, half = extrapolated[1:-1][best, columns], kink[1:-1][best, columns]
    bar = np.where(np.isfinite(error[best, columns]), spread[best, columns], np.inf)
    # The jump is known no better than its own noise and its own change from step to step.
    half = np.where(half > bar, half, 0.0)
    return Slopes(value, value - half, value + half, bar)
