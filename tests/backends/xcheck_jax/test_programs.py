"""Programs of JAX: which traces are the same, and which serve again."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.programs import QUICK, fingerprint, has_own_rules, program_of

X = np.array([0.5, -1.5], dtype=np.float32)


def text_of(function: Callable[..., Any], *arguments: Any) -> str:
    """The fingerprint of a fresh trace."""
    return fingerprint(jax.make_jaxpr(partial(function))(*(arguments or (X,))))


@pytest.mark.parametrize(
    "function",
    [
        lambda x: jnp.sum(x**2) * 3.25,
        lambda x: x @ jnp.array([1.0, 2.0]),
        lambda x: jax.nn.relu(x).sum(),
        lambda x: jax.lax.scan(lambda c, e: (c + e, c), 0.0, x)[0],
        jax.grad(lambda x: jax.nn.silu(x).sum()),
    ],
    ids=["operations", "a constant", "a custom derivative", "a loop", "a gradient"],
)
def test_the_same_function_has_the_same_fingerprint(function: Callable[..., Any]) -> None:
    """Traced twice."""
    assert text_of(function) == text_of(function)
    assert "unknown" not in text_of(function)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (lambda x: x * 0.1, lambda x: x * 0.10000000000000002),
        (lambda x: x + np.array([1.0, 2.0]), lambda x: x + np.array([1.0, 2.0000000001])),
        (lambda x: x[0] - x[1], lambda x: x[1] - x[0]),
        (lambda x: x.sum(keepdims=True), lambda x: x.sum()),
        (jax.jit(jnp.sin), jax.jit(jnp.cos)),
        (
            lambda x: jax.lax.fori_loop(0, 3, lambda i, c: c * x, x),
            lambda x: jax.lax.fori_loop(0, 4, lambda i, c: c * x, x),
        ),
        (lambda x: (x[0], x[1]), lambda x: (x[1], x[0])),
    ],
    ids=["a last digit", "a constant", "an order", "a shape", "inside", "a loop", "outputs"],
)
def test_other_functions_have_other_fingerprints(one: Callable[..., Any], other: Callable[..., Any]) -> None:
    """To the last digit of a number."""
    with jax.enable_x64(True):
        x = jnp.array([0.5, -1.5])
        assert text_of(one, x) != text_of(other, x)


def test_a_program_serves_the_next_trace_that_is_the_same() -> None:
    """One compilation for two traces, and another for arguments of another structure."""
    device = jax.devices("cpu")[0]

    def compiled(*arguments: Any) -> Any:
        traced = jax.jit(lambda *given: jax.tree.leaves(given)[0] * 7.0).trace(*arguments)
        return program_of(traced, device, fingerprint(traced.jaxpr))

    assert compiled(X) is compiled(X)
    assert compiled({"x": X}) is not compiled(X)
    np.testing.assert_array_equal(np.asarray(compiled(X)(X)), 7 * X)


def test_what_calls_python_is_compiled_for_itself() -> None:
    """Two callbacks look alike in a trace."""
    device = jax.devices("cpu")[0]

    def compiled(factor: float) -> Any:
        shape = jax.ShapeDtypeStruct((2,), "float32")
        traced = jax.jit(lambda x: jax.pure_callback(lambda a: np.asarray(factor * a, "f4"), shape, x)).trace(X)
        return program_of(traced, device, fingerprint(traced.jaxpr))

    np.testing.assert_array_equal(np.asarray(compiled(2.0)(X)), 2 * X)
    np.testing.assert_array_equal(np.asarray(compiled(3.0)(X)), 3 * X)


def test_derivatives_of_a_persons_own_are_seen() -> None:
    """Also where they are inside another function; JAX's operations have none."""
    inside = jax.make_jaxpr(lambda x: jax.jit(jax.nn.relu)(x) + 1.0)(1.0)
    assert has_own_rules(inside.jaxpr)
    assert not has_own_rules(jax.make_jaxpr(lambda x: jnp.sin(x @ x))(jnp.ones(2)).jaxpr)


def test_options_that_xla_does_not_know_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next ones are compiled with, and in the end none."""
    device, tried = jax.devices("cpu")[0], []
    compile_with = jax.stages.Lowered.compile

    def compiled(lowered: Any, compiler_options: Any = None) -> Any:
        tried.append(compiler_options)
        return compile_with(lowered, compiler_options)

    monkeypatch.setattr(jax.stages.Lowered, "compile", compiled)
    monkeypatch.setattr("xcheck_jax.programs.QUICK", ({"xla_no_such_option": True}, {"xla_nor_this": 1}))
    traced = jax.jit(lambda x: x * 11.0).trace(X)
    program = program_of(traced, device, fingerprint(traced.jaxpr))
    assert tried == [{"xla_no_such_option": True}, {"xla_nor_this": 1}, None]
    np.testing.assert_array_equal(np.asarray(program(X)), 11 * X)


def test_xla_knows_the_options_that_are_tried_first() -> None:
    """Otherwise small functions would be compiled slowly, and nobody would notice."""
    lowered = jax.jit(lambda x: x * 13.0).lower(X)
    program = lowered.compile(compiler_options=dict(QUICK[0]))
    np.testing.assert_array_equal(np.asarray(program(X)), 13 * X)
