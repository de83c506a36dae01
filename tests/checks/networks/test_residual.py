"""The residual of a network's gradient beside θ: that of a formula moves along, that of rounding jumps."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from tests.diagnose.faults import network
from xcheck.backend import registry
from xcheck.checks.networks.residual import make_probes
from xcheck.compare.comparer import Comparer
from xcheck.compare.tolerance import Tolerance
from xcheck.layout import Vector
from xcheck.oracle import OracleOptions, numerical_gradient

OPTIONS = OracleOptions(engine="loop")


def shift_of(error: Callable[[Vector], Vector], step: float = 1e-4) -> float | None:
    """How the residual of a right gradient with this error moves."""
    problem = network(0, depth=1, first="tanh")
    right = registry.get("numpy").network_objective(problem)
    comparer = Comparer(numerical_gradient(problem, OPTIONS), problem.layout, Tolerance())

    def loss_and_gradient(theta: Vector) -> tuple[float, Vector]:
        loss, gradient = right.loss_and_gradient(theta)
        return loss, gradient + error(theta)

    answer: Any = SimpleNamespace(name="numpy", objective=SimpleNamespace(loss_and_gradient=loss_and_gradient))
    return make_probes([answer], problem, comparer, OPTIONS)["numpy"].shift(step)


def test_the_error_of_a_formula_moves_along() -> None:
    """By about as much of itself as θ does."""
    found = shift_of(lambda theta: 1e-3 * theta**2)
    assert found is not None
    assert 1e-5 < found < 1e-3


def test_rounding_jumps() -> None:
    """Whatever the step: other numbers at every θ."""
    found = shift_of(lambda theta: 1e-3 * np.sin(1e9 * theta))
    assert found is not None
    assert found > 0.5


def test_what_fails_beside_theta_is_not_known() -> None:
    """Nor is what has no error at θ."""
    start = network(0, depth=1, first="tanh").theta

    def only_here(theta: Vector) -> Vector:
        if not np.array_equal(theta, start):
            raise ValueError("not here")
        return np.ones_like(theta)

    assert shift_of(only_here) is None
    assert shift_of(np.zeros_like) is None


def test_nothing_is_computed_before_it_is_asked() -> None:
    """A check that passes has no residual to look at; a witness without an objective has none at all."""
    problem: Any = None
    answers: list[Any] = [
        SimpleNamespace(name="numpy", objective=object()),
        SimpleNamespace(name="torch", objective=None),
    ]
    assert set(make_probes(answers, problem, problem, OPTIONS)) == {"numpy"}
