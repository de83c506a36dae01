"""Locator: components that are found join the lines, in their places, with what was measured of them."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.corrected import Allowance
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator, derivatives_from, gradient_along
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import directions_alone

LAYOUT = Layout.of({"W": (30, 20), "b": (30,)})
THETA = np.random.default_rng(0).standard_normal(LAYOUT.size)


def losses(points: Vector) -> Vector:
    """J = Σ sin θ."""
    return np.asarray(np.sin(points).sum(1))


def test_what_is_found_joins_the_lines() -> None:
    """A second error is found beside the first; rows of components and directions are each in their places."""
    lines = directions_alone(LAYOUT, 0)
    engine = FunctionEngine(Evaluator(losses), THETA, lines)
    slopes = DirectionalDerivatives(engine)
    found = gradient_along(slopes.measure_all())
    locator = Locator(engine, slopes)
    for places in ([500], [40, 500]):
        gradient = np.cos(THETA)
        gradient[places] += 10.0
        located = locator.locate(gradient, Allowance(), lines, found)
        assert located is not None
        lines, found = locator.join(lines, found)
        exact = lines.along(np.cos(THETA))
        assert set(places) <= set(lines.components.tolist())
        np.testing.assert_array_equal(found.measured.indices, np.arange(lines.layout.size))
        assert (np.abs(found.measured.value - exact) <= found.measured.bar + 1e-9).all()
        assert len(found.kink) == len(found.two_step) == len(found.curvature) == lines.layout.size


def test_what_is_not_finite_is_named_without_a_search() -> None:
    """Whatever else is wrong."""
    engine = FunctionEngine(Evaluator(losses), THETA, directions_alone(LAYOUT, 0))
    slopes = DirectionalDerivatives(engine)
    found = gradient_along(slopes.measure_all())
    gradient = np.where(np.arange(LAYOUT.size) == 9, np.nan, np.cos(THETA))
    located = Locator(engine, slopes).locate(gradient, Allowance(), engine.lines, found)
    assert located is not None
    assert (located.components, located.not_finite) == ((9,), 1)


def test_slopes_along_lines_hold_the_interval_of_a_kink() -> None:
    """Their bar is as wide as the interval; what was not measured has an infinite one."""
    engine = FunctionEngine(Evaluator(losses), THETA, directions_alone(LAYOUT, 0))
    found = gradient_along(DirectionalDerivatives(engine).measure_all())
    found.measured.lower[0] -= 2.0
    found.measured.bar[1] = np.nan
    slopes = derivatives_from(found, 0)
    assert slopes[0].bar >= 1.0
    assert slopes[1].bar == np.inf
    assert slopes[2].value == found.measured.value[2]
