"""What the engines of a declared network have in common: its values at θ, its penalty, and the natural steps."""

from collections.abc import Sequence
from functools import cached_property

import jax
import numpy as np

from xcheck.dtypes import FLOAT64
from xcheck.errors import Complaint, DeviceError
from xcheck.layout import Layout, Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.base import Differences, Engine, Progress
from xcheck.oracle.network.branches import Branches, find_branches, find_dead
from xcheck.oracle.network.forward import Parameters, Trace, trace
from xcheck.oracle.network.penalty import Penalty

# An input that is smaller moves nothing, however long the step.
_SMALLEST = 1e-30


def find_device(name: str) -> jax.Device:
    """Return the JAX device called "cpu" or "gpu".

    Raises:
        DeviceError: there is none.
    """
    try:
        return jax.devices(name)[0]
    except RuntimeError as error:
        text = f"JAX finds no {name} on this machine; use device = 'cpu'"
        raise DeviceError(Complaint(text, ("check", "device"))) from error


def tensors_of(layout: Layout, theta: Vector) -> Parameters:
    """Return (W, b) of each layer as views into θ."""
    arrays = layout.by_role(theta)
    return [(array, arrays[layer, "bias"]) for (layer, role), array in arrays.items() if role == "weight"]


def keeps_of(problem: Problem) -> list[Vector | None]:
    """Return mask/keep_prob per activation, None where nothing is dropped."""
    return [
        None if mask is None else mask / keep_prob
        for mask, keep_prob in zip(problem.masks, problem.network.keep_probs, strict=True)
    ]


class NetworkEngine(Engine):
    """A network at θ, in float64; subclasses say how its perturbed losses are evaluated.

    Attributes:
        problem: the network with its data.
        device: where losses are evaluated.
        memory: bytes that perturbed networks may take up at a time.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        device: str = "cpu",
        memory: int = 1 << 30,
        roundoff: float = FLOAT64,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(problem.theta, problem.layout, progress=progress)
        self.problem = problem
        self.device = find_device(device)
        self.memory = memory
        self._witness_roundoff = roundoff

    @cached_property
    def penalty(self) -> Penalty:
        """The penalty at θ."""
        return Penalty.at(self.problem.network, self.problem.layout, self.problem.theta, self.problem.examples)

    @cached_property
    def parameters(self) -> Parameters:
        """(W, b) of each layer."""
        return tensors_of(self.problem.layout, self.problem.theta)

    @cached_property
    def keeps(self) -> list[Vector | None]:
        """mask/keep_prob per activation."""
        return keeps_of(self.problem)

    @cached_property
    def trace(self) -> Trace:
        """What the network computes at θ."""
        problem = self.problem
        return trace(problem.network, self.parameters, problem.inputs, problem.targets, self.keeps)

    @cached_property
    def branches(self) -> Branches:
        """The branch of each piecewise activation that is active at θ."""
        return find_branches(self.problem.network, self.parameters, self.trace, self._witness_roundoff)

    @cached_property
    def dead(self) -> list[Flags]:
        """Per layer the units that are zero in all examples, whatever moves below them."""
        return find_dead(self.problem.network, self.branches, self.keeps)

    def chunk_of(self, numbers: int, widest: int) -> int:
        """Return how many perturbations fit into memory, at most `widest`, if each takes up so many float64 numbers."""
        return max(1, min(widest, self.memory // (8 * numbers)))

    @cached_property
    def scale(self) -> Vector:
        """A step of 1/maxₑ|aⱼ| in Wᵢⱼ, or 1 in bᵢ, moves zᵢ by at most 1; shape (n,).

        The step is divided by the gain of the layers above, as far as it is more than eightfold: a step that is short
        in its own layer must not be long in a layer above. Dead units pass nothing on, so they add no gain.
        """
        # From the top layer down, so that each layer knows the gain of those above it.
        gain = np.ones(self.problem.network.widths[-1])
        per_unit: list[Vector] = []
        for (W, _), dead in zip(reversed(self.parameters), reversed(self.dead), strict=True):
            gain = np.where(dead, 0.0, gain)
            # Eightfold is a guess, chosen so that ordinary networks keep their steps.
            per_unit.insert(0, 1 / np.maximum(1.0, gain / 8))
            with np.errstate(over="ignore"):
                # Root sum of squares, as for weights of random signs: the sum of sizes would make steps far too short.
                gain = np.maximum(1.0, np.sqrt((W[~dead] ** 2).T @ gain[~dead] ** 2))
        return self.steps_in_theta(per_unit)

    def steps_in_theta(self, per_unit: Sequence[Vector]) -> Vector:
        """Return the steps in θ, shape (n,), that move no pre-activation by more than its unit's step.

        Args:
            per_unit: per layer a step in z, shape (nₗ,).
        """
        steps = np.ones(self.layout.size)
        for number, allowed in enumerate(per_unit, start=1):
            largest = np.abs(self.trace.a[number - 1]).max(axis=0)
            # An input that is nearly zero moves nothing however long the step; a finite step will do.
            with np.errstate(all="ignore"):  # activations that overflow leave no step to take
                per_input = 1 / np.where(largest > 0, np.maximum(largest, _SMALLEST), 1.0)
            steps[self.layout.tensor(number, "weight").span] = np.outer(allowed, per_input).ravel()
            steps[self.layout.tensor(number, "bias").span] = allowed
        return steps

    @property
    def losses(self) -> Vector:
        """Loss of each example at θ, shape (m,)."""
        return self.trace.losses

    def exact(self, indices: Indices, plus: Vector, minus: Vector) -> Differences:
        """Return the quotients of the penalty."""
        slope, spread, magnitude = self.penalty.quotients(indices, plus, minus)
        return Differences(slope, slope - spread, slope + spread, slope[None], magnitude, np.zeros(1))
