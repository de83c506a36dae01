"""Trajectories: θ step by step, for everybody who starts from the same θ₀.

The trajectory of the driving witness is the one that is checked. Beside it go those of the other witnesses; one more of
the driving witness, with inputs and θ moved by a rounding at every step, which shows how far rounding alone leads; and,
where there is a penalty, one without it, which shows what the penalty does.
"""

from collections.abc import Callable, Collection, Generator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np

from xcheck.backend.contract import Backend
from xcheck.dtypes import roundoff_of
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.networks.data import Parts
from xcheck.networks.definition import Loaded, Training
from xcheck.seeds import Stream, generator
from xcheck.training.descent import Descent, Trajectory


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Position:
    """θ of all trajectories after the same number of steps.

    Attributes:
        step: number of steps taken.
        theta: θ of the driving witness.
        others: θ of the other witnesses, in their order, and last that of the nudged trajectory; empty where divergence
            is not measured.
        unpenalised: θ without a penalty; None if there is none.
    """

    step: int
    theta: Vector
    others: tuple[Vector, ...]
    unpenalised: Vector | None


# Positions step by step; what is sent in are the places, among `others`, of trajectories to restart from θ.
Positions: TypeAlias = Generator[Position, Collection[int] | None, None]


def follow_trajectories(
    loaded: Loaded,
    plan: Training,
    parts: Parts,
    witnesses: Sequence[Backend],
    *,
    on_failure: Callable[[str, str], None],
) -> Positions:
    """Yield the position after 0, 1, 2, ... steps, until the trajectory of the driving witness ends.

    Args:
        loaded: network, θ₀, seed, device and dtype.
        plan: number of steps, learning rate and size of a batch.
        parts: of the data.
        witnesses: the driving one first.
        on_failure: called with the name of another witness that fails, and its message; its θ is nan from then on.

    Raises:
        BackendError: the driving witness fails.
    """
    driving, *others = [Descent(loaded.problem, parts.training, plan, backend, loaded.check) for backend in witnesses]
    # With one witness there is nobody to compare with, and the nudged trajectory would say nothing.
    beside: list[Trajectory] = []
    if plan.divergence and others:
        beside = [_report_failure(descent.run(), on_failure) for descent in others]
        beside.append(_follow_nudged(driving, roundoff_of(loaded.check.dtype)))
    unpenalised = _follow_unpenalised(driving)
    before: Vector | None = None
    restart: Collection[int] = ()
    for step, theta in enumerate(driving.run()):
        # A trajectory that restarts takes this step, too: it starts where the driving one was before the step.
        starts = [before if place in restart else None for place in range(len(beside))]
        sent = yield Position(
            step=step,
            theta=theta,
            others=tuple(_step(path, theta, start) for path, start in zip(beside, starts, strict=True)),
            unpenalised=None if unpenalised is None else _step(unpenalised, theta),
        )
        before, restart = theta, sent or ()


def _report_failure(trajectory: Trajectory, on_failure: Callable[[str, str], None]) -> Trajectory:
    """Yield θ of a witness whose failure ends its own trajectory only."""
    try:
        yield from trajectory
    except BackendError as error:
        on_failure(error.backend, error.text)


def _follow_nudged(driving: Descent, roundoff: float) -> Trajectory:
    """Yield θ of the driving witness, with inputs and θ moved by roundings; zeros stay zeros."""
    data = driving.data
    signs = generator(driving.problem.seed, Stream.INPUT_NUDGES).choice([-2.0, 2.0], data.inputs.shape)
    # Both are moved: where all weights are zero, a nudge of θ moves nothing.
    moved = replace(data, inputs=data.inputs * (1 + signs * roundoff))
    return replace(driving, data=moved).run(nudge=roundoff)


def _follow_unpenalised(driving: Descent) -> Trajectory | None:
    network = driving.problem.network
    if not network.l2 and not network.l1:
        return None
    problem = replace(driving.problem, network=replace(network, l2=0.0, l1=0.0))
    return replace(driving, problem=problem).run()


def _step(trajectory: Trajectory, like: Vector, start: Vector | None = None) -> Vector:
    """Return the next θ of a trajectory, from `start` if there is one; nan after its end."""
    try:
        return trajectory.send(start)
    except StopIteration:
        return np.full_like(like, np.nan)
