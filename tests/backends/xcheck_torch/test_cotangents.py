"""Cotangents of another kind: backward passes that are right for this loss, and wrong for the next one, are found."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import torch

import xcheck
from xcheck import Report, Verdict
from xcheck_torch.cotangents import name_of, own_backward_passes

X = torch.arange(1.0, 13.0, dtype=torch.float64).reshape(3, 4) / 7


def squares(backward: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]) -> Any:
    """The square as a torch.autograd.Function, with this backward pass of grad_output and x."""

    class Square(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x**2

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> torch.Tensor:
            return backward(grads[0], ctx.saved_tensors[0])

    return Square


def from_memory(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Take the first numbers in memory for those of the tensor."""
    shape, strides = torch.Size(grad.shape), torch.empty(grad.shape).stride()
    if grad.untyped_storage().nbytes() < grad.numel() * grad.element_size():
        return 2 * x * grad
    return 2 * x * torch.as_strided(grad, shape, strides)


def unless_expanded(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Take an expanded grad_output for one that is already summed."""
    return 2 * x * (grad * grad.numel() if 0 in grad.stride() else grad)


def in_place(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Save memory."""
    return grad.mul_(2 * x)


def flat(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """View as one axis, which only contiguous tensors allow."""
    return (2 * x.reshape(-1) * grad.view(-1)).reshape(x.shape)


def only_rows(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Take two formulas for two orders of axes, the second a wrong one."""
    return (3 if grad.stride() == (1, 3) else 2) * x * grad


FAULTS: Mapping[str, tuple[Any, Verdict, str]] = {
    "memory": (from_memory, Verdict.DISAGREE, "gives another gradient when its grad_output has gaps in memory"),
    "order": (only_rows, Verdict.DISAGREE, "when its grad_output has its axes in another order in memory"),
    "expanded": (unless_expanded, Verdict.DISAGREE, "when its grad_output is one number, expanded"),
    "view": (flat, Verdict.ERROR, "fails when its grad_output has its axes in another order in memory: RuntimeError"),
    "in place": (in_place, Verdict.UNDECIDED, "writes into its grad_output"),
}
LOSSES: Mapping[str, Callable[[Any], Callable[[torch.Tensor], torch.Tensor]]] = {
    "array": lambda square: square.apply,
    "number": lambda square: lambda x: (square.apply(x) * X.sin()).sum(),
}


def squares_checked(backward: Any, loss: str, scope: Any = "auto") -> Report:
    """The report on a loss of squares with this backward pass."""
    return xcheck.check(LOSSES[loss](squares(backward)), X, scope=scope)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("loss", LOSSES)
def test_what_another_loss_would_send_is_tried(fault: str, loss: str) -> None:
    """Each agrees with the oracle, for what this loss sends is contiguous; once that was all."""
    backward, verdict, said = FAULTS[fault]
    report = squares_checked(backward, loss)
    assert report.verdict is verdict
    assert report.headline.startswith("torch: the backward pass of Square ")
    assert said in report.headline
    assert not report.pairs[0].wrong


@pytest.mark.parametrize("fault", FAULTS)
def test_a_jacobian_has_them_too(fault: str) -> None:
    """Once for all outputs."""
    report = squares_checked(FAULTS[fault][0], "array", "jacobian")
    assert report.verdict is FAULTS[fault][1]
    assert sum("the backward pass" in finding.text for finding in report.findings) == 1


@pytest.mark.parametrize("loss", LOSSES)
def test_a_right_one_agrees(loss: str) -> None:
    """However memory lies."""
    assert squares_checked(lambda grad, x: 2 * x * grad, loss).ok


class _Both(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """2 x and 3 x, with a backward pass that is told what is not used."""

    none_is = 0.0

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> Any:
        ctx.set_materialize_grads(False)
        return 2 * x, 3 * x

    @classmethod
    def backward(cls, _: Any, *grads: torch.Tensor | None) -> Any:
        first, second = (cls.none_is if grad is None else grad for grad in grads)
        return 2 * first + 3 * second


class _BothMisread(_Both):
    none_is = 1.0


class _BothUnprepared(_Both):
    @classmethod
    def backward(cls, _: Any, *grads: torch.Tensor | None) -> Any:
        return 2 * grads[0] + 3 * grads[1]  # type: ignore[operator]  # that is the mistake


@pytest.mark.parametrize(
    ("function", "verdict", "said"),
    [
        (_Both, Verdict.AGREE, ""),
        (
            _BothMisread,
            Verdict.DISAGREE,
            "gives another gradient when its grad_output is None, of an output that is not",
        ),
        (
            _BothUnprepared,
            Verdict.ERROR,
            "fails when its grad_output is None, of an output that is not used: TypeError",
        ),
    ],
)
def test_an_output_that_is_not_used(function: Any, verdict: Verdict, said: str) -> None:
    """Its cotangent is None, and that means zeros."""
    report = xcheck.check(lambda x: sum(output.square().sum() for output in function.apply(x)), X)
    assert report.verdict is verdict
    assert said in report.headline


def test_the_one_that_is_wrong_is_named() -> None:
    """Of two in one loss."""
    right, wrong = squares(lambda grad, x: 2 * x * grad), squares(in_place)
    right.__name__, wrong.__name__ = "Right", "Wrong"
    report = xcheck.check(lambda x: (wrong.apply(right.apply(x)) * X.cos()).sum(), X)
    assert report.headline.startswith("torch: the backward pass of Wrong writes into its grad_output")
    assert "Right" not in report.headline


def test_torch_itself_is_not_tried() -> None:
    """Hooks of modules are Functions too, of torch; what they do is theirs."""
    layer = torch.nn.Tanh()
    layer.register_full_backward_hook(lambda *_: None)
    x = X.clone().requires_grad_()
    assert own_backward_passes(layer(x).sum()) == []
    (own,) = own_backward_passes(layer(squares(in_place).apply(x)).sum())
    assert name_of(own) == "Square"


def test_rounding_of_another_order_is_no_fault() -> None:
    """A sum in float32 inside is another one when memory lies otherwise."""

    def rounded(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        noise = 1e-7 * (0 if grad.is_contiguous() else 1)
        return 2 * x * grad * (1 + noise)

    assert not [finding for finding in squares_checked(rounded, "array").findings if finding.code == "XC116"]


def test_rounding_alone_is_no_fault() -> None:
    """Equal numbers less their mean are zero but for rounding, which is another one in each layout."""

    def without_mean(grad: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
        rounding = 0.0 if grad.is_contiguous() else 2.0**-55
        return 2 * x * (grad - grad.mean() + rounding)

    square = squares(without_mean).apply

    def loss(p: Any) -> Any:
        return square(p["x"]).sum() + (p["w"] ** 2).sum()

    report = xcheck.check(loss, {"x": X, "w": X})
    assert not report.ok
    assert not [finding for finding in report.findings if finding.code == "XC116"]
