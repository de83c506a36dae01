"""Complex parameters: a filter in the frequency domain, in torch, in JAX and by hand.

What one learns: frameworks differ by a conjugate. The gradient of a real loss L with respect to H is ∂L/∂Re H +
i ∂L/∂Im H here and in torch, the direction of steepest ascent; jax.grad returns its conjugate, which is converted, and
the report says so. Real and imaginary parts are perturbed one by one, as H.real and H.imag. `buggy` is written by hand
in the convention of JAX, as a formula copied from there would be: H.imag has the wrong sign, all else is right.
"""

from typing import Any

import jax.numpy as jnp
import numpy as np
import torch

import xcheck


def torch_loss(params: dict[str, Any], signals: Any, targets: Any) -> Any:
    """Half the mean of |gain · ifft(H · fft(x)) − target|²."""
    filtered = torch.fft.ifft(params["H"] * torch.fft.fft(signals))
    return (params["gain"] * filtered - targets).abs().square().sum() / (2 * len(signals))


def jax_loss(params: dict[str, Any], signals: Any, targets: Any) -> Any:
    """Return the same in JAX."""
    filtered = jnp.fft.ifft(params["H"] * jnp.fft.fft(signals))
    return jnp.sum(jnp.abs(params["gain"] * filtered - targets) ** 2) / (2 * len(signals))


def numpy_loss(params: dict[str, Any], signals: Any, targets: Any) -> Any:
    """Return the same in NumPy."""
    filtered = np.fft.ifft(params["H"] * np.fft.fft(signals))
    return np.square(np.abs(params["gain"] * filtered - targets)).sum() / (2 * len(signals))


def numpy_gradient(params: dict[str, Any], signals: Any, targets: Any) -> dict[str, Any]:
    """Back through the filter: the adjoint of ifft is fft/n, that of multiplying by a spectrum its conjugate."""
    spectra = np.fft.fft(signals)
    filtered = np.fft.ifft(params["H"] * spectra)
    error = (params["gain"] * filtered - targets) / len(signals)
    back = params["gain"] * np.fft.fft(error) / signals.shape[1]
    return {"H": (np.conj(spectra) * back).sum(axis=0), "gain": np.real(np.conj(filtered) * error).sum()}


def gradient_as_in_jax(params: dict[str, Any], signals: Any, targets: Any) -> dict[str, Any]:
    """Return ∂L/∂Re H − i ∂L/∂Im H: what jax.grad would return."""
    found = numpy_gradient(params, signals, targets)
    return {**found, "H": np.conj(found["H"])}


def compared(gradient: Any) -> xcheck.Case:
    """Return three versions, at a random point: H is complex, the gain is real."""
    rng = np.random.default_rng(0)

    def drawn(*shape: int) -> Any:
        return rng.normal(size=shape) + 1j * rng.normal(size=shape)

    objectives = {
        "numpy": xcheck.objective(numpy_loss, "numpy", gradient=gradient),
        "torch": xcheck.objective(torch_loss, "torch"),
        "jax": xcheck.objective(jax_loss, "jax"),
    }
    params = {"H": drawn(6), "gain": np.array(1.5)}
    return xcheck.Case(objectives=objectives, params=params, data=(drawn(4, 6), drawn(4, 6)))


@xcheck.case
def right() -> xcheck.Case:
    """∂L/∂Re H + i ∂L/∂Im H."""
    return compared(numpy_gradient)


@xcheck.case
def buggy() -> xcheck.Case:
    """∂L/∂Re H − i ∂L/∂Im H: the conjugate is forgotten."""
    return compared(gradient_as_in_jax)
