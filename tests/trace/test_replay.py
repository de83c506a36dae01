"""Replay: the framework's own operations, one by one."""

from collections.abc import Sequence

import numpy as np

from tests.trace.made import cubes
from xcheck.trace import Operation, replay
from xcheck.trace.model import Array


def test_a_trace_gives_the_loss() -> None:
    """2 (1 + 8 + 27)."""
    assert replay(cubes(), [np.array([1.0, 2.0, 3.0])])[0] == 72.0


def test_every_operation_can_be_watched() -> None:
    """With what it reads."""
    seen = []

    def watch(operation: Operation, given: Sequence[Array]) -> Sequence[Array]:
        seen.append((operation.name, given[0].tolist()))
        return operation.run(*given)

    replay(cubes(), [np.array([1.0, 2.0, 3.0])], watch)
    assert seen == [("integer_pow", [1, 2, 3]), ("mul", [1, 8, 27]), ("sum", [2, 16, 54])]
