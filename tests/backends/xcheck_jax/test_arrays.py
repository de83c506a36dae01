"""Arrays of JAX as plain numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.arrays import from_real, read_leaf, real_array, real_cotangent


@pytest.mark.parametrize(
    ("value", "dtype", "kind"), [([1.5], "bfloat16", "f"), ([1 + 2j], "complex64", "c"), ([3], "int8", "i")]
)
def test_numbers_are_read(value: list[Any], dtype: str, kind: str) -> None:
    """Floating ones in 64 bits, others as they are."""
    leaf = read_leaf(jnp.asarray(value, dtype))
    assert leaf is not None
    assert (leaf.dtype, leaf.values.dtype.kind, leaf.values.tolist()) == (dtype, kind, value)


def test_random_keys_hold_no_numbers() -> None:
    """They are handed on as they are."""
    assert read_leaf(jax.random.key(0)) is None


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
def test_numbers_are_real_and_come_back(dtype: str) -> None:
    """Complex ones as pairs, and in 64 bits."""
    with jax.enable_x64(True):
        array = jnp.asarray([1.5, -2.0], dtype) * (1 + 1j if dtype.startswith("complex") else 1)
        numbers = real_array(array)
        assert (numbers.dtype.name, numbers.shape[1:]) == ("float64", (2,) if dtype.startswith("complex") else ())
        back = from_real(numbers, array.dtype)
        assert back.dtype == array.dtype
        assert np.asarray(back).tolist() == np.asarray(array).tolist()


def test_cotangents_of_complex_numbers_are_those_of_both_parts() -> None:
    """J = 2 Re z + 3 Im z: JAX says 2 - 3i."""
    with jax.enable_x64(True):
        gradient = jax.grad(lambda z: 2 * jnp.real(z) + 3 * jnp.imag(z))(1 + 1j)
        assert real_cotangent(gradient).tolist() == [2.0, 3.0]
        assert real_cotangent(jnp.asarray([1.0])).tolist() == [1.0]
