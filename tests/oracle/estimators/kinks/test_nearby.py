"""Slopes near θ: kinks are told from bends, and those that the line shows from those that it hides."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.kinks.nearby import NearbySlopes, measure_nearby


def losses(points: Vector) -> Vector:
    """J: θ₀ has a kink, θ₁ is hidden behind two that meet, θ₂ bends."""
    x, y, z = points.T
    return np.asarray(np.abs(x) + np.maximum(x + y, 0) - np.maximum(x - y, 0) + np.exp(3 * z))


def measured() -> NearbySlopes:
    """All three, at zero."""
    engine = FunctionEngine(Evaluator(losses), np.zeros(3), Lines.all_of(Layout.of({"theta": (3,)})))
    return measure_nearby(engine, np.arange(3), np.full(3, 1e-16), np.random.default_rng(0))


def test_kinks_part_slopes_however_near() -> None:
    """A bend parts them less, the nearer the points are."""
    np.testing.assert_array_equal(measured().kinked, [True, True, False])
    assert measured().width[2] < 1e-3


def test_only_what_the_line_does_not_show_is_hidden() -> None:
    """Along θ₁ the loss has one slope to both sides, and others nearby; what is met there is held."""
    nearby = measured()
    everywhere = np.array([-2.0, 1.0, 3.0]), np.array([2.0, 1.0, 3.0])
    np.testing.assert_array_equal(nearby.hidden(*everywhere), [False, True, False])
    np.testing.assert_array_equal(nearby.holds(np.array([0.0, 2.0, 3.0])), [True, True, True])
    np.testing.assert_array_equal(nearby.holds(np.array([3.0, 2.1, 4.0])), [False, False, False])
