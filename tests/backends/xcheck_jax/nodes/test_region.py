"""The linear region: it ends where few values have to be moved, and slopes are pulled back to the gradient."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.nodes.program import flat_program
from xcheck_jax.nodes.region import LinearRegion
from xcheck_jax.nodes.work import Work
from xcheck_jax.settings import own_settings

X = np.cos(np.arange(12.0)).reshape(3, 4)
SHAPES = {"W": (4, 20), "b": (20,), "V": (20, 5)}
PARAMETERS = {name: np.sin(np.arange(np.prod(shape)) + 0.1).reshape(shape) for name, shape in SHAPES.items()}


def two_layers(W: Any, b: Any, V: Any) -> Any:
    """A bias that is free beside its weights, and a penalty that is one number."""
    return jnp.sum(jnp.tanh(jnp.tanh(X @ W + b) @ V) ** 2) + 0.1 * (jnp.sum(W**2) + jnp.sum(V * V))


def region_of(loss: Any, *parameters: Any) -> LinearRegion:
    """The cheapest region of a loss."""
    with own_settings(jax.devices("cpu")[0]):
        program = flat_program(jax.make_jaxpr(loss)(*map(jnp.asarray, parameters)))
        return LinearRegion.cheapest(program, Work(program).price)


def test_it_ends_before_what_bends() -> None:
    """Pre-activations, and the sums of the penalty; the bias shares those of its weights."""
    region = region_of(two_layers, *PARAMETERS.values())
    shapes = [region.program.shape(number) for number in region.cut]
    assert region.parameters == region.program.inputs
    assert shapes.count((3, 20)) == shapes.count((3, 5)) == 1
    assert all(np.prod(shape) == 1 for shape in shapes if shape not in ((3, 20), (3, 5)))


def test_a_parameter_that_bends_at_once_is_left_out() -> None:
    """Its components are as few as any values that it acts on."""
    region = region_of(lambda s, W: jnp.sum(jnp.tanh(X @ W * jnp.exp(s))), np.ones(20), PARAMETERS["W"])
    assert region.parameters == (region.program.inputs[1],)


def test_slopes_are_pulled_back_to_the_gradient() -> None:
    """Those along the cut are those of JAX here."""
    region = region_of(two_layers, *PARAMETERS.values())
    program = region.program
    with own_settings(jax.devices("cpu")[0]):
        known: dict[int, Any] = {**program.literals, **program.constants}
        known.update(zip(program.inputs, map(jnp.asarray, PARAMETERS.values()), strict=True))

        def loss(taps: list[Any]) -> Any:
            values = dict(known)
            for step in program.steps:
                values.update(zip(step.outputs, step.run(*[values[each] for each in step.inputs]), strict=True))
                moved = {number: tap for number, tap in zip(region.cut, taps, strict=True) if number in step.outputs}
                values.update({number: values[number] + tap for number, tap in moved.items()})
            known.update(
                {number: values[number] for number in values if not isinstance(values[number], jax.core.Tracer)}
            )
            return values[program.output]

        taps = [jnp.zeros(program.shape(number)) for number in region.cut]
        loss(taps)
        pulled = region.pull(known, jax.grad(loss)(taps))
        expected = jax.grad(two_layers, (0, 1, 2))(*map(jnp.asarray, PARAMETERS.values()))
    for found, right in zip(pulled, expected, strict=True):
        np.testing.assert_allclose(found, right, atol=1e-12)


@pytest.mark.parametrize("count", [2, 3])
def test_every_use_counts(count: int) -> None:
    """Weights that are used again and again have a cut for each use."""

    def loss(W: Any) -> Any:
        x = jnp.asarray(X)
        for _ in range(count):
            x = jnp.tanh(x @ W)
        return jnp.sum(x)

    region = region_of(loss, np.sin(np.arange(16.0)).reshape(4, 4))
    # Twelve values for each use: three uses are dearer than the sixteen components.
    assert len(region.cut) in (0, count)
