"""A loss of one product, whose nodes are known without a framework."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.trace import Nodes, Site

X = np.cos(np.arange(600.0)).reshape(3, 200)
THETA = np.sin(1 + np.arange(200.0)) / 8
LAYOUT = Layout.of({"w": (200,)})
Outer = Callable[[Vector], Vector]


class Product(Nodes):
    """J = Σ f(X w), with f element by element.

    Args:
        outer: f.
        factor: of what is pulled back: 1 is right.
        covered: how many of the components are covered.
    """

    def __init__(self, outer: Outer, factor: float = 1.0, covered: int = 200) -> None:
        self.outer, self.factor, self.values = outer, factor, X @ THETA
        self.sites, self.covered = (Site("dot", (len(X),)),), np.arange(200) < covered
        self.work = float(len(X))

    @property
    def width(self) -> int:
        """A batch of four."""
        return 4

    def losses(self, nodes: NDArray[np.intp], moves: Vector) -> Vector:
        """J with one of the products moved."""
        self.passes += len(moves)
        rows = np.repeat(self.values[None], len(moves), axis=0)
        rows[np.arange(len(moves)), nodes] += moves
        return np.asarray(self.outer(rows).sum(axis=-1))

    def pull(self, slopes: Vector) -> Vector:
        """Xᵀ."""
        return np.asarray(self.factor * slopes @ X * self.covered)

    def pull_sizes(self, sizes: Vector) -> Vector:
        """|X|ᵀ."""
        return np.asarray(sizes @ np.abs(X) * self.covered)


def components(outer: Outer, nodes: Nodes | None = None) -> FunctionEngine:
    """The same loss as a function of w."""
    evaluator = Evaluator(
        lambda points: outer(points @ X.T).sum(axis=-1), nodes=None if nodes is None else lambda: nodes
    )
    return FunctionEngine(evaluator, THETA, Lines.all_of(LAYOUT))
