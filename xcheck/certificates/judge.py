"""Hold gradients against proved slopes: an error beyond what rounding does is wrong, and by how much is certain.

Along v, random numbers, an error e of the gradient shows as e·v: a single wrong component always, as about |eᵢ|, and
‖e‖ on average. Nothing is lost to noise or to a step: what is left is the rounding of g itself.

g·v may differ from the slope s by T = 8 u σ + 4 u N: σ is how far one unit roundoff of every operation of the
gradient's program moves g·v (`xcheck.certificates.rounding`), u the unit roundoff of its dtype, N the norm of the
gradient, whose own components are rounded when they are stored. N comes from the slopes: for these v the mean
of s² is ‖∇J‖².
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.certificates.balls import inner
from xcheck.certificates.claims import STORED, Claim, WitnessProof, allowed_error
from xcheck.certificates.slopes import Slopes, at_precision
from xcheck.layout import Vector

# An operation whose kernel is less accurate than its dtype adds so many times what rounding does: measured, erfinv of
# JAX 26 times.
_KERNELS = 64.0
# Roundings of the norm from which on digits are lost: three decimal ones, a guess at what is worth saying.
_LOST = 2.0**10
# Roundings of the norm that a program which cannot be looked into may need: a guess.
_UNKNOWN_PROGRAM = 2.0**12


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Claimed:
    """A gradient to be judged.

    Attributes:
        name: of the witness.
        gradient: shape (n,).
        roundoff: unit roundoff of what it was computed in.
        spread: along each direction what one unit roundoff of every operation does, shape (directions,); None where
            its program cannot be looked into.
    """

    name: str
    gradient: Vector
    roundoff: float
    spread: NDArray[np.float64] | None


def norm_of(slopes: Slopes) -> float:
    """Return ‖∇J‖ as slopes along random directions tell it."""
    return math.sqrt(sum(float(slope) ** 2 for slope in slopes.slopes) / max(1, len(slopes.slopes)))


def compare(claimed: Claimed, slopes: Slopes, directions: Sequence[Vector]) -> list[WitnessProof]:
    """Return what each direction, of shape (n,), says by itself, with errors in plain units."""
    norm = norm_of(slopes) or 1.0
    spread = np.zeros(len(directions)) if claimed.spread is None else claimed.spread
    stored = STORED if claimed.spread is not None else _UNKNOWN_PROGRAM
    return [
        _along(
            claimed,
            slopes,
            number,
            direction,
            allowed_error(claimed.roundoff, float(spread[number]), norm, stored=stored),
        )
        for number, direction in enumerate(directions)
    ]


def judge(claimed: Claimed, slopes: Slopes, directions: Sequence[Vector]) -> WitnessProof:
    """Return what the slopes along directions, each of shape (n,), say of a gradient."""
    norm = norm_of(slopes) or 1.0
    found = compare(claimed, slopes, directions)
    worst = max(found, key=lambda one: (one.error / one.allowed if one.allowed else np.inf * one.error, one.error))
    units = max(norm, float(np.finfo(np.float64).tiny))
    return WitnessProof(
        name=claimed.name,
        claim=_claim(worst, slopes, known=claimed.spread is not None, lost=_LOST * claimed.roundoff * norm),
        error=worst.error / units,
        allowed=max(one.allowed for one in found) / units,
        claimed=worst.claimed,
        slope=worst.slope,
        other=worst.other,
    )


def _along(claimed: Claimed, slopes: Slopes, number: int, direction: Vector, allowed: float) -> WitnessProof:
    """Return what one direction says, with the error and what is allowed in plain units."""
    with at_precision(slopes.precision):
        product = inner(claimed.gradient, direction)
        right = slopes.slopes[number]
        left = right if slopes.left is None else slopes.left[number]
        # 0 between the two slopes; the distance from the nearer one outside.
        outside = [product - right, product - left]
        between = (outside[0] <= 0) != (outside[1] <= 0)
        error = 0.0 if between else min(abs(float(one)) for one in outside)
    if not np.isfinite(claimed.gradient).all():
        error = math.inf
    return WitnessProof(
        name=claimed.name,
        claim="right",
        error=error,
        allowed=allowed,
        claimed=float(product),
        slope=float(right),
        other=None if slopes.left is None else float(left),
    )


def _claim(worst: WitnessProof, slopes: Slopes, *, known: bool, lost: float) -> Claim:
    """Return what follows from the direction that tells most; an error larger than `lost` has cost digits."""
    if slopes.ties > 1 and slopes.left is not None and worst.slope != worst.other:
        # Of several kinks each has a slope of its own between its two: their sum may lie outside the two of the whole.
        return "at a kink"
    if worst.error <= worst.allowed:
        return "unstable" if worst.error > lost else "right"
    # No rounding makes nan, or infinity, of a slope that is finite.
    if not known and math.isfinite(worst.error):
        return "not known"
    return "inaccurate" if worst.error <= _KERNELS * worst.allowed else "wrong"
