"""Watch: whether the trajectories of other witnesses leave that of the driving one, at every step."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.network import Network
from xcheck.oracle.forward import LEFT_SLOPE
from xcheck.report.model import Report
from xcheck.training.drift import Parting, Reason, allowed, apart, standing_alone
from xcheck.training.paths import Position

_NARROW = 2.0**-30


@dataclass(slots=True, eq=False, kw_only=True)
class Watch:
    """What has parted so far.

    Attributes:
        names: of the witnesses, the driving one first.
        roundoff: of the dtype that they compute in.
        kinked: whether the network has kinks. In narrow dtypes a unit is soon on one side for one witness and on the
            other for another, and no mistake is needed for trajectories to part.
        check: called with where all were before a step; checks the gradients of that step on its batch.
    """

    names: Sequence[str]
    roundoff: float
    kinked: bool
    check: Callable[[Position], Report]
    partings: list[Parting] = field(default_factory=list)
    _rounding: float = 0.0
    _before: Position | None = None

    def at(self, here: Position, *, far: bool) -> None:
        """Compare where all are after a step.

        Args:
            here: where.
            far: whether θ has run away, so that numbers overflow in one witness before they do in another.
        """
        if here.others and not far:
            *others, nudged = (apart(here.theta, other) for other in here.others)
            self._rounding = max(self._rounding, nudged)
            bar, parted = allowed(self._rounding, self.roundoff), {parting.witness for parting in self.partings}
            leaving = [
                (name, distance)
                for name, distance in zip(self.names[1:], others, strict=True)
                if distance > bar and name not in parted
            ]
            if leaving and self._before is not None and not (self.kinked and self.roundoff > _NARROW):
                self._part(here, self._before, leaving, bar)
        self._before = here

    def _part(self, here: Position, before: Position, leaving: Sequence[tuple[str, float]], bar: float) -> None:
        reason = Reason.of(self.check(before))
        alone = standing_alone(self.names, [here.theta, *here.others[:-1]], bar)
        for name, distance in leaving:
            parting = Parting(
                witness=name,
                step=here.step,
                distance=distance,
                rounding=self._rounding,
                reason=reason,
                alone=alone,
            )
            self.partings.append(parting)


def has_kinks(network: Network) -> bool:
    """Return whether J has kinks: relu, leaky_relu or l1."""
    return bool(network.l1) or any(layer.activation in LEFT_SLOPE for layer in network.layers)


def is_far(start: np.ndarray, here: np.ndarray, times: float) -> bool:
    """Return whether θ is so many times as large as it was at the start, or 1."""
    return bool(np.abs(here).max() > times * max(1.0, float(np.abs(start).max())))
