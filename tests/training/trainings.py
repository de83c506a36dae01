"""Small trainings, and witnesses that go wrong on the way."""

from itertools import count
from typing import Any

import numpy as np

from tests.fakes import Answer, Says, Wrapped
from xcheck.api import train
from xcheck.layout import Vector
from xcheck.report.training import render
from xcheck.training import TrainingReport


def definition(**training: Any) -> dict[str, Any]:
    """A small network on synthetic data."""
    return {
        "data": {"synthetic": {"inputs": 4, "examples": 60}},
        "network": {
            "layers": [{"units": 6, "activation": "tanh"}, {"units": 3}],
            "loss": "softmax_cross_entropy",
            "l2": 0.5,
        },
        "training": {"steps": 40, "learning_rate": 0.3, **training},
        "check": {"seed": 1},
    }


def trained(*backends: Any, **training: Any) -> TrainingReport:
    """The report on it."""
    return train(definition(**training), backends=backends or ["numpy"])


class Turning(Wrapped):
    """A witness that is right at first, and wrong once its weights have grown."""

    def __init__(self, factor: float = 1.01) -> None:
        def wrap(answer: Says) -> Says:
            def turned(theta: Vector) -> Answer:
                loss, gradient = answer(theta)
                moved = float(np.linalg.norm(theta)) > _FAR
                return loss, gradient * (factor if moved else 1.0)

            return turned

        super().__init__("turning", wrap)


_FAR = 4.0  # ‖θ‖, which is 2.7 at the start


def failing(answer: Says) -> Says:
    """Right, until it is asked about a θ far enough from the start."""

    def failing(theta: Vector) -> Answer:
        if theta[-1] != 0:
            raise ValueError("no such luck")
        return answer(theta)

    return failing


def nan(answer: Says) -> Says:
    """Right at the start, and nan afterwards."""

    def nan(theta: Vector) -> Answer:
        loss, gradient = answer(theta)
        return loss, gradient * (np.nan if theta[-1] != 0 else 1.0)

    return nan


def late(answer: Says) -> Says:
    """At the start another loss at every call, which leaves it undecided; wrong afterwards."""
    calls = count(1)

    def late(theta: Vector) -> Answer:
        loss, gradient = answer(theta)
        return (loss + next(calls), gradient) if theta[-1] == 0 else (loss, gradient * 2.0)

    return late


def linear(**training: Any) -> dict[str, Any]:
    """Linear regression, which runs away when steps are too long."""
    return {
        "data": {"synthetic": {"inputs": 4, "examples": 60}},
        "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
        "training": {"steps": 400, "learning_rate": 20.0, **training},
    }


def plain(report: TrainingReport, width: int = 80) -> str:
    """The report, without line breaks."""
    return " ".join(render(report, width=width).split())
