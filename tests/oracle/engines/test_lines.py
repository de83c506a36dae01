"""Lines: samples keep their names, and directions say how small an error they would have seen."""

import numpy as np
import pytest

from xcheck.layout import Layout
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import DIRECTIONS, Lines, sample_lines, unseen

LAYOUT = Layout.of({"W": (30, 40), "b": (3,), "s": ()})


def test_a_sample_keeps_names_and_places() -> None:
    """Every component is called what it is called in θ; small tensors are there as a whole."""
    lines = sample_lines(LAYOUT, 60, np.random.default_rng(0))
    theta = np.arange(LAYOUT.size, dtype=float)
    slopes = lines.along(theta)
    for place in range(len(lines.components)):
        location = lines.layout.locate(place)
        assert theta[location.flat] == slopes[place]
        assert str(LAYOUT.locate(location.flat)) == str(location)
    counts = {tensor.name: tensor.size for tensor in lines.layout}
    assert counts["b"] == 3
    assert counts["s"] == 1
    assert 4 <= counts["W"] < 60
    assert counts[DIRECTIONS] == 15


def test_directions_are_slopes_along_them() -> None:
    """∇J·v, differenced."""
    rng = np.random.default_rng(0)
    A, theta = rng.standard_normal(LAYOUT.size), rng.standard_normal(LAYOUT.size)
    lines = sample_lines(LAYOUT, 30, rng)
    engine = FunctionEngine(Evaluator(lambda points: np.sin(points) @ A), theta, lines)
    everything = np.arange(lines.layout.size)
    step = 1e-5 * engine.scale
    found = engine.differences(everything, step, -step).slope
    assert found == pytest.approx(lines.along(A * np.cos(theta)), rel=1e-6, abs=1e-6)


def test_the_smallest_error_that_is_seen() -> None:
    """Errors of that norm are never missed in a thousand draws; errors of a ten-thousandth nearly always."""
    bars = np.full(16, 1e-6)
    norm = unseen(bars)
    rng = np.random.default_rng(1)

    def missed(size: float) -> int:
        count = 0
        for _ in range(1000):
            error = rng.standard_normal(50)
            error *= size / np.linalg.norm(error)
            count += bool((np.abs(rng.standard_normal((16, 50)) @ error) <= bars).all())
        return count

    assert missed(norm) == 0
    assert missed(1e-4 * norm) > 900


@pytest.mark.parametrize(("bars", "norm"), [([], np.inf), ([np.nan, 1.0], np.inf), ([0.0, 0.0], 0.0)])
def test_without_bars_nothing_is_promised(bars: list[float], norm: float) -> None:
    """No direction, or one that could not be measured: nothing would have been seen for certain."""
    assert unseen(np.array(bars)) == norm


def test_a_complete_sample_is_everything() -> None:
    """All components, in their order."""
    lines = Lines.all_of(LAYOUT)
    assert lines.complete
    assert lines.layout is LAYOUT
