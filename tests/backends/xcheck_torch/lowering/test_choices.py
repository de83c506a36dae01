"""Comparisons, what is chosen by them, and casts."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.backends.xcheck_torch.traced import assert_traced, made, prove, randn
from xcheck.trace import replay

CHOICES: dict[str, Callable[[Any, Any], Any]] = {
    "where": lambda x, y: torch.where(x > y, x, 2 * y) + torch.where(x <= 0, x, 0.3),
    "comparisons": lambda x, y: (x < y) * x + (x >= 0.1) * y + (x != y) * x + (x == y) * y + (x.lt(0) & y.gt(0)) * x,
    "maximum": lambda x, y: torch.maximum(x, y) + torch.minimum(x, y.sin()) + torch.fmin(x, y) - torch.fmax(x, y**2),
    "clamp": lambda x, y: x.clamp(min=-0.5) + x.clamp(max=0.5) + x.clamp(-0.3, 0.4) + x.clip(min=y),
    "masked_fill": lambda x, y: x.masked_fill(x > 0.2, 1.0) + x.masked_fill(y > 0, y.sum()),
    "nan_to_num": lambda x, y: x.nan_to_num() + torch.isfinite(x) * y + torch.isnan(x) * y,
    "logic": lambda x, y: torch.logical_not(x) * y + torch.logical_and(x > 0, y > 0) * x + torch.isinf(x) * y,
    "casts": lambda x, y: (x > 0).double() * y + (3 * x).long() * y + x.bool() * y + torch.ones(3, dtype=torch.int) * x,
    "copies": lambda x, y: x.clone() + x.contiguous() * y.detach() + torch.empty_like(x).fill_(2.0) * x,
    "dropout": lambda x, y: torch.dropout(x, 0.5, train=False) + torch.native_dropout(x, 0.5, False)[0],
}


@pytest.mark.parametrize("name", [name for name in CHOICES if name != "copies"])
def test_choices(name: str) -> None:
    """Each gives the slope of what it chooses."""
    assert_traced(lambda p: CHOICES[name](p["x"], p["y"]).sum(), {"x": randn(2, 3), "y": randn(3, seed=1)})


def test_the_derivative_of_what_is_detached() -> None:
    """The proof is about the function, whatever autograd is told."""
    found = slopes_of(lambda x: (x * x.detach()).sum(), torch.tensor([3.0], dtype=torch.float64))
    assert found == [(6.0, None)]


def slopes_of(loss: Callable[..., Any], x: torch.Tensor) -> list[tuple[float, float | None]]:
    """The proved slopes along each axis, to the right and, at a kink, to the left."""
    objective = made(loss, x)
    directions = np.eye(x.numel())
    found = prove(objective, objective.trace(), directions)
    left = [None] * len(found.slopes) if found.left is None else [float(one) for one in found.left]
    return [(float(one), other) for one, other in zip(found.slopes, left, strict=True)]


KINKS: dict[str, tuple[Callable[[Any], Any], float, float]] = {
    "relu": (torch.relu, 1.0, 0.0),
    "leaky_relu": (lambda x: torch.nn.functional.leaky_relu(x, 0.25), 1.0, 0.25),
    "abs": (torch.abs, 1.0, -1.0),
    "clamp": (lambda x: x.clamp(min=0.0, max=1.0), 1.0, 0.0),
    "hardtanh": (lambda x: torch.nn.functional.hardtanh(x, 0.0, 2.0), 1.0, 0.0),
    "where": (lambda x: torch.where(x > 0, 3 * x, x), 3.0, 1.0),
    "max": (lambda x: torch.maximum(x, -2 * x), 1.0, -2.0),
    "twice": (lambda x: torch.relu(x) - torch.relu(-x), 1.0, 1.0),
    "sort": (lambda x: torch.stack([x[0], -x[0]]).sort()[0][1], 1.0, -1.0),
}


@pytest.mark.parametrize("name", KINKS)
def test_kinks_have_a_slope_on_each_side(name: str) -> None:
    """At 0 itself."""
    function, right, left = KINKS[name]
    assert slopes_of(lambda x: function(x).sum(), torch.zeros(1, dtype=torch.float64)) == [(right, left)]


def test_a_cast_to_fewer_digits_is_said() -> None:
    """The derivative is that of the function without it."""
    objective = made(lambda x: (x.float().double() ** 2).sum(), torch.tensor([0.1], dtype=torch.float64))
    trace = objective.trace()
    assert [operation.name for operation in trace.operations] == ["cast", "move", "integer_pow", "sum"]
    found = prove(objective, trace, np.eye(1))
    assert "_to_copy" in found.remarks[0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_trace_in_a_narrow_dtype_is_replayed_in_it(dtype: torch.dtype) -> None:
    """bfloat16 stands in float32, and rounds as it does."""
    objective = made(lambda x: (x.to(dtype) * 0.3 + 1).exp().sum().double(), randn(5))
    (found,) = replay(objective.trace(), objective.traced_arrays(objective.arguments.theta))
    assert float(found) == objective.evaluate(objective.arguments.theta)
