"""Functions of JAX arrays: what is compiled once, and what is traced anew."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.functions.arguments import read_arguments

W = np.array([1.0, 2.0, 3.0])


def made(loss: Any, params: Any = W, data: tuple[Any, ...] = ()) -> FunctionObjective:
    """The objective of a function."""
    function = xcheck.objective(loss, "jax")
    objective = registry.get("jax").function_objective(function, read_arguments(params, data, registry.read))
    assert isinstance(objective, FunctionObjective)
    return objective


def test_numbers_drawn_while_tracing_differ_from_call_to_call() -> None:
    """A jit that is kept would freeze them, and a random function would look like a function."""
    rng = np.random.default_rng(0)
    objective = made(lambda p: jnp.sum(p) * rng.random())
    assert objective.loss_and_gradient(W)[0] != objective.loss_and_gradient(W)[0]


def test_the_same_trace_is_compiled_once() -> None:
    """Each gradient traces the function, but only the first one compiles."""
    objective = made(lambda p: jnp.sum(p**2))
    objective.loss_and_gradient(W)
    first = vars(objective)["_compiled"]["gradient"]
    objective.loss_and_gradient(2 * W)
    assert vars(objective)["_compiled"]["gradient"] is first


@pytest.mark.parametrize(
    "loss",
    [lambda p: jnp.sum(p) if p[0] > 0 else jnp.sum(p) * 2, lambda p: jnp.sum(p) * float(p[0])],
    ids=["looks at a value", "leaves JAX"],
)
def test_what_cannot_be_traced_is_evaluated_as_it_is(loss: Any) -> None:
    """Its losses come from calls one by one."""
    objective = made(loss)
    expected = [float(loss(jnp.asarray(theta))) for theta in (W, W - 2)]
    np.testing.assert_allclose(objective.losses(np.stack([W, W - 2])), expected, rtol=1e-6)


def test_a_batch_may_begin_where_the_function_raises() -> None:
    """Such a step has no value; the others have."""

    def loss(p: Any) -> Any:
        if p[0] > 1:
            raise ArithmeticError("outside the domain")
        return jnp.sum(p)

    np.testing.assert_allclose(made(loss).losses(np.stack([W + 1, W, W - 1])), [np.nan, 6.0, 3.0], rtol=1e-6)


def test_the_gradient_of_a_complex_parameter_is_conjugated() -> None:
    """∂L/∂Re w + i ∂L/∂Im w of |w|² is 2 w; JAX itself says 2 w̄."""
    objective = made(lambda p: jnp.sum(jnp.abs(p) ** 2), np.array([1 + 2j]))
    _, gradient = objective.loss_and_gradient(objective.arguments.theta)
    np.testing.assert_allclose(gradient, [2.0, 4.0], rtol=1e-14)
    assert objective.conjugates


def test_a_key_is_carried_along() -> None:
    """It holds no numbers, and the function gets it as it is."""
    key = jax.random.key(0)
    objective = made(lambda p, k: jnp.sum(p * jax.random.normal(k, (3,))), W, (key,))
    loss, gradient = objective.loss_and_gradient(W)
    assert loss == pytest.approx(float(gradient @ W), rel=1e-12)


def test_random_keys_among_params() -> None:
    """They are no numbers, and are handed on as they are; once JAX refused to make NumPy arrays of them."""

    def loss(p: Any) -> Any:
        return jnp.sum(p["w"] * jax.random.normal(p["key"], (3,)) ** 2)

    report = xcheck.check(loss, {"w": jnp.ones(3), "key": jax.random.key(0)})
    assert report.ok
    assert report.parameters == 3


@pytest.mark.parametrize("factor", [2.0, 1 + 1e-4, 1 + 1e-6])
@pytest.mark.parametrize("components", [1, 3])
def test_a_loss_that_is_another_one_where_it_is_differentiated(factor: float, components: int) -> None:
    """The oracle differences the loss as it is without a derivative, and the difference is seen."""

    @jax.custom_vjp  # type: ignore[untyped-decorator] # JAX says nothing of what it returns
    def loss(x: Any) -> Any:
        return jnp.sum(jnp.sin(x))

    loss.defvjp(lambda x: (factor * jnp.sum(jnp.sin(x)), x), lambda x, v: (v * jnp.cos(x),))
    with jax.enable_x64(True):
        report = xcheck.check(lambda p: 1.5 * loss(p), jnp.linspace(0.3, 1.2, components))
    assert report.verdict is xcheck.Verdict.DISAGREE
    assert "XC110" in {finding.code for finding in report.findings}
