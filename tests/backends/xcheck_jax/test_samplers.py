"""Samplers that JAX differentiates implicitly: named as the cause, if they are all of it."""

from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import xcheck
from tests.checks.functions.layer import codes
from xcheck_jax.samplers import gradient_along_paths

ALPHA = np.array([1.5, 2.5])
KEY = jax.random.key(0)


def test_implicit_reparametrisation_is_named() -> None:
    """Also inside of a function under jit, as `jax.random.dirichlet` is."""
    report = xcheck.check(lambda a: (jax.random.dirichlet(KEY, a) ** 2).sum(), ALPHA, backend="jax")
    assert (report.verdict, codes(report)) == ("DISAGREE", {"XC281"})


def test_a_mistake_beside_a_sample_is_not_put_down_to_it() -> None:
    """A test of the tester: a term of the loss has no gradient."""

    def loss(a: jax.Array) -> jax.Array:
        return jax.random.gamma(KEY, a).sum() + jax.lax.stop_gradient(1e-3 * (a**2).sum())

    report = xcheck.check(loss, ALPHA, backend="jax")
    assert report.verdict == "DISAGREE"
    assert "XC281" not in codes(report)


def test_without_a_sampler_there_is_no_other_gradient() -> None:
    """None, and nothing is differentiated."""
    assert gradient_along_paths(lambda p: jax.random.normal(KEY) * p["a"].sum(), {"a": jnp.ones(2)}) is None


def test_everything_else_is_differentiated_as_it_is() -> None:
    """Loops, branches and functions of a person's own; samples that do not depend on the parameters have no slope."""

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # JAX has no types here
    def twice(x: jax.Array) -> jax.Array:
        return 2 * x

    twice.defvjp(lambda x: (2 * x, None), lambda _, g: (3 * g,))

    def loss(p: Mapping[str, Any]) -> jax.Array:
        total, _ = jax.lax.scan(lambda c, x: (c * jnp.sin(x) + x, x), 0.5, p["a"])
        return twice(total) + jax.lax.cond(total > 0, jnp.exp, jnp.cos, total) + jax.random.gamma(KEY, 2.0) * total

    params = {"a": jnp.array([0.3, 0.7])}
    found = gradient_along_paths(loss, params)
    assert found is not None
    np.testing.assert_allclose(found["a"], jax.grad(loss)(params)["a"], rtol=1e-6)
