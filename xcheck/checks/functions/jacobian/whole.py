"""WholeJacobian: the gradients of all outputs seen as one array for each tensor, outputs first.

Output by output a mistake has one component in each of many gradients. Seen as one array ∂y/∂x of shape (*y, *x) it is
a column, a row, or a transposed matrix, which the rules for arrays name.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from xcheck.checks.functions.answers import Answers
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.layout import Layout, Vector


@dataclass(frozen=True, slots=True, eq=False)
class WholeJacobian:
    """How components, output by output, become components of arrays.

    Attributes:
        order: number of each component of the arrays in the order of the outputs, shape (outputs · n,).
        layout: of the arrays.
    """

    order: NDArray[np.intp]
    layout: Layout

    @classmethod
    def of(cls, outputs: Sequence[Answers]) -> "WholeJacobian | None":
        """Return it; None where there are no outputs, or they were not looked at along the same components."""
        layouts = [part.layout for part in outputs]
        if not layouts or any(layout != layouts[0] for layout in layouts):
            return None
        if any(tensor.places is not None for tensor in layouts[0]):
            return None
        size, count = layouts[0].size, len(outputs)
        numbers = np.arange(size * count).reshape(count, size)
        cotangent = outputs[0].cotangent
        # Complex outputs are two each: in their order there is no array of the shape of y.
        shape = np.shape(cotangent) if cotangent is not None and not np.iscomplexobj(cotangent) else (count,)
        shape = shape if np.prod(shape, dtype=int) == count else (count,)
        order = np.concatenate([numbers[:, tensor.span].ravel() for tensor in layouts[0]])
        return cls(order, Layout.of({f"∂y/∂{tensor.name}": (*shape, *tensor.shape) for tensor in layouts[0]}))

    def seen(self, evaluation: Evaluation, comparer: Comparer, theta: Vector) -> tuple[Evaluation, Comparer, Vector]:
        """Return in the order of the arrays what a witness says, what holds it against the oracle, and θ."""
        held = replace(comparer, estimate=comparer.estimate.take(self.order), layout=self.layout)
        return self._ordered(evaluation), held, theta[self.order]

    def _ordered(self, given: Evaluation) -> Evaluation:
        again = None if given.again is None else self._ordered(given.again)
        return replace(given, gradient=given.gradient[self.order], again=again)
