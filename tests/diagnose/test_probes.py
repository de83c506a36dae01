"""Probes: a point beside θ."""

import numpy as np

from xcheck.diagnose.probes import change_of_residual, point_beside


def test_each_component_is_moved_by_a_part_of_itself() -> None:
    """Up or down, the same in every run; a zero by the step."""
    theta = np.array([1e-9, -3.0, 0.0, 1e9] * 5)
    moves = point_beside(theta, 1e-3) - theta
    np.testing.assert_allclose(np.abs(moves), 1e-3 * np.where(theta == 0, 1.0, np.abs(theta)), rtol=1e-6)
    assert set(np.sign(moves)) == {-1.0, 1.0}
    assert np.array_equal(point_beside(theta, 1e-3), point_beside(theta, 1e-3))


def test_by_how_much_of_itself_a_residual_changes() -> None:
    """Of the components that show it; with fewer than three nothing is known, nor where it is not finite."""
    before, bar = np.array([1.0, -2.0, 2.0, 1e-9]), np.full(4, 1e-6)
    assert change_of_residual(before, 1.5 * before, bar) == 0.5
    assert change_of_residual(before, 1.5 * before, np.array([1e-6, 1e-6, 10.0, 1e-6])) is None
    assert change_of_residual(before, np.array([1.0, np.nan, 2.0, 0.0]), bar) is None
