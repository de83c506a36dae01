"""The three witnesses keep the contract; and a backend that breaks one of its laws is caught."""

import random
from collections.abc import Callable

import jax
import numpy as np
import pytest
import torch

from tests.fakes import Answering, Fake, numpy_answer
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.errors import BackendError
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.testing import check_contract, scenario


def global_state() -> object:
    """Everything that a witness might leave behind."""
    return (
        repr(np.random.mtrand._rand.get_state()),  # noqa: SLF001 - the global generator
        np.geterr(),
        random.getstate(),
        torch.get_default_dtype(),
        torch.get_num_threads(),
        torch.is_grad_enabled(),
        torch.are_deterministic_algorithms_enabled(),
        torch.random.get_rng_state().sum().item(),
        jax.config.values["jax_enable_x64"],
        jax.config.values["jax_default_matmul_precision"],
        jax.config.values["jax_default_device"],
    )


@pytest.mark.parametrize("name", registry.DEFAULTS)
def test_our_witnesses_keep_the_contract(name: str) -> None:
    """Determinism, θ unchanged, float64 out, float32 inside, errors wrapped, global state untouched."""
    check_contract(registry.get(name), state=global_state)


@pytest.mark.parametrize("name", registry.DEFAULTS)
def test_witnesses_do_not_mind_the_callers_settings(name: str) -> None:
    """no_grad, float16 defaults and strict promotion around a check change nothing."""
    problem = scenario(2)
    _, expected = registry.get(name).network_objective(problem).loss_and_gradient(problem.theta)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float16)
    try:
        with torch.no_grad(), jax.numpy_rank_promotion("raise"), jax.numpy_dtype_promotion("strict"):
            _, gradient = registry.get(name).network_objective(problem).loss_and_gradient(problem.theta)
    finally:
        torch.set_default_dtype(before)
    assert np.array_equal(gradient, expected)


class Outlaw(Fake):
    """The NumPy witness, spoiled after the fact."""

    name = "outlaw"

    def __init__(self, spoil: Callable[[Vector, float, Vector, str], tuple[float, object]]) -> None:
        self._spoil = spoil

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        right = numpy_answer(problem, dtype)

        def answer(theta: Vector) -> tuple[float, Vector]:
            loss, gradient = self._spoil(theta, *right(theta), dtype)
            return loss, gradient  # type: ignore[return-value] # that is the point

        return Answering(self.name, problem.layout.size, answer)


CALLS = iter(range(10**9))
KEPT: dict[int, Vector] = {}


def forgetful(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """Another loss at every call."""
    return loss + next(CALLS), gradient


def vandal(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """Writes into θ."""
    theta += 1
    return loss, gradient


def careless(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """Hands out the same array at every call."""
    buffer = KEPT.setdefault(len(theta), np.zeros(len(theta)))
    buffer[:] = gradient
    return loss, buffer


def shapeless(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """A gradient with a component too many."""
    return loss, np.append(gradient, 0.0)


def pretender(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """Computes in float64 what it was asked to compute in float32."""
    return loss, gradient * (1 + 1e-10)


def imprecise(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """Is off by a tenth in float32."""
    return loss, (gradient * 1.1).astype(np.float32) if dtype == "float32" else gradient


def careful(theta: Vector, loss: float, gradient: Vector, dtype: str) -> tuple[float, object]:
    """Breaks no law."""
    return loss, gradient


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (forgetful, "law 1: a second call of outlaw gives another loss"),
        (vandal, "law 2: θ was changed by outlaw"),
        (careless, "law 1: a later call overwrites an earlier result: outlaw"),
        (pretender, "law 4: float32 gives numbers that float32 does not have: outlaw"),
        (imprecise, "law 4: float32 and float64 gradients of outlaw differ by more than rounding"),
    ],
)
def test_an_outlaw_is_caught(spoil: Callable[[Vector, float, Vector, str], tuple[float, object]], message: str) -> None:
    """Each law, broken on purpose, is named."""
    with pytest.raises(AssertionError, match=message):
        check_contract(Outlaw(spoil))


def test_a_backend_that_changes_global_state_is_caught() -> None:
    """Law 6 is about the state that the caller can see."""
    with pytest.raises(AssertionError, match="law 6"):
        check_contract(Outlaw(careful), state=lambda: next(CALLS))


def test_a_careful_backend_passes() -> None:
    """The kit is not simply always failing."""
    check_contract(Outlaw(careful))


def test_a_gradient_of_another_shape_is_a_backend_error() -> None:
    """It cannot be compared, so it is the backend's failure and not a disagreement."""
    problem = scenario(0)
    with pytest.raises(BackendError, match="the gradient has shape"):
        Outlaw(shapeless).network_objective(problem).loss_and_gradient(problem.theta)


@pytest.mark.parametrize("name", registry.DEFAULTS)
def test_a_foreign_exception_comes_out_as_a_backend_error_with_its_cause(name: str) -> None:
    """The framework's own words are kept."""
    objective = registry.get(name).network_objective(scenario(0))
    with pytest.raises(BackendError) as caught:
        objective.loss_and_gradient(np.zeros(1))
    assert caught.value.backend == name
    assert caught.value.__cause__ is not None
