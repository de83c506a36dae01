"""The network of the NumPy backend: backpropagation by hand, as a whole."""

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.testing import scenario, scenarios
from xcheck_numpy.network import NetworkObjective


def test_extended_precision_agrees_with_float64() -> None:
    """The same code in longdouble gives the same gradient with more digits."""
    for problem in scenarios(9):
        _, double = NetworkObjective(problem, np.float64).compute(problem.theta)
        _, extended = NetworkObjective(problem, np.longdouble).compute(problem.theta)
        assert extended.dtype == np.longdouble
        np.testing.assert_allclose(double, extended.astype(np.float64), rtol=1e-10, atol=1e-13)


def test_each_example_has_its_share() -> None:
    """The gradient of a batch is the mean of those of its rows, where there is no penalty."""
    rng = np.random.default_rng(0)
    net = Network(inputs=3, layers=(Dense(units=4, activation="tanh"), Dense(units=2)), loss="mean_squared_error")
    X, Y = rng.standard_normal((5, 3)), rng.standard_normal((5, 2))
    theta = rng.standard_normal(network_layout(net).size)

    def gradient(rows: slice) -> Vector:
        one = Problem.create(net, X[rows], Y[rows], theta=theta)
        return np.asarray(NetworkObjective(one, np.float64).compute(theta)[1])

    single = [gradient(slice(row, row + 1)) for row in range(5)]
    np.testing.assert_allclose(gradient(slice(None)), np.mean(single, axis=0), rtol=1e-12, atol=1e-14)


def test_overflow_is_an_infinite_loss_without_a_warning() -> None:
    """It is a result, and the report says where numbers end."""
    problem = scenario(0)
    loss, _ = NetworkObjective(problem, np.float64).compute(np.full(problem.layout.size, 1e200))
    assert not np.isfinite(loss)
