"""Caveats of a training: a loss that rises, and dropout that the notes would choose otherwise."""

import numpy as np
import pytest

from tests.training.trainings import linear
from xcheck.api import train
from xcheck.networks.network import Dense, Network
from xcheck.training.caveats import is_far, keep_prob_advice, rises
from xcheck.training.curves import LossPoint


def test_a_loss_that_rises_is_a_warning() -> None:
    """On the full batch without dropout, with the step."""
    report = train(
        {
            "data": {"synthetic": {"inputs": 4, "examples": 60}},
            "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
            "training": {"steps": 20, "learning_rate": 1.9},
        },
        backends=["numpy"],
    )
    assert "XC429" in {warning.code for warning in report.warnings}


def test_a_penalty_of_absolute_values_chatters() -> None:
    """With l1, J goes up and down by a little for ever: no warning; a learning rate that is too large is one."""
    model = linear(steps=1500, learning_rate=0.05)
    model["network"]["l1"] = 4.0
    assert train(model, backends=["numpy"]).warnings == ()


def test_rounding_of_a_small_loss_is_no_rise() -> None:
    """In float32, at the bottom."""
    model = linear(steps=1500, learning_rate=0.1)
    report = train(model, backends=["numpy"], dtype="float32")
    assert "XC429" not in {warning.code for warning in report.warnings}


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


def curve(*costs: float) -> list[LossPoint]:
    """Points with these J, ten steps apart."""
    rest = {"training_loss": 0.0, "validation_loss": 0.0, "training_error": 0.0, "validation_error": 0.0}
    return [LossPoint(step=10 * place, cost=cost, **rest) for place, cost in enumerate(costs)]


def test_the_first_rise_is_named_and_all_are_counted() -> None:
    """With the step and J before and after it."""
    (warning,) = rises(curve(3.0, 2.0, 2.5, 2.0, 2.1), roundoff=2.0**-53, explained=0.0)
    assert warning.text.startswith("J rises at step 20, from 2 to 2.5 (2 times in all)")
    assert warning.value == 20


def test_a_rise_that_kinks_or_rounding_explain_is_none() -> None:
    """As much as l1 makes weights go to and fro, and some roundings of J."""
    assert rises(curve(3.0, 2.0, 2.5), roundoff=2.0**-53, explained=0.6) == []
    assert rises(curve(3.0, 2.0, 2.0 * (1 + 2.0**-20)), roundoff=2.0**-24, explained=0.0) == []


def test_a_theta_that_runs_away_is_far_from_its_start() -> None:
    """A million times the largest component, or a million where that is less than 1."""
    assert is_far(np.array([0.1]), np.array([-2e6]))
    assert not is_far(np.array([100.0]), np.array([2e6]))
