"""Structured engine: every θᵢ is perturbed, but only the units that depend on it are computed again.

Their increments are carried up the network by `xcheck.oracle.engines.propagation`.
"""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.engines.bounds import increment_bounds, is_short
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.propagation import Propagator
from xcheck.oracle.network.elementary import SHORT
from xcheck.oracle.network.forward import float64_on

# What stays in the last level of cache of a present-day CPU.
_CACHE = 32 << 20  # bytes
# On a GPU, which wants many perturbations at a time: a guess.
_WIDEST = 1 << 16
# Few at a time, so that what each is held against stays in the cache: a guess.
_FEW = 128


@partial(jax.jit)
def _summed(increments: Array) -> tuple[Array, Array, Array]:
    """Return means over the examples: of the difference, its size, and the larger of the two; (2, k, m) -> (k,)."""
    high, low = increments
    spans = high - low
    return spans.mean(1), jnp.abs(spans).mean(1), jnp.maximum(jnp.abs(high), jnp.abs(low)).mean(1)


class StructuredEngine(NetworkEngine):
    """Weight perturbation of a declared network, layer by layer.

    Losses are subtracted only where steps are so long that the increments are not short.
    """

    name = "structured"
    subtracts = False
    # The rounding of increments shrinks with the step, so only truncation speaks against a longer one.
    first_step = 2.0**-13

    @cached_property
    def increment_bounds(self) -> list[Vector]:
        """Per layer how far any z above each unit can move; see `xcheck.oracle.engines.bounds`."""
        return increment_bounds(self)

    @cached_property
    def propagator(self) -> Propagator:
        """The layers at θ, which carry increments up to the losses."""
        with float64_on(self.device):
            return Propagator.of(self)

    @cached_property
    def _largest(self) -> list[Vector]:
        """Per layer the largest size of each input, and of the bias's, which is 1."""
        return [np.append(np.abs(a).max(axis=0), 1.0) for a in self.trace.a[:-1]]

    @cached_property
    def scale(self) -> Vector:
        """The natural step of a network, shortened until all increments are short, even those of five first steps."""
        with np.errstate(all="ignore"):
            short = [SHORT / 2 / (5 * self.first_step * bound) for bound in self.increment_bounds]
        return np.minimum(super().scale, self.steps_in_theta(short))

    def attainable(self, indices: Indices, step: Vector) -> Vector:
        """Return the step as it is: θᵢ + h is never formed, so h is not rounded."""
        return step

    def chunk(self, number: int) -> int:
        """Return how many perturbations of layer `number` to evaluate at a time.

        On a CPU as many as stay in its cache, on a GPU as many as fit; never more than the layer has, so that a small
        layer is not filled up. Layers of one shape have chunks of one size where the layers above them allow it, and
        share their compiled code.
        """
        widths = self.problem.network.widths
        hidden = widths[number + 2 : -1]
        numbers = 2 * self.problem.examples * (8 + 3 * max([*hidden, 0 if not hidden else widths[-1]]))
        widest = _CACHE // (8 * numbers) if self.device.platform == "cpu" else _WIDEST
        size = (widths[number] + 1) * widths[number + 1]
        return self.chunk_of(numbers, min(size, max(16, widest)))

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return k differences of the mean loss."""
        spans, order = [Spans.none(self.branches.variants)], [np.zeros(0, dtype=np.intp)]
        # JAX computes asynchronously: one chunk is computed while the next is prepared.
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
        """Start the chunks one by one; yield their places in `indices` and a function that waits for their spans."""
        for number in range(len(self.parameters)):
            W, b = self.layout.tensor(number + 1, "weight"), self.layout.tensor(number + 1, "bias")
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
        """Start the computation of a chunk, and return a function that waits for its spans."""
        short = is_short(np.abs(steps).max(0) * self._largest[number][columns] * self.increment_bounds[number][units])
        # Where increments are not short, losses were subtracted: the rounding is that of whole losses.
        least = 0.0 if short else float(np.abs(self.losses).mean())
        with float64_on(self.device):
            increments = [
                self.propagator.loss_increments(number, variant, units, columns, steps, short=short)
                for variant in range(self.branches.variants)
            ]
            if len(increments) == 1:
                return partial(_single, _summed(increments[0]), least)
        return partial(_several, increments, least)


class SparseEngine(StructuredEngine):
    """Weight perturbation of a few components: noise samples, audits, and what another engine could not settle."""

    def chunk(self, number: int) -> int:
        """Return how many perturbations to evaluate at a time: few, so that the last chunk wastes few."""
        return min(_FEW, super().chunk(number))


def _single(summed: tuple[Array, Array, Array], least: float) -> Spans:
    mean, magnitude, level = jax.device_get(summed)
    return Spans(mean, mean, mean[None], magnitude, np.maximum(level, least))


def _several(increments: Sequence[Array], least: float) -> Spans:
    sides = np.stack(jax.device_get(increments))  # (variants, 2, k, m)
    level = np.maximum(np.abs(sides).max(axis=(0, 1)), least)
    return Spans.summarized(sides[:, 0] - sides[:, 1], level)
