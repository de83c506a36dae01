"""Engine of nodes: J as a function of the nodes of a loss (`xcheck.trace.nodes`), moved one by one.

Nodes take the place of θ, and sites that of its tensors, so that the estimators for arbitrary functions serve: noise,
steps, error bars and kinks are measured for nodes as for parameters.
"""

from collections.abc import Iterator
from functools import cached_property

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Progress
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.engines.steps import short_numbers, step_factors
from xcheck.trace import Nodes

# Losses that are asked for at a time, in several batches of what the backend takes: a guess, for the progress bar.
_AT_A_TIME = 512
# Values of a site that are all smaller than this are not taken for its scale: a guess.
_SMALLEST = 2.0**-10


class NodesEngine(FunctionEngine):
    """J along the nodes of a loss.

    Args:
        nodes: as a backend shows them.
        progress: called with the number of differences after each batch.
    """

    name = "nodes"

    def __init__(self, nodes: Nodes, *, progress: Progress | None = None) -> None:
        layout = Layout.of({f"site {number}": site.shape for number, site in enumerate(nodes.sites)})
        here = nodes.losses(np.zeros(1, dtype=np.intp), np.zeros(1))
        # Losses are asked for along nodes alone, never at whole rows of them.
        super().__init__(
            Evaluator(lambda points: here), nodes.values, Lines.all_of(layout), progress=progress, here=here
        )
        self.nodes = nodes

    @cached_property
    def scale(self) -> Vector:
        """The largest |z| of each site, and its root from 1 on, times a random factor from 0.7 to 1, as short numbers.

        What follows may bend within |z|, as a norm does, or within 1, as an activation does.
        """
        largest = np.maximum(self.layout.largest(np.abs(self.theta)), _SMALLEST)
        return short_numbers(step_factors(self.layout.size) * np.minimum(largest, np.sqrt(largest)))

    def _along(self, lines: Indices, steps: Vector, *, alone: bool) -> Vector:
        """Return the losses with one node moved each."""
        self.evaluations += len(lines)
        return self.nodes.losses(lines, steps)

    def _batches(self, indices: Indices) -> Iterator[tuple[Indices, bool]]:
        """Yield places of `indices` that are evaluated together: nodes of one site."""
        site = np.searchsorted(self._starts, indices, side="right") - 1
        width = self.nodes.width
        # Two losses for each node, and one at θ, fill up whole batches of the backend.
        chunk = max(1, (width * -(-_AT_A_TIME // width) - 1) // 2)
        for number in np.unique(site):
            own = np.flatnonzero(site == number)
            yield from ((own[start : start + chunk], True) for start in range(0, len(own), chunk))
