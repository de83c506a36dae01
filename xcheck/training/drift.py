"""Drift: how far the trajectories of two witnesses part that start from the same θ.

Right gradients differ by rounding, and training carries that on: by how much is measured with the driving witness
itself, whose inputs and, at every step, θ are moved by one unit in their last place. A wrong gradient parts by more,
even where a single check cannot decide: an error of relative size ε in g moves θ by about ε of the way that training
has taken it. Where a trajectory parts, the gradients of that step are checked on the batch of that step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xcheck.checks.report import Report
from xcheck.findings import DEPENDS_ON_HISTORY, DRIFT, Finding
from xcheck.layout import Vector
from xcheck.verdict import Verdict

# Rounding inside a gradient is more than that of its θ: sums cancel, and witnesses sum in another order.
_ALLOWED = 1e3


class Reason(StrEnum):
    """What the check on the batch of the step says about two trajectories that part there."""

    WRONG = "the check on the batch of that step says what is wrong"
    UNDECIDED = "the check on the batch of that step leaves it undecided, but one of the two gradients is another one"
    KINK = "θ is at a kink there, to rounding, and each witness may choose a slope of its own"
    UNREPEATED = (
        "the check on the batch of that step agrees, so the gradient that was used was another one than when it was "
        "asked again: it is random, or depends on what was called before"
    )
    TOLERATED = "one of the two gradients is another one, by less than the check on the batch of that step can see"

    @classmethod
    def of(cls, report: Report, *, unlike: bool) -> "Reason":
        """Read it off a report; `unlike` where θ has parted by more than a gradient can that agrees."""
        if report.verdict in (Verdict.DISAGREE, Verdict.ERROR):
            return cls.WRONG
        if report.verdict is Verdict.UNDECIDED:
            return cls.UNDECIDED
        if report.oracle.ties:
            return cls.KINK
        return cls.UNREPEATED if unlike else cls.TOLERATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where a trajectory leaves that of the driving witness.

    Attributes:
        witness: whose it is.
        step: the first after which they are further apart than rounding explains.
        distance: how far, ‖θ − θ'‖/‖θ‖.
        rounding: how far roundings alone have led by then.
        reason: what the check on the batch of that step says.
        alone: the one whose trajectory nobody else's goes with; empty if that is not told.
    """

    witness: str
    step: int
    distance: float
    rounding: float
    reason: Reason
    alone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How far trajectories have parted after some steps.

    Attributes:
        steps: numbers of steps.
        of: per witness ‖θ − θ'‖/‖θ‖ after so many steps, θ that of the driving witness.
        rounding: the same for a θ that is moved by a rounding at every step.
        partings: which of them part by more than that, and where.
    """

    steps: tuple[int, ...]
    of: Mapping[str, tuple[float, ...]]
    rounding: tuple[float, ...]
    partings: tuple[Parting, ...] = ()


def apart(theta: Vector, other: Vector) -> float:
    """Return ‖θ − θ'‖/‖θ‖; infinite where θ' is not finite."""
    with np.errstate(all="ignore"):
        size = float(np.linalg.norm(theta))
        distance = float(np.linalg.norm(theta - other))
    if not np.isfinite(distance):
        return float("inf")
    return distance / size if size else distance


def allowed(rounding: float, roundoff: float) -> float:
    """Return how far rounding may lead, if it has led so far where that was measured."""
    return _ALLOWED * max(rounding, 2 * roundoff)


def standing_alone(names: Sequence[str], thetas: Sequence[Vector], bar: float) -> str:
    """Return the only one whose θ is further from all others' than `bar`, while those go together; else nothing.

    >>> standing_alone(["a", "b", "c"], [np.ones(2), np.ones(2), np.zeros(2)], 0.1)
    'c'
    >>> standing_alone(["a", "b"], [np.ones(2), np.zeros(2)], 0.1)
    ''
    """
    found = []
    for place, name in enumerate(names):
        others = [theta for number, theta in enumerate(thetas) if number != place]
        together = all(apart(others[0], theta) <= bar for theta in others[1:])
        if len(others) > 1 and together and apart(others[0], thetas[place]) > bar:
            found.append(name)
    return found[0] if len(found) == 1 else ""


def drift_of(
    names: Sequence[str], measured: Sequence[tuple[int, Sequence[float]]], partings: Sequence[Parting]
) -> Drift | None:
    """Return the drift; None if nothing was measured.

    Args:
        names: of the witnesses beside the driving one.
        measured: steps, and how far those are off, last the one that is nudged.
        partings: where they part.
    """
    if not measured:
        return None
    columns = list(zip(*(distances for _, distances in measured), strict=True))
    return Drift(
        steps=tuple(step for step, _ in measured),
        of=dict(zip(names, columns[:-1], strict=True)),
        rounding=columns[-1],
        partings=tuple(partings),
    )


def unrepeated(partings: Sequence[Parting], driver: str) -> list[Finding]:
    """Return a finding for each gradient that was not the same when it was asked for again."""
    found = []
    for each in partings:
        if each.reason is Reason.UNREPEATED:
            who = each.alone or f"{each.witness} or {driver}"
            text = f"{who}: the step to {each.step} leads {each.distance:.2g} of θ apart, but {each.reason}"
            found.append(Finding(code=DEPENDS_ON_HISTORY, text=text, value=each.distance))
    return found


def drifts(drift: Drift, driver: str) -> list[Finding]:
    """Warn of trajectories that part where no kink explains it; what was not repeated is a finding."""
    found = []
    for parting in drift.partings:
        if parting.reason in (Reason.KINK, Reason.UNREPEATED):
            continue
        alone = f"; {parting.alone} stands alone" if parting.alone else ""
        text = (
            f"trained with the gradient of {parting.witness}, θ is {parting.distance:.2g} of itself away from that of "
            f"{driver} after step {parting.step}, where roundings alone lead {parting.rounding:.1g} away: "
            f"{parting.reason}{alone}"
        )
        found.append(Finding(code=DRIFT, text=text, value=parting.distance))
    return found
