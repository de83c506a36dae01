"""Rounding of a gradient's program: its spread is what float64, or a narrower dtype, really does."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck.certificates.rounding import coarsest_cast, rounding_samples, spread_of
from xcheck.dtypes import BFLOAT16, FLOAT32
from xcheck_jax.settings import own_settings
from xcheck_jax.trace import trace_of

X = np.linspace(0.3, 2.0, 40)
DIRECTIONS = np.random.default_rng(0).choice([-1.0, 1.0], (4, 40))


def spread(loss: Any) -> Any:
    """What one unit roundoff does to the gradient along each direction."""
    with own_settings(jax.devices("cpu")[0]):
        samples = rounding_samples(trace_of(jax.make_jaxpr(jax.grad(loss))(jnp.asarray(X))), [X])
        return spread_of(samples, DIRECTIONS)


LOSSES = {
    "smooth": lambda x: jnp.sum(jnp.tanh(x) ** 2 + jnp.exp(-x)),
    "matrix": lambda x: jnp.sum(jnp.sin(x.reshape(8, 5) @ x.reshape(5, 8))),
    "cancels": lambda x: jnp.sum((1 - jnp.cos(1e-3 * x)) / (1e-3 * x) ** 2),
    "complex": lambda x: jnp.sum(jnp.abs(jnp.exp(1j * x) / (x + 2j) + jnp.log(x - 1j * x[::-1])) ** 2),
    "transform": lambda x: jnp.sum(jnp.abs(jnp.fft.rfft(jnp.sin(9 * x))) ** 2 * jnp.arange(21.0)),
    "inverse transform": lambda x: jnp.sum(jnp.fft.irfft(jnp.exp(1j * x), n=77) ** 3),
    "loop": lambda x: jax.lax.scan(lambda c, y: (jnp.sin(c) + y**2, None), 0.0, x)[0],
}


@pytest.mark.parametrize("name", list(LOSSES))
def test_the_spread_is_that_of_float32(name: str) -> None:
    """What float32 does to the gradient is some spreads, not far more and not far less."""
    loss = LOSSES[name]
    found = spread(loss)
    with own_settings(jax.devices("cpu")[0]):
        wide = np.asarray(jax.grad(loss)(jnp.asarray(X)))
        # Of the same numbers: those of float32.
        rounded = jnp.asarray(X, jnp.float32)
        narrow = np.asarray(jax.grad(loss)(rounded), np.float64)
        wide = np.asarray(jax.grad(loss)(rounded.astype(jnp.float64)))
    errors = np.abs(DIRECTIONS @ (narrow - wide)) / FLOAT32
    assert (errors <= 8 * found).all()
    assert errors.max() >= found.max() / 64


def test_a_formula_that_cancels_is_unstable() -> None:
    """By as many digits as it loses."""
    assert spread(LOSSES["cancels"]).min() > 1e4 * spread(LOSSES["smooth"]).max()


def test_what_is_exact_has_no_spread() -> None:
    """Moving numbers and negating them rounds nothing."""
    assert (spread(lambda x: jnp.sum(-x[::-1])) == 0).all()


def test_the_coarsest_cast_is_found_in_loops_too() -> None:
    """bfloat16 inside the body of a scan; none in a program of float64."""

    def narrow(x: Any) -> Any:
        def step(total: Any, y: Any) -> Any:
            return total + y.astype(jnp.bfloat16).astype(jnp.float64), None

        return jax.lax.scan(step, 0.0, jnp.sin(x.astype(jnp.float32).astype(jnp.float64)))[0]

    with own_settings(jax.devices("cpu")[0]):
        narrow_trace, wide_trace = (trace_of(jax.make_jaxpr(one)(jnp.asarray(X))) for one in (narrow, jnp.sin))
    assert coarsest_cast(narrow_trace) == BFLOAT16
    assert coarsest_cast(wide_trace) == 0
