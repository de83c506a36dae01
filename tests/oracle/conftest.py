"""Builders of networks, exact gradients and losses, for the tests of the oracle's parts."""

from collections.abc import Callable

import numpy as np

from xcheck import Dense, Network, Problem
from xcheck.layout import Vector
from xcheck_numpy.network import NetworkObjective


def wide(units: int) -> Problem:
    """A 20-units-3 network, with 32 examples."""
    network = Network(
        inputs=20, layers=(Dense(units=units, activation="tanh"), Dense(units=3)), loss="mean_squared_error"
    )
    rng = np.random.default_rng(0)
    return Problem.create(network, rng.standard_normal((32, 20)), rng.standard_normal((32, 3)))


def exact(problem: Problem) -> Vector:
    """The gradient in extended precision, rounded to float64."""
    _, gradient = NetworkObjective(problem, np.longdouble).compute(problem.theta)
    return gradient.astype(np.float64)


def loss_of(problem: Problem) -> Callable[[Vector], float]:
    """J as the NumPy witness computes it, in extended precision."""
    objective = NetworkObjective(problem, np.longdouble)
    return lambda theta: objective.compute(theta)[0]
