"""Places of operations, and whose functions they are in."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck_jax.operations import is_of_jax, name_of, place_of, runner
from xcheck_jax.settings import own_settings
from xcheck_jax.traceable import contract


def test_operations_know_the_persons_line() -> None:
    """File, line and function."""

    def loss(x: Any) -> Any:
        return jnp.sin(x)

    place = place_of(jax.make_jaxpr(loss)(1.0).jaxpr.eqns[0])
    assert place is not None
    assert place.file.endswith("test_operations.py")
    assert place.line == inspect.getsourcelines(loss)[1] + 1
    assert place.function.endswith("loss")


def test_what_xcheck_writes_has_no_place() -> None:
    """The sum over the outputs of a loss that is an array is in nobody's program."""
    traced = jax.make_jaxpr(lambda y: contract(y, np.ones(3)))(jnp.ones(3))
    assert {place_of(equation) for equation in traced.jaxpr.eqns} == {None}


def test_functions_of_jax_are_told_by_their_files() -> None:
    """A person's function is in none of JAX's; one that is wrapped by `custom_gradient` is a person's."""
    assert is_of_jax(jax.make_jaxpr(jax.nn.softplus)(1.0).jaxpr.debug_info)
    assert not is_of_jax(jax.make_jaxpr(lambda x: x)(1.0).jaxpr.debug_info)
    assert not is_of_jax(None)


def test_functions_have_names() -> None:
    """What `custom_gradient` makes is called so; a lambda is called what it is for."""

    def named(x: Any) -> Any:
        return x

    made: Any = jax.custom_gradient(lambda x: (x, lambda g: g))
    inner = jax.make_jaxpr(made)(1.0).jaxpr.eqns[0].params["call_jaxpr"].jaxpr.debug_info
    assert name_of(jax.make_jaxpr(named)(1.0).jaxpr.debug_info, "rule") == "named"
    assert name_of(jax.make_jaxpr(lambda x: x)(1.0).jaxpr.debug_info, "rule") == "rule"
    assert name_of(inner, "rule") == "custom_gradient"


def test_an_operation_is_run_with_its_rule() -> None:
    """What JAX binds is what the loss has bound."""
    with own_settings(jax.devices("cpu")[0]):
        wrong: Any = jax.custom_vjp(lambda x: x**2)
        wrong.defvjp(lambda x: (x**2, None), lambda _, g: (17 * g,))
        run = runner(jax.make_jaxpr(wrong)(2.0).jaxpr.eqns[0])
        assert float(jax.grad(lambda x: run(x)[0])(3.0)) == 17.0
        assert np.asarray(run(jnp.asarray(3.0))[0]) == 9.0
