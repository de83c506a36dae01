"""Ties: slopes along directions that move several components; where J is irregular, nothing is refuted."""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.kinks.ties import TiedSlopes, measure_ties


def measured(loss: Callable[[Vector], Vector], theta: Vector, components: Sequence[int] = ()) -> list[TiedSlopes]:
    """Slopes along all directions that are looked at."""
    layout = Layout.of({"theta": (len(theta),)})
    engine = FunctionEngine(Evaluator(loss), theta, Lines.all_of(layout))
    chosen = list(components) or list(range(len(theta)))
    return measure_ties(engine, np.array(chosen, dtype=np.intp), 1e-16, np.random.default_rng(0))


def slopes(found: list[TiedSlopes], direction: Vector) -> tuple[float, float]:
    """The interval along one direction."""
    (one,) = [tied for tied in found if np.array_equal(tied.direction, direction)]
    return one.lower, one.upper


def test_a_tie_has_one_slope_along_all_ones() -> None:
    """And along opposite signs an interval: max(θ₁, θ₂) is |θ₁ − θ₂| / 2 there."""
    found = measured(lambda points: points.max(axis=1), np.ones(2))
    np.testing.assert_allclose(slopes(found, np.ones(2)), [1.0, 1.0], atol=1e-9)
    np.testing.assert_allclose(slopes(found, np.array([1.0, -1.0])), [-1.0, 1.0], atol=1e-9)


def test_only_what_sits_on_a_kink_is_moved() -> None:
    """Claims are made of these components alone."""
    found = measured(lambda points: points[:, [0, 2]].max(axis=1) + points[:, 1] ** 2, np.ones(3), (0, 2))
    assert all(tied.claimed(np.array([0.25, 7.0, 0.75])) == tied.direction @ [0.25, 0.75] for tied in found)
    np.testing.assert_allclose(slopes(found, np.ones(2)), [1.0, 1.0], atol=1e-9)


def test_where_the_loss_bends_slopes_are_those_at_theta() -> None:
    """Steps of one side are extrapolated, so that bending does not move the ends of the interval."""
    found = measured(lambda points: 40 * np.exp(points).max(axis=1), np.zeros(2))
    np.testing.assert_allclose(slopes(found, np.ones(2)), [40.0, 40.0], rtol=1e-7)


def test_independent_kinks_of_opposite_signs_refute_nothing() -> None:
    """Every corner is a subgradient, the one that a few points near θ would miss too."""
    signs = np.where(np.arange(12) % 2, -1.0, 1.0)
    found = measured(lambda points: np.maximum(points, 0) @ signs, np.zeros(12))
    for corner in (np.zeros(12), signs, signs * (np.arange(12) < 5)):
        assert all(tied.lower <= tied.claimed(corner) <= tied.upper for tied in found)


def test_a_tie_among_opposite_kinks_is_looked_at_alone() -> None:
    """Neighbours are moved together where all of them together say nothing."""

    def loss(points: Vector) -> Vector:
        return np.asarray(points[:, :2].max(axis=1) - np.maximum(points[:, 2:], 0).sum(axis=1))

    found = measured(loss, np.zeros(8))
    wrong = np.concatenate([[1.0, 1.0], np.zeros(6)])
    assert any(tied.claimed(wrong) > tied.upper + 0.5 for tied in found)


def test_what_is_not_finite_nearby_refutes_nothing() -> None:
    """A logarithm at the edge of its domain."""
    found = measured(lambda points: np.log(points).max(axis=1), np.zeros(2))
    assert not [tied for tied in found if np.isfinite(tied.lower)]
