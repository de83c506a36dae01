"""Structured engine: every θᵢ is perturbed, but only what depends on it is computed again.

The changes are carried up the network by `xcheck.oracle.engines.propagation`.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.engines.elementary import SHORT
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.propagation import Propagator, is_short, reach
from xcheck.oracle.network.forward import float64_on

# What stays in the last level of cache of a present-day CPU.
_CACHE = 32 << 20  # bytes
# On a GPU, which wants many perturbations at a time: a guess.
_WIDEST = 1 << 16
# Few at a time, so that what each is held against stays in the cache: a guess.
_FEW = 128


@partial(jax.jit)
def _summed(moves: Array) -> tuple[Array, Array, Array]:
    """Return mean difference, mean |difference| and mean larger |move| of the two sides, shape (2, k, m) -> (k,)."""
    high, low = moves
    spans = high - low
    return spans.mean(1), jnp.abs(spans).mean(1), jnp.maximum(jnp.abs(high), jnp.abs(low)).mean(1)


class StructuredEngine(NetworkEngine):
    """Weight perturbation of a declared network, layer by layer.

    Losses are subtracted only where steps are so long that the moves are not short.
    """

    name = "structured"
    subtracts = False
    # Nothing is divided by the step that does not shrink with it: truncation is all that decides.
    first_step = 2.0**-13

    def __init__(self, problem: Problem, **options: Any) -> None:
        super().__init__(problem, **options)
        self.reach = reach(self)
        self._largest = [np.append(np.abs(a).max(axis=0), 1.0) for a in self.trace.a[:-1]]  # and the bias's input
        with float64_on(self.device):
            self.climber = Propagator(self)

    @cached_property
    def scale(self) -> Vector:
        """As for every network, but no longer than lets all moves, even of five first steps, be short."""
        with np.errstate(all="ignore"):
            short = [SHORT / 2 / (5 * self.first_step * bound) for bound in self.reach]
        return np.minimum(super().scale, self.spread_out(short))

    def attainable(self, indices: Indices, step: Vector) -> Vector:
        """θᵢ + h is never formed, so h is not rounded."""
        return step

    def chunk(self, number: int) -> int:
        """Perturbations of layer `number` at a time: on a CPU as many as stay in its cache, on a GPU as many as fit.

        Never more than the layer has, so that a small one is not filled up; layers of one shape have one chunk, as far
        as what is above them allows, and share their compiled code.
        """
        widths = self.problem.network.widths
        hidden = widths[number + 2 : -1]
        numbers = 2 * self.problem.examples * (8 + 3 * max([*hidden, 0 if not hidden else widths[-1]]))
        widest = _CACHE // (8 * numbers) if self.device.platform == "cpu" else _WIDEST
        size = (widths[number] + 1) * widths[number + 1]
        return self.chunk_of(numbers, min(size, max(16, widest)))

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return k differences of the mean loss."""
        spans, order = [Spans.none(self.pieces.variants)], [np.zeros(0, dtype=np.intp)]
        # One chunk is computed while the next is prepared.
        waiting: deque[tuple[Indices, Callable[[], Spans]]] = deque()

        def finish() -> None:
            places, begun = waiting.popleft()
            spans.append(begun().take(slice(len(places))))
            order.append(places)
            self.progress(len(places))

        for chunk in self._begun(indices, np.stack([plus, minus])):
            waiting.append(chunk)
            if len(waiting) > 1:
                finish()
        while waiting:
            finish()
        return Spans.concatenate(spans).take(np.argsort(np.concatenate(order)))

    def _begun(self, indices: Indices, steps: Vector) -> Iterator[tuple[Indices, Callable[[], Spans]]]:
        """Yield, chunk by chunk, places in `indices` and what waits for their spans."""
        tensors = list(self.layout)
        for number, (W, b) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
            into = np.flatnonzero((indices >= W.span.start) & (indices < b.span.stop))
            flat = indices[into] - W.offset
            weight = flat < W.size
            units = np.where(weight, flat // W.shape[1], flat - W.size)
            columns = np.where(weight, flat % W.shape[1], W.shape[1])
            chunk = self.chunk(number)
            for start in range(0, len(into), chunk):
                places = np.arange(start, min(start + chunk, len(into)))
                rows = np.resize(places, chunk)  # repetitions, so that there is one compilation
                yield into[places], self._begin(number, units[rows], columns[rows], steps[:, into[rows]])

    def _begin(self, number: int, units: Indices, columns: Indices, steps: Vector) -> Callable[[], Spans]:
        """Start the computation, and return what waits for it."""
        short = is_short(np.abs(steps).max(0) * self._largest[number][columns] * self.reach[number][units])
        # Where moves are not short, losses have been subtracted.
        least = 0.0 if short else float(np.abs(self.losses).mean())
        with float64_on(self.device):
            moves = [
                self.climber.moved(number, variant, units, columns, steps, short=short)
                for variant in range(self.pieces.variants)
            ]
            if len(moves) == 1:
                return partial(_single, _summed(moves[0]), least)
        return partial(_several, moves, least)


class SparseEngine(StructuredEngine):
    """Weight perturbation of a few components: noise samples, audits, what another engine has left."""

    def chunk(self, number: int) -> int:
        """Few at a time, so that little is filled up."""
        return min(_FEW, super().chunk(number))


def _single(summed: tuple[Array, Array, Array], least: float) -> Spans:
    mean, magnitude, level = jax.device_get(summed)
    return Spans(mean, mean, mean[None], magnitude, np.maximum(level, least))


def _several(moves: Sequence[Array], least: float) -> Spans:
    sides = np.stack(jax.device_get(moves))  # (variants, 2, k, m)
    level = np.maximum(np.abs(sides).max(axis=(0, 1)), least)
    return Spans.summarized(sides[:, 0] - sides[:, 1], level)
