"""Sorting, the largest few, medians."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from tests.backends.xcheck_torch.traced import assert_traced, made, randn

NUMBERS = torch.arange(4.0, dtype=torch.float64)
ORDERS: dict[str, Callable[[Any], Any]] = {
    "sort": lambda x: x.sort(1)[0] * NUMBERS + x.sort(0, descending=True)[0],
    "argsort": lambda x: x.gather(1, x.argsort(1, descending=True)) * NUMBERS,
    "topk": lambda x: x.topk(2, 1)[0] * NUMBERS[:2] + x.T.topk(2, 0, largest=False)[0].T[:, :1],
    "places": lambda x: x.gather(1, x.topk(2, 1)[1]) * NUMBERS[:2],
    "median": lambda x: x.median() + x.median(1)[0] + x.kthvalue(2, 1)[0] * x.median(1, keepdim=True).values[:, 0],
}


@pytest.mark.parametrize("name", ORDERS)
def test_orders(name: str) -> None:
    """Each element takes its slope to where it comes in order."""
    assert_traced(lambda x: ORDERS[name](x).sin().sum(), randn(3, 4))


def test_without_an_order_the_largest_few_have_no_lowering() -> None:
    """torch says nothing about where they come."""
    objective = made(lambda x: x.topk(2, sorted=False)[0].sum(), randn(4))
    assert "torch topk" in [operation.name for operation in objective.trace().operations]
