"""The formulas of the notes, by hand, beside what every witness computes."""

import numpy as np
import pytest

from xcheck.backend import registry
from xcheck.networks.data import Dataset
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem, draw_masks
from xcheck.training.curves import predict
from xcheck_numpy import NumpyBackend

WITNESSES = registry.DEFAULTS
RNG = np.random.default_rng(0)
X, Y = RNG.standard_normal((10, 3)), RNG.integers(0, 2, (10, 1)).astype(float)
THETA = RNG.standard_normal(4)


def logistic(l2: float = 0.0, l1: float = 0.0) -> Problem:
    """Logistic regression of three features."""
    network = Network(inputs=3, layers=(Dense(units=1),), loss="binary_cross_entropy", l2=l2, l1=l1)
    return Problem.create(network, X, Y, theta=THETA)


def parts(backend: str, problem: Problem) -> tuple[float, np.ndarray]:
    """Loss and gradient."""
    return registry.get(backend).network_objective(problem).loss_and_gradient(problem.theta)


def cross_entropy() -> float:
    """Equation (1): the mean of −y log ŷ − (1 − y) log(1 − ŷ)."""
    y_hat = 1 / (1 + np.exp(-(X @ THETA[:3] + THETA[3])))
    return float(np.mean(-Y[:, 0] * np.log(y_hat) - (1 - Y[:, 0]) * np.log(1 - y_hat)))


@pytest.mark.parametrize("backend", WITNESSES)
def test_the_cost_is_the_mean_over_the_examples(backend: str) -> None:
    """Equations (1) and (5)."""
    assert parts(backend, logistic())[0] == pytest.approx(cross_entropy(), rel=1e-12)


@pytest.mark.parametrize("backend", WITNESSES)
def test_the_l2_penalty(backend: str) -> None:
    """Equations (2), (3), (6) and (7): λ/2m Σ w², biases left out."""
    penalty = 0.7 / 20 * np.sum(THETA[:3] ** 2)
    assert parts(backend, logistic(l2=0.7))[0] == pytest.approx(cross_entropy() + penalty, rel=1e-12)


@pytest.mark.parametrize("backend", WITNESSES)
def test_the_l1_penalty(backend: str) -> None:
    """Equation (4): λ/2m Σ |w|."""
    penalty = 0.3 / 20 * np.sum(np.abs(THETA[:3]))
    assert parts(backend, logistic(l1=0.3))[0] == pytest.approx(cross_entropy() + penalty, rel=1e-12)


@pytest.mark.parametrize("backend", WITNESSES)
def test_the_penaltys_share_of_the_gradient(backend: str) -> None:
    """Equation (8): λ/m w is added to dJ/dw, and nothing to dJ/db."""
    plain, penalised = parts(backend, logistic())[1], parts(backend, logistic(l2=0.7))[1]
    np.testing.assert_allclose(penalised - plain, [*(0.7 / 10 * THETA[:3]), 0.0], rtol=1e-9, atol=1e-15)


def dropping(keep_prob: float) -> Network:
    """One hidden layer of many units."""
    layers = (Dense(units=50, activation="relu", keep_prob=keep_prob), Dense(units=1))
    return Network(inputs=3, layers=layers, loss="mean_squared_error", input_keep_prob=1.0)


@pytest.mark.parametrize("keep_prob", [0.5, 0.8])
def test_inverted_dropout_preserves_the_expectation(keep_prob: float) -> None:
    """a ∘ d/keep_prob is a on average: so is z of the next layer."""
    network, targets = dropping(keep_prob), np.zeros((10, 1))
    problem = Problem.create(network, X, targets, seed=0)
    outputs = []
    for step in range(4000):
        masks = draw_masks(network, 10, 0, step=step)
        hidden = np.maximum(X @ problem.layout.unflatten(problem.theta)["W1"].T, 0) * masks[1] / keep_prob
        outputs.append(hidden @ problem.layout.unflatten(problem.theta)["W2"].T)
    whole = predict(network.without_dropout(), problem.theta, Dataset(inputs=X, targets=targets, features=()))
    spread = np.std(outputs, axis=0) / np.sqrt(len(outputs))
    assert (np.abs(np.mean(outputs, axis=0) - whole.a[-1]) <= 5 * spread).all()


@pytest.mark.parametrize("keep_prob", [0.5, 0.8])
def test_units_are_kept_with_their_probability(keep_prob: float) -> None:
    """d = rand < keep_prob, each layer its own."""
    masks = draw_masks(dropping(keep_prob), 2000, 0)
    assert masks[0] is None
    assert masks[2] is None
    assert masks[1] is not None
    assert np.mean(masks[1]) == pytest.approx(keep_prob, abs=0.01)


@pytest.mark.parametrize(("diagonal", "factor"), [(1.5, 38.443359375), (0.5, 0.001953125)])
def test_ten_linear_layers(diagonal: float, factor: float) -> None:
    """Nine of them make 1.5⁹ = 38.44 and 0.5⁹ = 0.00195 of an input."""
    network = Network(inputs=2, layers=(Dense(units=2),) * 10, loss="mean_squared_error")
    theta = np.concatenate([np.concatenate([(diagonal * np.eye(2)).ravel(), np.zeros(2)]) for _ in range(10)])
    data = Dataset(inputs=np.array([[1.0, -2.0]]), targets=np.zeros((1, 2)), features=("a", "b"))
    found = predict(network, theta, data)
    np.testing.assert_allclose(found.a[9], factor * data.inputs, rtol=1e-12)


def test_dropout_has_the_effect_of_a_penalty() -> None:
    """Averaged over masks, J of a linear unit is J + (1 − p)/p · ½ Σ w² mean x².

    "Similar behavior of L2 Regularization" (the notes); Srivastava et al., "Dropout", 2014, section 9.1.
    """
    rng = np.random.default_rng(0)
    X, Y, w = rng.standard_normal((2000, 3)), rng.standard_normal((2000, 1)), np.array([1.0, -0.5, 2.0])
    keep = 0.8
    linear = Network(inputs=3, layers=(Dense(units=1),), loss="mean_squared_error", input_keep_prob=keep)
    theta, losses = np.append(w, 0.0), []
    for seed in range(60):
        problem = Problem.create(linear, X, Y, theta=theta, seed=seed)
        losses.append(NumpyBackend().network_objective(problem).loss_and_gradient(theta)[0])
    plain = float(np.mean((X @ w[:, None] - Y) ** 2)) / 2
    penalty = (1 - keep) / keep * float((w**2 * np.mean(X**2, axis=0)).sum()) / 2
    assert np.mean(losses) == pytest.approx(plain + penalty, abs=4 * np.std(losses) / np.sqrt(60))
    assert penalty > 20 * np.std(losses) / np.sqrt(60)
