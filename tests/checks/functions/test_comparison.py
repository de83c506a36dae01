"""Functions beside the oracle: what rounding excuses, and what it does not."""

from typing import Any

import pytest
import torch

import xcheck
from tests.checks.functions.layer import off_by
from xcheck.verdict import Verdict


def cubes(p: Any) -> Any:
    """Σ p³."""
    return (p**3).sum()


@pytest.mark.parametrize(
    ("share", "verdict"), [(1e-2, Verdict.DISAGREE), (0.5, Verdict.DISAGREE), (0.0, Verdict.AGREE)]
)
def test_a_mistake_shows_in_float64(share: float, verdict: Verdict) -> None:
    """A function of float32 that is wrong is wrong in float64 as well: its rerun shows it."""
    report = xcheck.check(lambda p: off_by(cubes(p), share), torch.tensor([1.0, 2.0]))
    assert report.verdict is verdict


def test_a_rerun_that_disagrees_is_the_functions_own() -> None:
    """It is no second witness: nobody else is called odd."""
    report = xcheck.check(
        {"right": cubes, "wrong": lambda p: off_by(cubes(p), 1e-4)}, torch.tensor([1.0, 2.0]), backend="torch"
    )
    assert report.verdict is Verdict.DISAGREE
    assert all("float64" not in name for name in report.odd_one_out)


def test_two_functions_with_different_losses() -> None:
    """Neither stands alone: one of them is the oracle's."""
    report = xcheck.check(
        {"a": cubes, "b": lambda p: (p**4).sum()}, torch.tensor([1.0, 2.0], dtype=torch.float64), backend="torch"
    )
    assert report.verdict is Verdict.DISAGREE
    assert report.odd_one_out == ()
