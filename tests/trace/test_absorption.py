"""Absorption: stairs that rounding to 64 bits makes of a loss, beside huge numbers."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import read_arguments
from xcheck.trace.absorption import move_beside

THETA = np.array([0.12343456, 0.56781234, 1.9])
ROUND: dict[str, Callable[[Any, int], Any]] = {
    "numpy": np.round,
    "torch": lambda x, digits: torch.round(x, decimals=digits),
    "jax": jnp.round,
}


def narrow(backend: str, loss: Any) -> float | None:
    """What a backend says of a loss at THETA."""
    arguments = read_arguments(torch.tensor(THETA) if backend == "torch" else THETA, (), registry.read)
    objective = registry.get(backend).function_objective(xcheck.objective(loss, backend), arguments)
    assert isinstance(objective, FunctionObjective)
    return objective.narrow()


@pytest.mark.parametrize("huge", [1e6, 1e8, 1e12])
@pytest.mark.parametrize("backend", ROUND)
def test_huge_numbers_make_stairs(backend: str, huge: float) -> None:
    """They are not meant, unless something else is flat, too: then nobody knows."""
    assert narrow(backend, lambda p: ((p + huge) - huge).sum()) == FLOAT64
    assert narrow(backend, lambda p: ((p + huge) - huge).sum() + ROUND[backend](p, 3).sum()) is None


@pytest.mark.parametrize("backend", ROUND)
def test_numbers_of_ordinary_size_make_none(backend: str) -> None:
    """Rounding on purpose does not pass through huge numbers."""
    assert narrow(backend, lambda p: (p**2).sum() + 100.0) == 0
    assert narrow(backend, lambda p: ROUND[backend](p, 5).sum() + 100.0) == 0


def test_all_components_move_by_different_steps() -> None:
    """Differences and sums of components move, too."""
    moved = np.abs(move_beside(THETA) - THETA)
    assert (moved > 1e-4).all()
    assert len(np.unique(moved.round(12))) == 3


@pytest.mark.parametrize("huge", [1e5, 1e6, 1e8, 1e9])
def test_a_slope_over_stairs_of_huge_numbers_is_right(huge: float) -> None:
    """Zero is not; at 1e9 the treads are 1e-7 wide."""
    right = xcheck.check(lambda p: float(np.sin((p + huge) - huge).sum()), THETA[:2], gradient=np.cos)
    assert right.verdict == "AGREE"
    wrong = xcheck.check(lambda p: float(np.sin((p + huge) - huge).sum()), THETA[:2], gradient=lambda p: 0.0 * p)
    assert wrong.verdict == "DISAGREE"
    in_torch = xcheck.check(lambda p: ((p + huge) - huge).sin().sum(), torch.tensor(THETA[:2]))
    assert in_torch.verdict == "AGREE"
