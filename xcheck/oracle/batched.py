"""Batched engine: every θᵢ is perturbed and the whole network run, many perturbations at a time in one jit(vmap)."""

from collections.abc import Sequence
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.errors import Complaint, DeviceError
from xcheck.network import Network
from xcheck.oracle.engine import Differences, Engine, Indices, Progress, Spans
from xcheck.oracle.forward import Parameters, Trace, float64_on, losses, trace
from xcheck.oracle.penalty import Penalty
from xcheck.oracle.pieces import Pieces, find_pieces
from xcheck.parameters import Layout, Vector
from xcheck.problem import Problem

# On a CPU more perturbations at a time fall out of the cache; a GPU wants many.
_WIDEST = {"cpu": 64, "gpu": 4096}


def find_device(name: str) -> jax.Device:
    """Return the JAX device called "cpu" or "gpu".

    Raises:
        DeviceError: there is none.
    """
    try:
        return jax.devices(name)[0]
    except RuntimeError as error:
        text = f"JAX finds no {name} on this machine; use device = 'cpu'"
        raise DeviceError(Complaint(text, ("check", "device"))) from error


def _parameters(layout: Layout, theta: Array) -> Parameters:
    arrays = [theta[tensor.span].reshape(tensor.shape) for tensor in layout]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


@partial(jax.jit, static_argnames=("network", "layout"))
def _trace(
    network: Network, layout: Layout, theta: Array, data: Sequence[Array], keeps: Sequence[Array | None]
) -> Trace:
    inputs, targets = data
    return trace(network, _parameters(layout, theta), inputs, targets, keeps)


@partial(jax.jit, static_argnames=("network", "layout"))
def _spans(
    network: Network,
    layout: Layout,
    theta: Array,
    data: Sequence[Array],
    keeps: Sequence[Array | None],
    pieces: Sequence[Array | None],
    perturbations: tuple[Array, Array, Array],
) -> tuple[Array, Array, Array]:
    """Return mean over the examples of (lower, upper, magnitude) of L(high) − L(low), each of shape (k,).

    Differences are formed per example before they are summed: the sum of the losses never enters, so its rounding
    does not either.
    """
    inputs, targets = data

    def examples(i: Array, value: Array, variant: Sequence[Array | None]) -> Array:
        moved = _parameters(layout, theta.at[i].set(value))
        return losses(network, moved, inputs, targets, keeps, variant)

    def one(i: Array, high: Array, low: Array) -> tuple[Array, Array, Array]:
        def span(variant: Sequence[Array | None]) -> Array:
            return examples(i, high, variant) - examples(i, low, variant)

        spans = jax.vmap(span, axis_size=variants)(pieces)  # (variants, m)
        return spans.min(0).mean(), spans.max(0).mean(), jnp.abs(spans).max(0).mean()

    variants = next((len(piece) for piece in pieces if piece is not None), 1)
    return jax.vmap(one)(*perturbations)


class BatchedEngine(Engine):
    """jit + chunked vmap under a memory budget, in float64, on CPU or GPU."""

    name = "batched"

    def __init__(
        self,
        problem: Problem,
        *,
        device: str = "cpu",
        memory: int = 1 << 30,
        roundoff: float = 2.0**-53,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(problem.theta, problem.layout, progress=progress)
        self._network = problem.network
        self._device = find_device(device)
        self.penalty = Penalty(problem.network, problem.layout, problem.theta, problem.examples)
        with float64_on(self._device):
            self._data = (jnp.asarray(problem.inputs), jnp.asarray(problem.targets))
            self._keeps = [
                None if mask is None else jnp.asarray(mask / keep_prob)
                for mask, keep_prob in zip(problem.masks, problem.network.keep_probs, strict=True)
            ]
            self._theta = jnp.asarray(problem.theta)
            traced = _trace(self._network, self.layout, self._theta, self._data, self._keeps)
            self.trace: Trace = jax.device_get(traced)
            self.pieces: Pieces = find_pieces(self._network, self.trace, roundoff)
            self._slopes = [None if s is None else jnp.asarray(s) for s in self.pieces.slopes]
        self.chunk = self._chunk(memory, _WIDEST[device])

    def _chunk(self, memory: int, widest: int) -> int:
        """Perturbations at a time: two copies of θ and of all activations each, per variant."""
        examples, widths = len(self._data[0]), self._network.widths
        numbers = 2 * self.pieces.variants * (self.layout.size + 2 * examples * sum(widths))
        return max(1, min(widest, memory // (8 * numbers)))

    @property
    def scale(self) -> Vector:
        """A step of 1/maxₑ|aⱼ| in Wᵢⱼ, or 1 in bᵢ, moves a pre-activation by at most 1; shape (n,)."""
        scale = np.ones(self.layout.size)
        for tensor, a in zip(list(self.layout)[::2], self.trace.a, strict=False):
            largest = np.abs(np.asarray(a)).max(axis=0)
            per_input = 1 / np.where(largest > 0, largest, 1.0)
            scale[tensor.span] = np.broadcast_to(per_input, tensor.shape).ravel()
        return scale

    @property
    def losses(self) -> Vector:
        """Loss of each example at θ, shape (m,)."""
        return np.asarray(self.trace.losses)

    def exact(self, indices: Indices, plus: Vector, minus: Vector) -> Differences:
        """Return the quotients of the penalty."""
        return self.penalty.differences(indices, plus, minus)

    def spans(self, indices: Indices, high: Vector, low: Vector) -> Spans:
        """Return k differences, chunk by chunk; the last chunk is filled up to keep one compilation."""
        spans = Spans(*(np.empty(len(indices)) for _ in range(3)))
        for start in range(0, len(indices), self.chunk):
            rows = np.arange(start, min(start + self.chunk, len(indices)))
            filled = np.resize(rows, self.chunk)
            lower, upper, magnitude = self._run(indices[filled], high[filled], low[filled])
            spans.lower[rows] = lower[: len(rows)]
            spans.upper[rows] = upper[: len(rows)]
            spans.magnitude[rows] = magnitude[: len(rows)]
            self.progress(len(rows))
        return spans

    def _run(self, indices: Indices, high: Vector, low: Vector) -> list[Vector]:
        with float64_on(self._device):
            perturbations = (jnp.asarray(indices), jnp.asarray(high), jnp.asarray(low))
            spans = _spans(
                self._network, self.layout, self._theta, self._data, self._keeps, self._slopes, perturbations
            )
            return [np.asarray(span) for span in spans]
