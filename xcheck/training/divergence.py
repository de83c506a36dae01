"""Watch: whether the trajectories of other witnesses leave that of the driving one, at every step."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.checks.report import Report
from xcheck.networks.network import Network
from xcheck.oracle.network.forward import LEFT_SLOPE
from xcheck.training.drift import Parting, Reason, allowed, apart, standing_alone
from xcheck.training.trajectories import Position

_NARROW = 2.0**-30
# In one step, what was apart before may be so many times as far; and a gradient that agrees may differ by this part.
_GROWTH, _SHARE = 1e3, 1e-4
_MOST = 5  # partings of one witness that are looked into


@dataclass(slots=True, eq=False, kw_only=True)
class DivergenceMonitor:
    """What has parted so far.

    A witness that has parted for no reason that ends the matter goes on from where the driving one is; one whose error
    is tolerated is given a thousand times what it has shown.

    Attributes:
        names: of the witnesses, the driving one first.
        roundoff: of the dtype that they compute in.
        floor: how far one step may lead θ away where its gradient is nothing but the rounding of sums that cancel.
        kinked: whether the network has kinks. In narrow dtypes a unit is soon on one side for one witness and on the
            other for another, and no mistake is needed for trajectories to part.
        check: called with where all were before a step; checks the gradients of that step on its batch.
        failed: names of witnesses that have failed, and are no longer there.
        rejoining: places of those that are to go on from where the driving one is.
    """

    names: Sequence[str]
    roundoff: float
    floor: float = 0.0
    kinked: bool
    check: Callable[[Position], Report]
    failed: set[str] = field(default_factory=set)
    rejoining: set[int] = field(default_factory=set)
    partings: list[Parting] = field(default_factory=list)
    _rounding: float = 0.0
    _granted: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _before: Position | None = None

    def at(self, here: Position, *, far: bool) -> None:
        """Compare where all are after a step.

        Args:
            here: where.
            far: whether θ has run away, so that numbers overflow in one witness before they do in another.
        """
        before, self._before = self._before, here
        if not here.others or far:
            return
        *others, nudged = (apart(here.theta, other) for other in here.others)
        self._rounding = max(self._rounding, nudged)
        bar = allowed(self._rounding, self.roundoff) + self._floor_at(here)
        distances = dict(zip(self.names[1:], others, strict=True))
        leaving = {
            name: distance
            for name, distance in distances.items()
            if distance > max(bar, self._granted.get(name, 0.0)) and self._is_watched(name)
        }
        if leaving and before is not None and not (self.kinked and self.roundoff > _NARROW):
            self._part(here, before, leaving, bar)
        self._last = {name: 0.0 if name in leaving else distance for name, distance in distances.items()}

    def _floor_at(self, here: Position) -> float:
        size = float(np.linalg.norm(here.theta))
        return self.floor * float(np.sqrt(here.step)) / size if size else np.inf

    def _is_watched(self, name: str) -> bool:
        known = [parting for parting in self.partings if parting.witness == name]
        ended = any(parting.reason not in (Reason.KINK, Reason.TOLERATED) for parting in known)
        return name not in self.failed and not ended and len(known) < _MOST

    def _part(self, here: Position, before: Position, leaving: Mapping[str, float], bar: float) -> None:
        report, move = self.check(before), apart(here.theta, before.theta)
        alone = standing_alone(self.names, [here.theta, *here.others[:-1]], bar)
        for name, distance in leaving.items():
            unlike = not distance <= _GROWTH * (self._last.get(name, 0.0) + bar) + _SHARE * move
            reason = Reason.of(report, unlike=unlike)
            parting = Parting(
                witness=name, step=here.step, distance=distance, rounding=self._rounding, reason=reason, alone=alone
            )
            self.partings.append(parting)
            self.rejoining.add(self.names.index(name) - 1)
            if reason is Reason.TOLERATED:
                self._granted[name] = _GROWTH * distance


def has_kinks(network: Network) -> bool:
    """Return whether J has kinks: relu, leaky_relu or l1."""
    return bool(network.l1) or any(layer.activation in LEFT_SLOPE for layer in network.layers)
