"""Engines and spans: differences are divided by the step that was really taken, and ends stay in order."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Engine, Spans


class Kinked(Engine):
    """J = |θ₀| + θ₁ at θ = (0, 1000), whose slopes at the kink are given as two conventions."""

    name = "kinked"

    def __init__(self) -> None:
        super().__init__(np.array([0.0, 1e3]), Layout.of({"theta": (2,)}))
        self.asked = np.zeros(0)

    @property
    def scale(self) -> Vector:
        return np.ones(2)

    @property
    def losses(self) -> Vector:
        return np.array([1e3])

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        self.asked = plus
        distance = plus - minus
        conventions = np.stack([distance, np.where(indices == 0, -distance, distance)])
        return Spans(conventions.min(0), conventions.max(0), conventions, np.abs(distance), np.full(len(indices), 1e3))


def test_differences_are_divided_by_the_step_that_is_taken() -> None:
    """Beside 1000 a step of 1e-14 is none at all, and one of 1e-10 another."""
    engine = Kinked()
    found = engine.differences(np.array([1, 1]), np.array([1e-10, 1e-14]), np.zeros(2))
    assert engine.asked[0] != 1e-10
    assert found.slope[0] == 1.0
    assert np.isnan(found.slope[1])


def test_the_slope_is_the_middle_of_the_ends_whatever_the_sign_of_the_step() -> None:
    """Lower and upper are in order for steps to the left, too."""
    for step in (0.5, -0.5):
        found = Kinked().differences(np.array([0]), np.array([step]), np.zeros(1))
        assert (found.lower[0], found.slope[0], found.upper[0]) == (-1.0, 0.0, 1.0)
        assert set(found.conventions[:, 0]) == {-1.0, 1.0}
        assert found.magnitude[0] == 1.0


def test_spans_are_summed_example_by_example() -> None:
    """At a kink every example may be on a side of its own: the ends are means of the least and of the largest."""
    spans = Spans.summarized(np.array([[[1.0, -2.0]], [[0.0, 4.0]]]), np.array([[3.0, 5.0]]))
    assert (spans.lower, spans.upper, spans.magnitude, spans.level) == (-1.0, 2.5, 2.5, 4.0)
    np.testing.assert_array_equal(spans.conventions, [[-0.5], [2.0]])
