"""Structured engine: every θᵢ is perturbed, but only what depends on it is computed again (`xcheck.oracle.climb`)."""

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.oracle.climb import Climber, is_short, reach
from xcheck.oracle.elementary import SHORT
from xcheck.oracle.engine import Indices, Spans
from xcheck.oracle.forward import float64_on
from xcheck.oracle.network_engine import NetworkEngine
from xcheck.parameters import Vector
from xcheck.problem import Problem

_CACHE = 16 << 20  # bytes
_WIDEST = 1 << 16


@partial(jax.jit)
def _summed(moves: Array) -> tuple[Array, Array]:
    """Return mean difference and mean |difference| of the two sides, shape (2, k, m) -> (k,)."""
    spans = moves[0] - moves[1]
    return spans.mean(1), jnp.abs(spans).mean(1)


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
        with float64_on(self.device):
            self.climber = Climber(self)

    @property
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
        spans = Spans.empty(len(indices), self.pieces.variants)
        tensors = list(self.layout)
        for number, (W, b) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
            into = np.flatnonzero((indices >= W.span.start) & (indices < b.span.stop))
            flat = indices[into] - W.offset
            weight = flat < W.size
            units = np.where(weight, flat // W.shape[1], flat - W.size)
            columns = np.where(weight, flat % W.shape[1], W.shape[1])
            steps = np.stack([plus[into], minus[into]])
            chunk = self.chunk(number)
            for start in range(0, len(into), chunk):
                places = np.arange(start, min(start + chunk, len(into)))
                rows = np.resize(places, chunk)  # repetitions, so that there is one compilation
                spans.put(into[places], self._spans(number, units[rows], columns[rows], steps[:, rows]))
                self.progress(len(places))
        return spans

    def _spans(self, number: int, units: Indices, columns: Indices, steps: Vector) -> Spans:
        inputs = np.append(np.abs(self.trace.a[number]).max(axis=0), 1.0)
        short = is_short(np.abs(steps).max(0) * inputs[columns] * self.reach[number][units])
        level = np.zeros(len(units)) if short else np.full(len(units), np.abs(self.losses).mean())
        with float64_on(self.device):
            climbs = (
                self.climber.moved(number, variant, units, columns, steps, short=short)
                for variant in range(self.pieces.variants)
            )
            if self.pieces.variants == 1:
                mean, magnitude = jax.device_get(_summed(next(climbs)))
                return Spans(mean, mean, mean[None], magnitude, level)
            sides = [jax.device_get(moved) for moved in climbs]
        return Spans.summarized(np.stack([high - low for high, low in sides]), level[:, None])
