"""What the engines for a declared network share: its arrays on the device, its trace and pieces at θ, its penalty."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from xcheck.errors import Complaint, DeviceError
from xcheck.network import Network
from xcheck.oracle.engine import Differences, Engine, Indices, Progress, Spans
from xcheck.oracle.forward import Parameters, Trace, float64_on, trace
from xcheck.oracle.penalty import Penalty
from xcheck.oracle.pieces import Pieces, find_pieces
from xcheck.parameters import Layout, Vector
from xcheck.problem import Problem

Kernel = Callable[..., tuple[Array, Array, Array, Array, Array]]


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


def tensors_of(layout: Layout, theta: Array) -> Parameters:
    """Return (W, b) of each layer as views into θ."""
    arrays = [theta[tensor.span].reshape(tensor.shape) for tensor in layout]
    return list(zip(arrays[::2], arrays[1::2], strict=True))


@dataclass(frozen=True, slots=True)
class Arrays:
    """A problem on the device.

    Attributes:
        theta: θ, shape (n,).
        inputs: X, shape (m, n₀).
        targets: Y, shape (m, n_L).
        keeps: mask/keep_prob per activation, None where nothing is dropped.
        slopes: pieces per layer, shape (variants, m, nₗ), None where the activation is smooth; empty before they are
            known.
    """

    theta: Array
    inputs: Array
    targets: Array
    keeps: Sequence[Array | None]
    slopes: Sequence[Array | None] = ()

    @property
    def variants(self) -> int:
        """Number of combinations of conventions at ties, at least 1."""
        return next((len(slope) for slope in self.slopes if slope is not None), 1)


jax.tree_util.register_dataclass(Arrays, ["theta", "inputs", "targets", "keeps", "slopes"], [])


@partial(jax.jit, static_argnames=("network", "layout"))
def _trace(network: Network, layout: Layout, arrays: Arrays) -> Trace:
    return trace(network, tensors_of(layout, arrays.theta), arrays.inputs, arrays.targets, arrays.keeps)


def summarized(high: Array, low: Array) -> tuple[Array, Array, Array, Array, Array]:
    """Return lower, upper, conventions, magnitude, level (as in `Spans`) of losses (variants, k, m) on both sides.

    Differences are formed per example before they are summed: the sum of the losses never enters, so its rounding
    does not either.
    """
    spans = high - low
    level = jnp.maximum(jnp.abs(high), jnp.abs(low)).max(0).mean(1)
    return spans.min(0).mean(1), spans.max(0).mean(1), spans.mean(2), jnp.abs(spans).max(0).mean(1), level


class NetworkEngine(Engine):
    """A network at θ, in float64, on CPU or GPU; subclasses say how its perturbed losses are evaluated.

    Attributes:
        problem: the network with its data.
        arrays: the problem on the device.
        trace: what it computes at θ, as NumPy arrays.
        pieces: which piece of each piecewise activation is active at θ.
        penalty: its penalty.
        memory: bytes that perturbed networks may take up at a time.
    """

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
        self.problem = problem
        self.penalty = Penalty(problem.network, problem.layout, problem.theta, problem.examples)
        self.device = find_device(device)
        with float64_on(self.device):
            keeps = [
                None if mask is None else jnp.asarray(mask / keep_prob)
                for mask, keep_prob in zip(problem.masks, problem.network.keep_probs, strict=True)
            ]
            theta, inputs, targets = (jnp.asarray(a) for a in (problem.theta, problem.inputs, problem.targets))
            arrays = Arrays(theta, inputs, targets, keeps)
            self.trace: Trace = jax.device_get(_trace(problem.network, self.layout, arrays))
            self.pieces: Pieces = find_pieces(problem.network, self.trace, roundoff)
            slopes = [None if slope is None else jnp.asarray(slope) for slope in self.pieces.slopes]
            self.arrays = replace(arrays, slopes=slopes)
        self.memory = memory

    def chunk_of(self, numbers: int, widest: int) -> int:
        """Return how many perturbations fit into memory, at most `widest`, if each takes up so many float64 numbers."""
        return max(1, min(widest, self.memory // (8 * numbers * self.pieces.variants)))

    @property
    def scale(self) -> Vector:
        """A step of 1/maxₑ|aⱼ| in Wᵢⱼ, or 1 in bᵢ, moves zᵢ by at most 1; shape (n,).

        Divided by how much more than eightfold the weights above can enlarge that move: a step that looks short where
        it is taken must not jump over everything that happens further up.
        """
        scale = np.ones(self.layout.size)
        parameters = self.layout.unflatten(self.theta)
        gain = np.ones(self.problem.network.widths[-1])
        for number in range(len(self.trace.z), 0, -1):
            W, b = self.layout[f"W{number}"], self.layout[f"b{number}"]
            per_unit = 1 / np.maximum(1.0, gain / 8)
            largest = np.abs(np.asarray(self.trace.a[number - 1])).max(axis=0)
            per_input = 1 / np.where(largest > 0, largest, 1.0)
            scale[W.span] = np.outer(per_unit, per_input).ravel()
            scale[b.span] = per_unit
            with np.errstate(over="ignore"):
                gain = np.maximum(1.0, np.sqrt((parameters[f"W{number}"] ** 2).T @ gain**2))
        return scale

    @property
    def losses(self) -> Vector:
        """Loss of each example at θ, shape (m,)."""
        return np.asarray(self.trace.losses)

    def exact(self, indices: Indices, plus: Vector, minus: Vector) -> Differences:
        """Return the quotients of the penalty."""
        return self.penalty.differences(indices, plus, minus)

    def run(self, kernel: Kernel, rows: Sequence[Vector | Indices], spans: Spans, into: Indices, *, chunk: int) -> None:
        """Evaluate `kernel` on the rows, chunk by chunk, and put what it returns into `spans[into]`.

        The last chunk is filled up with repetitions, so that there is one compilation.
        """
        for start in range(0, len(into), chunk):
            chosen = np.arange(start, min(start + chunk, len(into)))
            filled = np.resize(chosen, chunk)
            with float64_on(self.device):
                found = kernel(*(jnp.asarray(row[filled]) for row in rows))
                lower, upper, means, magnitude, level = (np.asarray(a)[..., : len(chosen)] for a in found)
            places = into[chosen]
            spans.conventions[:, places] = means
            spans.lower[places], spans.upper[places] = lower, upper
            spans.magnitude[places], spans.level[places] = magnitude, level
            self.progress(len(chosen))
