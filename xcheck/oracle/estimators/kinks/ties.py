"""Several components at a kink: slopes along directions that move them together.

Each component of a gradient g may lie between its own two slopes and g be no subgradient all the same. For
J = max(θ₁, θ₂) at θ₁ = θ₂ both intervals are [0, 1], and along v = (1, 1) J has the slope 1 on both sides: (0, 0) and
(1, 1) are wrong, (½, ½) is right.

Let J'(y; v) be the slope of J at y in the direction v, to the right. Where J is regular at θ (a maximum of smooth
functions, and sums of such), every subgradient g satisfies

    −J'(θ; −v) ≤ g·v ≤ J'(θ; v).

Where J is not regular (a difference of maxima) a subgradient may exceed these bounds, as far as slopes at points y near
θ do: g·v ≤ J°(θ; v) = lim sup J'(y; v). A few points would miss the steepest of them where many components tie. So the
slopes at random points near θ only tell whether J is regular along v: if one of them is outside the slopes at θ itself,
nothing is refuted along that v, and fewer components are moved together, down to pairs.

Source: Clarke, "Optimization and Nonsmooth Analysis", 1983, sections 2.1 to 2.3 (regularity; the directional derivative
J°, of which subgradients are the supporting slopes).
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE

# Directions of random signs that move all components at kinks, and, where J is not regular along these, of halves of
# them and of neighbours: guesses. A pair that is tied is moved with equal signs by the first, which is all ones, and
# neighbours with opposite ones by the second.
_TOGETHER, _HALVES, _PAIRS = 3, 4, 8
# Points near θ. Two independent kinks of opposite signs make J irregular along half of the directions; each point shows
# that with probability 1/2, so sixteen miss it once in 65,536.
_POINTS = 16
# The steps to both sides are h, 2h and 4h with this h, in units of the natural scale of each component: extrapolation
# leaves a truncation of h² ∂³J, and noise is u/h = 2⁻³⁷. Points near θ are up to 8h away, their slopes are measured
# with h/64, so that hardly any has a kink inside its step.
_STEP, _AWAY, _SHORT = 2.0**-16, 8.0, 1.0 / 64
# How much slopes may differ near θ because J bends, relative to their size: a guess, as far above the 2⁻¹³ that points
# are away as J may bend more than a sine does, and far below the whole slopes that kinks make.
_BENT = 2.0**-7


@dataclass(frozen=True, slots=True, eq=False)
class TiedSlopes:
    """The slopes of J along one direction that moves several components at kinks.

    Attributes:
        components: flat indices in θ, shape (k,).
        direction: v, shape (k,): zero for components that stay.
        lower: least slope, error included.
        upper: largest slope, error included.
        scale: size of the slopes, which rounding is relative to.
        is_regular: whether slopes near θ are between these too.
    """

    components: Indices
    direction: Vector
    lower: float
    upper: float
    scale: float
    is_regular: bool

    def claimed(self, gradient: Vector) -> float:
        """Return the slope g·v that a gradient, shape (n,), claims."""
        return float(gradient[self.components] @ self.direction)


def measure_ties(
    engine: FunctionEngine, components: Indices, noise: float, rng: np.random.Generator
) -> list[TiedSlopes]:
    """Measure J along directions that move components at kinks together.

    Args:
        engine: evaluates the losses.
        components: flat indices in θ of the components at kinks, shape (k,), k ≥ 2.
        noise: σ of J.
        rng: draws signs and points.
    """
    step = _STEP * float(np.maximum(1.0, np.abs(engine.theta[components])).min())
    found: list[TiedSlopes] = []
    for directions in _rounds(len(components), rng):
        found += [_measure(engine, components, v, step, noise, rng) for v in directions if not engine.late]
        if all(tied.is_regular for tied in found):
            break
    return [tied for tied in found if tied.is_regular]


def _rounds(count: int, rng: np.random.Generator) -> Iterator[Sequence[Vector]]:
    """Yield directions that move all of `count` components, and then those that move some of them."""
    yield [np.ones(count), _opposite(count), *rng.choice([-1.0, 1.0], (0 if count == 2 else _TOGETHER, count))]
    first = rng.permutation(count - 1)[:_PAIRS]
    halves = [rng.choice(count, max(2, count // 2), replace=False) for _ in range(_HALVES)]
    some = [*halves, *(np.array([place, place + 1]) for place in first)]
    yield [_along(places, signs, count) for places in some for signs in (np.ones(count), _opposite(count))]


def _opposite(count: int) -> Vector:
    # Neighbours the other way.
    return np.where(np.arange(count) % 2, -1.0, 1.0)


def _along(places: Indices, signs: Vector, count: int) -> Vector:
    """Return the direction that moves components at some places with these signs."""
    v = np.zeros(count)
    v[np.sort(places)] = signs[: len(places)]
    return v


@np.errstate(all="ignore")  # what is not finite refutes nothing
def _measure(
    engine: FunctionEngine, components: Indices, v: Vector, h: float, noise: float, rng: np.random.Generator
) -> TiedSlopes:
    # The factors keep points off one another, and off the planes on which further components tie.
    away = _AWAY * h * rng.uniform(0.25, 1.0, (_POINTS, len(v))) * rng.choice([-1.0, 1.0], (_POINTS, len(v)))
    short = _SHORT * h
    moves = np.concatenate(
        [np.outer([0.0, h, 2 * h, 4 * h, -h, -2 * h, -4 * h], v), away + short * v, away - short * v]
    )
    losses = engine.moved_together(components, moves)
    here, right, left = losses[0], losses[1:4], losses[4:7]
    steps = h * np.array([1.0, 2.0, 4.0])
    forward, backward = (right - here) / steps, (here - left) / steps
    # One-sided slopes err by h J''/2: doubled, less those of twice the step, that is left out.
    at_theta = [2 * side[0] - side[1] for side in (forward, backward)]
    doubled = [2 * side[1] - side[2] for side in (forward, backward)]
    nearby = (losses[7 : 7 + _POINTS] - losses[7 + _POINTS :]) / (2 * short)
    error = 2 * float(np.abs(np.subtract(at_theta, doubled)).max()) + NOISE_MULTIPLE * 4 * noise / h
    lower, upper = min(at_theta) - error, max(at_theta) + error
    # At another point J is as noisy, the step is shorter, and J has bent on the way there.
    scale = float(np.abs([*at_theta, *nearby]).max())
    margin = NOISE_MULTIPLE * noise / short + _BENT * scale
    is_regular = bool(((lower - margin <= nearby) & (nearby <= upper + margin)).all())
    return TiedSlopes(components, v, lower, upper, scale, is_regular)
