"""Drift: how far the trajectories of two witnesses part that start from the same θ.

Right gradients differ by rounding, and training carries that on: by how much is measured with the driving witness
itself, whose θ is moved by one unit in its last place at every step. A wrong gradient parts by more, even where a
single check cannot decide: an error of relative size ε in g moves θ by about ε of the way that training has taken it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.findings import DRIFT, Finding
from xcheck.parameters import Vector

# Rounding inside a gradient is more than that of its θ: sums cancel, and witnesses sum in another order.
_ALLOWED = 1e3


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far trajectories have parted after some steps.

    Attributes:
        steps: numbers of steps.
        of: per witness ‖θ − θ'‖/‖θ‖ after so many steps, θ that of the driving witness.
        rounding: the same for a θ that is moved by a rounding at every step.
    """

    steps: tuple[int, ...]
    of: Mapping[str, tuple[float, ...]]
    rounding: tuple[float, ...]

    def parted(self, name: str, roundoff: float) -> int | None:
        """Return the first place in `steps` where a witness is further off than rounding explains."""
        places = zip(self.of[name], self.bars(roundoff), strict=True)
        return next((place for place, (distance, bar) in enumerate(places) if not distance <= bar), None)

    def bars(self, roundoff: float) -> list[float]:
        """Return how far rounding may have led by then; trajectories that meet again were apart before."""
        so_far = np.maximum.accumulate(np.nan_to_num(np.array(self.rounding), nan=np.inf))
        return [_ALLOWED * max(float(most), 2 * roundoff) for most in so_far]


def apart(theta: Vector, other: Vector) -> float:
    """Return ‖θ − θ'‖/‖θ‖; infinite where θ' is not finite."""
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(theta))
        distance = float(np.linalg.norm(theta - other))
    if not np.isfinite(distance):
        return float("inf")
    return distance / size if size else distance


def drift_of(names: Sequence[str], measured: Sequence[tuple[int, Sequence[float]]]) -> Drift | None:
    """Return the drift; None if nothing was measured.

    Args:
        names: of the witnesses beside the driving one.
        measured: steps, and how far those are off, last the one that is nudged.
    """
    if not measured:
        return None
    columns = list(zip(*(distances for _, distances in measured), strict=True))
    return Drift(
        steps=tuple(step for step, _ in measured),
        of=dict(zip(names, columns[:-1], strict=True)),
        rounding=columns[-1],
    )


def _reason(kinks: Mapping[int, int], parted: int) -> str:
    at = next((step for step, count in kinks.items() if count and step < parted), None)
    if at is None:
        return "one of the two gradients is another one somewhere on the way"
    return (
        f"at step {at}, {kinks[at]} weights or units sit exactly on a kink, where each framework chooses a slope of "
        "its own, and that may be all; or one of the two gradients is another one somewhere on the way"
    )


def drifts(drift: Drift, driver: str, roundoff: float, kinks: Mapping[int, int]) -> list[Finding]:
    """Warn of witnesses whose trajectories part by more than rounding does.

    Args:
        drift: what was measured.
        driver: name of the driving witness.
        roundoff: unit roundoff of the dtype that the witnesses compute in.
        kinks: after some steps, how many weights and units were exactly at one.
    """
    found = []
    for name, distances in drift.of.items():
        place = drift.parted(name, roundoff)
        if place is None:
            continue
        text = (
            f"trained with the gradient of {name}, θ is {distances[place]:.2g} of itself away from that of {driver} by "
            f"step {drift.steps[place]}, and {distances[-1]:.2g} at step {drift.steps[-1]}; rounding alone explains "
            f"{drift.bars(roundoff)[place]:.1g} by then: "
            f"{_reason(kinks, drift.steps[place])}"
        )
        found.append(Finding(code=DRIFT, text=text, value=distances[place]))
    return found
