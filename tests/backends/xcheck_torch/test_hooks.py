"""Hooks on gradients are calls of their own, whose backward pass they are."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from tests.backends.xcheck_torch.shown import seeded, wrong_calls
from tests.backends.xcheck_torch.traced import made, randn
from xcheck import objective
from xcheck.trace import Call

X = randn(4, 3)
W = {"w": randn(3, 3, seed=1), "b": randn(3, seed=2)}


def thrice(cotangent: Tensor) -> Tensor:
    """A hook that changes a gradient."""
    return 3 * cotangent


def watch(_: Tensor) -> None:
    """A hook that does not."""


def halve(_: nn.Module, given: Any, __: Any) -> Any:
    """A hook of a module that changes the gradient of what it reads."""
    return tuple(None if one is None else one / 2 for one in given)


def quadruple(_: nn.Module, arriving: Any) -> Any:
    """A hook of a module that changes what arrives at it."""
    return tuple(4 * one for one in arriving)


def wrong(function: Any, params: Any) -> list[Call]:
    """The wrong calls of a loss of X."""
    return wrong_calls(made(function, params, (X,)).backward_pass())


def test_hooks_on_tensors() -> None:
    """One that changes what arrives is wrong, at the line where it is put on; the call before it is right."""

    def loss(p: Any, x: Tensor) -> Tensor:
        y = x @ p["w"]
        for hook in (watch, thrice, watch):
            y.register_hook(hook)
        return (y * p["b"]).sum()

    (call,) = wrong(loss, W)
    assert (call.name, call.rule) == ("thrice", "hook")
    assert call.place is not None
    assert call.place.function.endswith("loss")


def test_hooks_that_write() -> None:
    """What arrives is read before the hook may write into it."""

    def loss(p: Any, x: Tensor) -> Tensor:
        y = x @ p["w"]
        y.register_hook(lambda cotangent: cotangent.mul_(2))
        return (y * p["b"]).sum()

    assert [call.rule for call in wrong(loss, W)] == ["hook"]


@pytest.mark.parametrize("name", ["halve", "quadruple", "thrice"])
def test_hooks_of_modules(name: str) -> None:
    """They are called by their names, where they are defined, those on parameters too."""
    module = seeded(lambda: nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3), nn.Linear(3, 1)))
    if name == "halve":
        module[1].register_full_backward_hook(halve)
    elif name == "quadruple":
        module[1].register_full_backward_pre_hook(quadruple)
    else:
        module[2].weight.register_hook(thrice)
    function = objective(module, "torch", loss=lambda outputs: outputs.sin().square().sum())
    (call,) = wrong(function, dict(module.named_parameters()))
    assert (call.name, call.rule) == (name, "hook")
    assert call.place is not None
    assert (call.place.file, call.place.function) == (__file__, name)


def test_hooks_stay_where_they_are() -> None:
    """A person's own tensors and modules have the hooks that they had."""
    parameter = W["w"].clone().requires_grad_()
    parameter.register_hook(thrice)
    assert [call.name for call in wrong(lambda p, x: (x @ p["w"]).sin().sum(), {"w": parameter})] == ["thrice"]
    assert parameter.grad is None
    parameter.sum().backward()
    assert torch.equal(parameter.grad, torch.full((3, 3), 3.0, dtype=torch.float64))
    assert torch.is_grad_enabled()
