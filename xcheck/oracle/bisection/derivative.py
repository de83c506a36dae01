"""A derivative of J along a segment of a direction: its value, its bar, and the step length to measure it with next."""

import math
from dataclasses import dataclass
from typing import NamedTuple

# Truncation |D(t) − D(2t)| changes 256-fold and noise 16-fold with each attempt.
FACTOR = 16.0


class Segment(NamedTuple):
    """The components [start, stop) of direction `number`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class DirectionalDerivative:
    """∇J·v along a segment.

    Attributes:
        value: the estimate.
        bar: its error is promised to be at most this.
        step: t.
        steepest: the larger |slope| of the two sides: zero where J does not move.
    """

    value: float
    bar: float
    step: float
    steepest: float = 0.0

    def without(self, part: "DirectionalDerivative") -> "DirectionalDerivative":
        """Return the derivative along the segment without a part of it."""
        return DirectionalDerivative(
            self.value - part.value, self.bar + part.bar, part.step, self.steepest + part.steepest
        )

    def reconcile(self, again: "DirectionalDerivative") -> "DirectionalDerivative":
        """Return the derivative with the narrower bar.

        Where the two contradict each other, return that of the shorter step, with a bar as wide as their distance.
        """
        if not math.isfinite(again.bar):
            return self
        if not math.isfinite(self.bar):
            return again
        apart = abs(self.value - again.value)
        if apart <= self.bar + again.bar:
            return again if again.bar < self.bar else self
        shorter = again if again.step < self.step else self
        return DirectionalDerivative(shorter.value, max(shorter.bar, apart), shorter.step, shorter.steepest)


@dataclass(frozen=True, slots=True)
class Progress:
    """The derivative along a segment as far as it is known, and the step length to try next.

    Attributes:
        derivative: the best so far.
        next: step length to try next, 0 for none.
        noise_up_to: the longest step length at which noise dominates the bar, 0 before there is one.
        truncation_from: the shortest at which truncation or a kink dominates it, infinite before there is one.
    """

    derivative: DirectionalDerivative
    next: float = 0.0
    noise_up_to: float = 0.0
    truncation_from: float = math.inf

    @property
    def is_exhausted(self) -> bool:
        """Whether no step length is left that could give a narrower bar."""
        # The next one would be the geometric mean, less than 1.6 times as far as one that was tried.
        return self.next == 0 or self.truncation_from < 2.5 * self.noise_up_to

    def after(self, derivative: DirectionalDerivative, step_length: float, *, truncated: bool) -> "Progress":
        """Return the progress after one more measurement, with the step length to try after it.

        Args:
            derivative: what was measured.
            step_length: how far θ was moved.
            truncated: whether truncation or a kink dominates the bar, and not noise.
        """
        noise_up_to = self.noise_up_to if truncated else max(self.noise_up_to, step_length)
        truncation_from = min(self.truncation_from, step_length) if truncated else self.truncation_from
        if noise_up_to == 0 or math.isinf(truncation_from):
            after = step_length / FACTOR if truncated else step_length * FACTOR
        else:
            after = math.sqrt(noise_up_to * truncation_from)
        return Progress(self.derivative.reconcile(derivative), after, noise_up_to, truncation_from)
