"""Tolerance: how close a gradient must come to the oracle, beside the error bar."""

from dataclasses import dataclass

import numpy as np

# Roundings of the gradient's dtype that are granted to a component: a backward pass of some hundred operations, each
# sum with random signs. A guess, chosen so that float64 keeps the tolerance of 1e-7 and float32 has 6e-5.
_ROUNDINGS = 2.0**10
# In bfloat16 a thousand roundings are more than the number itself (2¹⁰ · 2⁻⁸ = 4): there 32 of them are granted, an
# eighth of the number. A guess, chosen so that a gradient of half the size still fails.
_FEWER = 32
# How uncertain a component may be and still be decided, in units of its tensor's largest slope: in dtypes of 16 bits
# anything; in float32 a hundredth; in float64 a millionth where steps are extrapolated, and a thousandth where one
# plain step is taken, whose truncation is of that size. Guesses, chosen so that a mistake of 1 % in a component of
# ordinary size (`xcheck.compare.coverage.FAULT`) is decided in every dtype but those of 16 bits.
_HALF, _SINGLE, _EXTRAPOLATED, _PLAIN = 1.0, 1e-2, 1e-6, 1e-3


@dataclass(frozen=True, slots=True)
class Tolerance:
    """How close is close enough.

    Attributes:
        relative: per component, and for the losses.
        roundoff: unit roundoff of the dtype that the witnesses compute in.
        resolution: how uncertain a component may be and still be decided, in units of its tensor's largest magnitude.
        largest: number of that dtype.
    """

    relative: float = 1e-7
    roundoff: float = 2.0**-53
    resolution: float = _EXTRAPOLATED
    largest: float = float(np.finfo(np.float64).max)

    @property
    def effective(self) -> float:
        """The relative tolerance, but never less than what a thousand roundings may do."""
        return max(self.relative, _ROUNDINGS * self.roundoff)


def tolerance_for(
    relative: float, roundoff: float, *, extrapolates: bool, largest: float = float(np.finfo(np.float64).max)
) -> Tolerance:
    """Return how close is close enough for numbers of this roundoff.

    Args:
        relative: the tolerance that was asked for, per component.
        roundoff: unit roundoff of the dtype that the witnesses compute in.
        extrapolates: whether the oracle extrapolates from several steps; plain differences are less certain and
            decide less.
        largest: number of that dtype.
    """
    if roundoff > 2.0**-20:  # float16 and bfloat16
        return Tolerance(relative, roundoff / _FEWER, _HALF, largest)
    narrow = roundoff > 2.0**-40  # float32
    return Tolerance(relative, roundoff, _SINGLE if narrow else _EXTRAPOLATED if extrapolates else _PLAIN, largest)
