"""Traces carried out by NumPy: the framework's numbers, with every operation of a loop in sight."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.trace.made import powers
from xcheck.trace import replay
from xcheck.trace.in_numpy import carry_out, entering_loops
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of

X = np.array([0.3, -1.7, 2.5, 0.9])


@pytest.mark.parametrize(
    "loss",
    [
        lambda x: jnp.sum(jnp.tanh(x) * jax.nn.sigmoid(x) + jnp.log1p(x**2) - jnp.exp(-jnp.abs(x))),
        lambda x: jnp.sum(jnp.cumsum(x) @ jnp.outer(x, x)) + jnp.prod(x) + jnp.max(x) - jnp.min(x),
        lambda x: (
            jax.scipy.special.gammaln(x**2).sum() + jax.scipy.special.erf(x).sum() + jnp.arctan2(x, x[::-1]).sum()
        ),
        lambda x: jnp.where(x > 0, jnp.sqrt(jnp.abs(x)), x**3).sum() + jnp.clip(x, -1, 1).sum(),
        lambda x: jax.lax.scan(lambda c, y: (jnp.sin(c + y), c * y), 0.5, x, reverse=True)[1].sum(),
        lambda x: jax.lax.while_loop(lambda c: c[0] < 3, lambda c: (c[0] + 1, c[1] * jnp.sum(x)), (0, x[0]))[1],
        lambda x: jax.vmap(lambda y: jax.lax.while_loop(lambda c: c < 9, lambda c: 2 * c + 1, jnp.abs(y)))(x).sum(),
        lambda x: jax.lax.cond(x[0] > 0, jnp.sum, jnp.prod, x) + jnp.cumprod(x).sum() + jnp.sort(x)[1],
    ],
    ids=["elementwise", "reductions", "special", "choices", "scan", "while", "a while for each", "cond"],
)
def test_numpy_and_the_framework_agree(loss: object) -> None:
    """Whatever is not in the table is the framework's own operation."""
    with own_settings(jax.devices("cpu")[0]):
        trace = trace_of(jax.make_jaxpr(loss)(jnp.asarray(X)))
        (found,) = replay(trace, [X], entering_loops(carry_out))
        np.testing.assert_allclose(found, loss(jnp.asarray(X)), rtol=1e-13)  # type: ignore[operator]


def test_loops_are_entered() -> None:
    """One operation for each time that their body is run."""
    seen = []

    def watch(operation, given):  # type: ignore[no-untyped-def]
        seen.append(operation.name)
        return carry_out(operation, given)

    (found,) = replay(powers(3), [np.array(1.5)], entering_loops(watch))
    assert (float(found), seen) == (1.5**8, ["square"] * 3)
