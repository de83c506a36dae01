"""Slopes to both sides: a jump of the slope is told from a curvature, and later measurements replace earlier ones."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.central import NOISE_MULTIPLE
from xcheck.oracle.estimators.sides import (
    OneSidedGradient,
    Sides,
    least_noise,
    measure_sides,
    unseen_noise,
)

LAYOUT = Layout.of({"theta": (3,)})


def losses(points: Vector) -> Vector:
    """J = |θ₀| + 50 θ₁² + 3 θ₂: a kink, a curvature, and neither."""
    return np.asarray(np.abs(points[:, 0]) + 50 * points[:, 1] ** 2 + 3 * points[:, 2])


def measured(step: float = 2.0**-10) -> Sides:
    """All components at θ = (0, 1, 2), measured once."""
    engine = FunctionEngine(Evaluator(losses), np.array([0.0, 1.0, 2.0]), Lines.all_of(LAYOUT))
    return measure_sides(engine, np.arange(3), np.full(3, step), np.full(3, least_noise(engine)))


def test_a_kink_is_no_bend() -> None:
    """K is the jump of the slope, and vanishes where J is smooth; the bend is ∂²J."""
    sides = measured()
    np.testing.assert_array_equal(sides.kinked, [True, False, False])
    np.testing.assert_allclose(sides.jump, [2.0, 0.0, 0.0], atol=1e-9)
    np.testing.assert_allclose(sides.curvature[1:], [100.0, 0.0], atol=1e-6)
    np.testing.assert_allclose(sides.measured.value, [0.0, 100.0, 3.0], atol=1e-9)


def test_at_a_jump_the_slopes_are_an_interval() -> None:
    """Ends and middle are conventions; the distance of the kink is not known to be any."""
    found = OneSidedGradient.at_jumps(measured(), np.full(3, np.nan), np.zeros(3, dtype=bool))
    np.testing.assert_allclose(found.measured.conventions[:, 0], [-1.0, 0.0, 1.0], atol=1e-9)
    np.testing.assert_array_equal(found.measured.lower[1:], found.measured.upper[1:])
    np.testing.assert_array_equal(found.kink, [0.0, np.nan, np.nan])


def test_slopes_that_grow_without_bound_are_no_kink() -> None:
    """A jump of J doubles K with half the step, a vertical tangent makes it larger too; nothing is a subgradient."""

    def jumps(points: Vector) -> Vector:
        return np.asarray((points[:, 0] > 0) + np.sqrt(np.abs(points[:, 1])) + np.abs(points[:, 2]))

    engine = FunctionEngine(Evaluator(jumps), np.zeros(3), Lines.all_of(LAYOUT))
    sides = measure_sides(engine, np.arange(3), np.full(3, 2.0**-10), np.full(3, 1e-16))
    np.testing.assert_array_equal(sides.kinked, [True, True, True])
    np.testing.assert_array_equal(sides.steep, [True, True, False])
    found = OneSidedGradient.at_jumps(sides, np.full(3, np.nan), np.zeros(3, dtype=bool))
    np.testing.assert_array_equal(found.steep, [True, True, False])
    assert np.isnan(found.measured.value[:2]).all()
    assert (found.measured.lower[:2] == -np.inf).all()
    np.testing.assert_allclose([found.measured.lower[2], found.measured.upper[2]], [-1.0, 1.0])


def test_the_latest_measurement_counts() -> None:
    """Each component is there once, in its place; losses add up."""
    first, again = measured(), measured(2.0**-12).take(np.array([2, 0]))
    whole = Sides.latest([first, again], 3)
    np.testing.assert_array_equal(whole.measured.indices, np.arange(3))
    np.testing.assert_array_equal(whole.measured.step, [2.0**-12, 2.0**-10, 2.0**-12])
    assert whole.measured.evaluations == first.measured.evaluations + again.measured.evaluations
    assert whole.kinked[0]


def test_noise_that_no_sample_shows_is_a_thirty_second_of_what_rounding_of_theta_does() -> None:
    """u |θᵢ ∂ᵢJ|/32: none where θᵢ is zero, and none where the slope is not known to be finite."""
    theta = np.array([0.0, -3.0, 2.0])
    engine = FunctionEngine(Evaluator(losses), theta, Lines.all_of(LAYOUT))
    expected = 2.0**-53 / 32 * np.array([0.0, 3.0 * 300.0, 2.0 * 3.0])
    np.testing.assert_allclose(unseen_noise(engine, np.array([1.0, -300.0, 3.0])), expected, rtol=1e-12)
    np.testing.assert_array_equal(unseen_noise(engine, np.array([1.0, np.nan, np.inf])), [0.0, 0.0, 0.0])


def test_rounding_that_repeats_itself_is_within_the_bar_of_the_noise_that_no_sample_shows() -> None:
    """ωθ is rounded alike at all samples, and errs by a slope of u |θ ∂J|/p, which 8 σ/h covers from p = 4h on."""
    omega, step = 3e7, 2.0**-10
    theta = np.array([0.0, 1.7, 2.0])
    engine = FunctionEngine(Evaluator(lambda points: np.sin(omega * points[:, 1])), theta, Lines.all_of(LAYOUT))
    slope = np.array([0.0, omega, 0.0])
    error = 2.0**-53 * abs(theta[1] * slope[1]) / (4 * step)
    assert NOISE_MULTIPLE * unseen_noise(engine, slope)[1] / step >= error * (1 - 1e-12)
