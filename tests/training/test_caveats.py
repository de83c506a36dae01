"""What the notes advise about keep_prob, and what dropout does to a gradient and to weights."""

import numpy as np
import pytest

from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.training.caveats import keep_prob_advice
from xcheck_numpy import NumpyBackend


def network(*keeps: float, inputs: float = 1.0, units: tuple[int, ...] = (20, 5, 2)) -> Network:
    """Layers with so many units that keep so much; 160, 100 and 10 weights."""
    layers = tuple(Dense(units=width, keep_prob=keep) for width, keep in zip(units, keeps, strict=True))
    return Network(inputs=8, layers=layers, loss="mean_squared_error", input_keep_prob=inputs)


@pytest.mark.parametrize(
    "right", [network(1, 1, 1), network(0.5, 0.8, 1), network(0.5, 1, 1, inputs=0.9), network(1, 0.5, 1)]
)
def test_what_the_notes_advise_is_not_told(right: Network) -> None:
    """More is dropped where more parameters are, next to nothing of the inputs."""
    assert keep_prob_advice(right) is None


@pytest.mark.parametrize(
    ("odd", "said"),
    [
        (network(1, 1, 1, inputs=0.5), "the inputs are kept with probability 0.5"),
        (network(0.8, 0.5, 1), "layer 2 with 100 weights keeps 0.5, layer 1 with 160 keeps 0.8"),
        (network(0.8, 0.5, 1, inputs=0.5), "or more; layer 2"),
    ],
)
def test_what_they_would_not_do_is_told(odd: Network, said: str) -> None:
    """With the numbers."""
    advice = keep_prob_advice(odd)
    assert advice is not None
    assert advice.code == "XC432"
    assert said in advice.text


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
