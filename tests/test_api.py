"""The verbs: what they raise, and that settings and signatures agree."""

import pickle
from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import B


def test_assert_gradients_raises_what_pytest_shows_first() -> None:
    """An AssertionError whose first line stands alone, with the report attached."""
    assert xcheck.assert_gradients(lambda p: (p**2).sum(), B, gradient=lambda p: 2 * p).ok
    with pytest.raises(xcheck.GradientMismatch) as caught:
        xcheck.assert_gradients(lambda p: (p**2).sum(), B, gradient=lambda p: 3 * p)
    assert isinstance(caught.value, AssertionError)
    assert str(caught.value).splitlines()[0].startswith("numpy disagrees: p[")
    assert caught.value.report.pairs[0].wrong == 3


def test_undecided_raises_too() -> None:
    """Nothing undecided passes silently."""
    rng = np.random.default_rng(0)
    with pytest.raises(xcheck.GradientMismatch, match="is undecided"):
        xcheck.assert_gradients(lambda p: (p**2).sum() + rng.normal(), B, gradient=lambda p: 2 * p)


@pytest.mark.parametrize(
    "function",
    [lambda p: (torch.ones(3) ** 2).sum() + 0 * p.sum(), lambda _: (torch.ones(3) ** 2).sum()],
    ids=["times zero", "a closure"],
)
def test_what_proves_nothing_raises(function: Any) -> None:
    """A closure that ignores its parameters has a gradient that is right; it can be let pass by name."""
    params = torch.tensor(B)
    assert xcheck.check(function, params).ok
    reason = "which proves nothing: the whole gradient is zero; allow_unproved=True lets that pass"
    with pytest.raises(xcheck.GradientMismatch) as caught:
        xcheck.assert_gradients(function, params)
    assert str(caught.value).splitlines()[0] == caught.value.headline
    assert caught.value.headline == f"torch agrees with the oracle, {reason}"
    assert xcheck.assert_gradients(function, params, allow_unproved=True).ok
    assert pickle.loads(pickle.dumps(caught.value)).headline == caught.value.headline  # noqa: S301 - our own bytes


def test_allow_unproved_lets_nothing_else_pass() -> None:
    """What is wrong stays wrong."""
    with pytest.raises(xcheck.GradientMismatch, match="numpy disagrees"):
        xcheck.assert_gradients(lambda p: (p**2).sum(), B, gradient=lambda p: 3 * p, allow_unproved=True)
