"""Paths: θ step by step, of all trajectories that start from the same θ₀.

The driving witness's is the one that is checked. Beside it go those of the other witnesses; one more of the driving
witness whose inputs, and whose θ at every step, are moved by a rounding, to know how far that alone leads; and, where
there is a penalty, one without it, to see what it does.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from xcheck.backend.contract import Backend
from xcheck.dtypes import roundoff_of
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.networks.data import Parts
from xcheck.networks.definition import Loaded, Training
from xcheck.seeds import Stream, generator
from xcheck.training.descent import Descent
from xcheck.training.descent import Path as TrajectoryPath

if TYPE_CHECKING:
    from xcheck.networks.problem import Problem


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Position:
    """Where all trajectories are after so many steps.

    Attributes:
        step: number of steps taken.
        theta: θ of the driving witness.
        others: θ of the other witnesses, in their order, and last of the one that is nudged; empty if nobody asked.
        unpenalised: θ without a penalty; None if there is none.
    """

    step: int
    theta: Vector
    others: tuple[Vector, ...]
    unpenalised: Vector | None


def positions(
    loaded: Loaded,
    plan: Training,
    parts: Parts,
    witnesses: Sequence[Backend],
    *,
    failed: Callable[[str, str], None],
    rejoining: set[int],
) -> Iterator[Position]:
    """Yield where all trajectories are, step by step, until the driving one ends.

    Args:
        loaded: network, θ₀, seed, device and dtype.
        plan: how to train.
        parts: of the data.
        witnesses: the driving one first.
        failed: called with the name of another one, and what happened, when it fails; its θ is nan from then on.
        rejoining: places of others that go on from where the driving one is; it is emptied.

    Raises:
        BackendError: the driving witness fails.
    """
    driving, *others = [Descent(loaded.problem, parts.training, plan, backend, loaded.check) for backend in witnesses]
    beside: list[TrajectoryPath] = []
    if plan.divergence and others:
        beside = [_alone(descent.path(), failed) for descent in others]
        beside.append(_nudged(driving, roundoff_of(loaded.check.dtype)))
    free = _unpenalised(driving)
    before: Vector | None = None
    for step, theta in enumerate(driving.path()):
        sent = [before if place in rejoining else None for place in range(len(beside))]
        rejoining.clear()
        yield Position(
            step=step,
            theta=theta,
            others=tuple(_next(path, theta, start) for path, start in zip(beside, sent, strict=True)),
            unpenalised=None if free is None else _next(free, theta),
        )
        before = theta


def _alone(path: TrajectoryPath, failed: Callable[[str, str], None]) -> TrajectoryPath:
    """Yield θ of a witness that fails alone."""
    try:
        yield from path
    except BackendError as error:
        failed(error.backend, error.text)


def _nudged(driving: Descent, roundoff: float) -> TrajectoryPath:
    """Yield θ of a trajectory that is moved by roundings; a zero stays one, and so does what is at a kink by it."""
    data = driving.data
    signs = generator(driving.problem.seed, Stream.INPUT_NUDGES).choice([-2.0, 2.0], data.inputs.shape)
    moved = replace(data, inputs=data.inputs * (1 + signs * roundoff))
    return replace(driving, data=moved).path(nudge=roundoff)


def _unpenalised(driving: Descent) -> TrajectoryPath | None:
    network = driving.problem.network
    if not network.l2 and not network.l1:
        return None
    problem: Problem = replace(driving.problem, network=replace(network, l2=0.0, l1=0.0))
    return replace(driving, problem=problem).path()


def _next(path: TrajectoryPath, like: Vector, start: Vector | None = None) -> Vector:
    """Return the next θ of a trajectory, from `start` if there is one; nan if it has left the numbers there are."""
    try:
        return path.send(start)
    except StopIteration:
        return np.full_like(like, np.nan)
