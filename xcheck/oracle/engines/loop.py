"""Loop engine for a declared network: the NumPy forward pass, one perturbed θ after the other, in any precision.

The most direct engine there is, and the slowest. In extended precision (`numpy.longdouble`, 64 bits of mantissa on
x86) it measures disputed components again.
"""

from typing import Any

import jax
import numpy as np

from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.engines.network import NetworkEngine, tensors_of
from xcheck.oracle.network.forward import NUMPY, losses


class NetworkLoopEngine(NetworkEngine):
    """The whole network in NumPy for every perturbation.

    Attributes:
        dtype: what losses are computed in.
    """

    name = "loop"

    def __init__(self, problem: Problem, *, dtype: type[np.floating] = np.float64, **options: Any) -> None:
        super().__init__(problem, **options)
        self.dtype = dtype
        # Truncation h⁴ and rounding u/h are in balance at h ~ u^(1/5).
        self.first_step = 2.0 ** round(np.log2(float(np.finfo(dtype).eps)) / 5)
        self._parameters = self.theta.astype(dtype)
        self._inputs, self._targets = problem.inputs.astype(dtype), problem.targets.astype(dtype)
        self._keeps = [None if keep is None else keep.astype(dtype) for keep in self.keeps]

    @np.errstate(all="ignore")  # a loss that overflows far from θ is a result
    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return k differences of the mean loss, each from two runs of the whole network."""
        spans = [Spans.none(self.branches.variants)]
        for k, i in enumerate(indices):
            high, low = (self._losses(i, self.theta[i] + step) for step in (plus[k], minus[k]))
            level = np.maximum(np.abs(high), np.abs(low)).max(axis=0)
            found = Spans.summarized((high - low)[:, None], level[None])
            # The subtraction is done: float64 holds what is left.
            spans.append(jax.tree.map(lambda part: part.astype(np.float64), found))
            self.progress(1)
        return Spans.concatenate(spans)

    def _losses(self, i: int, value: float) -> Any:
        """Return the loss of each example with θᵢ = `value`, shape (variants, m)."""
        theta = self._parameters.copy()
        theta[i] = value
        parameters = tensors_of(self.layout, theta)
        return np.stack(
            [
                losses(NUMPY, self.problem.network, parameters, self._inputs, self._targets, self._keeps, branches)
                for branches in self.branches.each
            ]
        )
