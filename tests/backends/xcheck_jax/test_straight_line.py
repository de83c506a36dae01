"""Straight-line programs: calls are entered, rules of a person's own are named, JAX's operations run as they are."""

import inspect
from typing import Any

import jax
import jax.numpy as jnp
import pytest

from tests.backends.xcheck_jax.losses_to_follow import LOSSES, WEIGHTS, cube, rms_norm
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import Instruction, straight_line


def instructions(loss: Any) -> list[Instruction]:
    """The operations of a loss of a matrix."""
    with own_settings(jax.devices("cpu")[0]):
        return list(straight_line(jax.make_jaxpr(loss)(jnp.asarray(WEIGHTS))).instructions)


@pytest.mark.parametrize("name", list(LOSSES))
def test_operation_by_operation_it_is_the_same_loss(name: str) -> None:
    """Each reads what stands before it."""
    with own_settings(jax.devices("cpu")[0]):
        line = straight_line(jax.make_jaxpr(LOSSES[name])(jnp.asarray(WEIGHTS)))
        values = {**line.literals, **line.constants, line.inputs[0]: jnp.asarray(WEIGHTS)}
        for each in line.instructions:
            values.update(zip(each.outputs, each.run(*[values[number] for number in each.inputs]), strict=True))
        expected = LOSSES[name](jnp.asarray(WEIGHTS))
        assert float(values[line.outputs[0]]) == pytest.approx(float(expected), rel=1e-12)


def test_calls_are_entered_and_loops_are_not() -> None:
    """A jit, and what is rematerialized, has no operation of its own."""
    names = [each.name for each in instructions(lambda w: jnp.sum(jax.jit(jax.checkpoint(jnp.sin))(w)))]
    assert names == ["sin", "reduce_sum"]
    assert "scan" in [each.name for each in instructions(LOSSES["lstm"])]


def test_rules_of_a_persons_own_are_named() -> None:
    """By the function's name; those of JAX count as JAX's."""
    found = {each.name: each for each in instructions(lambda w: jnp.sum(rms_norm(cube(jax.nn.relu(w)))))}
    norm, power = found["root_mean_square_norm"], found["third_power"]
    assert (norm.rule, power.rule, found["relu"].rule) == ("custom_vjp", "custom_jvp", "")
    assert norm.recomputes
    assert (norm.names, power.names) == (("x",), ("x",))


def test_a_custom_gradient_is_a_persons_own() -> None:
    """`jax.custom_gradient` makes its function in a file of JAX."""
    square: Any = jax.custom_gradient(lambda x: (x**2, lambda g: 2 * g * x))
    assert "custom_vjp" in [each.rule for each in instructions(lambda w: jnp.sum(square(w)))]


def test_a_linear_equation_that_a_person_solves_has_a_rule() -> None:
    """Its transpose may be wrong; that of `jnp.linalg.solve` is JAX's."""
    found = [each.rule for each in instructions(LOSSES["implicit"]) if each.name == "custom_linear_solve"]
    assert found == ["custom_linear_solve"]
    found = [each.rule for each in instructions(LOSSES["linear algebra"]) if each.name == "custom_linear_solve"]
    assert found == [""]


def test_functions_of_jax_read_a_value_once() -> None:
    """`custom_root` hands one array to the function and to its solver."""
    root = next(each for each in instructions(LOSSES["implicit"]) if "root" in each.name)
    assert len(set(root.inputs)) == len(root.inputs)


def test_operations_of_jaxs_functions_have_the_callers_line() -> None:
    """JAX keeps the trace of a function of its own, with the line that called it first."""

    def first(w: Any) -> Any:
        return jnp.sum(jnp.where(w > 0, w, 0.0))

    def second(w: Any) -> Any:
        return jnp.sum(jnp.where(w > 0, w, 0.0))

    for loss in (first, second):
        place = next(each.place for each in instructions(loss) if each.name == "select_n")
        assert place is not None
        assert (place.line, place.function.endswith(loss.__name__)) == (inspect.getsourcelines(loss)[1] + 1, True)
