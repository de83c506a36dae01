"""Hidden kinks: where several meet, what the chain rule gives is not wrong; a gradient that is wrong nearby is."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Verdict


def relu(z: Any) -> Any:
    """The larger of z and 0."""
    return np.maximum(z, 0.0)


def loss(p: Any) -> float:
    """θ₁ on the line θ₀ = 0; near zero its slope along θ₁ is 0, 1 or 2."""
    return float(relu(p[0] + p[1]) - relu(p[0] - p[1]))


def gradient(at_zero: float, factor: float = 1.0) -> Callable[[Any], Any]:
    """What the chain rule gives with this slope of relu at zero, times a factor."""

    def slope(z: Any) -> Any:
        return factor * np.where(z > 0, 1.0, np.where(z < 0, 0.0, at_zero))

    def given(p: Any) -> Any:
        one, other = slope(p[0] + p[1]), slope(p[0] - p[1])
        return np.array([one - other, one + other])

    return given


@pytest.mark.parametrize("at_zero", [0.0, 0.25, 0.5, 1.0])
def test_every_convention_is_right(at_zero: float) -> None:
    """What a framework chooses for each relu, and so what comes of it."""
    report = xcheck.check(loss, np.zeros(2), gradient=gradient(at_zero))
    assert report.verdict is Verdict.AGREE, report
    assert codes(report) <= {"XC404"}


def test_frameworks_are_right() -> None:
    """relu'(0) is 0 in both, so that the gradient is zero where the loss is not stationary."""
    origin = torch.zeros(2, dtype=torch.float64)
    assert xcheck.check(lambda p: torch.relu(p[0] + p[1]) - torch.relu(p[0] - p[1]), origin).ok
    assert xcheck.check(lambda p: jnp.abs(p[0] + p[1]) - jnp.abs(p[0] - 2 * p[1]), np.zeros(2), backend="jax").ok


def test_what_is_met_nowhere_is_undecided() -> None:
    """Four is no slope near θ, but a few points do not show all of them."""
    report = xcheck.check(loss, np.zeros(2), gradient=gradient(2.0))
    assert report.verdict is Verdict.UNDECIDED
    assert report.pairs[0].reasons == {"kink": 1}


@pytest.mark.parametrize("theta", [[0.0, 0.0], [0.3, 0.1]], ids=["where kinks meet", "elsewhere"])
def test_what_is_wrong_nearby_is_wrong(theta: list[float]) -> None:
    """A factor of 1.01 is no convention, at a kink or away from it."""
    report = xcheck.check(loss, np.array(theta), gradient=gradient(1.0, 1.01))
    assert report.verdict is Verdict.DISAGREE


def test_a_kink_that_the_line_shows_bounds_the_slope() -> None:
    """Between 0.01 and 1, whatever is right on both sides."""
    for at_zero in (0.0, 1.5):
        report = xcheck.check(
            lambda p: float(relu(p[0]) - 0.01 * relu(-p[0])),
            np.zeros(1),
            gradient=lambda p, c=at_zero: np.where(p > 0, 1.0, np.where(p < 0, 0.01, c)),
        )
        assert report.verdict is Verdict.DISAGREE


def test_a_bend_is_no_kink() -> None:
    """A small error where slopes nearby differ by more than that, because the loss is curved."""
    report = xcheck.check(
        lambda p: float(np.exp(9 * p).sum()), np.zeros(3), gradient=lambda p: 9 * np.exp(9 * p) * (1 + 1e-6)
    )
    assert report.verdict is Verdict.DISAGREE
