"""Gradient descent: the notes' update, weight decay included, on batches that are seeded."""

from itertools import islice, pairwise

import numpy as np
import pytest

from xcheck.backend import registry
from xcheck.layout import Vector
from xcheck.networks.data import Dataset
from xcheck.networks.definition import CheckSettings, Training
from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Problem
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
