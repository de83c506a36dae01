"""What the notes say that penalties, normalisation and initial weights do, seen in networks that are trained."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xcheck import verify
from xcheck.backend import registry
from xcheck.layout import Vector
from xcheck.networks.data import Dataset
from xcheck.networks.definition import CheckSettings, Training
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
from xcheck.report.text import render
from xcheck.training.curves import predict
from xcheck.training.descent import Descent

EXAMPLES = Path(__file__).parents[2] / "xcheck" / "examples"
RNG = np.random.default_rng(4)
X = RNG.standard_normal((80, 5))
Y = np.sin(3 * X[:, :1]) + X[:, 1:2] ** 2


def network(activation: Any = "tanh", **penalty: float) -> Network:
    """One hidden layer; regression."""
    layers = (Dense(units=12, activation=activation), Dense(units=1))
    return Network(inputs=5, layers=layers, loss="mean_squared_error", **penalty)


def trained(own: Network, inputs: Vector, *, steps: int, learning_rate: float) -> tuple[Vector, float]:
    """θ after so many steps, and J there."""
    data = Dataset(inputs=inputs, targets=Y, features=tuple("abcde"))
    problem = Problem.create(own, inputs, Y, seed=0)
    plan = Training(steps=steps, learning_rate=learning_rate)
    *_, theta = Descent(problem, data, plan, registry.get("numpy"), CheckSettings()).run()
    return theta, registry.get("numpy").network_objective(problem).loss_and_gradient(theta)[0]


def test_a_large_penalty_makes_the_network_roughly_linear() -> None:
    """So that "every layer is roughly linear": tanh(z) is z but for a twentieth."""
    bent = []
    for l2 in (0.0, 80.0):
        own = network(l2=l2)
        theta, _ = trained(own, X, steps=800, learning_rate=0.1)
        z = predict(own, theta, Dataset(inputs=X, targets=Y, features=tuple("abcde"))).z[0]
        bent.append(float(np.sqrt(np.mean((np.tanh(z) - z) ** 2) / np.mean(z**2))))
    assert bent[0] > 0.2
    assert bent[1] < 0.05


def test_l1_makes_weights_sparse_and_l2_does_not() -> None:
    """So that W has "a lot of zeros in it"; the descent crosses zero, so it ends within a step of it."""
    shares = {}
    for name, penalty in (("l1", {"l1": 4.0}), ("l2", {"l2": 2.0})):
        theta, _ = trained(network("identity", **penalty), X, steps=3000, learning_rate=0.02)
        weights = np.abs(theta[:60])
        shares[name] = float(np.mean(weights < 0.01 * weights.max()))
    assert shares["l1"] > 0.5
    assert shares["l2"] < 0.2


def test_normalised_inputs_train_faster() -> None:
    """Features of hundreds beside fractions: at none of many learning rates does J fall as far in as many steps."""
    scales = np.array([300.0, 1.0, 0.01, 50.0, 0.2])
    raw = X * scales + 5 * scales
    same = Dataset(inputs=raw, targets=Y, features=tuple("abcde")).normalized().inputs
    rates = 10.0 ** np.arange(-9, 0.5, 0.5)
    with np.errstate(all="ignore"):
        best = {
            name: np.nanmin([trained(network(), inputs, steps=100, learning_rate=rate)[1] for rate in rates])
            for name, inputs in (("raw", raw), ("normalised", same))
        }
    assert best["normalised"] < 0.5 * best["raw"]


@pytest.mark.parametrize(("name", "fold"), [("exploding", "38.44-fold"), ("vanishing", "0.001953-fold")])
def test_the_shipped_examples_show_the_notes_numbers(name: str, fold: str) -> None:
    """Forwards and backwards, as 1.5⁹ and 0.5⁹; and the gradients are right all the same."""
    report = verify(EXAMPLES / f"{name}.toml", backends=["numpy"])
    assert report.ok
    text = " ".join(render(report).split())
    assert text.count(fold) == 2
    assert f"{name}: ∂L/∂z changes {fold} from " in text
