"""A loss in torch, traced, evaluated in balls, and held against torch itself."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from xcheck import objective
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.functions.arguments import read_arguments
from xcheck.functions.function import Function
from xcheck.trace import Trace, replay

Case = tuple[str, Callable[..., Any], Any, tuple[Any, ...]]
DIRECTIONS = 2
# Of the loss, and of the size of a gradient: some roundings.
CLOSE = 1e-12


def randn(*shape: int, seed: int = 0) -> torch.Tensor:
    """Numbers in float64, the same in every call."""
    return torch.as_tensor(np.random.default_rng(seed).standard_normal(shape))


def between_0_and_1(*shape: int) -> torch.Tensor:
    """Numbers that are not near the ends."""
    return torch.as_tensor(np.random.default_rng(1).uniform(0.1, 0.9, shape))


def made(function: Any, params: Any, data: tuple[Any, ...] = ()) -> FunctionObjective:
    """The objective of a function or a module."""
    definition = function if isinstance(function, Function) else objective(function, "torch")
    found = registry.get("torch").function_objective(definition, read_arguments(params, data, registry.read))
    assert isinstance(found, FunctionObjective)
    return found


def prove(traced: FunctionObjective, trace: Trace, directions: np.ndarray) -> Slopes:
    """Slopes along directions, shape (k, n)."""
    arrays = traced.traced_arrays(traced.arguments.theta)
    return prove_slopes(trace, arrays, [traced.traced_arrays(one) for one in directions])


def assert_traced(function: Any, params: Any, *data: Any) -> Slopes:
    """The trace gives the loss and, in balls, slopes that are those of autograd; and so does that of the gradient."""
    traced = made(function, params, data)
    theta = traced.arguments.theta
    loss, gradient = traced.loss_and_gradient(theta)
    trace, arrays = traced.trace(), traced.traced_arrays(theta)
    (replayed,) = replay(trace, arrays)
    assert abs(float(replayed) - loss) <= CLOSE * max(1.0, abs(loss))
    directions = np.random.default_rng(2).standard_normal((DIRECTIONS, theta.size))
    found = prove(traced, trace, directions)
    assert abs(float(found.value) - loss) <= CLOSE * max(1.0, abs(loss))
    size = np.linalg.norm(gradient)
    for slope, direction in zip(found.slopes, directions, strict=True):
        assert abs(float(slope) - gradient @ direction) <= CLOSE * size * np.linalg.norm(direction)
    assert_gradient_traced(traced, gradient)
    return found


def assert_gradient_traced(traced: FunctionObjective, gradient: np.ndarray) -> None:
    """What autograd does, replayed, gives the gradient."""
    arrays = traced.traced_arrays(traced.arguments.theta)
    found = replay(traced.gradient_trace(), arrays)
    for ours, theirs in zip(found, traced.traced_arrays(gradient), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=CLOSE * max(1e-300, float(np.linalg.norm(gradient))))
