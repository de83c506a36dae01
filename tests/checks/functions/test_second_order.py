"""Second derivatives."""

from typing import Any

import pytest
import torch

import xcheck
from tests.checks.functions.layer import B, codes, off_by
from xcheck import Verdict


class _Cube(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """x³ with a first derivative that is right, and cut off from its own."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        return grads[0] * 3 * x.detach() ** 2


def test_a_second_derivative_that_is_wrong_alone() -> None:
    """Order 1 agrees, order 2 does not; a right one agrees."""

    def loss(p: Any) -> Any:
        return _Cube.apply(p).sum()

    assert xcheck.check(loss, torch.tensor(B)).ok
    report = xcheck.check(loss, torch.tensor(B), order=2)
    assert report.verdict is Verdict.DISAGREE
    assert [pair.verdict for pair in report.pairs] == [Verdict.AGREE, Verdict.DISAGREE]
    assert report.pairs[1].a == "torch, second order"
    assert xcheck.check(lambda p: (p**3).sum(), torch.tensor(B), order=2).ok


def test_order_2_waits_for_order_1() -> None:
    """Where the first derivative is wrong the second is not looked at, and that is said."""
    report = xcheck.check(lambda p: off_by((p**3).sum(), 0.1), torch.tensor(B), order=2)
    assert len(report.pairs) == 1
    assert "XC427" in codes(report)


def test_a_hand_written_gradient_has_no_second_order() -> None:
    """What was asked for and not checked is undecided, and that is the headline."""
    report = xcheck.check(lambda p: (p**3).sum(), B, gradient=lambda p: 3 * p**2, order=2)
    assert report.verdict is Verdict.UNDECIDED
    assert report.headline.startswith("second derivatives were asked for, and none was checked")
    assert [finding.code for finding in report.findings] == ["XC427"]


def test_one_that_has_second_derivatives_is_enough() -> None:
    """Of the hand-written one a warning says that it has none."""
    objectives = {
        "by hand": xcheck.objective(lambda p: (p**3).sum(), "numpy", gradient=lambda p: 3 * p**2),
        "torch": xcheck.objective(lambda p: (p**3).sum(), "torch"),
    }
    report = xcheck.check(objectives, B, order=2)
    assert report.ok
    assert "XC427" in {warning.code for warning in report.warnings}


@pytest.mark.parametrize("wrong", [0, 1])
def test_every_output_of_a_jacobian_has_second_derivatives(wrong: int) -> None:
    """Once only those of the last output were looked at."""

    def losses(p: Any) -> Any:
        outputs = [(p**3).sum(), (p**2).prod()]
        outputs[wrong] = _Cube.apply(p).sum()
        return torch.stack(outputs)

    report = xcheck.check(losses, torch.tensor(B), scope="jacobian", order=2)
    second = {pair.a: pair.verdict for pair in report.pairs if "second order" in pair.a}
    assert second == {
        f"torch, second order of y[{number}]": Verdict.DISAGREE if number == wrong else Verdict.AGREE
        for number in range(2)
    }


def test_hundreds_of_gradients_of_jax_are_traced_a_few_times() -> None:
    """What two calls have shown to be a function is traced once for its gradient, and once for H v."""
    import jax
    import jax.numpy as jnp

    traces = []

    def loss(p: Any) -> Any:
        traces.append(1)
        return (1 - p[0]) ** 2 + 100 * (p[1] - p[0] ** 2) ** 2

    with jax.enable_x64(True):
        assert xcheck.check(loss, jnp.array([-1.2, 1.0]), order=2).ok
    assert len(traces) < 20
