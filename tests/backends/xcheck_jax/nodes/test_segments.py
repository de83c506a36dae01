"""Segments: they give the loss of the whole program with a value moved, and equal ones are one program."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck_jax.nodes.program import flat_program
from xcheck_jax.nodes.segments import Segments
from xcheck_jax.settings import own_settings

X = np.cos(np.arange(12.0)).reshape(3, 4)
WEIGHTS = [np.sin(np.arange(16.0) + layer).reshape(4, 4) for layer in range(4)]


def deep(*weights: Any) -> Any:
    """Layers of one shape, with a residual that is carried past them."""
    x = jnp.asarray(X)
    for W in weights:
        x = x + jnp.tanh(x @ W)
    return jnp.sum(x**2)


def test_a_moved_value_moves_the_loss() -> None:
    """As the whole program does, computed anew."""
    with own_settings(jax.devices("cpu")[0]):
        program = flat_program(jax.make_jaxpr(deep)(*WEIGHTS))
        cut = [step.outputs[0] for step in program.steps if step.name == "dot_general"]
        segments = Segments(program, cut)
        known: dict[int, Any] = {
            **program.literals,
            **program.constants,
            **dict(zip(program.inputs, WEIGHTS, strict=True)),
        }

        def run(number: int | None, move: Any) -> Any:
            values = dict(known)
            for step in program.steps:
                values.update(zip(step.outputs, step.run(*[values[each] for each in step.inputs]), strict=True))
                if number in step.outputs:
                    values[number] = values[number] + move
            return values

        at = {number: jnp.asarray(value) for number, value in run(None, 0.0).items() if number in segments.needed}
        moves = np.zeros((2, 3, 4))
        moves[0, 1, 2], moves[1, 0, 3] = 0.25, -0.5
        for number in cut:
            found = np.asarray(segments.losses(at, number, jnp.asarray(moves)))
            expected = [float(run(number, move)[program.output]) for move in moves]
            np.testing.assert_allclose(found, expected, rtol=1e-13)


def test_equal_segments_are_one_program() -> None:
    """Each layer in the middle has its own weights, and the operations of the others."""
    with own_settings(jax.devices("cpu")[0]):
        program = flat_program(jax.make_jaxpr(deep)(*WEIGHTS))
        cut = [step.outputs[0] for step in program.steps if step.name == "dot_general"]
        segments = Segments(program, cut)
    # Before the first value nothing moves; after it come three segments alike, the first of which has a still residual.
    assert len(segments.pieces) == 5
    assert len({segment.run for segment in segments.pieces}) == 4
