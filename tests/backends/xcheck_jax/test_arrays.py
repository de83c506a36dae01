"""Arrays of JAX as plain numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

from xcheck_jax.arrays import read_leaf


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
