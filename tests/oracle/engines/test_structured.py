"""The structured engine: how losses are evaluated must not change what they are; code and memory are shared."""

import jax
import numpy as np
import pytest

from tests.oracle.conftest import wide
from xcheck import Dense, Network, Problem
from xcheck.oracle import OracleOptions, numerical_gradient
from xcheck.oracle.engines.base import EngineName
from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.testing import scenario


@pytest.mark.parametrize("number", [0, 7, 9, 10, 13, 14, 17, 21, 28, 35])
def test_the_structured_engine_agrees_with_the_batched(number: int) -> None:
    """Slopes, ends of the intervals at ties, and magnitudes: over losses, penalties, dropout, kinks."""
    problem = scenario(number)
    batched, structured = BatchedEngine(problem), StructuredEngine(problem)
    indices = np.random.default_rng(0).permutation(problem.layout.size)  # in any order
    step = 2.0**-10 * batched.scale[indices]
    expected, found = batched.differences(indices, step, -step), structured.differences(indices, step, -step)
    scale = np.abs(expected.magnitude).max() + batched.losses.max() * 1e-3
    for name in ("slope", "lower", "upper", "magnitude"):
        np.testing.assert_allclose(getattr(found, name), getattr(expected, name), rtol=1e-8, atol=1e-10 * scale)


def test_scenarios_of_that_test_meet_ties() -> None:
    """At least one of them has units on a kink."""
    assert any(BatchedEngine(scenario(number)).branches.ties for number in (0, 7, 14, 21, 28, 35))


@pytest.mark.parametrize("memory", [1, 100_000, 1 << 30])
def test_structured_chunks_stay_within_memory(memory: int) -> None:
    """However small the budget, one perturbation at a time always goes."""
    engine = StructuredEngine(wide(8), memory=memory)
    assert engine.chunk(0) >= 1
    assert engine.chunk(0) * 8 * 4 * 32 * 3 <= max(memory, 8 * 4 * 32 * 3)


def deep(layers: int) -> Problem:
    """A network of so many hidden layers of six units."""
    hidden = [Dense(units=6, activation="softplus")] * layers
    network = Network(inputs=6, layers=(*hidden, Dense(units=2)), loss="binary_cross_entropy")
    rng = np.random.default_rng(0)
    return Problem.create(network, rng.standard_normal((9, 6)), rng.integers(0, 2, (9, 2)))


def compilations(problem: Problem, engine: EngineName) -> int:
    """How many functions XLA compiles for an estimate."""
    count = 0

    def listen(event: str, duration: float, **details: object) -> None:
        nonlocal count
        count += event == "/jax/core/compile/backend_compile_duration"

    jax.clear_caches()
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        numerical_gradient(problem, OracleOptions(engine=engine))
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)
    return count


@pytest.mark.parametrize("engine", ["structured", "node"])
def test_layers_of_one_shape_share_their_code(engine: EngineName) -> None:
    """Twelve equal layers compile no more than four."""
    few = compilations(deep(4), engine)
    assert 0 < compilations(deep(12), engine) <= few
