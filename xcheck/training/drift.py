"""Drift: how far the trajectories of two witnesses part that start from the same θ.

Right gradients differ by rounding, and training carries that on: by how much is measured with the driving witness
itself, whose inputs and, at every step, θ are moved by one unit in their last place. A wrong gradient leads further
away than that, even where a single check cannot decide: an error of relative size ε in g moves θ by about ε of the way
that training has taken it. Where a trajectory parts, the gradients of that step are checked on the batch of that step.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from xcheck.checks.report import Report
from xcheck.findings import DEPENDS_ON_HISTORY, DRIFT, Finding
from xcheck.layout import Vector
from xcheck.verdict import Verdict

# Rounding inside a gradient is more than that of its θ: sums cancel, and witnesses sum in another order. The factor is
# measured: right witnesses on random definitions stay below it (`python -m benchmarks training`, "largest share of the
# bar"); test_right_gradients_part_by_rounding holds it for two frameworks.
_ALLOWED = 1e3


class Reason(StrEnum):
    """Why two trajectories part at a step, as far as the check on the batch of that step can tell."""

    WRONG = "the check on the batch of that step says what is wrong"
    UNDECIDED = "the check on the batch of that step leaves it undecided, but the two gradients differ"
    KINK = "θ is at a kink there, to rounding, and each witness may choose a slope of its own"
    UNREPEATED = (
        "the check on the batch of that step agrees, so the gradient that the step used differs from the one that was "
        "computed again: it is random, or depends on earlier calls"
    )
    TOLERATED = "the two gradients differ, by less than the check on the batch of that step can see"

    @classmethod
    def from_report(cls, report: Report, *, beyond_agreement: bool) -> "Reason":
        """Return the reason that a report of the step gives.

        Args:
            report: of the check on the batch of the step.
            beyond_agreement: whether θ has moved further apart than two gradients that agree can lead.
        """
        if report.verdict in (Verdict.DISAGREE, Verdict.ERROR):
            return cls.WRONG
        if report.verdict is Verdict.UNDECIDED:
            return cls.UNDECIDED
        # Only then the kink: a wrong gradient at a kink is wrong.
        if report.oracle.ties:
            return cls.KINK
        return cls.UNREPEATED if beyond_agreement else cls.TOLERATED


@dataclass(frozen=True, slots=True, kw_only=True)
class Parting:
    """Where a trajectory leaves that of the driving witness.

    Attributes:
        witness: whose it is.
        step: the first after which they are further apart than rounding explains.
        distance: ‖θ − θ'‖/‖θ‖.
        rounding: the distance that roundings alone have led to by then.
        reason: what the check on the batch of that step says.
        alone: the only witness whose trajectory differs from all others, which agree; empty if there is none.
    """

    witness: str
    step: int
    distance: float
    rounding: float
    reason: Reason
    alone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """The distances of all trajectories from the driving one, at some of the steps.

    Attributes:
        steps: numbers of steps.
        of: per witness ‖θ − θ'‖/‖θ‖ after so many steps, θ that of the driving witness.
        rounding: the same for the driving witness, whose θ is moved by a rounding at every step.
        partings: where trajectories part by more than rounding explains.
    """

    steps: tuple[int, ...]
    of: Mapping[str, tuple[float, ...]]
    rounding: tuple[float, ...]
    partings: tuple[Parting, ...] = ()


def relative_distance(theta: Vector, other: Vector) -> float:
    """Return ‖θ − θ'‖/‖θ‖; infinite where θ' is not finite."""
    with np.errstate(all="ignore"):  # of a θ' that is not finite, seen below
        size = float(np.linalg.norm(theta))
        distance = float(np.linalg.norm(theta - other))
    if not np.isfinite(distance):
        return float("inf")
    return distance / size if size else distance


def allowed_distance(rounding: float, roundoff: float) -> float:
    """Return the distance that rounding explains, from the distance of the nudged trajectory."""
    # At least one nudge: a θ of zeros is moved by none.
    return _ALLOWED * max(rounding, 2 * roundoff)


def find_outlier(names: Sequence[str], thetas: Sequence[Vector], bound: float) -> str:
    """Return the witness whose θ is further than `bound` from all others, which are within it; "" if there is none.

    >>> find_outlier(["a", "b", "c"], [np.ones(2), np.ones(2), np.zeros(2)], 0.1)
    'c'
    >>> find_outlier(["a", "b"], [np.ones(2), np.zeros(2)], 0.1)
    ''
    """
    outliers = []
    for place, name in enumerate(names):
        others = [theta for number, theta in enumerate(thetas) if number != place]
        together = all(relative_distance(others[0], theta) <= bound for theta in others[1:])
        if len(others) > 1 and together and relative_distance(others[0], thetas[place]) > bound:
            outliers.append(name)
    # Of two that differ, each is far from the other: nobody is named.
    return outliers[0] if len(outliers) == 1 else ""


def build_drift(
    names: Sequence[str], measured: Sequence[tuple[int, Sequence[float]]], partings: Sequence[Parting]
) -> Drift | None:
    """Return the drift; None if nothing was measured.

    Args:
        names: of the witnesses beside the driving one.
        measured: steps, each with the distances of those witnesses and, last, that of the nudged trajectory.
        partings: where trajectories part.
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


def history_findings(partings: Sequence[Parting], driver: str) -> list[Finding]:
    """Return a finding for each gradient that was another one when it was computed again."""
    findings = []
    for parting in partings:
        if parting.reason is Reason.UNREPEATED:
            who = parting.alone or f"{parting.witness} or {driver}"
            text = (
                f"{who}: after step {parting.step}, the trajectories of {parting.witness} and {driver} are "
                f"{parting.distance:.2g} of θ apart, but {parting.reason}"
            )
            findings.append(Finding(code=DEPENDS_ON_HISTORY, text=text, value=parting.distance))
    return findings


def drift_caveats(drift: Drift, driver: str) -> list[Finding]:
    """Warn of trajectories that part where no kink explains it, unless that is a finding already."""
    caveats = []
    for parting in drift.partings:
        if parting.reason in (Reason.KINK, Reason.UNREPEATED):
            continue
        alone = f"; {parting.alone} stands alone" if parting.alone else ""
        text = (
            f"trained with the gradient of {parting.witness}, θ differs from that of {driver} by "
            f"{parting.distance:.2g} of its size after step {parting.step}, where rounding alone explains about "
            f"{parting.rounding:.1g}: {parting.reason}{alone}"
        )
        caveats.append(Finding(code=DRIFT, text=text, value=parting.distance))
    return caveats
