"""Divergence: at which steps trajectories part, from distances alone."""

from typing import Any

import numpy as np

from tests.training.trainings import Turning, trained
from xcheck.checks.report import Report
from xcheck.training.divergence import DivergenceMonitor
from xcheck.training.trajectories import Position


def at(step: int, other: float, nudged: float) -> Position:
    """Two trajectories and a nudged one, so far away from 1."""
    thetas = (np.array([1.0 + other]), np.array([1.0 + nudged]))
    return Position(step=step, theta=np.ones(1), others=thetas, unpenalised=None)


def watch(*positions: Position, **settings: Any) -> list[int]:
    """The steps at which the other one parts."""

    def check(here: Position) -> Report:
        asked.append(here.step)
        return sample

    asked: list[int] = []
    sample = trained("numpy").checkpoints[0].report
    own = DivergenceMonitor(names=["numpy", "other"], roundoff=2.0**-53, kinked=False, check=check)
    for position in positions:
        own.compare(position, **{"far": False, **settings})
    assert asked == [parting.step - 1 for parting in own.partings]
    return [parting.step for parting in own.partings]


def test_trajectories_that_met_again_were_apart() -> None:
    """What rounding explains never shrinks, so that a witness that meets the others later is not blamed."""
    assert watch(at(0, 0.0, 1e-16), at(1, 0.0, 1e-9), at(2, 1e-7, 1e-16)) == []


def test_steps_that_rounding_does_not_explain_are_told() -> None:
    """A thousand times as far as roundings lead; and again where it is a thousand times as far as that."""
    assert watch(at(0, 0.0, 1e-15), at(1, 9e-13, 1e-15), at(2, 1.5e-12, 1e-15), at(3, 1e-3, 1e-15)) == [2, 3]


def test_where_rounding_alone_leads_anywhere_nothing_is_told() -> None:
    """A trajectory that a rounding sends out of the numbers there are explains all others."""
    assert watch(at(0, 0.0, 1e-16), at(1, 1.0, float("inf"))) == []


def test_an_error_that_is_tolerated_is_told_once() -> None:
    """And hides nothing that is a thousand times as large."""
    far = [at(step, 1e-11 * step, 1e-15) for step in range(20)]
    assert watch(*far) == [1]
    assert watch(*far, at(20, 1e-6, 1e-15)) == [1, 20]


def test_where_theta_has_run_away_nothing_is_told() -> None:
    """Whose numbers overflow first says nothing about gradients."""
    assert watch(at(0, 0.0, 1e-16), at(1, 1.0, 1e-16), far=True) == []


def test_a_wrong_gradient_drifts() -> None:
    """By more than rounding, which is measured."""
    report = trained("numpy", Turning(1.01), check_at=[0, 400], steps=400, learning_rate=1.0)
    assert [warning.code for warning in report.warnings] == ["XC430"]
    assert report.drift is not None
    assert report.drift.of["turning"][-1] > 1e3 * report.drift.rounding[-1]


def test_right_gradients_part_by_rounding() -> None:
    """Two frameworks, mini-batches."""
    report = trained("numpy", "torch", batch=10)
    assert report.warnings == ()
    assert report.drift is not None
    assert max(report.drift.of["torch"]) < 1e-12
