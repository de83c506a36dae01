"""Operations differentiated one by one: together they are jax.grad."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.backends.xcheck_jax.losses_to_follow import LOSSES, WEIGHTS
from xcheck_jax.differentiated import Differentiated, differentiate, replaced
from xcheck_jax.settings import own_settings
from xcheck_jax.straight_line import StraightLine, straight_line


def follow(loss: Any, w: Any = WEIGHTS) -> tuple[StraightLine, Differentiated]:
    """A loss, differentiated operation by operation, without compiling."""
    line = straight_line(jax.make_jaxpr(loss)(jnp.asarray(w)))
    arguments = {**line.constants, line.inputs[0]: jnp.asarray(w)}
    seeds = {line.outputs[0]: jnp.ones((), "float64")}
    return line, differentiate(line, {line.inputs[0]: True}, arguments, seeds)


@pytest.mark.parametrize("name", list(LOSSES))
def test_what_arrives_at_the_parameters_is_the_gradient(name: str) -> None:
    """The cotangents of all uses of θ add up to jax.grad."""
    with own_settings(jax.devices("cpu")[0]):
        line, found = follow(LOSSES[name])
        gradient = jax.grad(LOSSES[name])(jnp.asarray(WEIGHTS))
        assert np.asarray(found.arrived[line.inputs[0]]) == pytest.approx(np.asarray(gradient), rel=1e-10, abs=1e-13)


def test_a_rule_may_compute_another_value() -> None:
    """Both are there, and what follows reads that of the rule."""
    twice: Any = jax.custom_vjp(lambda x: 2 * x)
    twice.defvjp(lambda x: (5 * x, None), lambda _, g: (2 * g,))
    with own_settings(jax.devices("cpu")[0]):
        line, found = follow(lambda w: jnp.sum(twice(w) ** 2))
        (number,) = found.plain
        output = line.instructions[number].outputs[0]
        assert np.asarray(found.plain[number][0]) == pytest.approx(2 * WEIGHTS)
        assert np.asarray(found.values[output]) == pytest.approx(5 * WEIGHTS)
        assert np.asarray(found.arrived[output]) == pytest.approx(10 * WEIGHTS)


def test_what_a_stopped_gradient_loses_is_seen() -> None:
    """A cotangent arrives at `stop_gradient`, and zeros leave it."""
    with own_settings(jax.devices("cpu")[0]):
        line, found = follow(lambda w: jnp.sum(jnp.sin(jax.lax.stop_gradient(w)) * w))
        number = next(i for i, each in enumerate(line.instructions) if each.name == "stop_gradient")
        arrived = found.arrived[line.instructions[number].outputs[0]]
        assert np.asarray(arrived) == pytest.approx(np.cos(WEIGHTS) * WEIGHTS)
        assert not np.any(found.handed[number][0])


def test_arrays_are_replaced_at_places() -> None:
    """The others stay."""
    assert replaced([1, 2, 3], [0, 2], [5, 6]) == [5, 2, 6]
