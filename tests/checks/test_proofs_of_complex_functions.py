"""Proofs of functions with complex numbers: right gradients are proved to be right, and small errors to be errors."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from xcheck import Verdict

Z = np.array([0.6 - 0.8j, -1.3 + 0.4j, 0.2 + 1.7j, 2.1 + 0.3j])
H = np.array([1.2 + 0.3j, -0.4 + 0.9j, 0.7 - 1.1j, 0.1 + 0.5j])


class Filtered(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """H x, with a factor in the derivative."""

    @staticmethod
    def forward(ctx: Any, z: Any, factor: Any) -> Any:
        """Return H z."""
        ctx.factor = factor
        return z * torch.as_tensor(H)

    @staticmethod
    def backward(ctx: Any, arriving: Any) -> Any:
        """The adjoint is the conjugate of H."""
        return arriving * ctx.factor, None


def _in_torch(factor: Any) -> Callable[[Any], Any]:
    def loss(z: Any) -> Any:
        return (torch.fft.fft(Filtered.apply(z, torch.as_tensor(factor))).abs() ** 3).sum()

    return loss


def _in_jax(factor: Any) -> Callable[[Any], Any]:
    filtered: Any = jax.custom_vjp(lambda z: z * H)
    # JAX hands the conjugate of ∂L/∂Re + i ∂L/∂Im down.
    filtered.defvjp(lambda z: (z * H, None), lambda _, arriving: (arriving * np.conj(factor),))
    return lambda z: jnp.sum(jnp.abs(jnp.fft.fft(filtered(z))) ** 3)


CASES = [(_in_torch, torch.as_tensor(Z)), (_in_jax, jnp.asarray(Z))]


@pytest.mark.parametrize(("make", "at"), CASES, ids=["torch", "jax"])
def test_a_right_gradient_is_proved(make: Any, at: Any) -> None:
    """Of a complex parameter, through a transform."""
    report = xcheck.check(make(np.conj(H)), at, proof=True)
    assert report.verdict is Verdict.AGREE
    assert "proved" in str(report)
    assert "XC439" not in str(report)


@pytest.mark.parametrize(("make", "at"), CASES, ids=["torch", "jax"])
@pytest.mark.parametrize(
    "wrong", [H, np.conj(H) * np.array([1, 1, 1 + 1e-12, 1])], ids=["no conjugate", "one component by 1e-12"]
)
def test_a_wrong_gradient_is_proved_to_be_wrong(make: Any, at: Any, wrong: Any) -> None:
    """A conjugate that is missing, and 1e-12 of one component, which no difference sees."""
    report = xcheck.check(make(wrong), at, proof=True)
    assert report.verdict is Verdict.DISAGREE
    assert "XC117" in str(report)
