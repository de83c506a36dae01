"""Gradient descent: the notes' update, weight decay included, and what penalties and normalisation do to it."""

from itertools import islice, pairwise
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
from xcheck.training.descent import Descent, draw_batches, scale_penalty

NETWORK = Network(
    inputs=3, layers=(Dense(units=4, activation="tanh"), Dense(units=2)), loss="softmax_cross_entropy", l2=0.7
)


def data(rows: int = 20) -> Dataset:
    """Random rows of two classes."""
    rng = np.random.default_rng(0)
    return Dataset(
        inputs=rng.standard_normal((rows, 3)), targets=np.eye(2)[rng.integers(0, 2, rows)], features=("a", "b", "c")
    )


def problem(network: Network = NETWORK, rows: int = 20) -> Problem:
    """The network at its initial θ."""
    own = data(rows)
    return Problem.create(network, own.inputs, own.targets, seed=3)


def path(backend: str = "numpy", network: Network = NETWORK, **plan: object) -> list[Vector]:
    """All θ on the way."""
    training = Training.model_validate({"steps": 5, "learning_rate": 0.1, **plan})
    own = problem(network)
    return list(Descent(own, data(), training, registry.get(backend), CheckSettings()).run())


def test_a_step_is_the_notes_update() -> None:
    """Equations (9) and (10): W − α (dJ/dW + λ/m W), which is (1 − α λ/m) W − α dJ/dW."""
    first, second = path()[:2]
    own = problem()
    plain = Problem.create(Network(inputs=3, layers=NETWORK.layers, loss=NETWORK.loss), own.inputs, own.targets)
    without = registry.get("numpy").network_objective(plain).loss_and_gradient(first)[1]
    weights = np.concatenate([np.full(tensor.size, tensor.name.startswith("W")) for tensor in own.layout])
    decayed = np.where(weights, (1 - 0.1 * 0.7 / 20) * first, first) - 0.1 * without
    np.testing.assert_allclose(second, decayed, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("batch", [None, 8])
def test_every_witness_goes_the_same_way(backend: str, batch: int | None) -> None:
    """To rounding, on the same batches."""
    np.testing.assert_allclose(path(backend, batch=batch)[-1], path("numpy", batch=batch)[-1], rtol=1e-12, atol=1e-14)


def test_steps_and_the_start_are_counted() -> None:
    """θ₀ and one θ after each step."""
    found = path(steps=7)
    assert len(found) == 8
    assert np.array_equal(found[0], problem().theta)


def test_a_batch_has_the_penalty_of_the_whole() -> None:
    """λ/2m with m the number of all examples: over an epoch the steps add up to that of the full batch."""
    assert scale_penalty(NETWORK, 5, 20).l2 == pytest.approx(0.7 / 4)
    own = problem()
    objective = registry.get("numpy").network_objective
    whole = objective(own).loss_and_gradient(own.theta)[1]
    parts = []
    for start in range(0, 20, 5):
        rows = slice(start, start + 5)
        part = Problem.create(scale_penalty(NETWORK, 5, 20), own.inputs[rows], own.targets[rows], theta=own.theta)
        parts.append(objective(part).loss_and_gradient(own.theta)[1])
    np.testing.assert_allclose(np.mean(parts, axis=0), whole, rtol=1e-12, atol=1e-15)


def test_an_epoch_sees_every_row_once() -> None:
    """In an order of its own."""
    first, second = (list(islice(draw_batches(10, 3, seed=1), start, start + 4)) for start in (0, 4))
    for epoch in (first, second):
        assert sorted(np.concatenate(epoch).tolist()) == list(range(10))
    assert any(not np.array_equal(a, b) for a, b in zip(first, second, strict=True))


def test_dropout_is_drawn_anew_at_every_step() -> None:
    """What the notes want of different passes; and the same seed draws the same."""
    dropping = Network(
        inputs=3, layers=(Dense(units=8, activation="tanh", keep_prob=0.5), Dense(units=2)), loss="mean_squared_error"
    )
    rows = data().rows(np.array([0]))
    own = Problem.create(dropping, rows.inputs, rows.targets, seed=3)
    plan = Training.model_validate({"steps": 6, "learning_rate": 0.1})
    once, again = (list(Descent(own, rows, plan, registry.get("numpy"), CheckSettings()).run()) for _ in range(2))
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    # With one example, a unit that was dropped does not move.
    moved = [str((after - before)[:24].reshape(8, 3).any(axis=1)) for before, after in pairwise(once)]
    assert len(set(moved)) > 1


def test_a_theta_that_is_not_finite_ends_it() -> None:
    """What is too large a step."""
    network = Network(inputs=3, layers=(Dense(units=2),), loss="mean_squared_error")
    own = Problem.create(network, data().inputs, data().targets, seed=0)
    plan = Training.model_validate({"steps": 5000, "learning_rate": 100.0})
    found = list(Descent(own, data(), plan, registry.get("numpy"), CheckSettings()).run())
    assert len(found) < 5000
    assert np.isfinite(found[-1]).all()


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
