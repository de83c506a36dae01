"""Structured engine: every θᵢ is perturbed, but only what depends on it is computed again.

W⁽ˡ⁾ᵢⱼ + h changes z⁽ˡ⁾ᵢ by h aⱼ⁽ˡ⁻¹⁾ and no other unit of layer l; b⁽ˡ⁾ᵢ + h changes it by h. With Z and A at θ known:

    Δaᵢ = g(zᵢ⁽ˡ⁾ + h aⱼ) − g(zᵢ⁽ˡ⁾)          one unit of layer l
    Z⁽ˡ⁺¹⁾ + Δaᵢ ⊗ W⁽ˡ⁺¹⁾[:, i]               a rank-one update of layer l + 1
    the layers after that                     in full

This is the same mathematics as running the network anew for every θᵢ; what is left out would come out the same.
"""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.network import Network
from xcheck.oracle.engine import Indices, Spans
from xcheck.oracle.forward import LOSSES, Parameters, continued, dropped
from xcheck.oracle.network_engine import Arrays, NetworkEngine, summarized, tensors_of
from xcheck.parameters import Layout, Vector

_CACHE = 20 << 20  # bytes; on two cores 10 and 20 MiB are equally fast, 40 MiB half as fast
_WIDEST = 1 << 16


class _Base:
    """One variant of the network at θ, on its pieces: what perturbations of layer `number` (from 0) start from."""

    def __init__(
        self,
        network: Network,
        parameters: Parameters,
        arrays: Arrays,
        pieces: Sequence[Array | None],
        number: int,
    ) -> None:
        self._network, self._parameters, self._arrays = network, parameters, arrays
        self._pieces, self._number = pieces, number
        a = dropped(arrays.inputs, arrays.keeps[0])
        for before in range(number):
            a = self._activated(before, self._linear(before, a))
        self.inputs = jnp.concatenate([a, jnp.ones((len(a), 1))], axis=1)  # a bias is a weight on a constant input
        self.z = self._linear(number, a)
        self.a = self._activated(number, self.z)
        self.above = self._linear(number + 1, self.a) if number + 1 < len(parameters) else None

    def _linear(self, number: int, a: Array) -> Array:
        W, b = self._parameters[number]
        return a @ W.T + b

    def _activated(self, number: int, z: Array) -> Array:
        name = self._network.layers[number].activation
        return dropped(continued(name, z, self._pieces[number]), self._arrays.keeps[number + 1])

    def losses(self, unit: Array, column: Array, shift: Array) -> Array:
        """Return the loss of each example when the weight from `column` to `unit` is moved by `shift`, shape (m,)."""
        piece, keep = self._pieces[self._number], self._arrays.keeps[self._number + 1]
        z = self.z[:, unit] + shift * self.inputs[:, column]
        name = self._network.layers[self._number].activation
        a = continued(name, z, None if piece is None else piece[:, unit])
        a = dropped(a, None if keep is None else keep[:, unit])
        if self.above is None:
            return LOSSES[self._network.loss](self.a.at[:, unit].set(a), self._arrays.targets)
        W, _ = self._parameters[self._number + 1]
        return self._rest(self._number + 1, self.above + (a - self.a[:, unit])[:, None] * W[:, unit])

    def _rest(self, number: int, z: Array) -> Array:
        a = self._activated(number, z)
        for after in range(number + 1, len(self._parameters)):
            a = self._activated(after, self._linear(after, a))
        return LOSSES[self._network.loss](a, self._arrays.targets)


@partial(jax.jit, static_argnames=("network", "layout", "number"))
def _spans(
    network: Network, layout: Layout, number: int, arrays: Arrays, units: Array, columns: Array, high: Array, low: Array
) -> tuple[Array, Array, Array, Array, Array]:
    """Return what `Spans` holds of L(θᵢ + high) − L(θᵢ + low)."""
    parameters = tensors_of(layout, arrays.theta)

    def variant(pieces: Sequence[Array | None]) -> tuple[Array, Array]:
        base = _Base(network, parameters, arrays, pieces, number)
        return jax.vmap(base.losses)(units, columns, high), jax.vmap(base.losses)(units, columns, low)

    return summarized(*jax.vmap(variant, axis_size=arrays.variants)(arrays.slopes))


class StructuredEngine(NetworkEngine):
    """Weight perturbation of a declared network, layer by layer."""

    name = "structured"

    def chunk(self, number: int) -> int:
        """Perturbations of layer `number` at a time: on a CPU as many as stay in its cache, on a GPU as many as fit."""
        network, examples = self.problem.network, self.problem.examples
        numbers = 4 * examples * max(network.widths[number + 1 :])
        widest = _CACHE // (8 * numbers) if self.device.platform == "cpu" else _WIDEST
        return self.chunk_of(numbers, max(16, widest))

    def spans(self, indices: Indices, high: Vector, low: Vector) -> Spans:
        """Return k differences of the mean loss."""
        spans = Spans.empty(len(indices), self.pieces.variants)
        shift_up, shift_down = high - self.theta[indices], low - self.theta[indices]
        tensors = list(self.layout)
        for number, (W, b) in enumerate(zip(tensors[::2], tensors[1::2], strict=True)):
            into = np.flatnonzero((indices >= W.span.start) & (indices < b.span.stop))
            if len(into):
                flat = indices[into] - W.offset
                inputs = W.shape[1]
                weight = flat < W.size
                units = np.where(weight, flat // inputs, flat - W.size)
                columns = np.where(weight, flat % inputs, inputs)
                kernel = partial(_spans, self.problem.network, self.layout, number, self.arrays)
                rows = (units, columns, shift_up[into], shift_down[into])
                self.run(kernel, rows, spans, into, chunk=self.chunk(number))
        return spans
