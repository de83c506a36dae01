"""Small functions of JAX in NumPy: the same numbers as XLA's, or a refusal."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from tests.breadth.catalogue import CATALOGUE
from tests.breadth.entry import Entry
from xcheck_jax.in_numpy import UnsupportedError, evaluate, work_of

X = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4))


def both(function: Callable[..., Any], *arguments: Any) -> tuple[Any, Any]:
    """The outputs of NumPy, and those of JAX."""
    with jax.enable_x64(True):
        trace = jax.make_jaxpr(function)(*arguments)
        found = evaluate(trace, [np.asarray(leaf) for leaf in jax.tree.leaves(arguments)])
        return found, [np.asarray(leaf) for leaf in jax.tree.leaves(function(*arguments))]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: (jnp.sin(x), jnp.cos(x), jnp.tan(x), jnp.arcsin(x), jnp.arccos(x), jnp.arctan(x)),
        lambda x: (jnp.sinh(x), jnp.cosh(x), jnp.tanh(x), jnp.arcsinh(x), jnp.arctan2(x, x[::-1])),
        lambda x: (jnp.exp(x), jnp.exp2(x), jnp.expm1(x), jnp.log(x), jnp.log1p(x), jnp.sqrt(x), jnp.cbrt(x)),
        lambda x: (x**3, x**-2, x**0.3, jax.lax.rsqrt(x), jnp.square(x), 1 / x, -x, abs(x), jnp.sign(x - 0.5)),
        lambda x: (jax.nn.sigmoid(x), jax.nn.gelu(x), jax.nn.relu(x - 0.5), jax.nn.softplus(x), jax.nn.silu(x)),
        lambda x: (jax.scipy.special.erf(x), jax.scipy.special.erfc(x), jax.nn.logsumexp(x, 1), jax.nn.softmax(x, 0)),
        lambda x: (x.sum(), x.sum(0), x.mean(1, keepdims=True), x.prod(1), x.max(0), x.min(), x.std(), (x > 0.5).any()),
        lambda x: (x @ x.T, jnp.einsum("ij,kj->ki", x, x), jnp.einsum("bi,bj->bij", x, x), jnp.tensordot(x, x, 2)),
        lambda x: (x.T, x.reshape(4, 3), x[1:, ::2], x[::-1], x[0], jnp.concatenate([x, x], 1), jnp.stack([x, x])),
        lambda x: (jnp.where(x > 0.5, x, 0.0), jnp.clip(x, 0.2, 0.6), jnp.maximum(x, 0.5), jnp.pad(x, 1), jnp.eye(3)),
        lambda x: (
            jnp.cumsum(x, 1),
            jnp.cumprod(x, 0),
            jax.lax.cummax(x, 1, reverse=True),
            jnp.sort(x, 1),
            jnp.floor(x),
        ),
        lambda x: (
            (x > 0.5) & (x < 0.7),
            ~(x > 0.5),
            jnp.isfinite(jnp.log(x - x)),
            jnp.arange(4) * x,
            x.astype(int),
            jnp.ceil(x),
        ),
        lambda x: (jnp.split(x, [1, 3], 1), jnp.remainder(x, 0.3), jax.lax.reshape(x, (6, 2), (1, 0))),
        lambda x: (jax.lax.dynamic_slice(x, (2, 1), (2, 2)), jax.lax.dynamic_index_in_dim(x, -1)),
        lambda x: jax.lax.scan(lambda c, e: (c + e.sum(), c * e), 0.0, x),
        lambda x: jax.lax.scan(lambda c, e: (c + e.sum(), c * e), 0.0, x, reverse=True),
        lambda x: jax.lax.scan(lambda c, e: (c + e.sum(), c * e), 0.0, x[:0]),
        lambda x: (jax.lax.cond(x[0, 0] > 0.0, jnp.sin, jnp.cos, x), jax.lax.switch(7, [jnp.sin, jnp.cos], x)),
        jax.grad(lambda x: jnp.sum(jax.lax.scan(lambda c, e: (c * jnp.sin(e), c), x[0], x)[1])),
        jax.vmap(jax.jit(lambda r: (r**2).sum() * r[0])),
        jax.vmap(lambda row: jnp.outer(row, row) @ row),
    ],
    ids=lambda function: "",
)
def test_operations_give_the_numbers_of_xla(function: Callable[..., Any]) -> None:
    """To a few roundings, in the same shapes and dtypes."""
    found, expected = both(function, X)
    for ours, theirs in zip(found, expected, strict=True):
        assert ours.shape == theirs.shape
        assert ours.dtype == theirs.dtype
        np.testing.assert_allclose(ours, theirs, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x.astype(jnp.float32).sum(),
        lambda x: (x + 1j).imag.sum(),
        lambda x: jax.lax.while_loop(lambda c: c < 9.0, lambda c: 2 * c, x.sum()),
        lambda x: jnp.linalg.inv(x @ x.T).sum(),
        lambda x: jax.random.normal(jax.random.key(0), (2,)).sum() * x.sum(),
        lambda x: jnp.arange(6).sum() // 4 * x.sum(),
    ],
    ids=["float32", "complex", "a loop", "linear algebra", "a generator", "whole numbers"],
)
def test_what_is_not_known_is_refused(function: Callable[..., Any]) -> None:
    """XLA evaluates it."""
    with jax.enable_x64(True):
        trace = jax.make_jaxpr(function)(X)
        with pytest.raises(UnsupportedError):
            evaluate(trace, [X])


def test_work_is_counted() -> None:
    """A product of matrices by its multiplications, what is called with what it calls, a loop as often as it runs."""

    def work(function: Callable[..., Any], *shapes: tuple[int, ...]) -> float:
        return work_of(jax.make_jaxpr(function)(*(np.ones(shape, "f4") for shape in shapes)).jaxpr)

    def loop(x: Any) -> Any:
        return jax.lax.scan(lambda c, e: (c + e, e), 0.0, x)

    assert work(jax.jit(lambda y: y @ y.T), (3, 4)) >= 36
    assert work(lambda x, k: jax.lax.conv(x, k, (1, 1), "VALID"), (2, 3, 5, 5), (4, 3, 2, 2)) == 2 * 4 * 16 * 12
    assert work(loop, (60,)) == pytest.approx(20 * work(loop, (3,)))
    assert work(lambda x: jax.lax.cond(True, lambda x: x, jnp.sin, x), (7,)) >= 7
    assert work(lambda x: jax.lax.while_loop(lambda c: c < 9.0, lambda c: 2 * c, x), ()) == np.inf


@pytest.mark.parametrize("entry", [entry for entry in CATALOGUE if entry.framework == "jax"][::6], ids=lambda e: e.name)
def test_ordinary_functions_are_batched_by_one_or_the_other(entry: Entry) -> None:
    """NumPy or XLA: no function falls back to a loop, unless jax.vmap cannot take it."""
    with jax.enable_x64(True):
        params, data = entry.make(np.random.default_rng(0))
        report = xcheck.check(entry.loss, params, data, backend="jax")
    assert "gives other losses" not in report.oracle.engine


def test_a_small_check_compiles_once() -> None:
    """The gradient; NumPy evaluates the losses. The same function again compiles nothing."""
    compiled: list[str] = []

    def listen(event: str, duration: float, **rest: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    with jax.enable_x64(True):
        x, factor = jnp.array([0.3, 0.7, 1.1]), float(np.random.default_rng().random())
        for expected in (1, 0):
            compiled.clear()
            assert xcheck.check(lambda x: jnp.sum(jnp.exp(factor * x)), x).ok
            assert len(compiled) == expected
    jax.monitoring.unregister_event_duration_listener(listen)
