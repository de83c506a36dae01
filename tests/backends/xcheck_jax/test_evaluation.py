"""Functions of arrays that are called a few times: by NumPy or by XLA, the same numbers."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from xcheck_jax.evaluation import program_for
from xcheck_jax.settings import own_settings

CPU = jax.devices("cpu")[0]
X = np.array([[1.0, 2.0], [3.0, 5.0]])


def compilations_of(function: Callable[..., Any], *arguments: Any) -> tuple[list[Any], int]:
    """The results of two calls, and how many programs were compiled for them."""
    compiled: list[str] = []

    def listen(event: str, duration: float, **rest: Any) -> None:
        if event == "/jax/core/compile/backend_compile_duration":
            compiled.append(event)

    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        with own_settings(CPU):
            program = program_for(function, arguments, CPU)
            return [program(*arguments) for _ in range(2)], len(compiled)
    finally:
        jax.monitoring.unregister_event_duration_listener(listen)


def test_what_is_small_is_not_compiled() -> None:
    """Results have the structure that the function gives them."""
    found, compiled = compilations_of(lambda x, rest: {"sum": jnp.sin(x) + rest[0], "none": None}, X, [2.0])
    assert compiled == 0
    for each in found:
        assert each["none"] is None
        np.testing.assert_allclose(each["sum"], np.sin(X) + 2)


@pytest.mark.parametrize(
    ("function", "x"),
    [
        (lambda x: jnp.sum(jnp.linalg.inv(x)), X),
        (lambda x: jnp.sum(jnp.sin(x)) / 7, np.ones(2**23)),
        (lambda x: jnp.sum(x) * 7, X.astype("f4")),
    ],
    ids=["unknown", "large", "float32"],
)
def test_all_else_is_compiled_once(function: Callable[..., Any], x: Any) -> None:
    """What NumPy does not know, what is large, what is not float64."""
    found, compiled = compilations_of(function, x)
    assert compiled == 1
    with own_settings(CPU):
        assert found == [pytest.approx(float(function(jnp.asarray(x))), rel=1e-6)] * 2


def test_numpy_may_have_a_version_of_its_own() -> None:
    """It is asked first; what JAX cannot trace there is compiled as it is."""

    def refuses(x: Any) -> Any:
        raise NotImplementedError

    with own_settings(CPU):
        assert program_for(jnp.sum, (X,), CPU, lambda x: -jnp.sum(x))(X) == pytest.approx(-11)
        assert program_for(jnp.sum, (X,), CPU, refuses)(X) == pytest.approx(11)
