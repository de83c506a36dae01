"""The laws of `xcheck.backend.contract` as assertions, for any backend."""

from collections.abc import Callable
from contextlib import suppress

import numpy as np

from xcheck.backend.contract import Backend
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.testing.scenarios import scenarios


def check_contract(
    backend: Backend,
    *,
    problems: int = 9,
    state: Callable[[], object] | None = None,
) -> None:
    """Assert that a backend keeps the laws of the contract.

    Args:
        backend: the backend.
        problems: how many scenarios to try; 9 meet every activation, 27 every activation with every loss.
        state: returns the global state of the framework (flags, random generators, threads) in a form that `==`
            compares; without it law 6 is not checked.

    Raises:
        AssertionError: naming the law that is broken.
    """
    before = state() if state else None
    _check_description(backend)
    for problem in scenarios(problems):
        _check_determinism(backend, problem)
        _check_float32(backend, problem)
        _check_losses(backend, problem)
        _check_failure(backend, problem)
        if state:
            assert state() == before, f"law 6: {backend.name} changed the global state of its framework"


def _check_description(backend: Backend) -> None:
    assert backend.name, "a backend needs a name"
    assert backend.available() is None, f"{backend.name} is not available: {backend.available()}"
    assert backend.versions(), f"{backend.name} tells no versions"
    assert "cpu" in backend.devices(), f"{backend.name} does not offer the cpu"


def _check_determinism(backend: Backend, problem: Problem) -> None:
    objective = backend.network_objective(problem)
    theta = problem.theta.copy()
    loss, gradient = objective.loss_and_gradient(theta)
    _same("law 2: θ was changed by", backend, theta, problem.theta)
    assert isinstance(loss, float), f"law 3: the loss of {backend.name} is no float"
    assert gradient.dtype == np.float64, f"law 3: the gradient of {backend.name} is {gradient.dtype}"
    assert gradient.flags.c_contiguous, f"law 3: the gradient of {backend.name} is not C-contiguous"
    assert gradient.shape == theta.shape, f"law 3: the gradient of {backend.name} has shape {gradient.shape}"
    # A backend that returns its own buffer changes the gradient that the caller holds.
    kept = gradient.copy()
    objective.loss_and_gradient(theta + 0.5)
    _same("law 1: a later call overwrites an earlier result:", backend, gradient, kept)
    again, gradient_again = objective.loss_and_gradient(theta)
    assert again == loss, f"law 1: a second call of {backend.name} gives another loss"
    _same("law 1: a second call gives another gradient:", backend, gradient_again, kept)


def _same(what: str, backend: Backend, a: Vector, b: Vector) -> None:
    assert np.array_equal(a, b, equal_nan=True), f"{what} {backend.name}"


def _check_float32(backend: Backend, problem: Problem) -> None:
    # Data and θ that float32 holds exactly, so that what differs is the arithmetic.
    problem = problem.rounded("float32")
    _, double = backend.network_objective(problem).loss_and_gradient(problem.theta)
    _, single = backend.network_objective(problem, dtype="float32").loss_and_gradient(problem.theta)
    rounded = single.astype(np.float32).astype(np.float64)
    _same("law 4: float32 gives numbers that float32 does not have:", backend, single, rounded)
    # A thousand times the tolerance of float32: a scenario may be badly conditioned, and another loss is further off.
    close = np.abs(single - double).max(initial=0.0) <= 1e-3 * np.abs(double).max(initial=0.0)
    assert close, f"law 4: float32 and float64 gradients of {backend.name} differ by more than rounding"


def _check_losses(backend: Backend, problem: Problem) -> None:
    objective = backend.network_objective(problem)
    thetas = problem.theta + np.array([[0.0], [0.1], [-0.1]])
    one_by_one = [objective.loss_and_gradient(theta)[0] for theta in thetas]
    together = objective.losses(thetas)
    assert together.shape == (3,), f"losses of {backend.name} has shape {together.shape}, not (3,)"
    assert np.allclose(together, one_by_one, rtol=1e-12), f"losses of {backend.name} differs from single calls"


def _check_failure(backend: Backend, problem: Problem) -> None:
    objective = backend.network_objective(problem)
    # A shape that does not fit must come out as BackendError, not as an exception of the framework.
    with suppress(BackendError):
        objective.loss_and_gradient(problem.theta[:-1])
        raise AssertionError(f"law 5: {backend.name} accepts a θ that is too short")
