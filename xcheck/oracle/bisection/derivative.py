"""The derivative of J along a piece of a direction, with its bar: taken apart, and reconciled with another."""

import math
from dataclasses import dataclass
from typing import NamedTuple


class Segment(NamedTuple):
    """The components [start, stop) of direction `number`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class DirectionalDerivative:
    """∇J·v along a piece.

    Attributes:
        value: the estimate.
        bar: its error is promised to be at most this.
        step: t.
        steepest: the steeper of the slopes to both sides, without its sign: zero where J does not move.
    """

    value: float
    bar: float
    step: float
    steepest: float = 0.0

    def without(self, part: "DirectionalDerivative") -> "DirectionalDerivative":
        """Return the slope along what is left when a part is taken out."""
        return DirectionalDerivative(
            self.value - part.value, self.bar + part.bar, part.step, self.steepest + part.steepest
        )

    def reconciled(self, again: "DirectionalDerivative") -> "DirectionalDerivative":
        """Return the narrower of two; where they contradict, the one with the shorter step, with a bar as wide."""
        if not math.isfinite(again.bar):
            return self
        if not math.isfinite(self.bar):
            return again
        apart = abs(self.value - again.value)
        if apart <= self.bar + again.bar:
            return again if again.bar < self.bar else self
        shorter = again if again.step < self.step else self
        return DirectionalDerivative(shorter.value, max(shorter.bar, apart), shorter.step, shorter.steepest)
