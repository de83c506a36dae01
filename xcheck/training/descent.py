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

# θ after 0, 1, 2, ... steps; a θ that is sent in replaces the current one before the next step.
Trajectory: TypeAlias = Generator[Vector, Vector | None, None]


@dataclass(frozen=True, slots=True, eq=False)
class Descent:
    """Gradient descent from one θ.

    Attributes:
        problem: the network with θ₀ and the seed.
        data: what is trained on.
        plan: number of steps, learning rate and size of a batch.
        backend: the witness whose gradient is followed.
        check: device and dtype.
    """

    problem: Problem
    data: Dataset
    plan: Training
    backend: Backend
    check: CheckSettings

    def run(self, *, nudge: float = 0.0) -> Trajectory:
        """Yield θ after 0, 1, 2, ... steps, until all are taken or θ is no longer finite.

        Args:
            nudge: unit roundoff; every component of θ is moved by twice that before each step, up or down. 0 moves
                nothing.

        Raises:
            BackendError: the witness fails.
        """
        rng = generator(self.problem.seed, Stream.NUDGES)
        theta = _nudge(self.problem.theta, nudge, rng)
        sent = yield theta
        objective: Objective | None = None
        for step, rows in enumerate(draw_batches(len(self.data.inputs), self.plan.batch, self.problem.seed), start=1):
            if step > self.plan.steps:
                return
            # A new objective is compiled anew in JAX; the full batch without dropout needs only one.
            if objective is None or not self._repeats:
                objective = self._objective(rows, step)
            theta = theta if sent is None else sent  # a restart
            # A θ that runs away overflows here; the test below ends the trajectory.
            with np.errstate(all="ignore"):
                theta = theta - self.plan.learning_rate * objective.loss_and_gradient(theta)[1]
            if not np.isfinite(theta).all():
                return
            theta = _nudge(theta, nudge, rng)
            sent = yield theta

    @property
    def _repeats(self) -> bool:
        """Whether every step takes the same examples and the same masks, so that one objective serves all."""
        return self.plan.takes_all_of(len(self.data.inputs)) and not self.problem.network.drops

    def batch_after(self, step: int, theta: Vector) -> Problem:
        """Return the problem whose gradient at θ is followed in the step after `step` others."""
        # Drawn anew from the seed, and run through to the step, so that no batch need be kept.
        rows = draw_batches(len(self.data.inputs), self.plan.batch, self.problem.seed)
        return replace(self._batch(next(islice(rows, step, None)), step + 1), theta=theta)

    def _objective(self, rows: NDArray[np.intp], step: int) -> Objective:
        batch = self._batch(rows, step).rounded(self.check.dtype)
        return self.backend.network_objective(batch, device=self.check.device, dtype=self.check.dtype)

    def _batch(self, rows: NDArray[np.intp], step: int) -> Problem:
        network = scale_penalty(self.problem.network, len(rows), len(self.data.inputs))
        return Problem(
            network=network,
            inputs=self.data.inputs[rows],
            targets=self.data.targets[rows],
            theta=self.problem.theta,
            masks=draw_masks(network, len(rows), self.problem.seed, step=step),
            seed=self.problem.seed,
            name=self.problem.name,
        )


def _nudge(theta: Vector, roundoff: float, rng: np.random.Generator) -> Vector:
    """Return θ with every component moved by a unit in its last place, up or down; a component that is 0 stays 0.

    So z = 0 of inputs that are zero stays at the kink of relu, where it is for every witness.
    """
    return theta * (1 + rng.choice([-2.0, 2.0], theta.shape) * roundoff) if roundoff else theta


def scale_penalty(network: Network, batch: int, examples: int) -> Network:
    """Return the network with λ scaled so that a batch, divided by its own size, has the penalty of all examples."""
    share = batch / examples
    return network if share == 1 else replace(network, l2=network.l2 * share, l1=network.l1 * share)


def draw_batches(rows: int, size: int | None, seed: int) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of one step after the other, without end: all of them, or each row once in an epoch.

    >>> [len(rows) for _, rows in zip(range(5), draw_batches(10, 4, seed=0))]
    [4, 4, 2, 4, 4]
    """
    rng = generator(seed, Stream.BATCHES)
    while True:
        if size is None or size >= rows:
            yield np.arange(rows)
            continue
        shuffled = rng.permutation(rows)
        yield from (np.sort(shuffled[start : start + size]) for start in range(0, rows, size))
