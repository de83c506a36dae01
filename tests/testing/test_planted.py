"""A planted backend is the one that it spoils, but for its gradient."""

import numpy as np

from xcheck import Problem
from xcheck.backend import registry
from xcheck.layout import Vector
from xcheck.testing import Fault, Planted


def double(gradient: dict[str, Vector], problem: Problem) -> None:
    """Multiply everything by 2."""
    for array in gradient.values():
        np.multiply(array, 2, out=array)


DOUBLED = Fault("x 2", "constant factor", double)


def test_loss_and_name_stay_and_the_gradient_is_spoiled(problem: Problem) -> None:
    """And the gradient of the inner backend is not written to."""
    inner = registry.get("numpy")
    planted = Planted(inner, DOUBLED)
    loss, gradient = inner.network_objective(problem).loss_and_gradient(problem.theta)
    spoiled_loss, spoiled = planted.network_objective(problem).loss_and_gradient(problem.theta)
    assert spoiled_loss == loss
    assert np.array_equal(spoiled, 2 * gradient)
    described = (planted.name, planted.available(), planted.versions(), planted.devices())
    assert described == (inner.name, inner.available(), inner.versions(), inner.devices())


def test_a_fault_of_the_penalty_is_about_the_theta_that_is_asked_for(problem: Problem) -> None:
    """The share that a fault changes is computed there, and not where the problem was made."""
    thetas = []
    fault = Fault("looks", "", lambda gradient, problem: thetas.append(problem.theta))
    elsewhere = problem.theta + 1.0
    Planted(registry.get("numpy"), fault).network_objective(problem).loss_and_gradient(elsewhere)
    assert np.array_equal(thetas[0], elsewhere)
