"""Indexing in NumPy: the same numbers as XLA's, also of what is not there."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.backends.xcheck_jax.test_in_numpy import both

random = np.random.default_rng(0)
X, XS = random.normal(size=(5, 4, 3)), random.normal(size=(6, 5, 4, 3))
# Some of it is outside of X.
ROWS = np.array([[0, 4], [9, -2]])
COLUMNS = random.integers(0, 3, (5, 4))


def taken(mode: str) -> Callable[[Any], Any]:
    """What JAX takes where some indices are outside."""
    return lambda x: jnp.take(x, jnp.asarray(ROWS), axis=1, mode=mode)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "rows": lambda x: x[jnp.asarray(ROWS)],
    "one of each row": lambda x: jnp.take_along_axis(x, jnp.asarray(COLUMNS)[..., None], -1),
    "some axes": lambda x: x[jnp.array([0, 1]), :, jnp.array([2, 2])],
    "clipped": taken("clip"),
    "filled": taken("fill"),
    "wrapped": taken("wrap"),
    "filled with 7": lambda x: x.at[jnp.asarray(ROWS)].get(mode="fill", fill_value=7.0),
    "added": lambda x: x.at[jnp.asarray(ROWS)].add(2 * x[0]),
    "elements added": lambda x: x.at[jnp.array([0, 0, 9]), jnp.array([1, 1, 0])].add(x[:3, 0]),
    "dropped": lambda x: x.at[jnp.array([0, 0, 9])].add(x[:3], mode="drop"),
    "added at the end": lambda x: x.at[jnp.array([0, 0, 9])].add(x[:3], mode="clip"),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("kind", ["alone", "batched", "gradient", "gradients"])
def test_indexing_gives_the_numbers_of_xla(name: str, kind: str) -> None:
    """By itself, for many at once, and differentiated."""

    def slope(x: Any) -> Any:
        return jnp.nansum(jnp.sin(FUNCTIONS[name](x)))

    def indexed(x: Any) -> Any:
        return FUNCTIONS[name](jnp.asarray(x))

    function, x = {
        "alone": (indexed, X),
        "batched": (jax.vmap(indexed), XS),
        "gradient": (jax.grad(slope), X),
        "gradients": (jax.vmap(jax.grad(slope)), XS),
    }[kind]
    (found,), (expected,) = both(function, x)
    np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("dtype", ["int32", "bool"])
def test_what_is_filled_in_has_its_dtype(dtype: str) -> None:
    """The smallest integer, or true, where there is no nan."""
    (found,), (expected,) = both(lambda x: taken("fill")(x.astype(dtype)), X)
    np.testing.assert_array_equal(found, expected)
