"""JAX's linear algebra in the words of a trace: slopes are proved, and are those of jax.grad to rounding."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.trace import replay
from xcheck_jax.trace import trace_of

RNG = np.random.default_rng(0)
SQUARE = RNG.normal(size=(3, 3))
POSITIVE = SQUARE @ SQUARE.T + np.eye(3)
TALL = RNG.normal(size=(4, 3))
WEIGHTS = np.arange(1.0, 10.0).reshape(3, 3)


def prove(function: Callable[[Any], Any], array: Any, direction: Any) -> Slopes:
    """Trace a function of one array, replay it, and prove its slope."""
    trace = trace_of(jax.make_jaxpr(function)(array))
    assert float(replay(trace, [array])[0]) == pytest.approx(float(function(array)), rel=1e-10)
    return prove_slopes(trace, [array], [[direction]])


def both(factors: Any) -> Any:
    """A number that depends on every element of two factors."""
    return jnp.sum(factors[0] ** 3) + jnp.sum(factors[1] ** 3)


FUNCTIONS: list[tuple[str, Callable[[Any], Any], Any]] = [
    ("cholesky", lambda a: jnp.sum(jnp.linalg.cholesky(a) * WEIGHTS), POSITIVE),
    ("solve", lambda a: jnp.sum(jnp.linalg.solve(a, WEIGHTS) ** 2), SQUARE),
    ("slogdet", lambda a: jnp.linalg.slogdet(a)[1], SQUARE),
    ("qr", lambda a: both(jnp.linalg.qr(a)), TALL),
    ("eigh", lambda a: both(jnp.linalg.eigh(a)), POSITIVE),
    ("svd", lambda a: jnp.sum(jnp.linalg.svd(a, full_matrices=False)[2] * WEIGHTS), TALL),
    ("singular values", lambda a: jnp.sum(jnp.linalg.svd(a, compute_uv=False) ** 3), TALL),
    (
        "triangular solve",
        lambda a: jnp.sum(
            jax.lax.linalg.triangular_solve(a, WEIGHTS, lower=True, transpose_a=True, unit_diagonal=True) ** 2
        ),
        SQUARE,
    ),
]


@pytest.mark.parametrize(("function", "array"), [row[1:] for row in FUNCTIONS], ids=[row[0] for row in FUNCTIONS])
def test_slopes_are_those_of_the_gradient(function: Callable[[Any], Any], array: Any) -> None:
    """The rules share nothing with JAX's."""
    with jax.enable_x64(True):
        direction = np.random.default_rng(1).normal(size=array.shape)
        found = prove(function, array, direction)
        slope = float(np.sum(np.asarray(jax.grad(function)(array)) * direction))
    assert found.left is None
    assert float(found.slopes[0]) == pytest.approx(slope, rel=1e-9)


def test_pivots_that_are_equal() -> None:
    """Another order of rows is the same solution: both sides are proved, and agree."""
    with jax.enable_x64(True):
        tie = np.array([[1.0, 2.0], [-1.0, 5.0]])
        direction = np.array([[0.0, 1.0], [1.0, 0.0]])

        def loss(a: Any) -> Any:
            return jnp.sum(jnp.linalg.solve(a, jnp.ones(2)) ** 2)

        found = prove(loss, tie, direction)
        slope = float(np.sum(np.asarray(jax.grad(loss)(tie)) * direction))
    assert found.left is not None
    assert [float(one) for one in (*found.slopes, *found.left)] == pytest.approx([slope, slope], rel=1e-12)


def test_equal_eigenvalues() -> None:
    """Their vectors have no slopes."""
    with jax.enable_x64(True), pytest.raises(NotProvedError, match="may be equal"):
        prove(lambda a: both(jnp.linalg.eigh(a)), np.eye(3), WEIGHTS)


def test_a_batch_of_loops() -> None:
    """`expi` stops element by element."""
    with jax.enable_x64(True):
        x = np.array([0.3, 1.2, 2.5])
        found = prove(lambda a: jnp.sum(jax.scipy.special.expi(a)), x, np.ones(3))
    assert float(found.slopes[0]) == pytest.approx(float(np.sum(np.exp(x) / x)), rel=1e-9)


def test_rounding_away_from_zero_is_another_operation() -> None:
    """At a half it differs from rounding to the even neighbour; it has no rule."""
    with jax.enable_x64(True):
        found = prove(lambda a: a * jnp.round(a + 0.75), np.asarray(1.5), np.asarray(1.0))
        with pytest.raises(NotProvedError, match="`round`"):
            prove(lambda a: a * jax.lax.round(a), np.asarray(1.75), np.asarray(1.0))
    assert float(found.slopes[0]) == 2.0
