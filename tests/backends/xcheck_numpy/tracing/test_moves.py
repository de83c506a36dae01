"""What NumPy moves about: the trace moves the same elements."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.backends.xcheck_numpy.following import assert_followed

V = np.array([0.5, -1.25, 2.0, 0.75, -0.3])
M = np.array([[1.5, -0.5, 0.25], [0.3, 2.0, -1.0], [-0.7, 0.4, 1.75]])
T = np.sin(np.arange(24.0)).reshape(2, 3, 4)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.reshape(3, 8),
        lambda x: x.reshape((4, -1)),
        lambda x: x.transpose(2, 0, 1),
        lambda x: x.T,
        lambda x: x.mT,
        lambda x: x.ravel(order="F"),
        lambda x: x.flatten(),
        lambda x: np.squeeze(x[:, :1]),
        lambda x: np.expand_dims(x, (0, 2)),
        lambda x: np.broadcast_to(x[:, :, None], (2, 3, 5, 4)),
        lambda x: np.swapaxes(x, 0, 2),
        lambda x: np.moveaxis(x, [0, 1], [2, 0]),
        lambda x: np.roll(x, (1, 2), axis=(0, 2)),
        lambda x: np.flip(x, 1),
        lambda x: np.fliplr(x[0]) @ np.flipud(x[1]).T,
        lambda x: np.rot90(x[0]),
        lambda x: np.repeat(x, [1, 0, 2], axis=1),
        lambda x: np.tile(x, (1, 2, 1)),
        lambda x: np.diag(x[0, 0], 1),
        lambda x: np.diag(x[0]),
        lambda x: np.diagonal(x, axis1=1, axis2=2),
        lambda x: np.tril(x) - np.triu(x, 1),
        lambda x: np.split(x, 2, axis=2)[1],
        lambda x: np.vsplit(x[0], [1])[0],
        lambda x: np.concatenate([x, V[:1].reshape(1, 1, 1) * x], axis=2),
        lambda x: np.stack([x[0], M[:, [0, 1, 2, 0]]], axis=-1),
        lambda x: np.vstack([x[0], x[1]]),
        lambda x: np.hstack([x[0], np.ones((3, 1))]),
        lambda x: np.dstack([x[0], x[1]]),
        lambda x: np.column_stack([x[0, :, 0], x[1]]),
        lambda x: np.block([[x[0], x[1]], [np.zeros((1, 4)), x[0, :1]]]),
        lambda x: np.pad(x, ((0, 1), (2, 0), (1, 1))),
        lambda x: np.pad(x, 1, constant_values=3.0),
        lambda x: np.pad(x, 1, mode="edge"),
        lambda x: np.pad(x, 1, mode="wrap"),
        lambda x: np.append(x, [1.0, 2.0]),
        lambda x: np.append(x, x[:1], axis=0),
        lambda x: np.insert(x, 1, 2.0, axis=1),
        lambda x: np.delete(x, [0, 2], axis=2),
        lambda x: np.atleast_3d(x[0]) + np.atleast_2d(x[0, 0])[0, 0],
        lambda x: np.broadcast_arrays(x, np.zeros((4, 2, 3, 1)))[0],
        lambda x: np.meshgrid(x[0, 0], V)[0] * np.meshgrid(x[0, 0], V, indexing="ij")[1].T,
        lambda x: np.full_like(x, 2.0) * x + np.zeros_like(x) - np.ones_like(x),
        lambda x: np.copy(x) + x.copy(),
        lambda x: np.resize(x, (3, 3)),
        lambda x: np.lib.stride_tricks.sliding_window_view(x, 2, axis=2),
        lambda x: np.array(x.tolist()) + x.astype(np.float64),
        lambda x: np.array([[x[0, 0, 0], 1.0], [2, x[1, 1, 1]]]),
        lambda x: np.asarray(x).item(3) + x.item(0, 1, 1),
        lambda x: np.apply_along_axis(lambda row: row[::-1] * 2, 1, x),
        lambda x: x.real + x.imag + np.real(x),
    ],
)
def test_elements_go_where_numpy_puts_them(function: Callable[..., Any]) -> None:
    """Whatever the arguments."""
    assert_followed(function, T)
