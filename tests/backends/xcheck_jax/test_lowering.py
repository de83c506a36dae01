"""Lowering: what is put together of several operations computes what JAX's one does."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck.trace import replay
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of

X = np.sin(np.arange(2 * 5 * 4 * 6)).reshape(2, 5, 4, 6)
W = np.cos(np.arange(3 * 2 * 6 * 6)).reshape(3, 2, 6, 6)


def convolve(**options: Any) -> Any:
    """A 2-d convolution of X."""
    given = {"window_strides": (1, 1), "padding": "VALID", "dimension_numbers": ("NHWC", "HWIO", "NHWC")} | options
    return lambda x: jax.lax.conv_general_dilated(x, jnp.asarray(W), **given)


def pool(reduce: Any, start: float, **options: Any) -> Any:
    """Windows of X."""
    given = {"window_dimensions": (1, 3, 2, 1), "window_strides": (1, 2, 1, 1), "padding": "SAME"} | options
    return lambda x: jax.lax.reduce_window(x, start, reduce, **given)


@pytest.mark.parametrize(
    "function",
    [
        convolve(),
        convolve(window_strides=(2, 1), padding=[(2, 1), (0, 1)], rhs_dilation=(1, 2)),
        convolve(padding=[(2, 2), (1, 1)], lhs_dilation=(2, 3)),
        convolve(padding=[(-1, 2), (1, 1)]),
        lambda x: jax.lax.conv_general_dilated(
            x,
            jnp.asarray(W[:, :, :2]),
            (1, 1),
            "SAME",
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
            feature_group_count=3,
        ),
        lambda x: jax.lax.conv(x, jnp.asarray(W).transpose(2, 3, 0, 1)[:, :5, :2], (1, 1), "SAME"),
        pool(jax.lax.max, -jnp.inf),
        pool(jax.lax.min, jnp.inf, padding="VALID", window_dilation=(1, 1, 2, 1)),
        pool(jax.lax.add, 0.0, base_dilation=(1, 2, 1, 1)),
        lambda x: jnp.einsum("abcd,aecd->eba", x, x),
        lambda x: jax.lax.dot_general(x, x, (((3,), (3,)), ((2, 0), (2, 0)))),
        lambda x: jnp.take(x, jnp.array([4, 0, 7]), axis=1),
        lambda x: x[jnp.array([1, 0]), :, jnp.array([3, 1])],
        lambda x: jnp.zeros((3, 5)).at[jnp.array([2, 2, 0])].add(x[0, :3, 0, :5]),
        lambda x: jax.lax.top_k(x, 2)[0],
        lambda x: jax.lax.sort((x, x + 1), dimension=2, num_keys=1)[1],
        lambda x: jnp.clip(x, -0.5, x.mean()),
        lambda x: jax.lax.pad(x, 1.5, [(0, 0, 0), (1, -1, 2), (0, 0, 0), (0, 1, 0)]),
    ],
)
def test_the_parts_compute_the_whole(function: Any) -> None:
    """Shape and numbers."""
    with own_settings(jax.devices("cpu")[0]):
        (found,) = replay(trace_of(jax.make_jaxpr(function)(jnp.asarray(X))), [X])
        expected = np.asarray(function(jnp.asarray(X)))
    assert np.shape(found) == expected.shape
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
