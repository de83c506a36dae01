"""Outputs: a loss that returns an array is called once for all its outputs, not once for each.

The Jacobian of a loss y(θ) is checked output by output, each as a function of its own. All of them are asked for at the
same θ, one after the other: what the first is answered with holds the answers of all others.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xcheck.layout import Vector

if TYPE_CHECKING:
    from xcheck.backend.function_objective import FunctionObjective

# Bytes of losses, and of gradients, that are kept: guesses, so that a check stays below a gigabyte.
_LOSSES, _GRADIENTS = 256 << 20, 128 << 20


class OutputTable:
    """The outputs of one function at the θ that were asked for.

    Args:
        outputs: how many there are.
        size: number of components n of θ.

    Attributes:
        batches: whether the function has given all outputs at once, wherever it was asked.
    """

    def __init__(self, outputs: int, size: int) -> None:
        self._outputs = outputs
        self._losses: dict[bytes, Vector] = {}
        self._gradients: list[tuple[Vector, Vector, Vector]] = []
        self._calls: dict[int, int] = defaultdict(int)
        self.batches = True
        self._differentiates = 8 * outputs * size <= _GRADIENTS // 4

    def losses(self, objective: "FunctionObjective", thetas: Vector) -> Vector | None:
        """Return the output of the objective at each row of `thetas`, shape (k,); None where the function cannot."""
        found = self.all_losses(objective, thetas)
        return None if found is None else found[:, _number(objective)].copy()

    def all_losses(self, objective: "FunctionObjective", thetas: Vector) -> Vector | None:
        """Return all outputs at each row of `thetas`, shape (k, outputs), not to be written into; None as above."""
        if not self.batches:
            return None
        key = thetas.tobytes()
        if key not in self._losses:
            kept = sum(values.nbytes for values in self._losses.values())
            if kept + 8 * self._outputs * len(thetas) > _LOSSES:
                self._losses.clear()
            found = objective.outputs(thetas)
            if found is None:
                self.batches = False
                return None
            self._losses[key] = found
        return self._losses[key]

    @property
    def calls(self) -> Sequence[tuple[Vector, Vector, Vector]]:
        """θ, all outputs and their gradients of each call so far, shapes (n,), (outputs,) and (outputs, n)."""
        return self._gradients

    def gradient(self, objective: "FunctionObjective", theta: Vector) -> tuple[float, Vector] | None:
        """Return output and gradient of the objective at θ; None where the function must be called for it alone.

        The k-th call for one output is answered by the k-th call of the function, so that a function which gives
        another answer each time is seen to.
        """
        number = _number(objective)
        call = self._calls[number]
        self._calls[number] += 1
        if call == len(self._gradients) and self._differentiates:
            found = objective.rows(theta)
            self._differentiates = found is not None
            if found is not None:
                self._gradients.append((theta.copy(), *found))
        if call >= len(self._gradients) or not np.array_equal(self._gradients[call][0], theta):
            return None
        _, values, rows = self._gradients[call]
        return float(values[number]), rows[number].copy()


def _number(objective: "FunctionObjective") -> int:
    """Return which output the cotangent of the objective is the unit vector of."""
    return int(np.argmax(objective.cotangent))
