"""Curves: losses and errors along the way, and when to stop early."""

from typing import Any

import numpy as np
import pytest

from tests.training.trainings import definition
from xcheck.api import train
from xcheck.networks.definition import Training
from xcheck.networks.network import Dense, Network
from xcheck.training.curves import EarlyStopping, error_of, steps_between_points


def test_copies_of_images_are_trained_on_and_not_counted() -> None:
    """Errors and losses are those of the rows in the file; J, which falls, is that of all."""
    model = definition(augment={"copies": 2, "distort": 0.4}, steps=3)
    model["data"]["image"] = [2, 2]
    report = train(model, backends=["numpy"])
    assert "108 for training (36 and copies)" in report.plan
    assert report.recipe.counted == (36, 12)
    wrong = [look.training_error * 36 for look in report.looks]
    assert wrong == pytest.approx(np.round(wrong))


def test_a_patience_of_some_steps() -> None:
    """It stops when the loss has not fallen for so long, and remembers the θ of the least one."""
    stopping = EarlyStopping(patience=3, best_theta=np.zeros(1))
    losses = [2.0, 1.0, 1.5, 1.0, 1.2]
    assert [stopping.observe(step, np.full(1, step), loss) for step, loss in enumerate(losses)] == [False] * 4 + [True]
    assert (stopping.best_step, float(stopping.best_theta[0])) == (1, 1.0)


def test_without_patience_it_never_stops() -> None:
    """However long the loss rises."""
    stopping = EarlyStopping(patience=None, best_theta=np.zeros(1))
    assert not any(stopping.observe(step, np.zeros(1), float(step)) for step in range(1000))


@pytest.mark.parametrize(
    ("loss", "outputs", "targets", "error"),
    [
        ("softmax_cross_entropy", [[2.0, 1.0], [0.0, 3.0]], [[1.0, 0.0], [1.0, 0.0]], 0.5),
        ("binary_cross_entropy", [[-1.0], [0.1], [3.0], [-2.0]], [[0.0], [1.0], [0.0], [0.0]], 0.25),
        ("mean_squared_error", [[1.0], [2.0]], [[1.0], [3.0]], 0.5),
        ("mean_squared_error", [[9.0], [-9.0]], [[1.0], [3.0]], 1.0),
        ("mean_squared_error", [[2.0], [2.0]], [[2.0], [2.0]], 0.0),
    ],
)
def test_errors_are_fractions(loss: Any, outputs: Any, targets: Any, error: float) -> None:
    """Of wrong classes, of wrong answers to logits, and of variance that is not explained, at most all of it."""
    network = Network(inputs=1, layers=(Dense(units=len(outputs[0])),), loss=loss)
    assert error_of(network, np.array(outputs), np.array(targets)) == pytest.approx(error)


@pytest.mark.parametrize(("steps", "patience", "expected"), [(40, None, 1), (4000, None, 20), (4000, 60, 6), (9, 3, 1)])
def test_points_are_as_many_as_a_plot_can_show(steps: int, patience: int | None, expected: int) -> None:
    """Two hundred, or ten in the patience."""
    stopping = {} if patience is None else {"early_stopping": {"patience": patience}}
    plan = Training.model_validate({"steps": steps, "learning_rate": 0.1, **stopping})
    assert steps_between_points(plan) == expected
