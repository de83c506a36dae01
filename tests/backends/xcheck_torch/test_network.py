"""The declared network in torch, traced: loss and slopes are those of torch."""

import numpy as np
import pytest

from xcheck.certificates.slopes import prove_slopes
from xcheck.networks.network import ActivationName, Dense, LossName, Network
from xcheck.networks.problem import Problem
from xcheck.trace import replay
from xcheck_torch.network import ACTIVATIONS, NetworkObjective

RNG = np.random.default_rng(0)
X = RNG.standard_normal((3, 2))
TARGETS: dict[LossName, np.ndarray] = {
    "mean_squared_error": RNG.standard_normal((3, 2)),
    "binary_cross_entropy": np.array([[0.0, 1.0], [1.0, 1.0], [0.0, 0.0]]),
    "softmax_cross_entropy": np.array([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0]]),
}


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", TARGETS)
def test_networks(activation: ActivationName, loss: LossName) -> None:
    """With dropout and penalties."""
    layers = (Dense(units=4, activation=activation, keep_prob=0.8), Dense(units=2))
    network = Network(inputs=2, layers=layers, loss=loss, l1=0.1, l2=0.2)
    problem = Problem.create(network, X, TARGETS[loss], seed=1)
    objective = NetworkObjective(problem, "cpu", "float64")
    value, gradient = objective.compute(problem.theta)
    directions = RNG.standard_normal((2, objective.size))
    found = prove_slopes(objective.trace(), [problem.theta], [[one] for one in directions])
    assert float(found.value) == pytest.approx(value, rel=1e-13)
    assert np.array([float(one) for one in found.slopes]) == pytest.approx(directions @ gradient, abs=1e-13)
    (replayed,) = replay(objective.gradient_trace(), [problem.theta])
    assert replayed == pytest.approx(gradient, abs=1e-13)
