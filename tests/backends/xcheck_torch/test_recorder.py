"""Calls that are noted: what depends on parameters, by name, at its line."""

from typing import Any

import torch
from torch import Tensor

from tests.backends.xcheck_torch.traced import made, randn
from xcheck.trace import BackwardPass

W = {"w": randn(3, 3)}
X = randn(4, 3)


def shown(loss: Any) -> BackwardPass:
    """The backward pass of a loss."""
    return made(loss, W, (X,)).backward_pass()


def test_what_depends_on_no_parameter() -> None:
    """It is not noted, and neither is what only tells of a tensor, or makes a new one of its shape."""

    def loss(p: Any, x: Tensor) -> Tensor:
        x = (x * 2).sin()
        y = x @ p["w"]
        assert y.requires_grad
        assert y.shape == (4, 3)
        assert y.detach().sum().shape == ()
        return (y + torch.zeros_like(y)).sum() if bool((y < 1e3).all()) else y.sum()

    assert [call.name for call in shown(loss).calls] == ["matmul", "detach", "sum", "add", "sum"]


def test_numbers_leave() -> None:
    """Where they do is noted, with nothing that it writes; integers and truth values may leave."""

    def loss(p: Any, x: Tensor) -> Tensor:
        y = x @ p["w"]
        scale = torch.as_tensor(y.detach().numpy()).sum()
        assert bool((y < 1e3).all())
        assert int(y.argmax()) >= 0
        return y.sum() * scale * y.mean().item()

    left = [(call.name, len(call.reads), call.writes) for call in shown(loss).calls if call.note]
    assert left == [("numpy", 1, ()), ("item", 1, ())]


def test_one_tensor_twice_is_one_read() -> None:
    """A square by a product."""
    calls = shown(lambda p, x: (p["w"] * p["w"]).sum()).calls
    assert [len(call.reads) for call in calls] == [1, 1]


def test_operators_of_a_library() -> None:
    """They are called by their namespace and name, and have a rule of their own."""

    def double(x: Tensor) -> Tensor:
        return x * 2.0

    twice = torch.library.custom_op("xcheck_recorded::twice", double, mutates_args=())
    twice.register_autograd(lambda ctx, cotangent: cotangent * 2.0)
    calls = shown(lambda p, x: twice(p["w"]).sum() + torch.ops.xcheck_recorded.twice(p["w"]).sum()).calls
    own = [(call.name, call.rule) for call in calls if call.rule]
    assert own == [("xcheck_recorded::twice", "torch.library")] * 2


def test_functions_by_another_name() -> None:
    """The method `apply` may have been kept before."""

    class Twice(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
        @staticmethod
        def forward(x: Tensor, factor: float) -> Tensor:
            return x * factor

        @staticmethod
        def setup_context(ctx: Any, inputs: tuple[Any, ...], _: Tensor) -> None:
            ctx.factor = inputs[1]

        @staticmethod
        def backward(ctx: Any, *cotangents: Tensor) -> tuple[Tensor, None]:
            return cotangents[0] * ctx.factor, None

    kept = Twice.apply
    (call, *_) = shown(lambda p, x: kept(p["w"], 2.0).sum()).calls
    assert (call.name, call.rule) == ("Twice", "autograd.Function")
    assert call.place is not None
    assert call.place.file == __file__


def test_views_in_the_forward_pass_of_a_function() -> None:
    """What a function of one's own calls inside itself is not noted."""

    class Inside(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
        @staticmethod
        def forward(_: Any, x: Tensor) -> Tensor:
            return x.T.sin().T

        @staticmethod
        def backward(_: Any, *cotangents: Tensor) -> Tensor:
            return cotangents[0]

    assert [call.name for call in shown(lambda p, x: Inside.apply(p["w"]).sum()).calls] == ["Inside", "sum"]
