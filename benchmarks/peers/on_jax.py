"""Peers on JAX: `jax.test_util.check_grads`, and what people write themselves, a plain vmap over all θᵢ.

The loss is the JAX witness's, in float64; flags that are changed for it are restored.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array
from jax.test_util import check_grads

from benchmarks.peers.method import Differences, Judgement, Method
from xcheck import Problem
from xcheck.layout import Vector
from xcheck_jax.network import NetworkObjective

_CHUNKS = (8, 16, 32, 64, 128, 256)
_CHUNK_BYTES = 1 << 30
_TRIED_ON = 256
_TRIES = 2
_STEP = 1e-5


@contextmanager
def _float64_on(device: str) -> Iterator[None]:
    with jax.enable_x64(True), jax.default_device(jax.devices(device)[0]):
        yield


class CheckGrads(Method):
    """check_grads at its defaults, first order, reverse mode: one fixed random direction through all components."""

    losses_per_component = None

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        self._jitted = jax.jit(NetworkObjective(problem, device, "float64").loss)
        self._verdict: Judgement = "undecided"

    def _loss(self, theta: Array) -> Array:
        self.evaluations += 1
        return self._jitted(theta)

    def run(self) -> None:
        """Check the right gradient."""
        self.evaluations = 0
        self._verdict = self.judge(self.gradient)

    def judge(self, gradient: Vector) -> Judgement:
        """Return what check_grads says; it takes its difference again."""
        with _float64_on(self.device):
            reported = jnp.asarray(gradient)
            loss = jax.custom_vjp(self._loss)
            loss.defvjp(lambda theta: (self._loss(theta), None), lambda _, upstream: (upstream * reported,))
            try:
                check_grads(loss, (jnp.asarray(self.problem.theta),), order=1, modes=("rev",))
            except AssertionError:
                return "disagree"
        return "agree"

    def verdict(self) -> Judgement:
        """Return what the last run has said."""
        return self._verdict


class PlainVmap(Differences):
    """jit(vmap) of J(θ + h eᵢ) − J(θ − h eᵢ), h = 1e-5, in chunks of the size that is fastest here."""

    overhead = 1e-5

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        self._loss = NetworkObjective(problem, device, "float64").loss
        with _float64_on(device):
            self._theta = jnp.asarray(problem.theta)
        largest = _CHUNK_BYTES // (2 * 8 * problem.layout.size)
        chunks = [chunk for chunk in _CHUNKS if chunk <= max(largest, _CHUNKS[0])]
        tried = {chunk: self._tried(chunk) for chunk in chunks}
        self._chunk = min(tried, key=lambda chunk: tried[chunk][0])
        _, self.compile_seconds, self._compiled = tried[self._chunk]
        self.note = f"{self._chunk} at a time, the fastest of {chunks[0]} to {chunks[-1]}"

    def _tried(self, chunk: int) -> tuple[float, float, Callable[..., Any]]:
        """Return seconds per component, seconds of compiling, and what was compiled."""

        def difference(theta: Array, i: Array) -> Array:
            return (self._loss(theta.at[i].add(_STEP)) - self._loss(theta.at[i].add(-_STEP))) / (2 * _STEP)

        some = self.indices[:_TRIED_ON]
        with _float64_on(self.device):
            start = time.perf_counter()
            lowered = jax.jit(jax.vmap(difference, in_axes=(None, 0))).lower(self._theta, jnp.zeros(chunk, int))
            compiled = lowered.compile()
            compiling = time.perf_counter() - start
            seconds = min(self._timed(compiled, chunk, some) for _ in range(_TRIES))
            return seconds / len(some), compiling, compiled

    def _timed(self, compiled: Callable[..., Any], chunk: int, indices: np.ndarray) -> float:
        start = time.perf_counter()
        self._differences(compiled, chunk, indices)
        return time.perf_counter() - start

    def _differences(self, compiled: Callable[..., Any], chunk: int, indices: np.ndarray) -> Vector:
        parts = []
        for begin in range(0, len(indices), chunk):
            chosen = indices[begin : begin + chunk]
            # The last chunk is filled up, so that one compilation serves all.
            parts.append(np.asarray(compiled(self._theta, jnp.asarray(np.resize(chosen, chunk))))[: len(chosen)])
        return np.concatenate(parts)

    def estimate(self) -> Vector:
        """Return the differences."""
        self.evaluations = 2 * len(self.indices)
        with _float64_on(self.device):
            return self._differences(self._compiled, self._chunk, self.indices)
