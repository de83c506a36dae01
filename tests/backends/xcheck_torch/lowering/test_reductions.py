"""Reductions along axes."""

import math
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, randn

NUMBERS = torch.arange(4.0, dtype=torch.float64)

REDUCTIONS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum() * x.sum(0) + x.sum((0, 1)) + x.sum(1, keepdim=True),
    "mean": lambda x: x.mean() * x.mean(0) + x.mean(1, keepdim=True),
    "prod": lambda x: x.prod() + x.prod(1, keepdim=True) * x.prod(0),
    "var": lambda x: x.var() + x.var(1, keepdim=True) * x.var(0, unbiased=False) + x.var((0, 1), correction=2),
    "std": lambda x: x.std() + x.std(1, keepdim=True) * x,
    "std_mean": lambda x: torch.stack(torch.std_mean(x, 1)) + torch.stack(torch.var_mean(x, 1, keepdim=True))[..., 0],
    "norm": lambda x: x.norm() + x.norm(1) + x.norm(p=2.5) + torch.linalg.norm(x, 1) + F.normalize(x, dim=1),
    "vector_norm": lambda x: sum(torch.linalg.vector_norm(x, p, dim=1) for p in (3, 0, 1, math.inf, -math.inf)),
    "amax": lambda x: x.amax(1) * x.amin(1) + x.amax() + torch.aminmax(x, dim=1)[0],
    "max": lambda x: (
        x.max() * x.min() + x.max(1)[0] + x.min(1, keepdim=True).values[:, 0] + torch.max(x, x.sin())[:, 0]
    ),
    "argmax": lambda x: x[torch.arange(3), x.argmax(1)] * x.reshape(-1)[x.argmin()] + x.gather(1, x.max(1, True)[1])[0],
    "cumulative": lambda x: x.cumsum(0) * x.cumprod(1) + torch.logcumsumexp(x, 1) + torch.cummax(x, 1)[0],
    "cummin": lambda x: torch.cummin(x, 0)[0],
    "softmax": lambda x: F.softmax(x, 1) * NUMBERS + F.softmin(x, 0),
    "log_softmax": lambda x: F.log_softmax(x, 0) * NUMBERS,
    "logsumexp": lambda x: torch.logsumexp(x, 1, keepdim=True) * torch.logsumexp(x, (0, 1)),
    "any": lambda x: x * (x > 2).any() + x * (x > -9).all(1, keepdim=True),
}


@pytest.mark.parametrize("name", REDUCTIONS)
def test_reductions(name: str) -> None:
    """Along one axis, several or all."""
    assert_traced(lambda x: REDUCTIONS[name](x).sin().sum(), randn(3, 4))


def test_a_number_has_no_axes() -> None:
    """Of one number all reductions are itself, or 0."""
    assert_traced(lambda x: x.sum() + x.mean() * x.amax() + x.prod() + torch.logsumexp(x, 0) + x.cumsum(0), randn())


def test_what_is_masked_out_counts_for_nothing() -> None:
    """-∞ among the logits of a softmax, and nothing else in one row of it."""
    mask = torch.tensor([[True, True, False], [False, True, True]])

    def loss(x: torch.Tensor) -> torch.Tensor:
        masked = x.masked_fill(mask, -math.inf)
        return (F.softmax(masked, 1) ** 2).sum() + torch.logsumexp(masked, 1).sum()

    assert_traced(loss, randn(2, 3))


def test_a_safe_softmax_of_nothing_is_0() -> None:
    """As attention has it where a query may look at no key."""
    mask = torch.tensor([[False, False], [True, False]])
    assert_traced(
        lambda p: F.scaled_dot_product_attention(p["q"], p["k"], p["v"], attn_mask=mask).sin().sum(),
        {name: randn(1, 2, 3, seed=number) for number, name in enumerate("qkv")},
    )
