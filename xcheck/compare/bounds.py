"""Bounds: how far each component of a gradient is from the oracle's slopes, how far it may be, and what follows."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Bounds:
    """One gradient held against the oracle, or against another one.

    Attributes:
        excess: distance from the oracle's slopes, shape (n,).
        blur: what of it error bar and rounding account for, shape (n,).
        allowed: what of it is allowed: the same, and the tolerance, shape (n,).
        wrong: where it is more.
        undecided: where it is not, and yet cannot be called right.
        disputed: where a more precise oracle might tell more.
    """

    excess: Vector
    blur: Vector
    allowed: Vector
    wrong: Flags
    undecided: Flags
    disputed: Flags

    @property
    def ratio(self) -> Vector:
        """The excess in units of what is allowed, shape (n,)."""
        return _ratio(self.excess, self.allowed)

    @property
    def apart(self) -> float:
        """The largest excess in units of bar and rounding, among components that are known at all."""
        known = np.isfinite(self.blur)
        return float(_ratio(self.excess[known], self.blur[known]).max(initial=0.0))


def _ratio(excess: Vector, allowed: Vector) -> Vector:
    with np.errstate(all="ignore"):  # what overflows is infinitely far off
        return np.divide(excess, allowed, out=np.where(excess > 0, np.inf, 0.0), where=allowed > 0)
