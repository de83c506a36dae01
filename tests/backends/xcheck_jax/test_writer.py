"""Traces become programs of numbered values: calls are entered, and everything else is each program's own."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from tests.backends.xcheck_jax.losses_to_follow import cube
from xcheck.trace import Place
from xcheck_jax.writer import CALLS, Writer


@dataclass(slots=True)
class Names(Writer):
    """Keeps the names of the operations."""

    names: list[str] = field(default_factory=list)

    def append(self, equation: Any, inputs: Sequence[int], place: Place | None) -> Sequence[int]:
        """Note the name."""
        self.names.append(equation.primitive.name)
        return [self.new(variable.aval) for variable in equation.outvars]


class Entering(Names):
    """The same, which enters functions with a rule of their own as well."""

    entered = CALLS | {"custom_vjp_call", "custom_jvp_call", "custom_vjp_call_jaxpr"}


HELD = np.arange(3.0)


def loss(x: Any) -> Any:
    """A call, a rule of its own, a number and an array that are held."""
    return jnp.sum(cube(jax.jit(jnp.sin)(x)) * 2.0 + HELD)


def test_calls_are_entered_and_values_have_numbers() -> None:
    """A function with a rule is entered where the program says so."""
    closed = jax.make_jaxpr(loss)(jnp.ones(3))
    plain, entering = Names(), Entering()
    inputs, outputs = plain.write(closed)
    assert (inputs, len(outputs)) == ([0], 1)
    assert "sin" in plain.names
    assert not CALLS.intersection(plain.names)
    assert set(outputs) <= set(plain.avals)
    entering.write(closed)
    assert any(name.startswith("custom_") for name in plain.names)
    assert not any(name.startswith("custom_") for name in entering.names)


def test_numbers_of_a_program_keep_their_dtype() -> None:
    """As numbers of Python they would not."""
    writer = Names()
    writer.write(jax.make_jaxpr(lambda x: x * 2.0)(jnp.ones(2, jnp.float16)))
    assert [number.dtype for number in writer.literals.values()] == [np.float16]
