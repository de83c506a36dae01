"""Products of matrices and vectors."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, randn

ARRAYS = {"a": randn(3, 4), "b": randn(4, 2, seed=1), "c": randn(4, seed=2), "d": randn(3, seed=3), "e": randn(2, 3, 4)}

PRODUCTS: dict[str, Callable[[Any], Any]] = {
    "mm": lambda p: p["a"] @ p["b"],
    "bmm": lambda p: torch.bmm(p["e"], p["e"].mT),
    "mv": lambda p: torch.dot(p["a"] @ p["c"], p["d"]) + torch.vdot(p["d"], p["d"]),
    "addmm": lambda p: torch.addmm(p["b"][0], p["a"], p["b"], beta=0.5, alpha=2),
    "addmv": lambda p: torch.addmv(p["d"], p["a"], p["c"], beta=0, alpha=2),
    "addr": lambda p: torch.addr(p["a"], p["d"], p["c"], alpha=0.5),
    "baddbmm": lambda p: torch.baddbmm(p["d"], p["e"], p["e"].mT, beta=0.5) + torch.addbmm(p["d"], p["e"], p["e"].mT),
    "einsum": lambda p: torch.einsum("bij,jk->bki", p["e"], p["b"]),
    "linear": lambda p: F.linear(p["e"], p["a"], p["d"]),
    "bilinear": lambda p: F.bilinear(p["a"], p["e"][0], randn(2, 4, 4, seed=5)),
    "others": lambda p: (
        torch.kron(p["a"], p["b"]).sum() + torch.outer(p["c"], p["d"]) + torch.tensordot(p["a"], p["a"])
    ),
    "cross": lambda p: torch.linalg.cross(p["a"][:, :3], p["a"][:, 1:]) + torch.linalg.matrix_power(p["a"][:, :3], 3),
}


@pytest.mark.parametrize("name", PRODUCTS)
def test_products(name: str) -> None:
    """As `dot` of stacks of matrices."""
    used = {key: value for key, value in ARRAYS.items() if key in _keys(PRODUCTS[name])}
    assert_traced(lambda p: PRODUCTS[name](p).sin().sum(), used)


def _keys(function: Callable[..., Any]) -> tuple[Any, ...]:
    return function.__code__.co_consts
