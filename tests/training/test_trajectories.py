"""Trajectories: all of them step by step, beside the one that is checked."""

from itertools import islice
from typing import Any

import numpy as np

from tests.fakes import Wrapped
from tests.training.trainings import definition, failing
from xcheck.checks.networks.check import load_model
from xcheck.layout import Vector
from xcheck.training.trajectories import Position, Positions, follow_trajectories
from xcheck_numpy import NumpyBackend


def follow(*others: Any, l2: float = 0.5, **training: Any) -> tuple[Positions, list[tuple[str, str]]]:
    """Positions of a small training driven by NumPy, and a list of failures."""
    model = definition(**training)
    model["network"]["l2"] = l2
    loaded = load_model(model, backends=[], others=["numpy", *(other.name for other in others)])
    assert loaded.training is not None
    assert loaded.parts is not None
    failures: list[tuple[str, str]] = []
    return (
        follow_trajectories(
            loaded,
            loaded.training,
            loaded.parts,
            [NumpyBackend(), *others],
            on_failure=lambda name, text: failures.append((name, text)),
        ),
        failures,
    )


def doubled(answer: Any) -> Any:
    """A gradient that is twice what it should be."""

    def doubled(theta: Vector) -> tuple[float, Vector]:
        loss, gradient = answer(theta)
        return loss, 2 * gradient

    return doubled


def test_every_position_has_all_trajectories() -> None:
    """The other witness, the nudged one and the one without a penalty; they start from the same θ₀, but for a nudge."""
    positions, _ = follow(Wrapped("doubled", doubled), steps=3)
    first, *later = positions
    assert [position.step for position in (first, *later)] == [0, 1, 2, 3]
    other, nudged = first.others
    assert np.array_equal(other, first.theta)
    assert 0 < np.abs(nudged - first.theta).max() < 1e-14
    assert first.unpenalised is not None
    assert np.array_equal(first.unpenalised, first.theta)
    assert not np.array_equal(later[0].others[0], later[0].theta)
    assert later[0].unpenalised is not None
    assert not np.array_equal(later[0].unpenalised, later[0].theta)


def test_only_the_driving_one_is_followed_alone() -> None:
    """One witness, no penalty."""
    positions, _ = follow(l2=0.0, steps=1)
    assert [(position.others, position.unpenalised) for position in positions] == [((), None)] * 2


def test_a_trajectory_restarts_where_the_driving_one_was() -> None:
    """It takes the next step from there: twice as long as that of the driving one."""
    positions, _ = follow(Wrapped("doubled", doubled), steps=5)
    _, second, third = islice(positions, 3)
    assert not np.allclose(third.others[0] - second.theta, 2 * (third.theta - second.theta), rtol=1e-6, atol=0)
    fourth: Position = positions.send([0])
    np.testing.assert_allclose(fourth.others[0] - third.theta, 2 * (fourth.theta - third.theta), rtol=1e-9)


def test_a_witness_that_fails_ends_its_own_trajectory() -> None:
    """Its θ is nan from then on; the failure is handed on once, and the others go on."""
    positions, failures = follow(Wrapped("failing", failing), steps=4)
    found = list(positions)
    assert len(found) == 5
    assert [bool(np.isnan(position.others[0]).all()) for position in found] == [False, False, True, True, True]
    assert [name for name, _ in failures] == ["failing"]
    assert "no such luck" in failures[0][1]
