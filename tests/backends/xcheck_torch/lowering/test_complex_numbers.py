"""Complex numbers in losses of torch: the trace gives the loss, and in balls the slopes of autograd."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.backends.xcheck_torch.traced import assert_traced, made, prove, randn
from xcheck.certificates.decisions import NotProvedError

X = randn(6)
Z = torch.complex(randn(6, seed=3), 2 + randn(6, seed=4).abs())
C = torch.complex(randn(6, seed=5), randn(6, seed=6))
ROWS = torch.complex(randn(3, 4, seed=7), randn(3, 4, seed=8))

# Of one complex array, away from the cuts.
FUNCTIONS = (
    *("exp", "expm1", "log", "log1p", "sqrt", "rsqrt", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh"),
    *(
        "tanh",
        "asinh",
        "acosh",
        "atanh",
        "neg",
        "reciprocal",
        "sigmoid",
        "square",
        "sgn",
        "abs",
        "angle",
        "conj",
        "real",
    ),
    *("imag", "conj_physical", "resolve_conj", "cumsum", "cumprod", "prod", "mean", "view_as_real"),
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name: str) -> None:
    """Of a complex parameter."""
    function: Any = getattr(torch, name)
    arguments = (0,) if name.startswith("cum") else ()

    def loss(z: Tensor) -> Tensor:
        found = function(z, *arguments)
        return torch.sum(torch.abs(found + 0.5) ** 2) if found.is_complex() else torch.sum(found**3)

    assert_traced(loss, Z)


def _square(z: Tensor) -> Tensor:
    return torch.outer(z[:3], z[3:]) + torch.diag(C[:3])


LOSSES: dict[str, tuple[Callable[..., Any], Any]] = {
    "arithmetic": (lambda z: ((z * C - z / C + 2j - z) * (1 + 1j) / 3).abs().sum() + (1j / z).real.sum(), Z),
    "powers": (lambda z: (z**3 + z**-1 + z**0.5 + z**1.3 + z**C + 2.0**z + z ** (1 + 1j)).abs().sum(), Z),
    "real with complex numbers": (lambda x: (x * 1j + torch.exp(x * C) / (x + 2j)).abs().sum(), X),
    "from parts": (lambda x: torch.complex(x, x.sin()).log().imag.sum() + torch.polar(x.abs(), x).real.prod(), X),
    "from pairs": (lambda x: torch.view_as_complex(x.reshape(3, 2)).pow(2).imag.sum(), X),
    "casts": (lambda x: (x.to(torch.complex128) * C).to(torch.complex128).abs().sum() + x.to(C.dtype).real.sum(), X),
    "products": (
        lambda z: (torch.outer(z, z.conj()) @ (z * C)).abs().sum() + torch.vdot(z, C).real + torch.dot(z, C).imag,
        Z,
    ),
    "matrices": (
        lambda z: (
            (z.reshape(2, 3) @ z.reshape(3, 2)).abs().sum()
            + torch.einsum("ij,kj->ik", z.reshape(2, 3), z[None].reshape(2, 3).conj()).imag.sum()
        ),
        Z,
    ),
    "functions of matrices": (
        lambda z: (
            torch.linalg.inv(_square(z)).abs().sum()
            + torch.linalg.matrix_exp(_square(z) / 4).angle().sum()
            + torch.linalg.solve(_square(z), C[:3]).real.pow(2).sum()
        ),
        Z,
    ),
    "an adjoint": (lambda z: (z.reshape(2, 3).mH @ C.reshape(2, 3)).angle().sum(), Z),
    "norms": (
        lambda z: (
            torch.linalg.norm(z)
            + torch.linalg.vector_norm(z, 1)
            + torch.linalg.vector_norm(z.reshape(2, 3), 3, 1).sum()
        ),
        Z,
    ),
    "moves": (
        lambda z: (
            (torch.cat([z[::2], z.flip(0)]).roll(1)[torch.tensor([0, 3, 3])] * C[:3]).abs().sum()
            + torch.nn.functional.pad(z, (1, 2)).index_select(0, torch.tensor([2, 2])).real.prod()
        ),
        Z,
    ),
    "choices": (lambda z: torch.where(X > 0, z, C * z).masked_fill(X > 1, 2j).abs().sum(), Z),
    "sums of what is put in one place": (
        lambda z: torch.zeros(3, dtype=z.dtype).index_add(0, torch.tensor([0, 1, 1, 2, 0, 0]), z).abs().sum(),
        Z,
    ),
    "transforms": (lambda z: (torch.fft.fft(z, n=7, norm="ortho") * torch.fft.ifft(z, n=7)).abs().sum(), Z),
    "of several axes": (
        lambda z: torch.fft.fftn(z, dim=(0, 1)).abs().sum() + torch.fft.ifft2(z, norm="forward").angle().sum(),
        ROWS,
    ),
    "to real numbers": (
        lambda z: (
            (torch.fft.irfft(z, n=7) ** 3).sum()
            + (torch.fft.irfft(z, norm="ortho") ** 2).sum()
            + (torch.fft.hfft(z) ** 2).sum()
        ),
        Z,
    ),
    "from real numbers": (
        lambda x: (
            (torch.fft.rfft(x) * C[:4]).abs().sum()
            + torch.fft.fft(x, norm="forward").imag.pow(2).sum()
            + torch.fft.rfft2(x.reshape(2, 3)).abs().pow(3).sum()
            + torch.fft.ihfft(x).real.pow(2).sum()
        ),
        X,
    ),
    "a shifted spectrum": (lambda z: (torch.fft.fftshift(torch.fft.fft(z)) * C).real.pow(2).sum(), Z),
    "short transforms": (
        lambda x: torch.stft(x.repeat(4), 8, window=torch.ones(8, dtype=x.dtype), return_complex=True).abs().sum(),
        X,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    """Of real and complex parameters; the trace of the gradient is that of torch, which takes ∂L/∂Re + i ∂L/∂Im."""
    loss, at = LOSSES[name]
    assert_traced(loss, at)


def test_parts_that_are_written_into() -> None:
    """Memory holds the same numbers whichever dtype it is read in, and whichever view is written into."""

    def loss(z: Tensor) -> Tensor:
        made = torch.zeros(6, dtype=z.dtype)
        made.real[1:4] = z.real[:3] ** 2
        made.imag[2:] = z.imag[2:]
        made[0] = z[0] * z[1]
        made.conj()[5] = z[2]
        pairs = torch.view_as_real(made)
        pairs[3, 1] = z[3].real
        made.conj().imag[4] += z[4].real
        return torch.sum(torch.abs(made * C) ** 2) + torch.sum(made.conj().imag ** 3)

    assert_traced(loss, Z)


def test_a_number_that_is_filled_in_is_real() -> None:
    """One that is not stands in no move; what has a number in its imaginary part has no rule."""
    assert_traced(lambda z: torch.nn.functional.pad(z, (1, 1), value=0.0).abs().pow(2).sum(), Z)
    objective = made(lambda z: torch.nn.functional.pad(z, (1, 1), value=2.0).abs().pow(2).sum(), Z)
    with pytest.raises(NotProvedError, match=r"`constant_pad_nd` at .* has no rule for complex numbers"):
        prove(objective, objective.trace(), np.ones((1, 12)))


@pytest.mark.parametrize("function", [torch.log, torch.sqrt, torch.angle])
def test_nothing_is_proved_on_a_cut(function: Any) -> None:
    """There the function jumps."""
    objective = made(lambda x: function(torch.complex(x - 3, x - 1)).abs().sum(), torch.ones(1, dtype=torch.float64))
    with pytest.raises(NotProvedError, match="where it jumps"):
        prove(objective, objective.trace(), np.ones((1, 1)))
