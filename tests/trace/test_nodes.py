"""Nodes: what a backend has to show of a loss."""

import numpy as np
import pytest
from numpy.typing import NDArray

from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.layout import Vector
from xcheck.trace import Nodes, Site, UntraceableError


class _Product(Nodes):
    """J = Σ sin(X w) of one product."""

    def __init__(self, X: Vector, w: Vector) -> None:
        self.X, self.values = X, X @ w
        self.sites, self.covered, self.work = (Site("dot", (len(X),)),), np.ones(len(w), dtype=bool), float(len(X))

    @property
    def width(self) -> int:
        return 4

    def losses(self, nodes: NDArray[np.intp], moves: Vector) -> Vector:
        rows = np.repeat(self.values[None], len(moves), axis=0)
        rows[np.arange(len(moves)), nodes] += moves
        return np.sin(rows).sum(axis=-1)

    def pull(self, slopes: Vector) -> Vector:
        return slopes @ self.X

    def pull_sizes(self, sizes: Vector) -> Vector:
        return sizes @ np.abs(self.X)


def test_slopes_along_nodes_are_pulled_back() -> None:
    """The gradient of n components from differences along N nodes."""
    X, w = np.cos(np.arange(20.0)).reshape(2, 10), np.sin(np.arange(10.0))
    nodes, moves = _Product(X, w), np.full(2, 1e-5)
    slopes = (nodes.losses(np.arange(2), moves) - nodes.losses(np.arange(2), -moves)) / 2e-5
    np.testing.assert_allclose(nodes.pull(slopes), np.cos(X @ w) @ X, atol=1e-9)


def test_a_backend_that_shows_none_says_so() -> None:
    """The default of the contract."""

    class Plain(Objective):
        def compute(self, theta: Vector) -> tuple[float, Vector]:
            return 0.0, theta

    assert "jax" in registry.names()
    with pytest.raises(UntraceableError, match="plain shows no values inside of a loss"):
        Plain("plain", 1).nodes()
