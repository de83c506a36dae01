"""Second derivatives: a fused softplus whose gradient is right, and whose gradient's gradient need not be.

What one learns: with order=2 Hessian-vector products are held against differences of the gradient, once that itself has
been found right. `buggy` keeps the sigmoid that it has computed on the way forward, which saves an exponential. Inside
`forward` nothing is recorded, so on the way back it is a constant, as if detached: the gradient is right to the last
digit, training works, and a Newton step, a gradient penalty or an influence function is silently wrong.
"""

from typing import Any

import numpy as np
import torch

import xcheck


class Softplus(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
    """log(1 + eᶻ), which keeps its input."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        """Return the value without overflow."""
        ctx.save_for_backward(z)
        return torch.clamp(z, min=0) + torch.log1p(torch.exp(-z.abs()))

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """Return upstream · σ(z), recorded by autograd if it is to be differentiated again."""
        (z,) = ctx.saved_tensors
        return upstream * torch.sigmoid(z)


class ThriftySoftplus(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
    """log(1 + eᶻ), which keeps σ(z): neither input nor output, so autograd does not know where it comes from."""

    @staticmethod
    def forward(ctx: Any, z: Any) -> Any:
        """Return the value without overflow."""
        ctx.save_for_backward(torch.sigmoid(z))
        return torch.clamp(z, min=0) + torch.log1p(torch.exp(-z.abs()))

    @staticmethod
    def backward(ctx: Any, upstream: Any) -> Any:
        """Return upstream · σ(z), where σ(z) is a constant."""
        (slopes,) = ctx.saved_tensors
        return upstream * slopes


def checked(softplus: Any) -> xcheck.Case:
    """Return a logistic regression by softplus, y z being the margins, at a random point."""

    def loss(params: dict[str, Any], X: Any, y: Any) -> Any:
        margins = y * (X @ params["w"] + params["b"])
        return softplus.apply(-margins).mean() + 0.05 * params["w"].square().sum()

    rng = np.random.default_rng(0)
    params = {"w": torch.tensor(rng.normal(size=5)), "b": torch.tensor(0.3, dtype=torch.float64)}
    data = torch.tensor(rng.normal(size=(20, 5))), torch.tensor(rng.choice([-1.0, 1.0], size=20))
    return xcheck.Case(objectives=loss, params=params, data=data, settings={"order": 2})


@xcheck.case
def right() -> xcheck.Case:
    """The slope is computed from the input on the way back."""
    return checked(Softplus)


@xcheck.case
def buggy() -> xcheck.Case:
    """The slope is kept from the way forward: right once, and wrong when differentiated again."""
    return checked(ThriftySoftplus)
