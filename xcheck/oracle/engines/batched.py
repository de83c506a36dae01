"""Batched engine: every θᵢ is perturbed and the whole network run, many perturbations at a time in one jit(vmap)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.layout import Layout, Vector
from xcheck.networks.network import Network
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Spans
from xcheck.oracle.engines.network import NetworkEngine, tensors_of
from xcheck.oracle.network.forward import JAX, float64_on, losses

# On a CPU more perturbations at a time fall out of the cache; a GPU wants many.
_WIDEST = {"cpu": 64, "gpu": 4096}


@dataclass(frozen=True, slots=True)
class Arrays:
    """A problem whose arrays are on the device.

    Attributes:
        theta: θ, shape (n,).
        inputs: X, shape (m, n₀).
        targets: Y, shape (m, n_L).
        keeps: mask/keep_prob per activation, None where nothing is dropped.
        branches: per layer, shape (variants, m, nₗ), None where the activation is smooth.
    """

    theta: Array
    inputs: Array
    targets: Array
    keeps: Sequence[Array | None]
    branches: Sequence[Array | None]

    @property
    def variants(self) -> int:
        """Number of combinations of conventions at ties, at least 1."""
        return next((len(slope) for slope in self.branches if slope is not None), 1)


jax.tree_util.register_dataclass(Arrays, ["theta", "inputs", "targets", "keeps", "branches"], [])


@partial(jax.jit, static_argnames=("network", "layout"))
def _spans(network: Network, layout: Layout, arrays: Arrays, indices: Array, high: Array, low: Array) -> Spans:
    """Return L(θᵢ = high) − L(θᵢ = low), summed up over the examples."""

    def variant(branches: Sequence[Array | None]) -> tuple[Array, Array]:
        def examples(i: Array, value: Array) -> Any:
            moved = tensors_of(layout, arrays.theta.at[i].set(value))
            return losses(JAX, network, moved, arrays.inputs, arrays.targets, arrays.keeps, branches)

        return jax.vmap(examples)(indices, high), jax.vmap(examples)(indices, low)

    # Where no activation is piecewise there is nothing to map over, so the number of variants is given.
    above, below = jax.vmap(variant, axis_size=arrays.variants)(arrays.branches)
    # One level for all variants: they differ by the slope at a tie, hardly by the loss.
    level = jnp.maximum(jnp.abs(above), jnp.abs(below)).max(0)
    return Spans.summarized(above - below, level, jnp)


class BatchedEngine(NetworkEngine):
    """The whole network under jit and vmap, in chunks that fit a memory budget."""

    name = "batched"

    @cached_property
    def _arrays(self) -> Arrays:
        problem = self.problem
        with float64_on(self.device):
            arrays = Arrays(problem.theta, problem.inputs, problem.targets, self.keeps, self.branches.per_layer)
            return jax.tree.map(jnp.asarray, arrays)

    @property
    def chunk(self) -> int:
        """How many perturbations to evaluate at a time: each takes two copies of θ and all activations, per variant."""
        numbers = 2 * (self.layout.size + 2 * self.problem.examples * sum(self.problem.network.widths))
        return self.chunk_of(numbers * self.branches.variants, _WIDEST[self.device.platform])

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return k differences of the mean loss, each from two runs of the whole network."""
        high, low = self.theta[indices] + plus, self.theta[indices] + minus
        spans = [Spans.none(self.branches.variants)]
        for start in range(0, len(indices), self.chunk):
            places = np.arange(start, min(start + self.chunk, len(indices)))
            # The last chunk is filled up with repetitions, so that there is one compilation.
            rows = np.resize(places, self.chunk)
            with float64_on(self.device):
                parts = (jnp.asarray(part[rows]) for part in (indices, high, low))
                found = _spans(self.problem.network, self.layout, self._arrays, *parts)
                spans.append(jax.device_get(found).take(slice(len(places))))
            self.progress(len(places))
        return Spans.concatenate(spans)
