"""A torch.autograd.Function against a formula: layer normalisation with a backward pass of its own.

What one learns: a custom backward is checked like any loss, by calling it inside one. The NumPy function beside it is
the formula on paper; whoever is wrong, the differences of the loss say which of the two. `buggy` leaves out one of the
three terms of the backward pass, as if the variance did not depend on x: the gradient of x is wrong, those of gain and
offset are right, and the report names x alone.
"""

from typing import Any

import numpy as np
import torch

import xcheck

EPSILON = 1e-5


class LayerNorm(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
    """y = gain n + offset with n = (x − mean x)/sd x, over the last axis."""

    @staticmethod
    def forward(ctx: Any, x: Any, gain: Any, offset: Any) -> Any:
        """Return y, and keep what the backward pass needs."""
        sd = torch.sqrt(x.var(dim=-1, keepdim=True, correction=0) + EPSILON)
        n = (x - x.mean(dim=-1, keepdim=True)) / sd
        ctx.save_for_backward(n, sd, gain)
        return gain * n + offset

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """Return (δ − mean δ − n mean(δ n))/sd with δ = gain · upstream, and the sums for gain and offset."""
        n, sd, gain = ctx.saved_tensors
        delta = gain * upstream
        through_mean = delta.mean(dim=-1, keepdim=True)
        through_sd = n * (delta * n).mean(dim=-1, keepdim=True)
        return (delta - through_mean - through_sd) / sd, (upstream * n).sum(dim=0), upstream.sum(dim=0)


class ForgetfulLayerNorm(LayerNorm):
    """The same, but its backward pass takes sd for a constant."""

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """Return (δ − mean δ)/sd for x, and what LayerNorm returns for the others."""
        _, sd, gain = ctx.saved_tensors
        delta = gain * upstream
        return (delta - delta.mean(dim=-1, keepdim=True)) / sd, *LayerNorm.backward(ctx, upstream)[1:]


def numpy_loss(params: dict[str, Any], targets: Any) -> Any:
    """Half the mean squared distance of y from the targets."""
    x, gain, offset = params["x"], params["gain"], params["offset"]
    n = (x - x.mean(axis=-1, keepdims=True)) / np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON)
    return np.square(gain * n + offset - targets).sum() / (2 * len(x))


def numpy_gradient(params: dict[str, Any], targets: Any) -> dict[str, Any]:
    """Return the gradient by the Jacobian ∂n/∂x = (I − 1/d − n nᵀ/d)/sd of each row, written out as a matrix."""
    x, gain, offset = params["x"], params["gain"], params["offset"]
    d = x.shape[-1]
    sd = np.sqrt(x.var(axis=-1, keepdims=True) + EPSILON)
    n = (x - x.mean(axis=-1, keepdims=True)) / sd
    error = (gain * n + offset - targets) / len(x)
    jacobian = (np.eye(d) - 1 / d - n[:, :, None] * n[:, None, :] / d) / sd[:, :, None]
    x_gradient = np.einsum("mi,mij->mj", gain * error, jacobian)
    return {"x": x_gradient, "gain": (n * error).sum(axis=0), "offset": error.sum(axis=0)}


def compared(layer_norm: Any) -> xcheck.Case:
    """Return a custom function and the formula, at a random point."""

    def torch_loss(params: dict[str, Any], targets: Any) -> Any:
        y = layer_norm.apply(params["x"], params["gain"], params["offset"])
        return (y - targets).square().sum() / (2 * len(y))

    rng = np.random.default_rng(0)
    params = {"x": rng.normal(size=(4, 6)), "gain": rng.normal(size=6), "offset": rng.normal(size=6)}
    formula = xcheck.objective(numpy_loss, "numpy", gradient=numpy_gradient)
    objectives = {"torch": xcheck.objective(torch_loss, "torch"), "formula": formula}
    return xcheck.Case(objectives=objectives, params=params, data=(rng.normal(size=(4, 6)),))


@xcheck.case
def right() -> xcheck.Case:
    """All three terms."""
    return compared(LayerNorm)


@xcheck.case
def buggy() -> xcheck.Case:
    """The term n mean(δ n) is missing: sd is treated as a constant."""
    return compared(ForgetfulLayerNorm)
