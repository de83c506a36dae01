"""The operations of `tests.operations.networks` in JAX."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np


def _normalized(x: Any, axes: tuple[int, ...]) -> Any:
    centred = x - x.mean(axes, keepdims=True)
    return centred / jnp.sqrt((centred**2).mean(axes, keepdims=True) + 1e-3)


def batch_norm(x: Any, scale: Any, shift: Any) -> Any:
    """Over examples and places, x (m, c, h, w)."""
    return _normalized(x, (0, 2, 3)) * scale[:, None, None] + shift[:, None, None]


def rms_norm(x: Any, scale: Any) -> Any:
    """Over the last axis."""
    return x / jnp.sqrt((x**2).mean(-1, keepdims=True) + 1e-3) * scale


def conv(x: Any, kernel: Any) -> Any:
    """Same padding."""
    return jax.lax.conv_general_dilated(x, kernel, (1, 1), "SAME")


def mean_pool(x: Any) -> Any:
    """Windows of 2 x 2."""
    return x.reshape(*x.shape[:2], x.shape[2] // 2, 2, x.shape[3] // 2, 2).mean((3, 5))


def rotate(x: Any) -> Any:
    """Rotary positions over the last axis."""
    half = x.shape[-1] // 2
    angle = jnp.arange(x.shape[-2])[:, None] / 10.0 ** jnp.arange(half)
    one, other = x[..., :half], x[..., half:]
    turned = (one * jnp.cos(angle) - other * jnp.sin(angle), one * jnp.sin(angle) + other * jnp.cos(angle))
    return jnp.concatenate(turned, axis=-1)


def causal(scores: Any) -> Any:
    """What comes later is not seen."""
    size = scores.shape[-1]
    return jnp.where(jnp.tril(jnp.ones((size, size), bool)), scores, -1e9)


def aggregate(x: Any) -> Any:
    """Mean over the neighbours on a ring with one chord."""
    size = len(x)
    ring = np.eye(size) + np.roll(np.eye(size), 1, 0) + np.roll(np.eye(size), -1, 0)
    ring[0, size // 2] = ring[size // 2, 0] = 1
    return jnp.asarray(ring / ring.sum(1, keepdims=True)) @ x


def cross_entropy(logits: Any, y: Any) -> Any:
    """Mean over all but the last axis."""
    return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(logits), y[..., None], axis=-1))


def loop(step: Callable[..., Any], start: Any, x: Any) -> Any:
    """Over the first axis of x, by scan."""
    return jax.lax.scan(lambda state, now: (step(state, now), None), start, x)[0]


OPERATIONS: Mapping[str, Callable[..., Any]] = {
    "matmul": lambda a, b: a @ b,
    "add": lambda a, b: a + b,
    "multiply": lambda a, b: a * b,
    "tanh": jnp.tanh,
    "sigmoid": jax.nn.sigmoid,
    "silu": jax.nn.silu,
    "gelu": lambda x: jax.nn.gelu(x, approximate=False),
    "relu": jax.nn.relu,
    "softmax": jax.nn.softmax,
    "scores": lambda q, k: q @ jnp.swapaxes(k, -1, -2) / np.sqrt(q.shape[-1]),
    "mix": lambda z, one, other: z * one + (1 - z) * other,
    "layer_norm": lambda x, scale, shift: _normalized(x, (-1,)) * scale + shift,
    "spatial_mean": lambda x: x.mean((2, 3)),
    "position_mean": lambda x: x.mean(1),
    "embed": lambda table, words: table[words],
    "square_error": lambda x, y: ((x - y) ** 2).mean(),
    "batch_norm": batch_norm,
    "rms_norm": rms_norm,
    "conv": conv,
    "mean_pool": mean_pool,
    "rotate": rotate,
    "causal": causal,
    "aggregate": aggregate,
    "cross_entropy": cross_entropy,
}


def with_rule(name: str, function: Callable[..., Any], change: Callable[[tuple[Any, ...]], tuple[Any, ...]]) -> Any:
    """Return a function with a backward pass of its own: that of JAX, changed."""

    def ours(*args: Any) -> Any:
        return function(*args)

    ours.__name__ = ours.__qualname__ = name
    rule = jax.custom_vjp(ours)

    def forward(*args: Any) -> Any:
        # Integers have no cotangents.
        numbers = [place for place, arg in enumerate(args) if jnp.issubdtype(arg.dtype, jnp.floating)]

        def of_numbers(*given: Any) -> Any:
            whole = list(args)
            for place, value in zip(numbers, given, strict=True):
                whole[place] = value
            return function(*whole)

        y, back = jax.vjp(of_numbers, *(args[place] for place in numbers))
        return y, (back, args)

    def backward(saved: Any, cotangent: Any) -> Any:
        back, args = saved
        down = iter(change(back(cotangent)))
        return tuple(next(down) if jnp.issubdtype(arg.dtype, jnp.floating) else None for arg in args)

    rule.defvjp(forward, backward)
    return rule
