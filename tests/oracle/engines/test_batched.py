"""The batched engine: the same losses as one after the other, within the memory that it may take."""

import numpy as np

from tests.oracle.conftest import loss_of
from xcheck.oracle import LoopEngine
from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.testing import scenario, scenarios


def test_the_batched_engine_agrees_with_the_loop() -> None:
    """The same differences of the same losses, one at a time in NumPy and many at a time in JAX."""
    for problem in scenarios(9, start=18):
        loop = LoopEngine(loss_of(problem), problem.theta, problem.layout)
        batched = BatchedEngine(problem)
        indices = np.arange(problem.layout.size)
        step = np.full(len(indices), 2.0**-20)
        if batched.branches.ties == 0:
            slow, fast = loop.differences(indices, step, -step), batched.differences(indices, step, -step)
            scale = 1 + np.abs(slow.slope).max() + loop.losses[0]
            np.testing.assert_allclose(fast.slope, slow.slope, atol=1e-8 * scale)


def test_chunks_stay_within_the_memory_budget() -> None:
    """A smaller budget means smaller chunks, and the same answer."""
    problem = scenario(20)
    narrow, wide = BatchedEngine(problem, memory=20_000), BatchedEngine(problem)
    assert 1 <= narrow.chunk < wide.chunk <= 64
    indices = np.arange(problem.layout.size)
    step = np.full(len(indices), 1e-3)
    one, other = narrow.differences(indices, step, -step), wide.differences(indices, step, -step)
    np.testing.assert_allclose(one.slope, other.slope, rtol=1e-9, atol=1e-12)
