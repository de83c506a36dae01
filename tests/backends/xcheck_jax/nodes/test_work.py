"""Work: what is left of a program behind a value."""

import jax
import jax.numpy as jnp
import numpy as np

from xcheck_jax.nodes.program import flat_program
from xcheck_jax.nodes.work import Work


def test_late_values_are_cheaper() -> None:
    """A product of matrices in between counts as much as it multiplies."""
    X = np.ones((4, 8), "f4")
    program = flat_program(jax.make_jaxpr(lambda w: jnp.sum(jnp.tanh(jnp.tanh(X @ w) @ w)))(np.ones((8, 8), "f4")))
    work = Work(program)
    products = [step.outputs[0] for step in program.steps if step.name == "dot_general"]
    early, late = (work.price(number) for number in products)
    assert 32 > early > 2 * late > 0
    assert work.price(program.inputs[0]) == 64
