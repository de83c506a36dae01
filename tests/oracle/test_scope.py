"""Scope: all components where the budget allows, else a sample, else directions."""

import math

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.options import FunctionOptions, ScopeName
from xcheck.oracle.scope import choose_lines

LAYOUT = Layout.of({"W": (100, 10), "b": (10,)})


def losses(points: Vector) -> Vector:
    """As fast as can be."""
    return np.asarray(points.sum(1))


@pytest.mark.parametrize(
    ("scope", "budget", "components", "directions"),
    [
        ("all", 0.0, 1010, False),
        ("auto", 60.0, 1010, False),
        ("auto", 0.0, 0, True),
        ("directions", 60.0, 0, True),
        ("sample", 0.0, 8, True),
        ("sample", 1e6, 1010, False),
    ],
)
def test_what_is_differenced(scope: ScopeName, budget: float, components: int, directions: bool) -> None:
    """The budget counts where the scope leaves a choice; the least sample has four components of each tensor."""
    options = FunctionOptions(scope=scope, budget=budget)
    lines, predicted = choose_lines(Evaluator(losses), np.ones(LAYOUT.size), LAYOUT, options, math.inf)
    assert len(lines.components) == components
    assert (len(lines.directions) > 0) == directions
    assert (predicted > 0) == (scope in ("auto", "sample"))


@pytest.mark.parametrize(("seconds", "evaluated"), [(1e-4, 0), (1.0, 2)])
def test_a_loss_that_is_timed_already_may_be_enough(seconds: float, evaluated: int) -> None:
    """Where all components fit by the time of one loss nothing more is timed; elsewhere a batch of two."""
    asked = []

    def counted(points: Vector) -> Vector:
        asked.append(len(points))
        return losses(points)

    options = FunctionOptions(scope="auto", budget=60.0)
    lines, _ = choose_lines(Evaluator(counted), np.ones(LAYOUT.size), LAYOUT, options, seconds)
    assert lines.complete
    assert sum(asked) == evaluated


def test_components_that_are_asked_for_are_there() -> None:
    """In a sample, and beside directions."""
    for scope in ("sample", "directions"):
        options = FunctionOptions(scope=scope, budget=0.0, including=(3, 777))
        lines, _ = choose_lines(Evaluator(losses), np.ones(LAYOUT.size), LAYOUT, options, math.inf)
        assert {3, 777} <= set(lines.components.tolist())


@pytest.mark.parametrize("pads", [False, True])
def test_choosing_takes_little_of_the_budget(monkeypatch: pytest.MonkeyPatch, pads: bool) -> None:
    """Of a clock that ticks a second a loss: a whole batch is timed only where smaller ones have taken next to nothing.

    What fills up its batches takes as long for two losses as for all: only a whole batch tells how long each takes.
    """
    clock = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])

    def slow(points: Vector) -> Vector:
        clock[0] += 1000 if pads else len(points)
        return losses(points)

    options = FunctionOptions(scope="auto", budget=1000.0)
    lines, _ = choose_lines(Evaluator(slow, pads=pads), np.ones(LAYOUT.size), LAYOUT, options, math.inf)
    if pads:
        assert len(lines.components) > 50
    else:
        assert clock[0] < 0.4 * options.budget
        assert 0 < len(lines.components) < LAYOUT.size
