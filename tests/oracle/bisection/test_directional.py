"""Directional derivatives: what cannot be measured has no bar."""

import numpy as np

from xcheck.layout import Layout
from xcheck.oracle.bisection.derivative import Segment
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import directions_alone

LAYOUT = Layout.of({"W": (30, 20), "b": (30,)})


def test_a_loss_that_is_not_finite_shows_nothing() -> None:
    """No slope, no bar, and no end of the search that says that all is well."""
    evaluator = Evaluator(lambda points: np.full(len(points), np.nan))
    found = DirectionalDerivatives(
        FunctionEngine(evaluator, np.ones(LAYOUT.size), directions_alone(LAYOUT, 0))
    ).measure_all()
    assert all(np.isinf(slope.bar) for slope in found)


def test_the_slope_along_a_part_of_a_direction() -> None:
    """J = Σ sin θ: each slope is v·cos θ, over whole directions and segments of them, within its bar."""
    theta = np.random.default_rng(0).standard_normal(LAYOUT.size)
    lines = directions_alone(LAYOUT, 0)
    slopes = DirectionalDerivatives(FunctionEngine(Evaluator(lambda points: np.sin(points).sum(1)), theta, lines))
    found = slopes.measure_all()
    for number, slope in enumerate(found):
        assert abs(slope.value - lines.directions.row(number) @ np.cos(theta)) <= slope.bar
        assert slope.bar < 1e-6 * abs(slope.value)
    part = slice(40, 300)
    slope = slopes.measure(Segment(1, part.start, part.stop), 1e-7)
    assert abs(slope.value - lines.directions.row(1)[part] @ np.cos(theta)[part]) <= slope.bar
    assert slope.bar < 1e-5
