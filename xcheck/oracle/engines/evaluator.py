"""Evaluator: how the losses of a function are evaluated, and how many at a time."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from xcheck.dtypes import FLOAT64
from xcheck.layout import Vector
from xcheck.oracle.columns import Indices
from xcheck.trace import Nodes

# On a CPU more bytes at a time leave the cache; more than a thousand θ at a time gain nothing: guesses.
_CACHE = 16 << 20  # bytes
_MOST = 1024
# A batch may take so many bytes if the function keeps so many results of the size of the data: guesses.
_MEMORY, _LAYERS = 256 << 20, 8


def chunk_for(size: int, data: int = 0) -> int:
    """Return how many θ to evaluate at a time.

    Args:
        size: numbers that are there for each θ.
        data: numbers that the function is given beside θ: what it computes from them is there for each θ as well.
    """
    fitting = min(_CACHE // (8 * max(size, 1)), _MEMORY // (8 * _LAYERS * max(data, 1)))
    return min(max(fitting, 1), _MOST)


@dataclass(frozen=True, slots=True, eq=False)
class TimedLoss:
    """J(θ), and how long it took by itself.

    Attributes:
        value: shape (1,).
        seconds: wall time, in which something may have been compiled.
    """

    value: Vector
    seconds: float

    @classmethod
    def of(cls, losses: Callable[[Vector], Vector], theta: Vector) -> "TimedLoss":
        """Evaluate Θ (k, n) -> losses (k,) at θ alone, shape (n,)."""
        start = time.perf_counter()
        return cls(losses(theta[None]), time.perf_counter() - start)


@dataclass(frozen=True, slots=True, eq=False)
class Evaluator:
    """How the losses of a function are evaluated.

    Attributes:
        losses: Θ, shape (k, n), -> losses (k,); of several outputs at once (outputs, k).
        moved: θ, components of one tensor (k,) and their values (k,) -> losses (k,) with that one component changed
            each; cheaper than whole rows of Θ.
        data: numbers that the function is given beside θ.
        roundoff: unit roundoff of what losses are computed in.
        narrow: returns the coarsest unit roundoff that a part of them is computed with, 0 where all is computed in 64
            bits; None where nobody knows.
        pads: whether each batch is filled up to the same number of θ, and takes the same time.
        nodes: returns the nodes of the loss at θ, or raises `UntraceableError`; None where they are not to be used.
    """

    losses: Callable[[Vector], Vector]
    moved: Callable[[Vector, Indices, Vector], Vector] | None = None
    data: int = 0
    roundoff: float = FLOAT64
    narrow: Callable[[], float | None] = lambda: None
    pads: bool = False
    nodes: Callable[[], Nodes] | None = None
