"""Batched engine: every θᵢ is perturbed and the whole network run, many perturbations at a time in one jit(vmap)."""

from collections.abc import Sequence
from functools import partial

import jax
import numpy as np
from jax import Array

from xcheck.network import Network
from xcheck.oracle.engine import Indices, Spans
from xcheck.oracle.forward import losses
from xcheck.oracle.network_engine import Arrays, NetworkEngine, summarized, tensors_of
from xcheck.parameters import Layout, Vector

# On a CPU more perturbations at a time fall out of the cache; a GPU wants many.
_WIDEST = {"cpu": 64, "gpu": 4096}


@partial(jax.jit, static_argnames=("network", "layout"))
def _spans(
    network: Network, layout: Layout, arrays: Arrays, indices: Array, high: Array, low: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return what `Spans` holds of L(θᵢ = high) − L(θᵢ = low)."""

    def variant(pieces: Sequence[Array | None]) -> tuple[Array, Array]:
        def examples(i: Array, value: Array) -> Array:
            moved = tensors_of(layout, arrays.theta.at[i].set(value))
            return losses(network, moved, arrays.inputs, arrays.targets, arrays.keeps, pieces)

        return jax.vmap(examples)(indices, high), jax.vmap(examples)(indices, low)

    return summarized(*jax.vmap(variant, axis_size=arrays.variants)(arrays.slopes))


class BatchedEngine(NetworkEngine):
    """jit + chunked vmap under a memory budget."""

    name = "batched"

    @property
    def chunk(self) -> int:
        """Perturbations at a time: each has two copies of θ and of all activations."""
        numbers = 2 * (self.layout.size + 2 * self.problem.examples * sum(self.problem.network.widths))
        return self.chunk_of(numbers, _WIDEST[self.device.platform])

    def spans(self, indices: Indices, high: Vector, low: Vector) -> Spans:
        """Return k differences of the mean loss, each from two runs of the whole network."""
        spans = Spans.empty(len(indices), self.pieces.variants)
        kernel = partial(_spans, self.problem.network, self.layout, self.arrays)
        self.run(kernel, (indices, high, low), spans, np.arange(len(indices)), chunk=self.chunk)
        return spans
