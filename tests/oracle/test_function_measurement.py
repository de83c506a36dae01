"""The first measurement of a function: where it is smooth and quiet, its noise costs nothing."""

import numpy as np
import pytest

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines, directions_alone
from xcheck.oracle.function_measurement import measure_directions, measure_lines
from xcheck.oracle.options import FunctionOptions

LAYOUT = Layout.of({"x": (6,)})
THETA = np.linspace(0.2, 1.3, LAYOUT.size)


def smooth(points: Vector) -> Vector:
    """Σ sin θᵢ."""
    return np.sin(points).sum(1)


def noisy(points: Vector) -> Vector:
    """The same with a rounding of 2⁻³⁰ in it."""
    return np.asarray(np.round(smooth(points) * 2.0**30) / 2.0**30)


@pytest.mark.parametrize(("losses", "each"), [(smooth, 6), (noisy, 16)])
def test_noise_is_measured_by_itself_only_where_it_shows(losses: object, each: int) -> None:
    """Six losses a component and one, and many more where J is noisy; the slopes are right within their bars."""
    engine = FunctionEngine(Evaluator(losses), THETA, Lines.all_of(LAYOUT))  # type: ignore[arg-type]
    found = measure_lines(engine, FunctionOptions(scope="all"), few=3)
    assert (engine.evaluations <= 6 * LAYOUT.size + 2) == (each == 6)
    assert engine.evaluations >= each * LAYOUT.size / 2
    assert (np.abs(found.gradient.measured.value - np.cos(THETA)) <= found.gradient.measured.bar).all()


def test_directions_alone() -> None:
    """Random directions through all of θ, with a locator for what they show."""
    engine = FunctionEngine(Evaluator(smooth), THETA, directions_alone(LAYOUT, 0))
    found = measure_directions(engine)
    assert found.locator is not None
    expected = engine.lines.along(np.cos(THETA))
    assert (np.abs(found.gradient.measured.value - expected) <= found.gradient.measured.bar).all()
