"""Flat programs: everything is entered, and the loss is the same."""

from typing import Any

import jax
import jax.numpy as jnp
import pytest

from tests.backends.xcheck_jax.losses_to_follow import LOSSES, WEIGHTS, rms_norm
from xcheck.trace import UntraceableError
from xcheck_jax.nodes.program import FlatProgram, flat_program
from xcheck_jax.settings import own_settings


def program_of(loss: Any) -> FlatProgram:
    """The operations of a loss of a matrix."""
    with own_settings(jax.devices("cpu")[0]):
        return flat_program(jax.make_jaxpr(loss)(jnp.asarray(WEIGHTS)))


@pytest.mark.parametrize("name", list(LOSSES))
def test_operation_by_operation_it_is_the_same_loss(name: str) -> None:
    """Each reads what stands before it, unrolled or not."""
    program = program_of(LOSSES[name])
    with own_settings(jax.devices("cpu")[0]):
        values = {**program.literals, **program.constants, program.inputs[0]: jnp.asarray(WEIGHTS)}
        for each in program.steps:
            values.update(zip(each.outputs, each.run(*[values[number] for number in each.inputs]), strict=True))
        expected = LOSSES[name](jnp.asarray(WEIGHTS))
        assert float(values[program.output]) == pytest.approx(float(expected), rel=1e-12)


def test_calls_rules_and_loops_are_entered() -> None:
    """What is left are primitive operations, and rows of what a loop reads."""
    names = [each.name for each in program_of(lambda w: jnp.sum(jax.jit(rms_norm)(w))).steps]
    assert "custom_vjp_call" not in names
    assert "div" in names
    names = [each.name for each in program_of(LOSSES["lstm"]).steps]
    assert "scan" not in names
    assert "row" in names


@pytest.mark.parametrize("reverse", [False, True])
def test_a_loop_is_unrolled_in_its_order(reverse: bool) -> None:
    """The last rows come first where it runs backwards, and stacked results are in the order of the rows."""

    def loss(w: Any) -> Any:
        last, made = jax.lax.scan(lambda c, x: (c * 0.5 + x, c + x), w[0], w, reverse=reverse)
        return jnp.sum(last) + jnp.sum(made * jnp.arange(4.0)[:, None])

    program = program_of(loss)
    with own_settings(jax.devices("cpu")[0]):
        values = {**program.literals, **program.constants, program.inputs[0]: jnp.asarray(WEIGHTS)}
        for each in program.steps:
            values.update(zip(each.outputs, each.run(*[values[number] for number in each.inputs]), strict=True))
        assert float(values[program.output]) == pytest.approx(float(loss(jnp.asarray(WEIGHTS))), rel=1e-12)


def test_what_cannot_be_followed_says_why() -> None:
    """Numbers that leave JAX, and loops that are too long."""

    def outside(w: Any) -> Any:
        return jax.pure_callback(lambda x: x, jax.ShapeDtypeStruct((), "float64"), jnp.sum(w))

    with pytest.raises(UntraceableError, match="numbers leave JAX at `pure_callback`"):
        program_of(outside)
    with pytest.raises(UntraceableError, match="more than 10,000 operations"):
        program_of(lambda w: jax.lax.fori_loop(0, 20_000, lambda _, x: x * 0.5, jnp.sum(w)))
