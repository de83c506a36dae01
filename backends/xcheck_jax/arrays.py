"""Arrays of JAX as plain numbers."""

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.functions.arguments import Leaf


def read_leaf(value: jax.Array) -> Leaf | None:
    """Return the numbers of a JAX array; None for random keys, which hold none that could be moved or compared."""
    if jnp.issubdtype(value.dtype, jax.dtypes.extended):
        return None
    return read_numbers(value)


def read_numbers(value: jax.Array) -> Leaf:
    """Return the numbers of a JAX array that has some."""
    dtype = value.dtype.name
    array = np.asarray(value)
    if jnp.issubdtype(value.dtype, jnp.inexact):
        # float64 holds the numbers of all narrower dtypes exactly.
        array = array.astype(np.complex128 if jnp.issubdtype(value.dtype, jnp.complexfloating) else np.float64)
    return Leaf(array, dtype, "jax", value)
