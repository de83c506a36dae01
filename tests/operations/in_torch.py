"""The operations of `tests.operations.networks` in PyTorch."""

import math
from collections.abc import Callable, Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


def batch_norm(x: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
    """Over examples and places, x (m, c, h, w)."""
    return F.batch_norm(x, None, None, scale, shift, training=True, eps=1e-3)


def rms_norm(x: Tensor, scale: Tensor) -> Tensor:
    """Over the last axis."""
    return x / torch.sqrt((x**2).mean(-1, keepdim=True) + 1e-3) * scale


def rotate(x: Tensor) -> Tensor:
    """Rotary positions over the last axis."""
    half = x.shape[-1] // 2
    angle = torch.arange(x.shape[-2])[:, None].to(x.dtype) / 10.0 ** torch.arange(half).to(x.dtype)
    one, other = x[..., :half], x[..., half:]
    turned = (one * angle.cos() - other * angle.sin(), one * angle.sin() + other * angle.cos())
    return torch.cat(turned, dim=-1)


def causal(scores: Tensor) -> Tensor:
    """What comes later is not seen."""
    size = scores.shape[-1]
    return scores.masked_fill(~torch.ones(size, size, dtype=torch.bool).tril(), -1e9)


def aggregate(x: Tensor) -> Tensor:
    """Mean over the neighbours on a ring with one chord."""
    size = len(x)
    eye = torch.eye(size, dtype=x.dtype)
    ring = eye + eye.roll(1, 0) + eye.roll(-1, 0)
    ring[0, size // 2] = ring[size // 2, 0] = 1
    return ring / ring.sum(1, keepdim=True) @ x


def cross_entropy(logits: Tensor, y: Tensor) -> Tensor:
    """Mean over all but the last axis."""
    return F.cross_entropy(logits.reshape(-1, logits.shape[-1]), y.reshape(-1))


def loop(step: Callable[..., Any], start: Any, x: Tensor) -> Any:
    """Over the first axis of x, by Python."""
    state = start
    for now in x:
        state = step(state, now)
    return state


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "matmul": torch.matmul,
    "add": torch.add,
    "multiply": torch.mul,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "silu": F.silu,
    "gelu": F.gelu,
    "relu": torch.relu,
    "softmax": lambda x: torch.softmax(x, -1),
    "scores": lambda q, k: q @ k.transpose(-1, -2) / math.sqrt(q.shape[-1]),
    "mix": lambda z, one, other: z * one + (1 - z) * other,
    "layer_norm": lambda x, scale, shift: F.layer_norm(x, x.shape[-1:], scale, shift, 1e-3),
    "spatial_mean": lambda x: x.mean((2, 3)),
    "position_mean": lambda x: x.mean(1),
    "embed": lambda table, words: table[words],
    "square_error": F.mse_loss,
    "batch_norm": batch_norm,
    "rms_norm": rms_norm,
    "conv": lambda x, kernel: F.conv2d(x, kernel, padding="same"),
    "mean_pool": lambda x: F.avg_pool2d(x, 2),
    "rotate": rotate,
    "causal": causal,
    "aggregate": aggregate,
    "cross_entropy": cross_entropy,
}


def with_rule(name: str, function: Callable[..., Any], change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Any:
    """Return a function with a backward pass of its own: that of torch, changed."""

    def forward(ctx: Any, *args: Tensor) -> Tensor:
        ctx.save_for_backward(*args)
        return function(*args)

    def backward(ctx: Any, cotangent: Tensor) -> tuple[Tensor | None, ...]:
        args = ctx.saved_tensors
        with torch.enable_grad():
            own = [arg.detach().requires_grad_(arg.is_floating_point()) for arg in args]
            numbers = [arg for arg in own if arg.requires_grad]
            down = iter(change(torch.autograd.grad(function(*own), numbers, cotangent)))
        return tuple(next(down) if arg.is_floating_point() else None for arg in args)

    rule: Any = type(
        name, (torch.autograd.Function,), {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    )
    return rule.apply
