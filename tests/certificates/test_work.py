"""The work of a proof, told from a trace."""

from typing import Any

import jax
import jax.numpy as jnp

from xcheck.certificates.work import Work, work_of
from xcheck_jax.trace import trace_of


def traced(loss: Any, *shape: int) -> Work:
    """The work of a loss of one array."""
    return work_of(trace_of(jax.make_jaxpr(loss)(jnp.zeros(shape))))


def test_products_are_counted_apart() -> None:
    """A matrix product has few results and many multiplications."""
    work = traced(lambda x: jnp.sum(x @ x), 10, 10)
    assert work.products == 1000
    assert 200 <= work.elements < 1000


def test_transforms_take_longer_than_their_numbers() -> None:
    """Of both parts."""
    real, transformed = traced(jnp.sum, 400), traced(lambda x: jnp.fft.rfft(x).real.sum(), 400)
    assert transformed.elements > 10 * real.elements


def test_rounds_of_loops_count() -> None:
    """A scan says how many; of a condition nobody knows."""

    def loss(count: int) -> Any:
        return lambda x: jax.lax.scan(lambda carry, _: (jnp.sin(carry), None), x, None, length=count)[0].sum()

    assert traced(loss(100), 5).elements > 8 * traced(loss(10), 5).elements
    unknown = traced(lambda x: jax.lax.while_loop(lambda y: y.sum() < 1, lambda y: y + 1, x).sum(), 5)
    assert unknown.elements > 500
    branches = traced(lambda x: jax.lax.cond(x.sum() < 1, lambda y: y, lambda y: jnp.sin(jnp.cos(y)), x).sum(), 50)
    assert branches.elements > 100


def test_time_grows_with_the_work() -> None:
    """Of nothing it is not 0: budgets are divided by it."""
    assert 0 < Work().seconds <= Work(1).seconds < Work(100).seconds < Work(100, 10**6).seconds
