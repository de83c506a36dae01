"""Functions of JAX arrays at many θ at once: by NumPy or by jit(vmap), the same numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.backends.xcheck_jax.test_function import W, made
from xcheck_jax.batched import BatchedLosses, is_slow_in_batches
from xcheck_jax.in_numpy import UnsupportedError

THETAS = W + np.arange(8.0)[:, None]


def test_a_short_batch_uses_what_a_long_one_has_compiled() -> None:
    """It is filled up, and the repetitions are cut off again."""
    traces: list[int] = []

    def loss(p: Any) -> Any:
        traces.append(1)
        return jnp.sum(p**2)

    objective = made(loss)
    objective.width = 8
    thetas = W + np.arange(8.0)[:, None]
    assert objective.losses(thetas).shape == (8,)
    before = len(traces)
    np.testing.assert_allclose(objective.losses(thetas[:3]), (thetas[:3] ** 2).sum(axis=1), rtol=1e-14)
    assert len(traces) == before


@pytest.mark.parametrize("in_numpy", [True, False])
def test_losses_and_outputs(in_numpy: bool) -> None:
    """With a cotangent Re Σ v̄ y, without one all of y, whoever evaluates."""
    batched = BatchedLosses(made(lambda p, a: a * jnp.sin(p), data=(jnp.asarray(W),)), in_numpy=in_numpy)
    outputs = W * np.sin(THETAS)
    np.testing.assert_allclose(batched.at(THETAS), outputs, rtol=1e-12)
    np.testing.assert_allclose(batched.at(THETAS, jnp.array([1.0, 0.0, 2.0])), outputs @ [1.0, 0.0, 2.0], rtol=1e-12)
    assert batched.in_numpy is in_numpy


def test_what_is_too_large_for_numpy_is_compiled() -> None:
    """NumPy says so, and is not asked again."""
    batched = BatchedLosses(made(lambda p: jnp.sum(jnp.full((2000, 2000), 1e-6) * jnp.sum(p))))
    with pytest.raises(UnsupportedError):
        batched.by_numpy(THETAS)
    np.testing.assert_allclose(batched.at(THETAS), 4 * THETAS.sum(axis=1), rtol=1e-6)
    assert not batched.in_numpy


def test_kernels_of_a_batch_are_taken_one_by_one() -> None:
    """On a CPU XLA is slow for convolutions with many kernels; the losses are the same."""
    x, kernels = jnp.arange(12.0, dtype="f4").reshape(1, 1, 12), jnp.asarray(THETAS, "f4")[:, None, None]
    batched = BatchedLosses(
        made(lambda p: jax.lax.conv(x, p[None, None].astype("f4"), (1,), "VALID")[0, 0]), in_numpy=False
    )
    single = [np.asarray(jax.lax.conv(x, kernel, (1,), "VALID"))[0, 0] for kernel in kernels]
    np.testing.assert_allclose(batched.at(THETAS), single, rtol=1e-6)


def test_convolutions_are_slow_in_batches() -> None:
    """On a CPU, and no other operation."""
    kernel, devices = jnp.ones((1, 1, 3)), jax.devices("cpu")
    trace = jax.make_jaxpr(jax.jit(lambda k: jax.lax.conv(jnp.ones((1, 1, 9)), k, (1,), "SAME")))(kernel)
    assert is_slow_in_batches(trace, devices)
    assert not is_slow_in_batches(jax.make_jaxpr(jnp.sin)(kernel), devices)
