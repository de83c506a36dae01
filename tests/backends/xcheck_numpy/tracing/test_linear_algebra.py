"""Norms, and operations on matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed, trace_of
from xcheck.certificates.slopes import prove_slopes
from xcheck.trace import UntraceableError

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)

S = M @ M.T + np.eye(3)


def _triangle(x: Any) -> Any:
    return np.linalg.qr(x, "r")


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.linalg.norm(x) + np.linalg.norm(x, "fro") + np.linalg.norm(x, 1) + np.linalg.norm(x, -np.inf),
        lambda x: np.linalg.norm(x, axis=1) + np.linalg.norm(x, 1, axis=0) + np.linalg.norm(x, np.inf, axis=1),
        lambda x: np.linalg.norm(x, 3, axis=0, keepdims=True) + np.linalg.norm(x[0], 0) + np.linalg.norm(x[1], 2),
        lambda x: np.linalg.solve(x, M) + np.linalg.solve(x, V[:3]) + np.linalg.solve(S, x),
        lambda x: np.linalg.inv(x) + np.linalg.inv(np.stack([x, S]))[0],
        lambda x: np.linalg.det(x) + np.linalg.det(np.stack([x, S])).sum(),
        lambda x: np.linalg.slogdet(x)[1] + np.linalg.slogdet(x).logabsdet,
        lambda x: np.linalg.cholesky(x @ x.T) + np.linalg.cholesky(S * x[0, 0] ** 2, upper=True),
        lambda x: np.linalg.matrix_power(x, 3) + np.linalg.matrix_power(x, -2) + np.linalg.matrix_power(x, 0),
        lambda x: np.linalg.eigvalsh(x) + np.linalg.eigh(x, "U")[0] + np.abs(np.linalg.eigh(x).eigenvectors[0]),
        lambda x: np.linalg.svd(x, compute_uv=False) + np.linalg.svdvals(x) + np.abs(np.linalg.svd(x)[0][0]),
        lambda x: np.linalg.qr(x)[0] + _triangle(x[:, :2])[0, 0] + np.linalg.qr(x[:, :2], "complete").Q,
        lambda x: np.linalg.norm(x, 2) + np.linalg.norm(x, -2) + np.linalg.norm(x, "nuc"),
        lambda x: (
            np.linalg.lstsq(x[:, :2], V[:3])[0][0] + np.linalg.lstsq(x[:, :2], V[:3])[1] + np.linalg.pinv(x[:2])[0, 0]
        ),
        lambda x: np.linalg.multi_dot([x, M, x]) + np.linalg.vector_norm(x, axis=0) + np.linalg.vector_norm(x),
    ],
)
def test_matrices_are_numpys(function: Callable[..., Any]) -> None:
    """At θ, and beside it."""
    assert_followed(function, S)


def test_names_are_those_of_the_table() -> None:
    """What has a rule of its own is one operation."""

    def loss(x: Any) -> Any:
        return np.linalg.solve(x, V[:3]).sum() + np.linalg.det(x) + np.linalg.slogdet(x)[1] + np.linalg.inv(x).sum()

    names = {operation.name for operation in trace_of(loss, S).operations}
    assert {"solve", "det", "slogdet", "inv"} <= names


def test_what_has_no_name_is_refused() -> None:
    """With NumPy's own name."""
    with pytest.raises(UntraceableError, match=r"`np.linalg.eigvals` cannot be followed"):
        trace_of(lambda x: np.linalg.eigvals(x).max(), S)


LOSSES: dict[str, Callable[[Any], Any]] = {
    "solve": lambda x: np.linalg.solve(x, V[:3]) @ V[:3] + np.linalg.inv(x)[0, 1],
    "determinants": lambda x: np.linalg.det(x) + np.linalg.slogdet(x)[1],
    "cholesky": lambda x: np.sum(np.linalg.cholesky(x @ x.T) ** 3),
    "eigenvalues": lambda x: np.linalg.eigvalsh(x)[0] + np.linalg.eigh(x)[1][0, 0] ** 2,
    "singular values": lambda x: np.linalg.svd(x, compute_uv=False)[0] + np.linalg.norm(x, "nuc"),
    "least squares": lambda x: np.linalg.lstsq(x[:, :2], V[:3])[0].sum() + np.linalg.pinv(x)[0, 1],
}


@pytest.mark.parametrize("name", LOSSES)
def test_slopes_of_matrices_are_proved(name: str) -> None:
    """The slope is that of differences, to the digits that those have."""
    loss, direction = LOSSES[name], np.cos(np.arange(9.0)).reshape(3, 3)
    [slope] = prove_slopes(trace_of(loss, S), [S], [[direction]]).slopes
    step = 1e-3
    near, far = (loss(S + k * step * direction) - loss(S - k * step * direction) for k in (1, 2))
    assert float(slope.mid()) == pytest.approx((8 * near - far) / (12 * step), rel=1e-8, abs=1e-9)
