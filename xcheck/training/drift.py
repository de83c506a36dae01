"""Drift: how far the trajectories of two witnesses part that start from the same θ.

Right gradients differ by rounding, and training carries that on: by how much is measured with the driving witness
itself, from a θ₀ whose every component is moved by one unit in its last place. A wrong gradient parts by more, even
where a single check cannot decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from xcheck.findings import DRIFT, Finding
from xcheck.parameters import Vector

_NUDGE = 9
# Rounding happens at every step and not at the first alone, and in another order in each witness.
_ALLOWED = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far trajectories have parted after some steps.

    Attributes:
        steps: numbers of steps.
        of: per witness ‖θ − θ'‖/‖θ‖ after so many steps, θ that of the driving witness.
        rounding: the same for a θ₀ that was moved by a rounding.
    """

    steps: tuple[int, ...]
    of: Mapping[str, tuple[float, ...]]
    rounding: tuple[float, ...]


def apart(theta: Vector, other: Vector) -> float:
    """Return ‖θ − θ'‖/‖θ‖; nan where one of them is not finite."""
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(theta))
        distance = float(np.linalg.norm(theta - other))
    return distance / size if size else distance


def nudged(theta: Vector, roundoff: float, seed: int) -> Vector:
    """Return θ with every component moved by a unit in its last place, up or down."""
    signs = np.random.default_rng([seed, _NUDGE]).choice([-1.0, 1.0], theta.shape)
    return theta + signs * 2 * roundoff * np.maximum(np.abs(theta), np.abs(theta).mean())


def drifts(drift: Drift, roundoff: float) -> list[Finding]:
    """Warn of witnesses whose trajectories part by more than rounding does."""
    found = []
    for name, distances in drift.of.items():
        places = [place for place, distance in enumerate(distances) if distance > _bar(drift.rounding[place], roundoff)]
        if places:
            place = places[0]
            text = (
                f"trained with the gradient of {name}, θ parts by {distances[place]:.2g} of itself within "
                f"{drift.steps[place]} steps; rounding alone explains {_bar(drift.rounding[place], roundoff):.1g}: its "
                "gradient is another one somewhere on the way"
            )
            found.append(Finding(code=DRIFT, text=text, value=distances[place]))
    return found


def _bar(rounding: float, roundoff: float) -> float:
    return _ALLOWED * max(rounding, 2 * roundoff)
