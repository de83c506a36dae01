"""Sums, products, extremes and orders along axes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


@pytest.mark.parametrize("axis", [None, 0, -1, (0, 2)])
@pytest.mark.parametrize("name", ["sum", "mean", "prod", "max", "min", "var", "std"])
def test_axes_are_numpys(name: str, axis: Any) -> None:
    """As functions and as methods, with and without the axes kept."""
    assert_followed(lambda x: getattr(np, name)(x, axis=axis), T)
    assert_followed(lambda x: getattr(x, name)(axis=axis, keepdims=True), T)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: np.sum(x, where=T > 0) + np.mean(x, where=T > 0) + np.max(x, where=T > 0, initial=-5.0),
        lambda x: np.sum(x, initial=2.0) + np.prod(x, initial=2.0) + np.sum(x, dtype=np.float64),
        lambda x: np.var(x, ddof=1) + x.std(1, ddof=1) @ np.ones(4),
        lambda x: np.sum(x, axis=0, out=np.zeros((3, 4))),
        lambda x: np.cumsum(x) + np.cumprod(x),
        lambda x: np.cumsum(x, axis=1) + x.cumprod(2),
        lambda x: x.argmax(1) * x[:, 0] + np.argmin(x, axis=1, keepdims=True)[:, 0] * x[:, 1] + np.argmax(x),
        lambda x: np.sort(x, axis=0) + np.sort(x, axis=None).reshape(x.shape),
        lambda x: x.argsort(axis=2) * x,
        lambda x: np.any(x > 0.9, axis=1) * x[:, 0] + np.all(x < 2) + (x > 0).any(),
        lambda x: np.sum([x[0], x[1]]) + np.max([x[0, 0, 0], 0.2]) + np.mean((x[0], x[1]), axis=0),
    ],
)
def test_arguments_are_numpys(function: Callable[..., Any]) -> None:
    """Where, initial, dtype, out, lists."""
    assert_followed(function, T)
