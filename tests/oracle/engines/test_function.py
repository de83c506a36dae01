"""Engines of functions: losses along components and directions, in batches that fit."""

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines, directions_alone

LAYOUT = Layout.of({"W": (70, 10), "b": (5,)})
THETA = np.random.default_rng(0).standard_normal(LAYOUT.size)


def losses(points: Vector) -> Vector:
    """J = Σ sin θ."""
    return np.asarray(np.sin(points).sum(1))


def moved(theta: Vector, places: Vector, values: Vector) -> Vector:
    """The same, with one component changed each."""
    return np.asarray(np.sin(theta).sum() - np.sin(theta[places]) + np.sin(values))


@pytest.mark.parametrize("cheaper", [None, moved])
def test_slopes_along_components(cheaper: object) -> None:
    """In any order, and by whichever of the two ways to move a component."""
    engine = FunctionEngine(Evaluator(losses, cheaper), THETA, Lines.all_of(LAYOUT))  # type: ignore[arg-type]
    indices = np.random.default_rng(1).permutation(LAYOUT.size)
    step = np.full(LAYOUT.size, 2.0**-17)
    ((right, left),) = engine.both_sides(indices, [step])
    np.testing.assert_allclose((right.slope + left.slope) / 2, np.cos(THETA)[indices], atol=1e-7)
    np.testing.assert_allclose(right.slope - left.slope, -step * np.sin(THETA)[indices], atol=1e-7)
    np.testing.assert_allclose(engine.differences(indices, step, -step).slope, np.cos(THETA)[indices], atol=1e-7)


def test_slopes_along_directions() -> None:
    """From end to end, and with a part of the direction alone."""
    lines = directions_alone(LAYOUT, 0)
    engine = FunctionEngine(Evaluator(losses), THETA, lines)
    step = np.full(len(lines.directions), 2.0**-17)
    found = engine.differences(np.arange(len(step)), step, -step)
    np.testing.assert_allclose(found.slope, lines.along(np.cos(THETA)), atol=1e-5)
    piece = lines.directions.row(0)[20:50]
    above, below = engine.displaced(piece, 20, np.array([2.0**-17, -(2.0**-17)]))
    assert (above - below) * 2.0**16 == pytest.approx(piece @ np.cos(THETA)[20:50], abs=1e-6)


def test_the_loss_at_theta_is_evaluated_once_and_when_it_is_asked_for() -> None:
    """And handed on to engines along other lines."""
    engine = FunctionEngine(Evaluator(losses), THETA, Lines.all_of(LAYOUT))
    assert engine.evaluations == 0
    assert engine.losses == engine.losses == losses(THETA[None])
    assert engine.evaluations == 1
    other = engine.for_lines(directions_alone(LAYOUT, 0))
    assert other.losses == engine.losses
    assert other.evaluations == 0


def test_steps_are_those_that_float32_stores() -> None:
    """A step is what it is after θ + h was rounded."""
    engine = FunctionEngine(Evaluator(losses, roundoff=2.0**-24), THETA, Lines.all_of(LAYOUT))
    indices = np.arange(LAYOUT.size)
    taken = engine.attainable(indices, np.full(LAYOUT.size, 1e-3))
    stored = (THETA + taken).astype(np.float32).astype(np.float64)
    np.testing.assert_allclose(stored, THETA + taken, rtol=1e-15)


def test_how_many_lines_there_is_time_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """As fast as losses came so far: of a clock that ticks a second a loss."""
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def slow(points: Vector) -> Vector:
        clock[0] += len(points)
        return np.asarray(points.sum(1))

    engine = FunctionEngine(Evaluator(slow), THETA, Lines.all_of(LAYOUT))
    engine.deadline = 100.0
    assert engine.affordable(10) == LAYOUT.size  # nothing is known yet
    engine.both_sides(np.array([0]), [np.array([1e-3])])
    assert engine.affordable(10) == (100 - int(clock[0])) // 10
    clock[0] = 200.0
    assert engine.affordable(10) == 0
    engine.deadline = np.inf
    assert engine.affordable(10) == LAYOUT.size


def test_natural_steps_are_taken_as_they_are() -> None:
    """They are short numbers: however often halved, θ plus one of them is not rounded before the next power of two."""
    theta = np.random.default_rng(2).standard_normal(LAYOUT.size) * np.logspace(-3, 3, LAYOUT.size)
    engine = FunctionEngine(Evaluator(losses), theta, Lines.all_of(LAYOUT))
    everything = np.arange(LAYOUT.size)
    step = np.array(engine.scale)
    for _ in range(46):
        beyond = np.frexp(np.abs(theta) + 4 * step)[1] > np.frexp(theta)[1]
        useful = everything[(step >= engine.shortest) & ~beyond]
        for factor in (1, 2, 4, -1, -2, -4):
            taken = engine.attainable(useful, factor * step[useful])
            np.testing.assert_array_equal(taken, factor * step[useful])
        step = step / 2
    assert len(useful) > LAYOUT.size / 2
