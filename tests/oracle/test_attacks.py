"""Attacks that once succeeded: correct gradients that were blamed, and wrong ones that passed."""

import numpy as np
import pytest

from xcheck import Dense, Network, Problem, verify
from xcheck.backend import registry
from xcheck.checks.networks.check import load_model
from xcheck.layout import Vector
from xcheck.networks.network import LOSSES, ActivationName, LossName
from xcheck.oracle import EngineName, OracleOptions, numerical_gradient
from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.oracle.engines.structured import StructuredEngine
from xcheck.testing import Fault, Planted
from xcheck_numpy.network import NetworkObjective


def flipped(problem: Problem, span: np.ndarray | slice) -> Planted:
    """The NumPy witness with some signs flipped in W1."""

    def flip(gradient: dict[str, Vector], problem: Problem) -> None:
        gradient["W1"][..., span] *= -1

    return Planted(registry.get("numpy"), Fault("signs", "support", flip))


def hardly_moving(activation: ActivationName, layers: int, seed: int) -> Problem:
    """A network of so many layers of tiny weights that its loss changes by less than its last digit."""
    hidden = [{"units": 8, "activation": activation, "initializer": "normal"}] * layers
    definition = {
        "data": {"synthetic": {"inputs": 6, "examples": 64}},
        "network": {"layers": [*hidden, {"units": 3, "initializer": "normal"}], "loss": "binary_cross_entropy"},
    }
    return load_model(definition, seed=seed).problem


@pytest.mark.parametrize(("activation", "layers", "seed"), [("gelu", 8, 4), ("silu", 6, 1), ("silu", 8, 3)])
def test_a_loss_that_hardly_moves_is_decided_all_the_same(activation: ActivationName, layers: int, seed: int) -> None:
    """Losses cannot be subtracted there, but their differences can be carried up: no false alarm, and none missed."""
    problem = hardly_moving(activation, layers, seed)
    assert verify(problem, backends=["numpy"]).verdict == "AGREE"
    report = verify(problem, backends=[flipped(problem, slice(None)), "jax"])
    assert report.odd_one_out == ("numpy",)


def test_two_units_tied_by_rounding_on_opposite_sides() -> None:
    """z = 0.1 + 0.2 − 0.3 is 5.5e-17: rounding decides for each unit alone, and all witnesses are right."""
    network = Network(
        inputs=3,
        layers=(Dense(units=3), Dense(units=2, activation="relu"), Dense(units=1)),
        loss="mean_squared_error",
    )
    theta = [*np.eye(3).ravel(), 0, 0, 0, 1, 1, -1, -1, -1, 1, 0, 0, 1, 1, 0]
    report = verify(Problem.create(network, [[0.1, 0.2, 0.3]], [[1.0]], theta=theta))
    assert all(pair.wrong == 0 for pair in report.pairs)


@pytest.mark.parametrize("steepness", [1e3, 2e3, 1e4, 1e6])
def test_a_feature_narrower_than_the_step(steepness: float) -> None:
    """A step that is short in its own layer is enlarged by the weights above: it must not jump over a narrow tanh."""
    network = Network(
        inputs=1,
        layers=(Dense(units=1, activation="tanh"), Dense(units=2, activation="tanh"), Dense(units=1)),
        loss="mean_squared_error",
    )
    theta = [0, 0, steepness, steepness, 1.5, -0.5, 1, -1, 0.0]
    report = verify(Problem.create(network, [[1.0]], [[0.0]], theta=theta), backends=["numpy"])
    assert report.pairs[0].wrong == 0


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("difference", "epsilon"), [("forward", 1e-2), ("forward", 1e-3), ("central", 1e-1)])
def test_a_coarse_fixed_step_blames_nobody(difference: str, epsilon: float, seed: int) -> None:
    """Truncation errors of two steps that happen to be equal do not make a narrow bar."""
    network = {"layers": [{"units": 10, "activation": "tanh"}, {"units": 3}], "loss": "softmax_cross_entropy"}
    definition = {"data": {"synthetic": {"inputs": 8, "examples": 20}}, "network": network}
    report = verify(definition, backends=["numpy"], difference=difference, epsilon=epsilon, seed=seed)
    assert report.pairs[0].wrong == 0


def test_a_nearly_fitted_loss_has_honest_bars() -> None:
    """At a residual of 1e-10 the loss has no noise at θ, but where the steps lead it has."""
    network = Network(inputs=6, layers=(Dense(units=5, activation="tanh"), Dense(units=2)), loss="mean_squared_error")
    rng = np.random.default_rng(1)
    X = rng.standard_normal((12, 6))
    start = Problem.create(network, X, np.zeros((12, 2)))
    objective = NetworkObjective(start, np.float64)
    outputs = objective.forward(start.layout.by_role(start.theta)).a[-1]
    problem = Problem.create(network, X, outputs * (1 + 1e-10 * rng.standard_normal((12, 2))), theta=start.theta)
    _, exact = NetworkObjective(problem, np.longdouble).compute(problem.theta)
    estimate = numerical_gradient(problem)
    assert (np.abs(estimate.value - exact.astype(np.float64)) <= estimate.error_bar).all()


def test_a_tie_does_not_hide_a_wrong_sign() -> None:
    """With W1 = 0 the l1 penalty allows an interval of slopes, but no framework answers just anywhere in it."""
    network = Network(
        inputs=3, layers=(Dense(units=4, activation="tanh"), Dense(units=1)), loss="mean_squared_error", l1=38.4
    )
    rng = np.random.default_rng(0)
    theta = np.concatenate([np.zeros(12), rng.standard_normal(9)])
    problem = Problem.create(network, rng.standard_normal((64, 3)), rng.standard_normal((64, 1)), theta=theta)
    assert verify(problem).verdict == "AGREE"
    report = verify(problem, backends=[flipped(problem, slice(None)), "torch"])
    assert report.verdict != "AGREE"


@pytest.mark.parametrize("scale", [1e4, 1e6, 1e8])
def test_a_huge_feature_does_not_hide_a_small_one(scale: float) -> None:
    """Rounding in the column of a feature of size 1e8 says nothing about the column next to it."""
    network = Network(inputs=2, layers=(Dense(units=4, activation="tanh"), Dense(units=1)), loss="binary_cross_entropy")
    rng = np.random.default_rng(0)
    X = rng.standard_normal((32, 2)) * [scale, 1.0]
    theta = rng.standard_normal(17)
    theta[0:8:2] /= scale
    problem = Problem.create(network, X, rng.integers(0, 2, (32, 1)), theta=theta)
    assert verify(problem, backends=["numpy", "jax"]).verdict == "AGREE"
    report = verify(problem, backends=[flipped(problem, np.array([1])), "jax"])
    assert report.odd_one_out == ("numpy",)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "gelu", "elu", "sigmoid"])
def test_a_tenth_in_float32_is_found(activation: ActivationName) -> None:
    """Float32 rounding is no excuse for an error of 10 % in a component of a thousandth of the largest."""
    from xcheck.testing import FAULTS

    hidden = [{"units": 10, "activation": activation}] * 3
    definition = {
        "data": {"synthetic": {"inputs": 6, "examples": 32}},
        "network": {"layers": [*hidden, {"units": 2}], "loss": "softmax_cross_entropy"},
        "check": {"dtype": "float32"},
    }
    tenth = next(fault for fault in FAULTS if fault.name == "one component + 10 %")
    report = verify(definition, backends=[Planted(registry.get("numpy"), tenth), "torch"])
    assert report.odd_one_out == ("numpy",)


@pytest.mark.parametrize("outputs", [32, 33, 47])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("hidden", [1, 2])
def test_many_outputs(outputs: int, loss: LossName, hidden: int) -> None:
    """More than 32 are summed as an array: the same slopes as when the whole network is run, in 33 chunks too."""
    layers = [Dense(units=3, activation="tanh")] * hidden
    network = Network(inputs=10, layers=(*layers, Dense(units=outputs)), loss=loss)
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((8, 10)), np.eye(outputs)[rng.integers(0, outputs, 8)]
    problem = Problem.create(network, X, Y)
    _, exact = NetworkObjective(problem, np.longdouble).compute(problem.theta)
    engines: tuple[EngineName, ...] = ("structured", "node")
    for engine in engines:
        estimate = numerical_gradient(problem, OracleOptions(engine=engine))
        assert estimate.engine == engine
        assert (np.abs(estimate.value - exact) <= estimate.error_bar).all()
        assert (estimate.error_bar <= 1e-12 * problem.layout.largest(estimate.magnitude)).all()
    coarse = np.full(problem.layout.size, 0.3)  # too long to be short: losses are subtracted
    everything = np.arange(problem.layout.size)
    one, other = (made(problem).differences(everything, coarse, -coarse) for made in (BatchedEngine, StructuredEngine))
    np.testing.assert_allclose(one.slope, other.slope, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("scale", [1e-16, 1e-17, 1e-18, 1e-21])
@pytest.mark.parametrize("seed", range(4))
def test_a_squared_error_far_smaller_than_the_step(scale: float, seed: int) -> None:
    """What is even in the step cancels between the two sides, and its rounding is in the bar: nobody is blamed."""
    network = Network(inputs=4, layers=(Dense(units=2),), loss="mean_squared_error")
    rng = np.random.default_rng(seed)
    X, Y = rng.standard_normal((6, 4)), scale * rng.standard_normal((6, 2))
    problem = Problem.create(network, X, Y, theta=scale * rng.standard_normal(10))
    for engine in ("structured", "node", "batched"):
        assert verify(problem, backends=["numpy", "jax"], engine=engine).verdict != "DISAGREE"


@pytest.mark.parametrize("activation", ["elu", "tanh", "gelu"])
@pytest.mark.parametrize("residual", [1e-4, 1e-6, 1e-9, 0.0])
def test_strong_dropout_blames_nobody(activation: ActivationName, residual: float) -> None:
    """1/keep_prob = 10 enlarges rounding errors like everything else."""
    layers = [Dense(units=20, activation=activation, keep_prob=0.1)] * 2
    network = Network(inputs=7, layers=(*layers, Dense(units=2)), loss="mean_squared_error")
    for seed in range(6):
        rng = np.random.default_rng(seed)
        X = rng.standard_normal((6, 7))
        start = Problem.create(network, X, np.zeros((6, 2)), seed=seed)
        outputs = NetworkObjective(start, np.float64).forward(start.layout.by_role(start.theta)).a[-1]
        Y = outputs + residual * rng.standard_normal((6, 2))
        problem = Problem.create(network, X, Y, theta=start.theta, seed=seed)
        report = verify(problem, backends=["numpy", "jax"], engine="node")
        assert report.verdict != "DISAGREE", str(report)


@pytest.mark.parametrize("engine", ["batched", "structured", "node"])
def test_an_activation_that_is_all_but_zero(engine: str) -> None:
    """A unit that answers with 1e-310 leaves the others of its layer decided, and a wrong sign there is found."""
    network = Network(
        inputs=4, layers=(Dense(units=5, activation="gelu"), Dense(units=3)), loss="softmax_cross_entropy"
    )
    rng = np.random.default_rng(0)
    start = Problem.create(network, rng.standard_normal((6, 4)), np.eye(3)[rng.integers(0, 3, 6)])
    theta = start.theta.copy()
    theta[start.layout["W1"].span][:4] *= 1e-3
    theta[start.layout["b1"].span.start] = -38.2
    problem = Problem.create(network, start.inputs, start.targets, theta=theta)

    def turn(gradient: dict[str, Vector], problem: Problem) -> None:
        gradient["W2"] *= -7

    assert verify(problem, backends=["numpy"], engine=engine).pairs[0].wrong == 0
    spoiled = Planted(registry.get("numpy"), Fault("W2", "support", turn))
    assert verify(problem, backends=[spoiled], engine=engine).verdict == "DISAGREE"


def with_a_dead_unit(weight: float, layers: int) -> Problem:
    """A network with a relu unit at z = −30 or so, and weights of this size above it."""
    hidden = [Dense(units=5, activation="relu"), *[Dense(units=4, activation="tanh")] * (layers - 1)]
    network = Network(inputs=4, layers=(*hidden, Dense(units=3)), loss="softmax_cross_entropy")
    rng = np.random.default_rng(0)
    start = Problem.create(network, rng.standard_normal((12, 4)), np.eye(3)[rng.integers(0, 3, 12)])
    theta, layout = start.theta.copy(), start.layout
    theta[layout["b1"].span.start] = -30.0
    above = theta[layout["W2"].span].reshape(layout["W2"].shape)
    above[:, 0] = weight * np.arange(1, 1 + len(above))
    return Problem.create(network, start.inputs, start.targets, theta=theta)


@pytest.mark.parametrize("engine", ["batched", "structured", "node"])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("weight", [1e20, 1e100, 1e200])
def test_huge_weights_above_a_dead_unit_take_no_part(engine: str, layers: int, weight: float) -> None:
    """They are only ever multiplied by zero: everything else is decided, and a wrong sign is found."""
    problem = with_a_dead_unit(weight, layers)
    report = verify(problem, backends=["numpy", "jax"], engine=engine)
    assert (report.verdict, report.pairs[0].undecided) == ("AGREE", 0)
    assert report.resolution < 1e-9
    report = verify(problem, backends=[flipped(problem, slice(None)), "jax"], engine=engine)
    assert report.odd_one_out == ("numpy",)
