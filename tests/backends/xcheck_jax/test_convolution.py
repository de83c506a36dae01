"""Convolutions in NumPy: the same numbers as XLA's."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.backends.xcheck_jax.test_in_numpy import both

random = np.random.default_rng(0)
X, KERNEL = random.normal(size=(4, 2, 6, 5)), random.normal(size=(4, 2, 3, 2))
CHANNELS_LAST = ("NHWC", "HWIO", "NHWC")


def convolution(x: Any, kernel: Any, padding: Any = "SAME", strides: Any = (1, 1), **rest: Any) -> Any:
    """JAX's own."""
    return jax.lax.conv_general_dilated(x, kernel, strides, padding, **rest)


def loss(x: Any, kernel: Any) -> Any:
    """A number, to be differentiated."""
    return jnp.sum(jnp.sin(convolution(x, kernel, strides=(2, 1))))


@pytest.mark.parametrize(
    ("function", "x", "kernel"),
    [
        (convolution, X, KERNEL),
        (partial(convolution, padding=[(1, 2), (0, 1)], strides=(2, 1), lhs_dilation=(2, 1)), X, KERNEL),
        (partial(convolution, rhs_dilation=(1, 2)), X, KERNEL),
        (partial(convolution, padding=[(-1, 2), (0, -1)]), X, KERNEL),
        (
            partial(convolution, dimension_numbers=CHANNELS_LAST),
            X.transpose(0, 2, 3, 1),
            KERNEL.transpose(2, 3, 1, 0),
        ),
        (partial(convolution, feature_group_count=2), X.reshape(2, 4, 6, 5), KERNEL),
        (partial(convolution, batch_group_count=2), X, KERNEL),
        (partial(jax.lax.conv, window_strides=(1, 1), padding="VALID"), X[..., :1], KERNEL),
        (jax.vmap(convolution), np.stack([X, -X, X**2]), np.stack([KERNEL, KERNEL**2, -KERNEL])),
        (jax.vmap(convolution, (None, 0)), X, np.stack([KERNEL, KERNEL**2, -KERNEL])),
        (jax.grad(loss, (0, 1)), X, KERNEL),
        (jax.vmap(jax.grad(loss, (0, 1))), np.stack([X, -X]), np.stack([KERNEL, KERNEL**2])),
    ],
    ids=[
        "same",
        "strided",
        "dilated",
        "cut",
        "last",
        "groups",
        "of examples",
        "empty",
        "all",
        "kernels",
        "grad",
        "grads",
    ],
)
def test_convolutions_give_the_numbers_of_xla(function: Callable[..., Any], x: Any, kernel: Any) -> None:
    """In whatever order the axes are, also where they are batched or differentiated."""
    found, expected = both(function, x, kernel)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=1e-13)
