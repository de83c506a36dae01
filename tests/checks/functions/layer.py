"""A small layer in all three frameworks, with its parameters, for tests of functions."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import torch

from xcheck import Report

RNG = np.random.default_rng(0)


W, B, X = RNG.standard_normal((3, 4)), RNG.standard_normal(3), RNG.standard_normal((5, 4))


def torch_loss(p: Any, x: Any) -> Any:
    """A small layer in torch."""
    return torch.tanh(x @ p["W"].T + p["b"]).square().sum()


def jax_loss(p: Any, x: Any) -> Any:
    """The same in JAX."""
    return jnp.sum(jnp.tanh(x @ p["W"].T + p["b"]) ** 2)


def numpy_loss(p: Any, x: Any) -> Any:
    """The same in NumPy."""
    return (np.tanh(x @ p["W"].T + p["b"]) ** 2).sum()


def numpy_gradient(p: Any, x: Any) -> Any:
    """Its derivative: 2 a (1 − a²), backwards through the layer."""
    a = np.tanh(x @ p["W"].T + p["b"])
    delta = 2 * a * (1 - a**2)
    return {"W": delta.T @ x, "b": delta.sum(axis=0)}


def torch_params() -> dict[str, Any]:
    """Parameters as tensors."""
    return {"W": torch.tensor(W), "b": torch.tensor(B)}


def codes(report: Report) -> set[str]:
    """All codes of a report."""
    return {finding.code for finding in (*report.findings, *report.warnings)}


class _Off(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """A loss whose gradient is off by a factor."""

    @staticmethod
    def forward(ctx: Any, loss: torch.Tensor, by: float) -> torch.Tensor:
        ctx.by = by
        return loss.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> Any:
        return grads[0] * (1 + ctx.by), None


def off_by(loss: torch.Tensor, by: float) -> Any:
    """A loss whose gradient is too large by a share `by`."""
    return _Off.apply(loss, by)
