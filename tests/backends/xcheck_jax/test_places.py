"""Places of operations, and whose functions they are in."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp

from xcheck_jax.places import is_of_jax, place_of


def test_operations_know_the_persons_line() -> None:
    """File, line and function."""

    def loss(x: Any) -> Any:
        return jnp.sin(x)

    place = place_of(jax.make_jaxpr(loss)(1.0).jaxpr.eqns[0])
    assert place is not None
    assert place.file.endswith("test_places.py")
    assert place.line == inspect.getsourcelines(loss)[1] + 1
    assert place.function.endswith("loss")


def test_functions_of_jax_are_told_by_their_files() -> None:
    """A person's function is in none of JAX's; one that is wrapped by `custom_gradient` is a person's."""
    assert is_of_jax(jax.make_jaxpr(jax.nn.softplus)(1.0).jaxpr.debug_info)
    assert not is_of_jax(jax.make_jaxpr(lambda x: x)(1.0).jaxpr.debug_info)
    assert not is_of_jax(None)
