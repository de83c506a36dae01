"""Arrays of JAX as plain numbers."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.functions.arguments import Leaf
from xcheck.trace.model import Array


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


def real_array(array: Any) -> Array:
    """Return real numbers, float64; of shape (..., 2), real and imaginary parts, where they are complex.

    >>> real_array(np.array([1 + 2j, 3]))
    array([[1., 2.],
           [3., 0.]])
    """
    found = np.asarray(array)
    if np.iscomplexobj(found):
        found = np.stack([found.real, found.imag], axis=-1)
    return found.astype(np.float64, copy=False)


def real_cotangent(array: Any) -> Array:
    """Return a cotangent of JAX as that of the real numbers of `real_array`: JAX has ∂J/∂Re z − i ∂J/∂Im z for it."""
    return real_array(np.conj(np.asarray(array)) if jnp.iscomplexobj(array) else array)


def from_real(array: Any, dtype: Any) -> Any:
    """Return an array of JAX in its own dtype from what `real_array` gives of it."""
    if jnp.issubdtype(dtype, jnp.complexfloating):
        array = jax.lax.complex(jnp.asarray(array[..., 0], "float64"), jnp.asarray(array[..., 1], "float64"))
    return jnp.asarray(array, dtype)
