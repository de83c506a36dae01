"""The backward pass of a loss in torch, held against its gradient and against differences of each of its calls."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from tests.backends.xcheck_torch.traced import made, randn
from xcheck.trace import BackwardPass, Call

# Of a central difference with this step: truncation h², rounding u/h, and room for both.
STEP = 1e-5
CLOSE = 1e-7
# Of sums in another order.
ROUNDINGS = 1e-12


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    """A module in float64 whose parameters all differ from each other, the same in every call."""
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(0)
        module = build().double()
        for parameter in module.parameters():
            parameter.add_(torch.randn_like(parameter) / 10)
        return module


def wrong_calls(shown: BackwardPass) -> list[Call]:
    """The calls whose cotangents are not those that a central difference finds, along one move of all they read."""
    draw = np.random.default_rng(5).standard_normal
    moves = [[draw(read.array.shape) for read in call.reads] for call in shown.calls]
    forward, back = shown.responses(moves, np.array([STEP, -STEP]))
    return [
        call
        for call, move, slope in zip(shown.calls, moves, (forward - back) / (2 * STEP), strict=True)
        if not abs(slope - along(call, move)) <= CLOSE * size(call)
    ]


def along(call: Call, move: Sequence[Any]) -> float:
    """The sum of x̄·u over all that a call reads."""
    return sum(float(np.sum(read.cotangent * u)) for read, u in zip(call.reads, move, strict=True))


def size(call: Call) -> float:
    """How large what a call hands down may be."""
    arriving = sum(float(np.abs(one.cotangent).sum()) for one in call.writes)
    return 1.0 + arriving + sum(float(np.abs(read.cotangent).sum()) for read in call.reads)


def assert_shown(function: Any, params: Any, *data: Any) -> BackwardPass:
    """What arrives at all uses of a parameter adds up to its gradient; each call is right; values are plain."""
    objective = made(function, params, data)
    gradient = objective.loss_and_gradient(objective.arguments.theta)[1]
    shown = objective.backward_pass()
    theta, found = objective.arguments.theta, np.zeros_like(gradient)
    for tensor in objective.arguments.layout:
        values = theta[tensor.span].reshape(tensor.shape)
        uses = [read for call in shown.calls for read in call.reads if np.array_equal(read.array, values)]
        found[tensor.span] = sum(read.cotangent.ravel() for read in uses)
    np.testing.assert_allclose(found, gradient, rtol=0, atol=ROUNDINGS * max(1.0, float(np.abs(gradient).max())))
    assert [str(call) for call in wrong_calls(shown)] == []
    for call in shown.calls:
        for one in call.writes:
            np.testing.assert_allclose(one.differentiated, one.array, rtol=ROUNDINGS, atol=ROUNDINGS)
    return shown


class LayerNorm(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """Normalisation along the last axis, with a backward pass by hand that may be wrong."""

    is_wrong = False

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Shapes (m, n) -> (m, n)."""
        centred = x - x.mean(-1, keepdim=True)
        deviation = centred.square().mean(-1, keepdim=True).add(1e-5).sqrt()
        y = centred / deviation
        ctx.save_for_backward(y, deviation)
        return y

    @classmethod
    def backward(cls, ctx: Any, *cotangents: Tensor) -> Tensor:
        """The cotangent of x; without its last term where it is wrong."""
        (g,), (y, deviation) = cotangents, ctx.saved_tensors
        last = 0.0 if cls.is_wrong else y * (g * y).mean(-1, keepdim=True)
        return (g - g.mean(-1, keepdim=True) - last) / deviation


class WrongLayerNorm(LayerNorm):
    """The same without the last term."""

    is_wrong = True


def transformer(normalise: Callable[[Tensor], Tensor]) -> tuple[Callable[..., Tensor], Any, Tensor]:
    """A loss of two blocks of attention, its parameters and its data."""
    width, length = 6, 5
    shapes = {**dict.fromkeys("qkvo", (width, width)), "up": (width, 2 * width), "down": (2 * width, width)}
    seeds = iter(range(100))
    blocks = [{name: randn(*shape, seed=next(seeds)) / 3 for name, shape in shapes.items()} for _ in range(2)]

    def loss(p: Any, x: Tensor) -> Tensor:
        for block in p:
            h = normalise(x)
            q, k, v = (h @ block[name] for name in "qkv")
            x = x + torch.softmax(q @ k.T / width**0.5, -1) @ v @ block["o"]
            x = x + nn.functional.gelu(normalise(x) @ block["up"]) @ block["down"]
        return x.square().mean()

    return loss, blocks, randn(length, width, seed=100)
