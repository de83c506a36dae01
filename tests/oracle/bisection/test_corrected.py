"""A corrected gradient: what is measured replaces what is wrong, and its bar is part of every residual."""

import numpy as np
import pytest

from xcheck.oracle.bisection.blocks import Block
from xcheck.oracle.bisection.corrected import Allowance, CorrectedGradient, Measured
from xcheck.oracle.bisection.derivative import DirectionalDerivative
from xcheck.oracle.columns import Indices

SLOPES = np.array([1.0, 2.0, 3.0, 4.0])
ROW = np.array([1.0, -1.0, 0.0, 2.0])


def measure(places: Indices) -> list[Measured]:
    """The slopes, to a thousandth."""
    return [Measured(float(SLOPES[place]), 1e-3) for place in places]


def test_wrong_components_are_replaced() -> None:
    """Once each; right ones, and the caller's gradient, stay as they are."""
    gradient = np.array([1.0, 7.0, 3.0, 4.0])
    corrected = CorrectedGradient(gradient, measure, Allowance(), {})
    assert corrected.accept([1, 0, 1])
    assert corrected.found == {1: 5.0}
    assert not corrected.accept([1])
    assert gradient[1] == 7.0


def test_residuals_know_what_a_right_gradient_may_show() -> None:
    """The bar of the slope, those of the measurements along it, and the tolerance of what the direction moves."""
    corrected = CorrectedGradient(SLOPES, measure, Allowance(0.1, 0.5), {1: Measured(2.5, 0.25)})
    slope = DirectionalDerivative(6.0, 0.125, 1.0)
    residual, allowed = corrected.residual(ROW, Block(0, 4), slope)
    assert residual == pytest.approx(1.0 - 2.5 + 8.0 - 6.0)
    assert allowed == pytest.approx(0.125 + 0.25 + 0.5 + 0.1 * np.sqrt(1.0 + 2.5**2 + 16.0))
    # Along a part of the direction nothing was replaced.
    residual, allowed = corrected.residual(ROW, Block(2, 4), slope)
    assert (residual, allowed) == pytest.approx((2.0, 0.125 + 0.5 + 0.1 * 4.0))
