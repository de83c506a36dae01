"""Linear operations: a change of the input makes the change of the output that the operation makes, transposed too."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.nodes.linear import linear_map, linear_places, transposed
from xcheck_jax.nodes.program import Step, flat_program
from xcheck_jax.settings import own_settings

X = np.cos(np.arange(12.0)).reshape(3, 4)
Y = np.sin(1 + np.arange(12.0)).reshape(3, 4)
CASES: dict[str, Any] = {
    "add": lambda x, y: x + y,
    "sub": lambda x, y: x - y,
    "mul": lambda x, y: x * y,
    "div": lambda x, y: x / y,
    "neg": lambda x, y: -x,
    "square": lambda x, y: x**2,
    "dot": lambda x, y: x @ y.T,
    "transpose": lambda x, y: x.T,
    "sum": lambda x, y: jnp.sum(x, axis=1),
    "concatenate": lambda x, y: jnp.concatenate([x, y]),
    "pad": lambda x, y: jnp.pad(x, 1),
    "gather": lambda x, y: x[np.array([2, 0, 2])],
    "select": lambda x, y: jnp.where(Y > 0, x, y),
    "cumsum": lambda x, y: jnp.cumsum(x, axis=0),
    "update": lambda x, y: jax.lax.dynamic_update_slice(x, y[:1, :2], (1, 1)),
    "conv": lambda x, y: jax.lax.conv_general_dilated(x[None, None], y[None, None, :2, :2], (1, 1), "SAME"),
}


def followed(name: str) -> list[tuple[Step, list[Any]]]:
    """Operations of a case with what they read, at X and Y."""
    program = flat_program(jax.make_jaxpr(CASES[name])(X, Y))
    known: dict[int, Any] = {**program.literals, **program.constants, **dict(zip(program.inputs, (X, Y), strict=True))}
    found = []
    for step in program.steps:
        given = [jnp.asarray(known[each]) for each in step.inputs]
        known.update(zip(step.outputs, step.run(*given), strict=True))
        found.append((step, given))
    return found


@pytest.mark.parametrize("name", list(CASES))
def test_a_map_is_what_a_short_move_does(name: str) -> None:
    """Also its transposed: ⟨v, A u⟩ = ⟨Aᵀ v, u⟩; and that of the sizes is at least as large."""
    places = 0
    with own_settings(jax.devices("cpu")[0]):
        for step, given in followed(name):
            for place in (each for each in sorted(linear_places(step)) if given[each].dtype == np.float64):
                places += 1
                change = jnp.asarray(np.sin(7 + np.arange(given[place].size)).reshape(given[place].shape))
                moved = [each + 1e-6 * change if at == place else each for at, each in enumerate(given)]
                (expected,) = ((a - b) / 1e-6 for a, b in zip(step.run(*moved), step.run(*given), strict=True))
                (found,) = linear_map(step, place, given)(change)
                np.testing.assert_allclose(found, expected, atol=1e-5)
                (back,) = (transposed(step, place, given, [jnp.ones_like(found)]),)
                assert float(jnp.sum(back * change)) == pytest.approx(float(jnp.sum(found)), abs=1e-9)
                sizes = [jnp.abs(each) if each.dtype == np.float64 else each for each in given]
                assert (transposed(step, place, sizes, [jnp.ones_like(found)], 1.0) >= jnp.abs(back) - 1e-12).all()
    assert places


def test_what_bends_is_linear_in_nothing() -> None:
    """Nor is a quotient in what it is divided by."""
    with own_settings(jax.devices("cpu")[0]):
        steps = flat_program(jax.make_jaxpr(lambda x: jnp.exp(x) / jnp.tanh(x) + x**3)(X)).steps
    found = {step.name: linear_places(step) for step in steps}
    assert not found["exp"] | found["tanh"] | found["integer_pow"]
    assert found["div"] == {0}
