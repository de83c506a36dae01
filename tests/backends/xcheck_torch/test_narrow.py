"""Narrow dtypes in a loss of float64 tensors: whatever torch computes is seen, what leaves torch is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from tests.checks.functions.layer import codes
from xcheck import Verdict, check
from xcheck.dtypes import BFLOAT16, FLOAT32
from xcheck_torch.narrow import WatchedDtypes, WatchedExits

# On the stairs, and not on their edges.
X = torch.tensor([0.12343, 0.56781, 1.91234], dtype=torch.float64)


class StraightThrough(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """Rounding to thousandths, with the gradient of the identity."""

    @staticmethod
    def forward(_: Any, x: torch.Tensor) -> torch.Tensor:
        return torch.round(x, decimals=3)

    @staticmethod
    def backward(_: Any, *grads: torch.Tensor) -> torch.Tensor:
        return grads[0]


@pytest.mark.parametrize(
    ("loss", "coarsest"),
    [
        (lambda x: x.sin().sum(), 0.0),
        (lambda x: x.float().bfloat16().double().sum(), BFLOAT16),
        (lambda x: torch.zeros(3, dtype=torch.float32).sum() + x.sum(), FLOAT32),
        (lambda x: x[x.argsort()].sum(), 0.0),
    ],
)
def test_narrow_results_are_seen(loss: Callable[[torch.Tensor], torch.Tensor], coarsest: float) -> None:
    """Indices are no floating numbers."""
    with WatchedDtypes() as dtypes:
        loss(X)
    assert dtypes.coarsest == coarsest


def test_numbers_that_leave_torch_are_seen() -> None:
    """What becomes of them nobody knows."""
    with WatchedExits() as exits:
        X.sum()
        assert not exits.left
        X.numpy()
    assert exits.left


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: torch.round(x, decimals=3).sum(),
        lambda x: torch.round(x, decimals=5).sum(),
        lambda x: (torch.floor(1e4 * x) / 1e4).sum(),
        lambda x: ((torch.clamp(torch.round(x * 127), -128, 127) / 127) ** 2).sum(),
        lambda x: torch.sin(torch.arange(1000.0, dtype=torch.float64) / 100)[(100 * x).long()].sum() + 0 * x.sum(),
    ],
    ids=["thousandths", "fine", "floor", "int8", "table"],
)
def test_zero_is_right_on_a_stair(loss: Callable[[torch.Tensor], torch.Tensor]) -> None:
    """It is said that it proves little."""
    report = check(loss, X)
    assert report.verdict == "AGREE"
    assert {"XC408", "XC437"} <= codes(report)
    assert "XC417" not in codes(report)


def test_a_gradient_that_is_passed_straight_through_is_not_the_derivative() -> None:
    """Once it agreed with the slope over many stairs."""
    report = check(lambda x: StraightThrough.apply(x).sum(), X)
    assert report.verdict == "DISAGREE"
    assert "XC437" in codes(report)


def test_beside_a_stair_other_components_are_checked_as_ever() -> None:
    """A factor of 1.001 in one that is not rounded is found."""

    def loss(x: torch.Tensor) -> torch.Tensor:
        return torch.round(x[:2], decimals=3).sum() + x[2].sin() + 1e-3 * (x[2].sin() - x[2].sin().detach())

    report = check(loss, X)
    assert report.verdict == "DISAGREE"
    assert report.pairs[0].wrong == 1


def test_stairs_of_a_narrow_dtype_are_not_meant() -> None:
    """A gradient that is detached there is wrong, and one that is not is right as far as that dtype goes."""
    assert check(lambda x: (x.bfloat16().double() ** 2).sum(), X).verdict == "AGREE"
    assert check(lambda x: (x.bfloat16().double() ** 2).detach().sum() + 0 * x.sum(), X).verdict == "DISAGREE"


CURVES: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sin": torch.sin,
    "exp": torch.exp,
    "square": torch.square,
    "a straight line": lambda x: 0.37 * x,
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16], ids=str)
@pytest.mark.parametrize("curve", CURVES)
def test_a_cast_inside_of_the_loss_is_no_mistake(dtype: torch.dtype, curve: str) -> None:
    """Wherever the samples of the noise fall on its treads; twice the slope is not right all the same.

    A third of the slopes of a single number that was cast to float32, or to bfloat16, were once called wrong.
    """
    rng = np.random.default_rng(3)
    for place in rng.uniform(0.1, 1.5, 6):
        theta = torch.tensor([place, 0.7], dtype=torch.float64)
        right = check(lambda x: CURVES[curve](x[0]).to(dtype).double(), theta)
        assert right.verdict is not Verdict.DISAGREE
        wrong = check(lambda x: Doubled.apply(CURVES[curve](x[0])).to(dtype).double(), theta)
        assert not wrong.ok or wrong.verified == 0


class Doubled(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """The same number, with twice the gradient."""

    @staticmethod
    def forward(_: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(_: Any, *grads: torch.Tensor) -> torch.Tensor:
        return 2 * grads[0]
