"""Divergence: whether the trajectories of other witnesses leave that of the driving one, watched at every step."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from xcheck.checks.report import Report
from xcheck.layout import Vector
from xcheck.networks.data import Dataset
from xcheck.networks.network import Network
from xcheck.oracle.network.forward import LEFT_SLOPE
from xcheck.training.drift import (
    Drift,
    Parting,
    Reason,
    allowed_distance,
    build_drift,
    find_outlier,
    relative_distance,
)
from xcheck.training.trajectories import Position

# Between the roundoffs of float64 (2⁻⁵³) and of float32 (2⁻²⁴): what is above it computes in a narrow dtype.
_NARROW = 2.0**-30
# A guess, chosen so that a step of gradient descent on a steep J, which multiplies distances by up to |1 − α λ_max(H)|,
# is not taken for a wrong gradient: with factors of more than 1 for many steps, θ runs away, and is compared no more.
# test_an_error_that_is_tolerated_is_told_once holds it.
_GROWTH = 1e3
# A guess: a gradient that agrees differs by 1e-7 of itself (the tolerance) and by its error bar; this leaves room for
# a wider tolerance, and a gradient of the step before differs by far more.
_SHARE = 1e-4
# A guess, chosen so that a witness that parts over and over costs at most five full checks.
_MOST_PARTINGS = 5
# Roundings of a gradient that cancels add up over the examples, in an order of each witness's own; 16 is a guess,
# held by test_gradients_that_are_nothing_but_rounding_are_nobodys_fault.
_ROUNDINGS = 16


@dataclass(slots=True, eq=False, kw_only=True)
class DivergenceMonitor:
    """Compares the trajectories after every step, and keeps where they part.

    A witness that parts at a kink, or by an error that the check tolerates, restarts from θ of the driving witness, so
    that later faults of it are seen as well. A tolerated error is reported again only if it is a thousand times larger.

    Attributes:
        names: of the witnesses, the driving one first.
        roundoff: of the dtype that they compute in.
        floor: how far one step may lead θ away where its gradient is nothing but the rounding of sums that cancel.
        kinked: whether the network has kinks. In narrow dtypes a unit is soon on one side for one witness and on the
            other for another, and no mistake is needed for trajectories to part.
        check: checks the gradients of the step that follows a position, on the batch of that step.
        failed: names of witnesses that have failed.
        partings: where trajectories part, in the order of the steps.
    """

    names: Sequence[str]
    roundoff: float
    floor: float = 0.0
    kinked: bool
    check: Callable[[Position], Report]
    failed: set[str] = field(default_factory=set)
    partings: list[Parting] = field(default_factory=list)
    _distances: dict[int, list[float]] = field(default_factory=dict)
    _rounding: float = 0.0
    _tolerated: dict[str, float] = field(default_factory=dict)
    _last: dict[str, float] = field(default_factory=dict)
    _before: Position | None = None

    def compare(self, position: Position, *, far: bool) -> Collection[int]:
        """Compare the trajectories after a step, and return the places of those to restart.

        Args:
            position: θ of all of them.
            far: whether θ has run away, so that numbers overflow in one witness before they do in another.
        """
        before, self._before = self._before, position
        if not position.others or far:
            return ()
        *others, nudged = (relative_distance(position.theta, other) for other in position.others)
        # The largest so far: trajectories that meet again later were apart all the same.
        self._rounding = max(self._rounding, nudged)
        bound = allowed_distance(self._rounding, self.roundoff) + self._floor_at(position)
        distances = dict(zip(self.names[1:], others, strict=True))
        leaving = {
            name: distance
            for name, distance in distances.items()
            if distance > max(bound, self._tolerated.get(name, 0.0)) and self._is_watched(name)
        }
        parted: Sequence[Parting] = ()
        if leaving and before is not None and not (self.kinked and self.roundoff > _NARROW):
            parted = self._part(position, before, leaving, bound)
        self._last = {name: 0.0 if name in leaving else distance for name, distance in distances.items()}
        return [self.names.index(parting.witness) - 1 for parting in parted]

    def record(self, position: Position) -> None:
        """Keep the distances at a position, once, for the table of the report."""
        if position.others and position.step not in self._distances:
            self._distances[position.step] = [relative_distance(position.theta, other) for other in position.others]

    def drift(self) -> Drift | None:
        """Return the distances that were recorded, and where trajectories part; None if nothing was recorded."""
        return build_drift(self.names[1:], sorted(self._distances.items()), self.partings)

    def _floor_at(self, position: Position) -> float:
        """Return the floor after so many steps, whose roundings add up like a random walk, relative to θ."""
        size = float(np.linalg.norm(position.theta))
        return self.floor * float(np.sqrt(position.step)) / size if size else np.inf

    def _is_watched(self, name: str) -> bool:
        """Return whether another parting of this witness would say anything new."""
        earlier = [parting for parting in self.partings if parting.witness == name]
        explained = any(parting.reason not in (Reason.KINK, Reason.TOLERATED) for parting in earlier)
        return name not in self.failed and not explained and len(earlier) < _MOST_PARTINGS

    def _part(
        self, position: Position, before: Position, leaving: Mapping[str, float], bound: float
    ) -> Sequence[Parting]:
        """Check the gradients of the step just taken, and keep a parting for each witness that leaves."""
        self.record(before)
        report, length = self.check(before), relative_distance(position.theta, before.theta)
        outlier = find_outlier(self.names, [position.theta, *position.others[:-1]], bound)
        parted = []
        for name, distance in leaving.items():
            agreeing = _GROWTH * (self._last.get(name, 0.0) + bound) + _SHARE * length
            reason = Reason.from_report(report, beyond_agreement=not distance <= agreeing)
            parted.append(
                Parting(
                    witness=name,
                    step=position.step,
                    distance=distance,
                    rounding=self._rounding,
                    reason=reason,
                    alone=outlier,
                )
            )
            if reason is Reason.TOLERATED:
                self._tolerated[name] = _GROWTH * distance
        self.partings += parted
        return parted


def has_kinks(network: Network) -> bool:
    """Return whether J has kinks: relu, leaky_relu or l1."""
    return bool(network.l1) or any(layer.activation in LEFT_SLOPE for layer in network.layers)


def cancellation_floor(data: Dataset, theta: Vector, *, roundoff: float, learning_rate: float) -> float:
    """Return how far rounding may lead in a step whose gradient is a sum that cancels: α u √n times what is summed."""
    summed = max(1.0, float(np.abs(data.inputs).max())) * max(1.0, float(np.abs(data.targets).max()))
    return float(_ROUNDINGS * roundoff * learning_rate * summed * np.sqrt(len(theta)))
