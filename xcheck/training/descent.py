"""Descent: θ after each step of gradient descent, with the gradient of one witness.

With α the learning rate and dJ/dW the examples' share of the gradient,

    W ← W − α (dJ/dW + λ/m W)  =  (1 − α λ/m) W − α dJ/dW                       (weight decay)

The witness's gradient has the penalty's share in it already, so a step is θ ← θ − α g. m is the number of examples that
are trained on, also where a step looks at a mini-batch of them: the penalty of a batch is that of the whole.

Source: lecture notes, equations (8)-(10).
"""

from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from xcheck.backend.contract import Backend, Objective
from xcheck.layout import Vector
from xcheck.networks.data import Dataset
from xcheck.networks.definition import CheckSettings, Training
from xcheck.networks.network import Network
from xcheck.networks.problem import Problem, draw_masks
from xcheck.seeds import Stream, generator

Path: TypeAlias = Generator[Vector, Vector | None, None]


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Gradient descent from one θ.

    Attributes:
        problem: the network with θ₀ and the seed.
        data: what is trained on.
        plan: how.
        backend: whose gradient drives it.
        check: device and dtype.
    """

    problem: Problem
    data: Dataset
    plan: Training
    backend: Backend
    check: CheckSettings

    def path(self, *, nudge: float = 0.0) -> Path:
        """Yield θ after 0, 1, 2, ... steps; it ends when θ is no longer finite. What is sent in is where it goes on.

        Args:
            nudge: unit roundoff; every component of θ is moved by twice that before each step, up or down. 0 does not.

        Raises:
            BackendError: the witness fails.
        """
        rng = generator(self.problem.seed, Stream.NUDGES)
        here = _nudged(self.problem.theta, nudge, rng)
        here = _taken(here, (yield here))
        objective: Objective | None = None
        for step, rows in enumerate(batches(len(self.data.inputs), self.plan.batch, self.problem.seed), start=1):
            if step > self.plan.steps:
                return
            if objective is None or not self._repeats:
                objective = self._objective(rows, step)
            with np.errstate(all="ignore"):
                here = here - self.plan.learning_rate * objective.loss_and_gradient(here)[1]
            if not np.isfinite(here).all():
                return
            here = _nudged(here, nudge, rng)
            here = _taken(here, (yield here))

    @property
    def _repeats(self) -> bool:
        """Whether every step is about the same examples with the same masks."""
        return self.plan.takes_all_of(len(self.data.inputs)) and not self.problem.network.drops

    def batch_of(self, step: int, theta: Vector) -> Problem:
        """Return the problem whose gradient at θ makes the step that follows so many others."""
        every = batches(len(self.data.inputs), self.plan.batch, self.problem.seed)
        return replace(self._batch(next(islice(every, step, None)), step + 1), theta=theta)

    def _objective(self, rows: NDArray[np.intp], step: int) -> Objective:
        batch = self._batch(rows, step).rounded(self.check.dtype)
        return self.backend.network_objective(batch, device=self.check.device, dtype=self.check.dtype)

    def _batch(self, rows: NDArray[np.intp], step: int) -> Problem:
        network = with_penalty_of(self.problem.network, len(rows), len(self.data.inputs))
        return Problem(
            network=network,
            inputs=self.data.inputs[rows],
            targets=self.data.targets[rows],
            theta=self.problem.theta,
            masks=draw_masks(network, len(rows), self.problem.seed, step=step),
            seed=self.problem.seed,
            name=self.problem.name,
        )


def _taken(theta: Vector, sent: Vector | None) -> Vector:
    return theta if sent is None else sent


def _nudged(theta: Vector, roundoff: float, rng: np.random.Generator) -> Vector:
    """Return θ with every component moved by a unit in its last place, up or down.

    A zero stays: what is at a kink because of it (z = 0 of inputs that are zero) is there for every witness.
    """
    return theta * (1 + rng.choice([-2.0, 2.0], theta.shape) * roundoff) if roundoff else theta


def with_penalty_of(network: Network, batch: int, examples: int) -> Network:
    """Return the network whose penalty, divided by the size of a batch, is that of all examples divided by theirs."""
    share = batch / examples
    return network if share == 1 else replace(network, l2=network.l2 * share, l1=network.l1 * share)


def batches(rows: int, size: int | None, seed: int) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of one step after the other, without end: all, or in each epoch every row once.

    >>> [len(rows) for _, rows in zip(range(5), batches(10, 4, seed=0))]
    [4, 4, 2, 4, 4]
    """
    rng = generator(seed, Stream.BATCHES)
    while True:
        if size is None or size >= rows:
            yield np.arange(rows)
            continue
        shuffled = rng.permutation(rows)
        yield from (np.sort(shuffled[start : start + size]) for start in range(0, rows, size))
