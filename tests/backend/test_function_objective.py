"""FunctionObjective: a person's function as a function of θ, the same in every framework."""

from collections.abc import Callable
from copy import copy
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend import registry
from xcheck.backend.function_objective import FunctionObjective
from xcheck.errors import BackendError, DefinitionError
from xcheck.functions.arguments import read_arguments

W, X = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])
GRADIENT = 2 * (W * X) * X


def numpy_function() -> Any:
    """Σ (w x)² with its gradient."""
    return xcheck.objective(lambda p, x: ((p * x) ** 2).sum(), "numpy", gradient=lambda p, x: 2 * p * x * x)


FUNCTIONS: dict[str, Callable[[], Any]] = {
    "numpy": numpy_function,
    "torch": lambda: xcheck.objective(lambda p, x: ((p * x) ** 2).sum(), "torch"),
    "jax": lambda: xcheck.objective(lambda p, x: jnp.sum((p * x) ** 2), "jax"),
}


def made(function: Any, params: Any = W, data: tuple[Any, ...] = (X,), **options: Any) -> FunctionObjective:
    """The objective of a function."""
    arguments = read_arguments(params, data, registry.read)
    objective = registry.get(function.backend).function_objective(function, arguments, **options)
    assert isinstance(objective, FunctionObjective)
    return objective


@pytest.mark.parametrize("framework", FUNCTIONS)
def test_loss_and_gradient(framework: str) -> None:
    """The same numbers from each; nothing is written into, and nothing unused."""
    objective = made(FUNCTIONS[framework]())
    loss, gradient = objective.loss_and_gradient(W)
    assert loss == pytest.approx(float(((W * X) ** 2).sum()), rel=1e-15)
    np.testing.assert_allclose(gradient, GRADIENT, rtol=1e-15)
    assert (objective.overwritten, objective.unused) == (set(), frozenset())


@pytest.mark.parametrize("framework", FUNCTIONS)
def test_losses_at_many_points(framework: str) -> None:
    """At once or one by one, they are those of single calls."""
    objective = made(FUNCTIONS[framework]())
    thetas = W + np.arange(5.0)[:, None]
    np.testing.assert_allclose(objective.losses(thetas), ((thetas * X) ** 2).sum(axis=1), rtol=1e-14)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_second_derivatives(framework: str) -> None:
    """H = 2 diag(x²)."""
    found = made(FUNCTIONS[framework]()).hessian_product(W, np.ones(3))
    np.testing.assert_allclose(found, 2 * X * X, rtol=1e-14)


def test_numpy_has_no_second_derivatives() -> None:
    """It says so."""
    with pytest.raises(BackendError, match="second derivatives are not supported"):
        made(numpy_function()).hessian_product(W, np.ones(3))


@pytest.mark.parametrize("framework", FUNCTIONS)
def test_an_array_through_a_cotangent(framework: str) -> None:
    """J = Σ v y; another one on a copy leaves the first as it is."""
    functions: dict[str, Any] = {
        "numpy": xcheck.objective(lambda p, x: p * x, "numpy", gradient=lambda p, x: x),
        "torch": xcheck.objective(lambda p, x: p * x, "torch"),
        "jax": xcheck.objective(lambda p, x: p * x, "jax"),
    }
    objective = made(functions[framework], cotangent=np.array([1.0, 0.0, 0.0]))
    other = copy(objective)
    other.cotangent = np.array([0.0, 1.0, 0.0])
    assert [one.losses(W[None])[0] for one in (objective, other, objective)] == [0.5, -2.0, 0.5]
    assert objective.shape() == ((3,), False)


def test_an_array_without_a_cotangent_is_refused() -> None:
    """With its shape."""
    objective = made(xcheck.objective(lambda p, x: p * x, "numpy", gradient=lambda p, x: x))
    with pytest.raises(DefinitionError, match=r"the loss has shape \(3,\) and dtype float64; expected one real number"):
        objective.loss_and_gradient(W)


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_what_cannot_be_batched_is_looped(framework: str) -> None:
    """And says why."""
    losses: dict[str, Any] = {
        "torch": lambda p, x: (p * x).sum() * (2.0 if p[0].item() > 0 else 1.0),
        "jax": lambda p, x: jnp.sum(p * x) * (2.0 if p[0] > 0 else 1.0),
    }
    objective = made(xcheck.objective(losses[framework], framework))
    thetas = np.stack([W, W + 1, W - 3])
    expected = (thetas * X).sum(axis=1) * np.where(thetas[:, 0] > 0, 2.0, 1.0)
    np.testing.assert_allclose(objective.losses(thetas), expected, rtol=1e-14)
    assert objective.engine.startswith("loop (")


@pytest.mark.parametrize("size", [1.0, 1e-4])
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_a_batch_that_mixes_its_rows_is_not_believed(framework: str, size: float) -> None:
    """A function that counts its calls gives other losses in a batch than one by one, be it by little."""
    calls = iter(range(10**6))
    functions: dict[str, Any] = {
        "torch": lambda p, x: (p * x).sum() + size * next(calls),
        "jax": lambda p, x: jnp.sum(p * x) + size * next(calls),
    }
    objective = made(xcheck.objective(functions[framework], framework))
    objective.losses(np.stack([W, W + 1]))
    assert "gives other losses" in objective.engine


def test_the_gradient_without_the_loss() -> None:
    """For a hand-written one alone."""
    found = made(numpy_function()).gradient_alone(W)
    assert found is not None
    np.testing.assert_allclose(found, GRADIENT)
    assert made(FUNCTIONS["torch"]()).gradient_alone(W) is None


def test_a_narrow_function_is_widened_for_the_oracle() -> None:
    """The same loss in float64: its digits do not end at 1e-7."""
    third = np.float32(1 / 3)
    function = xcheck.objective(lambda p: (p * p).sum(), "torch")
    narrow, wide = (made(function, torch.tensor([third]), (), wide=wide) for wide in (False, True))
    exact = float(third) ** 2
    assert narrow.losses(np.array([[float(third)]]))[0] != exact
    assert wide.losses(np.array([[float(third)]]))[0] == exact


def test_making_an_objective_computes_nothing() -> None:
    """Neither the function is called nor the data copied before somebody asks."""

    def fail(p: Any, x: Any) -> Any:
        raise AssertionError("called")

    assert "_kept_data" not in vars(made(xcheck.objective(fail, "numpy", gradient=fail)))
