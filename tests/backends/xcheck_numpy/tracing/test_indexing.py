"""Reading and writing by index."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


def _written(x: Any, key: Any, value: Any) -> Any:
    y = x * 1
    y[key] = value
    return y


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x[1],
        lambda x: x[..., -1],
        lambda x: x[:, ::-2, None],
        lambda x: x[[0, 1, 1], [2, 0, 1]],
        lambda x: x[:, np.array([[0, 2], [1, 1]])],
        lambda x: x[np.ix_([0, 1], [2, 0])],
        lambda x: x[x > 0.3],
        lambda x: x[T > 0.3] * 2,
        lambda x: x[0, 0, np.argsort(x[0, 0])],
        lambda x: V[np.argmax(x[0, 0])] * x[0, 0, 0],
        lambda x: np.take(x, [1, 0, 1], axis=1),
        lambda x: x.take(5),
        lambda x: np.take_along_axis(x, np.argsort(x, axis=2), axis=2),
        lambda x: np.compress([True, False, True], x, axis=1),
        lambda x: x[np.nonzero(x > 0)],
        lambda x: x[np.where(x < 0)] ** 2,
        lambda x: _written(x, 1, 3.0),
        lambda x: _written(x, (0, slice(None), [1, 2]), x[1, :, :2].T),
        lambda x: _written(x, x < 0, 0),
        lambda x: _written(x, x < 0, -x[x < 0]),
        lambda x: _written(x, ..., x[:1] * 2),
    ],
)
def test_elements_are_found_where_numpy_finds_them(function: Callable[..., Any]) -> None:
    """Integers, slices, arrays of integers and of truth values, also when they depend on θ."""
    assert_followed(function, T)


def test_functions_write_in_place() -> None:
    """`put_along_axis`, `fill_diagonal`, `copyto`, `fill` and `sort`."""

    def function(x: Any) -> Any:
        y = x * 2
        np.fill_diagonal(y, x[0])
        np.put_along_axis(y, np.array([[0], [1], [2]]), x[:, :1] ** 2, axis=1)
        z = np.empty_like(x)
        np.copyto(z, y)
        z.sort(axis=0)
        w = x.copy()
        w.fill(2.0)
        return y + z * w

    assert_followed(function, M)
