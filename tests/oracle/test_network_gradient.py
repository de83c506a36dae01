"""The oracle: its bars keep their promise, kinks do not fool it, memory and flags are respected."""

import jax
import numpy as np
import pytest

from tests.oracle.conftest import exact, loss_of
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import ActivationName, Dense, Network
from xcheck.networks.problem import Problem
from xcheck.oracle import LoopEngine, OracleOptions, numerical_gradient
from xcheck.oracle.estimators.central import DifferenceName, estimate_fixed_step
from xcheck.testing import scenarios


def network(activation: ActivationName, **changes: float) -> Problem:
    """A network of 4-5-3 units with `activation`, at a random θ with biases."""
    layers = (Dense(units=5, activation=activation), Dense(units=3))
    declared = Network(inputs=4, layers=layers, loss="softmax_cross_entropy", **changes)
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((16, 4)), np.eye(3)[rng.integers(0, 3, 16)]
    return Problem.create(declared, X, Y, theta=rng.standard_normal(network_layout(declared).size))


def test_the_error_bar_is_never_exceeded() -> None:
    """Over more than 1,500 components of 27 networks, without ties, against the gradient in extended precision."""
    checked = 0
    for problem in scenarios(27):
        estimate = numerical_gradient(problem)
        if estimate.ties == 0:
            error = np.abs(estimate.value - exact(problem))
            assert (error <= estimate.error_bar).all(), problem.name
            checked += problem.layout.size
    assert checked > 1_500


def test_error_bars_are_narrow() -> None:
    """A promise that is kept by promising nothing is worth nothing: bars below 1e-9 of the tensor's largest slope."""
    estimate = numerical_gradient(network("tanh"))
    assert (estimate.error_bar < 1e-9 * estimate.magnitude.max()).all()


@pytest.mark.parametrize("epsilon", [1e-3, 1e-5, 1e-7])
@pytest.mark.parametrize("difference", ["central", "forward"])
def test_the_bar_of_a_fixed_step_is_kept(epsilon: float, difference: DifferenceName) -> None:
    """Plain differences have wider bars, and keep them too."""
    problem = network("gelu", l2=0.7)
    estimate = numerical_gradient(problem, OracleOptions(epsilon=epsilon, difference=difference))
    assert (np.abs(estimate.value - exact(problem)) <= estimate.error_bar).all()
    assert estimate.epsilon == epsilon


def test_two_sided_differences_are_better_than_one_sided() -> None:
    """The lecture's point, on a network: at ε = 1e-3 by more than a factor of a hundred."""
    problem = network("tanh")
    central = numerical_gradient(problem, OracleOptions(epsilon=1e-3)).value
    forward = numerical_gradient(problem, OracleOptions(epsilon=1e-3, difference="forward")).value
    assert np.abs(central - exact(problem)).max() < np.abs(forward - exact(problem)).max() / 100


@pytest.mark.parametrize("l2", [1e3, 1e6, 1e9])
def test_a_large_penalty_does_not_drown_the_data(l2: float) -> None:
    """The penalty is differenced exactly: subtracting its share leaves the slopes of the data, still accurate."""
    plain, heavy = network("tanh"), network("tanh", l2=l2)
    estimate = numerical_gradient(heavy)
    biases = heavy.layout["b1"].span
    np.testing.assert_allclose(estimate.value[biases], exact(plain)[biases], rtol=1e-9)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "elu"])
def test_a_step_across_a_kink_does_not_fool_the_oracle(activation: ActivationName) -> None:
    """With a bias that puts z at 1e-5, any step of 1e-3 crosses the kink; the slope is that of the side of θ."""
    layers = (Dense(units=1, activation=activation), Dense(units=1))
    declared = Network(inputs=1, layers=layers, loss="mean_squared_error")
    problem = Problem.create(declared, [[1.0]], [[3.0]], theta=[1.0, -1.0 + 1e-5, 2.0, 0.5])
    for options in (OracleOptions(), OracleOptions(epsilon=1e-3)):
        estimate = numerical_gradient(problem, options)
        assert estimate.ties == 0
        np.testing.assert_allclose(estimate.value, exact(problem), rtol=1e-6)


def test_plain_differences_across_that_kink_are_wrong() -> None:
    """The test above tests something: the loss itself, differenced across the kink, is off by a factor."""
    layers = (Dense(units=1, activation="relu"), Dense(units=1))
    declared = Network(inputs=1, layers=layers, loss="mean_squared_error")
    problem = Problem.create(declared, [[1.0]], [[3.0]], theta=[1.0, -1.0 + 1e-5, 2.0, 0.5])
    engine = LoopEngine(loss_of(problem), problem.theta, problem.layout)
    plain = estimate_fixed_step(engine, np.zeros(4), epsilon=1e-3, difference="central").value
    assert abs(plain[1] / exact(problem)[1] - 1) > 0.4


@pytest.mark.parametrize(("activation", "left"), [("relu", 0.0), ("leaky_relu", 0.01)])
def test_exactly_at_a_kink_there_is_an_interval_of_slopes(activation: ActivationName, left: float) -> None:
    """z = 0: the slope of b1 lies between left · δ and δ, with δ = w (ŷ − y) what arrives from above."""
    layers = (Dense(units=1, activation=activation), Dense(units=1))
    declared = Network(inputs=1, layers=layers, loss="mean_squared_error")
    problem = Problem.create(declared, [[0.0]], [[3.0]], theta=[1.0, 0.0, 2.0, 0.5])
    estimate = numerical_gradient(problem)
    delta = 2.0 * (0.5 - 3.0)
    assert estimate.ties == 1
    assert estimate.lower[1] == pytest.approx(delta)
    assert estimate.upper[1] == pytest.approx(left * delta)
    assert estimate.value[0] == estimate.lower[0] == estimate.upper[0] == 0.0  # x = 0: W1 moves nothing


def test_the_l1_penalty_has_a_kink_at_zero() -> None:
    """At w = 0 every slope between −l1/2m and l1/2m is right."""
    declared = Network(inputs=2, layers=(Dense(units=1),), loss="mean_squared_error", l1=4.0)
    problem = Problem.create(declared, [[0.0, 0.0]], [[0.0]], theta=[0.0, 1.0, 0.0])
    estimate = numerical_gradient(problem)
    assert (estimate.lower[0], estimate.upper[0]) == (-2.0, 2.0)
    assert (estimate.lower[1], estimate.upper[1]) == (2.0, 2.0)


def test_the_callers_precision_is_left_alone() -> None:
    """float64 inside, and the caller's float32 default afterwards."""
    numerical_gradient(network("tanh"))
    assert not jax.config.jax_enable_x64
    assert jax.numpy.ones(1).dtype == np.float32


def test_progress_is_told() -> None:
    """Every difference is announced, in batches."""
    batches: list[int] = []
    estimate = numerical_gradient(network("tanh"), progress=batches.append)
    assert 2 * sum(batches) == estimate.evaluations
