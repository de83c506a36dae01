"""Node engine: pre-activations are perturbed instead of weights, with one evaluation per unit instead of per weight.

Examples are independent of each other, so z⁽ˡ⁾ᵢ of all m examples is moved at once. The derivatives with respect to the
weights are put together by `xcheck.oracle.estimators.node`. Single weights are perturbed as in the structured engine.
"""

import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.structured import SparseEngine, StructuredEngine
from xcheck.oracle.network.forward import float64_on


class NodeEngine(SparseEngine):
    """Node perturbation; components that it cannot settle are measured by weight perturbation."""

    name = "node"

    def units_at_a_time(self, number: int, steps: int) -> int:
        """Return how many units of layer `number` to move at a time, each by so many steps."""
        return max(1, StructuredEngine.chunk(self, number) * 2 // steps)

    def increments(self, number: int, variant: int, units: Indices, steps: Vector) -> Array:
        """Return the changes of every example's loss, shape (s, k, m), with units of a layer moved one by one.

        Args:
            number: of the layer.
            variant: which of the conventions at ties.
            units: shape (k,).
            steps: moves of their pre-activations, alike in all examples, shape (s, k).
        """
        # The bias is the weight of an input that is 1 in all examples.
        constant = np.full(len(units), self.problem.network.widths[number])
        with float64_on(self.device):
            return self.propagator.loss_increments(number, variant, units, constant, steps, short=True)
