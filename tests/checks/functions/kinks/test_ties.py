"""Ties: what is between its slopes component by component, and yet no subgradient, is found; subgradients are not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Verdict
from xcheck.findings import NO_SUBGRADIENT

Loss = Callable[[Any], float]


def check(loss: Loss, gradient: Any, x: Any) -> xcheck.Report:
    """Check a gradient that is this at x, and zero elsewhere, so that nothing looks kept from the first call."""
    at = np.array(x, dtype=np.float64)
    return xcheck.check(loss, at, gradient=lambda p: np.array(gradient) * 1.0 if np.array_equal(p, at) else 0 * p)


def relu(z: Any) -> Any:
    """The larger of z and 0."""
    return np.maximum(z, 0.0)


def largest(x: Any) -> float:
    """The largest entry."""
    return float(np.max(x))


def difference_of_maxima(x: Any) -> float:
    """Neither convex nor concave: two ties of opposite sign."""
    return float(np.max(x[:2]) - np.max(x[2:]))


def alternating(x: Any) -> float:
    """Independent kinks of opposite signs."""
    return float(relu(x) @ np.where(np.arange(len(x)) % 2, -1.0, 1.0))


def total_variation(x: Any) -> float:
    """Distances of neighbours."""
    return float(np.abs(np.diff(x)).sum())


def two_largest(x: Any) -> float:
    """The sum of the two largest entries, each weighted by its size."""
    return float(np.square(np.sort(x)[-2:]).sum())


def curved(x: Any) -> float:
    """A maximum of two functions that bend, with unequal slopes at the tie."""
    return float(max(np.sin(x[0]) + x[1] ** 2, np.cos(x[1]) - 1 + 3 * x[0] * (1 + x[1])))


WRONG: dict[str, tuple[Loss, Any, Any]] = {
    "nobody gets the maximum": (largest, [0.0, 0.0], [1.0, 1.0]),
    "everybody gets the maximum": (largest, [1.0, 1.0], [1.0, 1.0]),
    "slightly too much of it": (largest, [0.5, 0.501], [1.0, 1.0]),
    "a scaled maximum": (lambda x: 1.4 * largest(x), [1.4, 1.4], [-2.0, -2.0]),
    "three share it, each gets a half": (largest, [0.5, 0.5, 0.5], [3.0, 3.0, 3.0]),
    "a tie among entries that are smaller": (lambda x: largest(x) + x[2] ** 2, [1.0, 1.0, 0.5], [1.0, 1.0, 0.25]),
    "the two largest of three that are equal": (two_largest, [4.0, 4.0, 4.0], [2.0, 2.0, 2.0]),
    "total variation counts a step up twice": (total_variation, [-1.0, 1.0, 1.0], [0.0, 0.0, 0.0]),
    "the product of a relu's inputs": (lambda x: float(relu(x[0] + x[1])), [1.0, 0.0], [0.5, -0.5]),
    "where the pieces bend": (curved, [1.0, 0.5], [0.0, 0.0]),
}
RIGHT: dict[str, tuple[Loss, Any, Any]] = {
    "the first gets the maximum": (largest, [1.0, 0.0], [1.0, 1.0]),
    "both share the maximum": (largest, [0.5, 0.5], [1.0, 1.0]),
    "unevenly": (largest, [0.25, 0.75], [1.0, 1.0]),
    "ten share it": (largest, [0.1] * 10, [2.0] * 10),
    "first and first": (difference_of_maxima, [1.0, 0.0, -1.0, 0.0], [1.0, 1.0, 3.0, 3.0]),
    "first and last": (difference_of_maxima, [1.0, 0.0, 0.0, -1.0], [1.0, 1.0, 3.0, 3.0]),
    "shared twice": (difference_of_maxima, [0.5, 0.5, -0.5, -0.5], [1.0, 1.0, 3.0, 3.0]),
    "relu'(0) = 0": (alternating, [0.0] * 6, [0.0] * 6),
    "relu'(0) = 1": (alternating, [1.0, -1.0] * 3, [0.0] * 6),
    "relu'(0) = 1/2": (alternating, [0.5, -0.5] * 3, [0.0] * 6),
    "as it comes": (alternating, [0.5, -1.0, 0.0, 0.0, 1.0, -0.2], [0.0] * 6),
    "sign(0) = 0": (total_variation, [0.0, 0.0, 0.0], [1.0, 1.0, 1.0]),
    "sign(0) = 1": (total_variation, [-1.0, 0.0, 1.0], [1.0, 1.0, 1.0]),
    "the last two": (two_largest, [0.0, 4.0, 4.0], [2.0, 2.0, 2.0]),
    "one of the pieces that bend": (curved, [3.0, 0.0], [0.0, 0.0]),
    "the other": (curved, [1.0, 0.0], [0.0, 0.0]),
}


@pytest.mark.parametrize("name", WRONG)
def test_no_subgradient_is_found(name: str) -> None:
    """Although each component is between the slopes to both of its sides."""
    report = check(*WRONG[name])
    assert report.verdict is Verdict.DISAGREE, report
    # What is wrong by itself needs no second reason.
    assert report.pairs[0].wrong or NO_SUBGRADIENT in codes(report), report


@pytest.mark.parametrize("name", RIGHT)
def test_a_subgradient_is_right(name: str) -> None:
    """Whatever convention it follows."""
    report = check(*RIGHT[name])
    assert report.verdict is Verdict.AGREE, report


def test_the_finding_names_the_components_and_both_numbers() -> None:
    """Enough to repeat it by hand."""
    (finding,) = check(largest, [0.0, 0.0], [1.0, 1.0]).findings
    assert "moved together (+x[0] and +x[1]) the loss has slopes in [1, 1]" in finding.text
    assert "the gradient claims 0:" in finding.text
    assert (finding.tensor, finding.value) == ("x", 0.0)


def test_every_output_is_looked_at() -> None:
    """A Jacobian whose second row is no subgradient."""
    import torch

    class Both(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
        @staticmethod
        def forward(ctx: Any, x: Any) -> Any:
            ctx.save_for_backward(x)
            return torch.stack([x.square().sum(), x.max()])

        @staticmethod
        def backward(ctx: Any, *grads: Any) -> Any:
            (x,) = ctx.saved_tensors
            return grads[0][0] * 2 * x + grads[0][1] * (x == x.max()).to(x.dtype)

    report = xcheck.check(Both.apply, torch.ones(2, dtype=torch.float64), scope="jacobian")
    assert report.verdict is Verdict.DISAGREE
    assert NO_SUBGRADIENT in codes(report)
    assert report.findings[0].text.startswith("y[1]: torch: at a kink of several components")
