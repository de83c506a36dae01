"""Numbers that anybody can reproduce: the lecture's θ³ and the course's exercise with its two planted faults."""

import numpy as np
import pytest

from xcheck.compare.pair import norm_relative_difference
from xcheck.layout import Layout, Vector
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.oracle import LoopEngine, OracleOptions, numerical_gradient
from xcheck.oracle.estimators.central import DifferenceName, estimate_fixed_step
from xcheck_numpy.network import NetworkObjective

NETWORK = Network(
    inputs=4,
    layers=(Dense(units=5, activation="relu"), Dense(units=3, activation="relu"), Dense(units=1)),
    loss="binary_cross_entropy",
)


def exercise() -> Problem:
    """The course's exercise: numpy seed 1, x, W1, b1, W2, b2, W3, b3 drawn in this order; examples in rows."""
    rng = np.random.RandomState(1)
    x = rng.randn(4, 3)
    theta = np.concatenate([rng.randn(*shape).ravel() for shape in ((5, 4), (5, 1), (3, 5), (3, 1), (1, 3), (1, 1))])
    return Problem.create(NETWORK, x.T, [[1], [1], [0]], theta=theta)


def plain_loss(theta: Vector) -> float:
    """The course's own cost: one column per example, sigmoid, plain logarithms."""
    problem = exercise()
    p = problem.layout.unflatten(theta)
    A = problem.inputs.T
    for number in (1, 2):
        A = np.maximum(0, p[f"W{number}"] @ A + p[f"b{number}"][:, None])
    A3, Y = 1 / (1 + np.exp(-(p["W3"] @ A + p["b3"][:, None]))), problem.targets.T
    return float(1 / 3 * np.sum(-np.log(A3) * Y - np.log(1 - A3) * (1 - Y)))


def backprop(*, faulty: bool) -> Vector:
    """The gradient by hand, with the exercise's two faults if asked for: dW2 x 2 and db1 x 4."""
    problem = exercise()
    _, gradient = NetworkObjective(problem, "float64").loss_and_gradient(problem.theta)
    if faulty:
        gradient[problem.layout["W2"].span] *= 2
        gradient[problem.layout["b1"].span] *= 4
    return gradient


def differences(epsilon: float) -> Vector:
    """The lecture's loop over all θᵢ, on the course's cost."""
    problem = exercise()
    engine = LoopEngine(plain_loss, problem.theta, problem.layout)
    return estimate_fixed_step(engine, np.zeros(problem.layout.size), epsilon=epsilon, difference="central").value


@pytest.mark.parametrize(("difference", "expected"), [("central", 3.0001), ("forward", 3.0301)])
def test_theta_cubed(difference: DifferenceName, expected: float) -> None:
    """f(θ) = θ³ at 1 with ε = 0.01: two-sided 3.0001, one-sided 3.0301."""
    engine = LoopEngine(lambda theta: float(theta[0] ** 3), np.ones(1), Layout.of({"theta": (1,)}))
    measured = estimate_fixed_step(engine, np.zeros(1), epsilon=0.01, difference=difference)
    assert measured.value == pytest.approx(expected, abs=1e-12)


def test_the_exercise_with_its_faults() -> None:
    """dW2 x 2 and db1 x 4 make the difference 0.2850931567761623."""
    difference = norm_relative_difference(backprop(faulty=True), differences(1e-7))
    assert difference == pytest.approx(0.2850931567761623, abs=1e-9)


def test_the_exercise_without_its_faults() -> None:
    """Mended, the course's own loop gives 1.189e-07: roundoff of log(1 - A3), not an error of the gradient."""
    difference = norm_relative_difference(backprop(faulty=False), differences(1e-7))
    assert difference == pytest.approx(1.18909130e-07, rel=1e-3)


def test_a_better_step_shows_that_the_gradient_is_right() -> None:
    """The same gradient, 1.9e-10 at ε = 1e-4."""
    difference = norm_relative_difference(backprop(faulty=False), differences(1e-4))
    assert difference == pytest.approx(1.9e-10, rel=0.05)


@pytest.mark.parametrize(("epsilon", "bound"), [(1e-7, 2e-9), (1e-4, 2e-10), ("auto", 1e-12)])
def test_the_oracle_is_not_fooled_by_the_exercise(epsilon: float, bound: float) -> None:
    """From the logits the loss is stable: about 1e-9 at ε = 1e-7, and the automatic steps do much better."""
    estimate = numerical_gradient(exercise(), OracleOptions(epsilon=epsilon))
    assert norm_relative_difference(backprop(faulty=False), estimate.value) < bound


def test_the_faults_of_the_exercise_are_named() -> None:
    """The whole pipeline finds 0.285 as well, and blames W2 and b1, of which nothing else is wrong."""
    from xcheck import verify
    from xcheck.backend import registry
    from xcheck.testing import Fault, Planted

    def spoil(gradient: dict[str, Vector], problem: Problem) -> None:
        gradient["W2"] *= 2
        gradient["b1"] *= 4

    planted = Planted(registry.get("numpy"), Fault("dW2 x 2, db1 x 4", "constant factor", spoil))
    report = verify(exercise(), backends=[planted, "torch", "jax"])
    pair = report.pairs[0]
    assert report.odd_one_out == ("numpy",)
    assert pair.difference == pytest.approx(0.2850931567761623, abs=1e-8)
    assert {tensor.name for tensor in pair.tensors if tensor.wrong} == {"W2", "b1"}
