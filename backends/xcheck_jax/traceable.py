"""What JAX traces around a person's loss: the contraction with a cotangent, and the data."""

from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from xcheck.functions.tree import leaves, rebuild


def contract(value: Any, cotangent: Any) -> Any:
    """Return Re Σ v̄ y; without a cotangent the value, which should be one number."""
    if cotangent is None:
        return jnp.reshape(value, ()) if jnp.size(value) == 1 else value
    return jnp.real(jnp.sum(jnp.conj(cotangent) * value))


def split_arrays(data: tuple[Any, ...]) -> tuple[dict[str, Any], Callable[[Mapping[str, Any]], tuple[Any, ...]]]:
    """Return the JAX arrays in the data, and a function that puts others in their places."""
    arrays = {name: value for name, value in leaves(data).items() if isinstance(value, jax.Array)}
    return arrays, lambda traced: rebuild(data, traced)
