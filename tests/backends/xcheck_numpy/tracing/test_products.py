"""Products and einsums."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "subscripts",
    [
        *("ijk->", "ijk->kj", "ijk,ijk->", "ijk,ijk->k", "ijk,ljk->il", "ijk,ijl->ikl", "ijk,lmk->jlmi"),
        *("...k,...k", "ijk,jl"),
    ],
)
def test_einsums_are_numpys(subscripts: str) -> None:
    """Summed, kept, shared and spread axes, with and without an arrow."""
    other = M if subscripts.endswith("jl") else T
    operands = 2 if "," in subscripts else 1
    assert_followed(lambda x: np.einsum(subscripts, *[x, other][:operands]), T)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.einsum("ii", x) + np.einsum("ii->i", x) + np.einsum("ij,jk,kl->il", x, M, x),
        lambda x: x @ M + M @ x + x @ x[0] + x[1] @ x + x[0] @ x[1],
        lambda x: (T.transpose(0, 2, 1) @ x) + np.matmul(x, T)[0, 0, :3],
        lambda x: np.dot(x, M) + M.dot(x) + np.dot(x, 2.0) + x.dot(M[0]) + np.dot(T.transpose(0, 2, 1), x)[0, 0],
        lambda x: np.tensordot(x, M, 1) + np.tensordot(x, M) + np.tensordot(x, T, ([0], [1]))[:, 0, :3],
        lambda x: np.inner(x, M) + np.inner(x[0], M[1]) + np.outer(x, x)[:3, :3] + np.vdot(x, M),
        lambda x: np.kron(x, M) + np.kron(M, x),
        lambda x: np.cross(x, M) + np.cross(x[0], x[1]),
        lambda x: np.convolve(x[0], V) * np.convolve(V, x[1], "full") + np.convolve(x[2], V, "same")[0],
        lambda x: np.correlate(V, x[0]) + np.correlate(V, x[0], "valid") + np.correlate(x[1], V, "full")[2],
        lambda x: np.linalg.matmul(x, M) + np.vecdot(x, M) + np.linalg.outer(x[0], x[1]),
    ],
)
def test_products_are_numpys(function: Callable[..., Any]) -> None:
    """Of vectors, matrices and stacks of matrices."""
    assert_followed(function, M)
