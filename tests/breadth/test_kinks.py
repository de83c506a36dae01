"""Kinks: no right gradient is called wrong on, near or away from them, and the slope of the other side is found.

At 10⁻¹² from a kink noise hides on which side of it θ is: there a component may be undecided, or count as on the kink.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from tests.breadth.kinks import DISTANCES, JAX, NUMPY, TORCH, Loss, moved
from xcheck import Report, Verdict

# One case costs a compilation of JAX: not all distances of each.
FEW = (0.0, 1e-9, 1e-3)


def not_agreeing(check: Callable[[Any], Report], theta: list[float], distances: tuple[float, ...]) -> dict[float, str]:
    """The verdicts other than AGREE, by distance; far from the edge of what can be told, or DISAGREE anywhere."""
    reports = {distance: check(moved(theta, distance)) for distance in distances}
    return {
        distance: str(report.verdict)
        for distance, report in reports.items()
        if report.verdict is not Verdict.AGREE and not (report.verdict is Verdict.UNDECIDED and distance == 1e-12)
    }


@pytest.mark.parametrize("name", NUMPY)
def test_by_hand_and_right(name: str) -> None:
    """In every convention."""
    loss, gradient, theta = NUMPY[name]
    assert not not_agreeing(lambda at: xcheck.check(lambda p: float(loss(p)), at, gradient=gradient), theta, DISTANCES)


@pytest.mark.parametrize("name", TORCH)
def test_torch_is_right(name: str) -> None:
    """Whatever PyTorch chooses; second derivatives that jump near θ are undecided at most."""
    loss, theta = TORCH[name]
    found = not_agreeing(lambda at: xcheck.check(loss, torch.tensor(at)), theta, DISTANCES)
    assert found == {} or (found == {1e-9: "UNDECIDED"} and name in ("squared hinge", "smooth l1"))


@pytest.mark.parametrize("name", JAX)
def test_jax_is_right(name: str) -> None:
    """Whatever JAX chooses."""
    loss, theta = JAX[name]
    assert not not_agreeing(lambda at: xcheck.check(loss, at, backend="jax"), theta, FEW)


def slopes(loss: Loss, theta: Any) -> Any:
    """What PyTorch gives."""
    at = torch.tensor(theta, requires_grad=True)
    loss(at).backward()
    return np.zeros(len(theta)) if at.grad is None else at.grad.numpy()


def given(loss: Loss, theta: Any, gradient: Any) -> Report:
    """A report on this gradient at θ; elsewhere it is zero, so that nothing looks kept from the first call."""
    return xcheck.check(
        lambda p: float(loss(torch.tensor(p))),
        theta,
        gradient=lambda p: gradient if np.array_equal(p, theta) else 0 * p,
    )


@pytest.mark.parametrize("name", TORCH)
def test_the_slope_of_the_other_side_is_wrong(name: str) -> None:
    """A billionth from the kink and further; the entries are mirrored there."""
    loss, theta = TORCH[name]
    for distance in (1e-9, 1e-6, 1e-3):
        here, wrong = moved(theta, distance), slopes(loss, moved(theta, -distance))
        if not np.allclose(slopes(loss, here), wrong, rtol=1e-4, atol=1e-3):
            assert given(loss, here, wrong).verdict is Verdict.DISAGREE, distance


@pytest.mark.parametrize("name", TORCH)
def test_what_is_outside_both_slopes_is_wrong(name: str) -> None:
    """At the kink itself, in each component."""
    loss, theta = TORCH[name]
    here = moved(theta, 0.0)
    right = slopes(loss, here)
    for place in range(len(here)):
        wrong = right + 3 * np.abs(right).max() * (np.arange(len(here)) == place)
        assert given(loss, here, wrong).verdict is Verdict.DISAGREE, place
