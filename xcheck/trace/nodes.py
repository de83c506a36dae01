"""Nodes: values between the parameters and the loss, on which the parameters act linearly.

With z the nodes, z = A θ + c on the way from θ, and J whatever follows, ∂J/∂θ = Aᵀ ∂J/∂z: only ∂J/∂z has to be
differenced. A matrix has many more components than what it is multiplied with has rows, so nodes are few beside θ.

A parameter may act on several nodes, and a node may depend on other parameters in whatever way: every path from a
parameter to the loss meets exactly one *first* node, and A holds the paths up to there, with all else as it is at θ.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.trace.model import Place


@dataclass(frozen=True, slots=True)
class Site:
    """A result of an operation whose elements are nodes.

    Attributes:
        name: of the operation.
        shape: of its result.
        place: the person's line; None where it is not known.
    """

    name: str
    shape: tuple[int, ...]
    place: Place | None = None


class Nodes(ABC):
    """The nodes of a loss at θ; a backend shows them.

    Attributes:
        sites: in the order of the program.
        values: z, the elements of all sites one after the other, shape (N,).
        covered: which components of θ act on the loss through nodes alone, shape (n,); the others are differenced.
        work: how many times as long as one loss it takes to move every node once.
        passes: evaluations of the rest of the program so far.
    """

    sites: tuple[Site, ...]
    values: Vector
    covered: NDArray[np.bool_]
    work: float
    passes: int = 0

    @property
    @abstractmethod
    def width(self) -> int:
        """How many losses are evaluated at a time."""

    @abstractmethod
    def losses(self, nodes: NDArray[np.intp], moves: Vector) -> Vector:
        """Return J with one node moved each, shape (k,).

        Args:
            nodes: which, all of one site, shape (k,).
            moves: by how much, shape (k,).

        Raises:
            BackendError: the framework cannot evaluate so many at once.
        """

    @abstractmethod
    def pull(self, slopes: Vector) -> Vector:
        """Return Aᵀ of slopes along all nodes, shape (..., N) -> (..., n); 0 for what is not covered."""

    @abstractmethod
    def pull_sizes(self, sizes: Vector) -> Vector:
        """Return at least |A|ᵀ of what is not negative, shape (N,) -> (n,)."""
