"""How many components are looked at, told from a trace."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from xcheck.checks.accuracy.plan import Work, at_once, choose_components, work_of
from xcheck_jax.trace import trace_of


def traced(loss: Any, *shape: int) -> Work:
    """The work of a loss of one array."""
    return work_of(trace_of(jax.make_jaxpr(loss)(jnp.zeros(shape))))


def test_products_are_counted_apart() -> None:
    """A matrix product has few results and many multiplications."""
    work = traced(lambda x: jnp.sum(x @ x), 10, 10)
    assert work.products == 1000
    assert 200 <= work.elements < 1000


def test_rounds_of_loops_count() -> None:
    """A scan says how many; of a condition nobody knows."""

    def loss(count: int) -> Any:
        return lambda x: jax.lax.scan(lambda carry, _: (jnp.sin(carry), None), x, None, length=count)[0].sum()

    assert traced(loss(100), 5).elements > 8 * traced(loss(10), 5).elements
    unknown = traced(lambda x: jax.lax.while_loop(lambda y: y.sum() < 1, lambda y: y + 1, x).sum(), 5)
    assert unknown.elements > 500
    branches = traced(lambda x: jax.lax.cond(x.sum() < 1, lambda y: y, lambda y: jnp.sin(jnp.cos(y)), x).sum(), 50)
    assert branches.elements > 100


def test_memory_bounds_the_directions_at_once() -> None:
    """One at least."""
    assert at_once(Work(10)) == 64
    assert 1 < at_once(Work(10**5)) < 64
    assert at_once(Work(10**9)) == 1


def test_a_draw_is_repeated_by_its_seed() -> None:
    """Ascending, without repetitions."""
    first, again, other = (choose_components(1000, 50, Work(10), 10.0, seed) for seed in (0, 0, 1))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert (np.diff(first) > 0).all()
