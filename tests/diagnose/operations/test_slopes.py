"""Slopes at 0 of many functions, each from its own best step."""

import numpy as np
import pytest

from xcheck.diagnose.operations.slopes import STEPS, Slopes, slopes_of
from xcheck.dtypes import FLOAT64


def slopes(*functions: object, level: float = 1.0) -> Slopes:
    """The slopes of functions of t."""
    responses = np.stack([function(STEPS) - function(np.zeros(1)) for function in functions], axis=1)  # type: ignore[operator]
    return slopes_of(responses, np.full(len(functions), level * FLOAT64))


def test_smooth_functions() -> None:
    """Each within its bar, which is small; however much it bends."""
    found = slopes(np.exp, lambda t: np.sin(100 * t), lambda t: 3 * t, lambda t: 1 / (1 - 50 * t))
    exact = np.array([1.0, 100.0, 3.0, 50.0])
    assert (np.abs(found.value - exact) <= found.bar + 1e-13 * exact).all()
    assert (found.bar <= 1e-7 * exact).all()
    assert (np.abs(found.upper - found.lower) <= 1e-6 * exact).all()


def test_a_kink_has_two_slopes() -> None:
    """|t| has −1 and 1, whatever is added to it."""
    found = slopes(np.abs, lambda t: 2 * t + np.maximum(t, 0) + t**2)
    assert found.lower == pytest.approx([-1.0, 2.0], abs=1e-6)
    assert found.upper == pytest.approx([1.0, 3.0], abs=1e-6)


def test_where_there_is_no_value_there_is_no_slope() -> None:
    """A bar that is infinite decides nothing."""
    found = slopes(lambda t: np.where(t == 0, 0.0, np.nan))
    assert np.isinf(found.bar).all()


def test_a_part_of_the_steps_is_enough() -> None:
    """Long steps may lead out of the domain."""
    with np.errstate(all="ignore"):
        found = slopes(lambda t: np.sqrt(1 - 300 * t))
    assert found.value == pytest.approx([-150.0], rel=1e-6)
