"""Slopes of components at points near θ: they show kinks that the line through θ does not.

J = max(θ₁ + θ₂, 0) − max(θ₁ − θ₂, 0) is θ₂ on the line θ₁ = 0: its slope there is 1, to both sides. Near θ = 0 it is 0,
1 or 2, and any of these may be what the chain rule gives at θ, where both maxima are at their kinks. The generalised
gradient is what gradients at points near θ tend to, and means of these.

Slopes that differ because J bends differ by a sixteenth at a sixteenth of the distance; slopes that a kink parts differ
by as much. If all of them are between the slopes to both sides of θ, these say all that there is to say. If not, kinks
are hidden from the line, and a slope between those that were met is right. A few points show few of the combinations of
many kinks, so that nothing can be said of a slope beyond these.

Source: Clarke, "Optimization and Nonsmooth Analysis", 1983, theorem 2.5.1: the generalised gradient is the hull of the
limits of gradients.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE

# Points near θ: a guess. One kink through θ parts them in halves, and is missed by sixteen once in 32,768.
_POINTS = 16
# How far they are at most, in units of max(1, |θᵢ|), and the second time: near enough for few other kinks to be
# between, far enough for steps of 1/512 of that to leave noise of u/2⁻²⁶, 10⁻⁸ of the loss.
_FAR, _NEAR = 2.0**-13, 2.0**-17
_SHORT = 2.0**-9
# A slope is outside the two at θ if it is by a tenth of what slopes near θ differ by: a guess, far above noise.
_OUTSIDE = 0.1
# Slopes differ by a kink if at a sixteenth of the distance they differ by half as much or more; a bend leaves 1/16.
_STAYS = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class NearbySlopes:
    """Slopes of some components near θ.

    Attributes:
        points: the points, shape (p, n).
        slopes: at each of them, shape (p, k).
        error: what noise may do to these, shape (k,).
        kinked: where kinks part these slopes, shape (k,).
    """

    points: Vector
    slopes: Vector
    error: Vector
    kinked: Flags

    @property
    def lower(self) -> Vector:
        """The least slope that was met, shape (k,)."""
        return np.asarray(self.slopes.min(axis=0))

    @property
    def upper(self) -> Vector:
        """The largest slope that was met, shape (k,)."""
        return np.asarray(self.slopes.max(axis=0))

    @property
    def width(self) -> Vector:
        """How far apart the slopes are, shape (k,)."""
        return self.upper - self.lower

    def hidden(self, lower: Vector, upper: Vector) -> Flags:
        """Return where kinks part the slopes and the two slopes at θ, shape (k,) each, do not show all of them."""
        margin = _OUTSIDE * self.width + self.error
        return self.kinked & ((self.lower < lower - margin) | (self.upper > upper + margin))

    def holds(self, gradient: Vector) -> Flags:
        """Return which components of a gradient, shape (k,), are between slopes that were met."""
        return (self.lower - self.error <= gradient) & (gradient <= self.upper + self.error)


@np.errstate(all="ignore")  # what is not finite is not kinked
def measure_nearby(
    engine: FunctionEngine, components: Indices, noise: Vector, rng: np.random.Generator
) -> NearbySlopes:
    """Measure slopes of components at points near θ, where every component is moved, at two distances.

    Args:
        engine: evaluates the losses.
        components: flat indices in θ, shape (k,).
        noise: σ of J along each, shape (k,).
        rng: draws the points.
    """
    theta = engine.theta
    # At least a quarter of the distance, along every component.
    moves = rng.uniform(0.25, 1.0, (_POINTS, theta.size)) * rng.choice([-1.0, 1.0], (_POINTS, theta.size))
    moves *= np.maximum(1.0, np.abs(theta))
    far, near = (_slopes_at(engine, components, distance * moves, distance) for distance in (_FAR, _NEAR))
    error = NOISE_MULTIPLE * noise / (_SHORT * _NEAR)
    width = np.ptp(near, axis=0)
    kinked = (width > error) & (width > _STAYS * np.ptp(far, axis=0))
    return NearbySlopes(theta + _NEAR * moves, near, error, kinked)


def _slopes_at(engine: FunctionEngine, components: Indices, moves: Vector, distance: float) -> Vector:
    """Return the slope of each component at each point θ + move, shape (p, k)."""
    step = _SHORT * distance * np.maximum(1.0, np.abs(engine.theta[components]))
    everything, count = np.arange(engine.theta.size), len(components)
    slopes, rows = np.empty((len(moves), count)), np.arange(count)
    for number, move in enumerate(moves):
        there = np.repeat(move[None], 2 * count, axis=0)
        there[rows, components] += step
        there[count + rows, components] -= step
        losses = engine.moved_together(everything, there)
        slopes[number] = (losses[:count] - losses[count:]) / (2 * step)
    return slopes
