"""The first measurement of a function: where it is smooth and quiet, its noise costs nothing."""

import numpy as np
import pytest

from xcheck.dtypes import BFLOAT16
from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines, directions_alone
from xcheck.oracle.function_measurement import measure_directions, measure_lines
from xcheck.oracle.options import FunctionOptions

LAYOUT = Layout.of({"x": (6,)})
THETA = np.linspace(0.2, 1.3, LAYOUT.size)
ON_STAIRS = np.array([0.12343, 0.56781])


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


def stairs(thetas: Vector) -> Vector:
    """To thousandths."""
    return np.asarray(np.round(thetas, 3).sum(axis=1))


@pytest.mark.parametrize(
    ("narrow", "value", "computed_in"), [(0.0, 0.0, 0.0), (None, np.nan, BFLOAT16), (BFLOAT16, 1.0, BFLOAT16)]
)
def test_what_a_staircase_is_taken_for(narrow: float | None, value: float, computed_in: float) -> None:
    """The slope on a stair, none, or the one over many stairs."""
    evaluator = Evaluator(stairs, narrow=lambda: narrow)
    measured = measure_lines(
        FunctionEngine(evaluator, ON_STAIRS, Lines.all_of(Layout.of({"x": (2,)}))), FunctionOptions(), 3
    )
    np.testing.assert_allclose(measured.gradient.measured.value, value, atol=0.1)
    assert measured.computed_in == computed_in
    assert (measured.treads is None) == (narrow == BFLOAT16)


def test_of_a_smooth_loss_nobody_is_asked() -> None:
    """It would cost a call."""

    def asked() -> float:
        raise AssertionError

    evaluator = Evaluator(lambda thetas: np.sin(thetas).sum(axis=1), narrow=asked)
    measured = measure_lines(
        FunctionEngine(evaluator, ON_STAIRS, Lines.all_of(Layout.of({"x": (2,)}))), FunctionOptions(), 3
    )
    np.testing.assert_allclose(measured.gradient.measured.value, np.cos(ON_STAIRS), rtol=1e-9)
