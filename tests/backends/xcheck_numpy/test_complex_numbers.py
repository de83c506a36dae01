"""Losses of NumPy with complex numbers in them: traces that give the loss, and slopes that differences confirm."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import linalg

import xcheck
from tests.backends.xcheck_numpy.following import objective_of
from xcheck import Verdict
from xcheck.backend import registry
from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import prove_slopes
from xcheck.functions.arguments import read_arguments
from xcheck.functions.function import Function
from xcheck.trace import replay

R = np.random.default_rng(21)
X = R.normal(size=6)
Z = R.normal(size=6) + 1j * R.uniform(1.0, 3.0, size=6)
C = R.normal(size=6) + 1j * R.normal(size=6)
ROWS = Z.reshape(2, 3)


def _written(z: Any) -> Any:
    found = np.zeros(6, complex)
    found[1:] = z[:-1]
    found[0] = 2j * z[3]
    found *= C
    found[found.real > 0] += 1.0
    return np.abs(found**2).sum()


LOSSES: dict[str, tuple[Callable[..., Any], Any]] = {
    "arithmetic": (lambda z: np.abs((z * C - z / C + 2j - z) * (1 + 1j) / 3).sum() + (1j / z).real.sum(), Z),
    "functions": (
        lambda z: sum(
            np.abs(f(z)).sum()
            for f in (np.exp, np.log, np.sqrt, np.sin, np.cos, np.tan, np.sinh, np.cosh, np.tanh, np.log1p, np.expm1)
        ),
        Z,
    ),
    "inverse functions": (
        lambda z: sum(
            np.abs(f(z)).sum()
            for f in (np.arcsin, np.arccos, np.arctan, np.arcsinh, np.arccosh, np.arctanh, np.reciprocal, np.square)
        ),
        Z,
    ),
    "powers": (
        lambda z: np.abs(z**3 + z**-1 + z**0.5 + z**1.3 + z**C + 2.0**z + z ** (1 + 1j) + z ** (2 + 0j)).sum(),
        Z,
    ),
    "parts": (lambda z: (np.real(z) * z.imag + np.angle(z) * np.abs(z) - np.conj(z).imag * z.conj().real).sum(), Z),
    "degrees": (lambda z: np.angle(z, deg=True).sum() + np.sign(z).imag.sum(), Z),
    "of real parameters": (lambda x: np.abs(np.exp(1j * x) * C + x.astype(complex) ** 2).sum() + x.imag.sum(), X),
    "products": (
        lambda z: (
            np.vdot(z, C).real
            + (z @ C).imag
            + np.abs(np.outer(z, z.conj()) @ z).sum()
            + np.abs(np.einsum("ij,kj->ik", z.reshape(2, 3), z.reshape(2, 3).conj())).sum()
            + np.vecdot(z, C).imag
            + np.abs(np.convolve(z, C[:3])).sum()
            + np.abs(np.correlate(z, C[:3])).sum()
            + np.inner(z, C).real
        ),
        Z,
    ),
    "a row times a matrix": (lambda z: np.abs(np.vecmat(z[:2], ROWS)).sum() + np.abs(np.matvec(ROWS, z[:3])).sum(), Z),
    "sums": (
        lambda z: np.abs(z.mean()) + z.std() + np.var(z) + np.abs(np.cumsum(z) * np.cumprod(z)).sum() + z.prod().real,
        Z,
    ),
    "functions of matrices": (
        lambda z: (
            np.abs(np.linalg.inv(np.outer(z[:3], z[3:]) + np.diag(C[:3]))).sum()
            + np.angle(linalg.expm(np.outer(z[:3], z[3:]) / 8)).sum()
            + np.abs(linalg.cho_solve((np.diag(np.abs(z)) + 1j * np.triu(np.outer(z, z), 1), False), C)).sum()
        ),
        Z,
    ),
    "norms": (lambda z: np.linalg.norm(z) + np.linalg.norm(z, 1) + np.linalg.norm(z.reshape(2, 3), axis=0).sum(), Z),
    "moves": (
        lambda z: np.abs(np.concatenate([z[::2], np.roll(z, 1)]) * np.pad(z, (1, 2))).sum() + z[[0, 3, 3]].prod().real,
        Z,
    ),
    "choices": (lambda z: np.abs(np.where(z.real > 0, z, C * z)).sum() + float(np.isfinite(z).all()) * z[0].real, Z),
    "what is written into": (_written, Z),
    "transforms": (
        lambda z: (
            np.abs(np.fft.fft(z, n=7, norm="ortho") * np.fft.ifft(z, n=7)).sum()
            + np.abs(np.fft.fftshift(np.fft.fft(z, 4)) * C[:4]).sum()
        ),
        Z,
    ),
    "of several axes": (
        lambda z: (
            np.abs(np.fft.fftn(z)).sum()
            + np.angle(np.fft.ifft2(z, norm="forward")).sum()
            + np.abs(np.fft.fft2(z, s=(3, 2)))[0, 1]
            + np.abs(np.fft.ifftn(z, s=(4,), axes=(0,))).sum()
        ),
        ROWS,
    ),
    "to real numbers": (
        lambda z: (
            (np.fft.irfft(z, 7) ** 3).sum()
            + (np.fft.irfft(z, norm="ortho") ** 2).sum()
            + (np.fft.hfft(z, norm="forward") ** 2).sum()
            + (np.fft.irfft2(z.reshape(2, 3)) ** 2).sum()
            + (np.fft.irfftn(z.reshape(2, 3), s=(2, 5), axes=(0, 1)) ** 2).sum()
        ),
        Z,
    ),
    "from real numbers": (
        lambda x: (
            np.abs(np.fft.rfft(x) * C[:4]).sum()
            + (np.fft.fft(x, norm="forward").imag ** 2).sum()
            + (np.abs(np.fft.rfft2(x.reshape(2, 3))) ** 3).sum()
            + (np.fft.ihfft(x).real ** 2).sum()
            + np.abs(np.fft.rfftn(x.reshape(2, 3), axes=(1, 0))).sum()
        ),
        X,
    ),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses_are_followed(name: str) -> None:
    """The trace gives NumPy's loss, also beside θ; its slope is that of fourth-order differences."""
    loss, params = LOSSES[name]
    objective = objective_of(loss, params)
    theta = objective.arguments.theta
    trace, step = objective.trace(), 1e-3
    direction = R.normal(size=theta.size)
    direction /= np.linalg.norm(direction)
    for at in (theta, theta + 2**-10 * direction):
        [found] = replay(trace, objective.traced_arrays(at))
        assert float(np.reshape(found, ())) == pytest.approx(objective.evaluate(at), rel=1e-12, abs=1e-12)
    proved = prove_slopes(trace, objective.traced_arrays(theta), [objective.traced_arrays(direction)])
    near, far = (
        objective.evaluate(theta + k * step * direction) - objective.evaluate(theta - k * step * direction)
        for k in (1, 2)
    )
    assert not proved.kinks
    assert float(proved.slopes[0].mid()) == pytest.approx((8 * near - far) / (12 * step), rel=1e-7, abs=1e-8)


@pytest.mark.parametrize("function", [np.log, np.sqrt, np.angle, lambda z: z**0.3])
def test_nothing_is_proved_on_a_cut(function: Any) -> None:
    """There the function jumps."""
    objective = objective_of(lambda x: np.abs(function((x - 3) + 1j * (x - 1))).sum(), np.ones(1))
    with pytest.raises(NotProvedError, match="where it jumps"):
        prove_slopes(objective.trace(), objective.traced_arrays(np.ones(1)), [[np.ones(1)]])


def _loss(z: Any) -> Any:
    return (np.abs(np.fft.fft(z * C, norm="ortho")) ** 2).sum()


def _gradient(factor: Any) -> Callable[[Any], Any]:
    return lambda z: 2 * factor * np.fft.ifft(np.fft.fft(z * C, norm="ortho"), norm="ortho")


def test_a_gradient_written_by_hand_is_proved() -> None:
    """Of a complex parameter: ∂L/∂Re + i ∂L/∂Im."""
    report = xcheck.check(xcheck.objective(_loss, "numpy", gradient=_gradient(C.conj())), Z, proof=True)
    assert report.verdict is Verdict.AGREE
    assert "proved" in str(report)


@pytest.mark.parametrize("factor", [C, C.conj() * np.where(np.arange(6) == 2, 1 + 1e-12, 1)])
def test_wrong_gradients_written_by_hand_are_proved_to_be_wrong(factor: Any) -> None:
    """Without the conjugate; and with 1e-12 of one component, which no difference sees."""
    report = xcheck.check(xcheck.objective(_loss, "numpy", gradient=_gradient(factor)), Z, proof=True)
    assert report.verdict is Verdict.DISAGREE
    assert "XC117" in str(report)


def test_gradients_of_real_parameters_beside_complex_ones() -> None:
    """Each has its own dtype in the trace."""
    params = {"g": 1.5, "z": Z}

    def gradient(p: Any) -> Any:
        return {"g": 2 * p["g"] * np.vdot(p["z"], p["z"]), "z": 2 * p["g"] ** 2 * p["z"]}

    objective = objective_of(lambda p: (np.abs(p["g"] * p["z"]) ** 2).sum(), params, gradient=gradient)
    theta = objective.arguments.theta
    found = replay(objective.gradient_trace(), objective.traced_arrays(theta))
    assert [one.shape for one in found] == [(), (6,), (6,)]
    np.testing.assert_allclose(np.concatenate(list(map(np.ravel, found))), objective.gradient_alone(theta), rtol=1e-14)


def test_complex_losses() -> None:
    """By their cotangent v: Re Σ v̄ y."""
    function = Function(loss=lambda z: z**2, backend="numpy")
    arguments = read_arguments(Z, (), registry.read)
    objective = registry.get("numpy").function_objective(function, arguments, cotangent=C)
    [found] = replay(objective.trace(), objective.traced_arrays(arguments.theta))
    assert float(found) == pytest.approx(float((C.conj() * Z**2).sum().real), rel=1e-13)
