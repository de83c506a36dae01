"""Norms, and operations on matrices."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed, trace_of
from xcheck.trace import UntraceableError

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)

S = M @ M.T + np.eye(3)


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
    with pytest.raises(UntraceableError, match=r"`np.linalg.eigvalsh` cannot be followed"):
        trace_of(lambda x: np.linalg.eigvalsh(x).max(), S)
