"""Parts of a function's estimate: stairs of float32 are told from noise, and the yardstick from what is zero."""

from dataclasses import replace

import numpy as np
import pytest

from xcheck.layout import Layout
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_estimate import magnitude_of, nothing_measured, quantized_roundoff, rounding, rounding_floor


@pytest.mark.parametrize(
    ("near", "coarse", "expected"),
    [(0.0, 1e-8, 2.0**-24), (0.0, 1e-3, 2.0**-8), (1e-8, 1e-8, 0.0), (0.0, 1e-13, 0.0), (0.0, 0.0, 0.0)],
)
def test_a_staircase_is_told_by_its_treads(near: float, coarse: float, expected: float) -> None:
    """Noise that close samples do not show; of the size of float32, of bfloat16, or of neither."""
    assert quantized_roundoff(np.array([near]), np.array([coarse]), 1.0) == expected


def test_half_precision_may_lose_less_than_everything() -> None:
    """A multiple of the roundoff, and of a coarse one a smaller multiple."""
    assert rounding(2.0**-53) == 2.0**-45
    assert rounding(2.0**-8) < 1


def test_the_floor_of_roundings() -> None:
    """256 roundings of the tensor's largest slope, an eighth of all others', and those of θ where J bends."""
    layout, slope = Layout.of({"W": (2,), "b": (1,)}), np.array([8.0, -2.0, 0.0])
    measured = Measurement(np.arange(3), slope, slope, slope, slope[None], np.abs(slope), 0 * slope, np.ones(3), 0)
    gradient = replace(OneSidedGradient.smooth(measured), curvature=np.array([0.0, 64.0, 0.0]))
    roundoffs = {"W": 2.0**-53, "b": 2.0**-24}
    floor = rounding_floor(Lines.all_of(layout), np.array([1.0, -4.0, 1.0]), gradient, roundoffs)
    np.testing.assert_array_equal(floor, [2.0**-42, 2.0**-42 + 2.0**-42, 2.0**-16])


def test_the_yardstick() -> None:
    """The slope itself; the largest of all where a tensor is lost in noise; zero where no loss has moved."""
    layout = Layout.of({"W": (3,), "b": (2,)})
    slope, bar = np.array([1.0, -4.0, 0.0, 1e-9, 2e-9]), np.full(5, 1e-8)
    moved = np.array([1.0, 4.0, 0.0, 1e-9, 2e-9])
    measured = Measurement(np.arange(5), slope, slope, slope, slope[None], moved, bar, np.ones(5), 0)
    np.testing.assert_array_equal(magnitude_of(layout, measured), [1.0, 4.0, 0.0, 4.0, 4.0])
    steeper = replace(measured, lower=slope - 5.0)
    assert magnitude_of(layout, steeper)[0] == 4.0


def test_nothing_measured_promises_nothing() -> None:
    """As long as θ, and unknown."""
    nothing = nothing_measured(Layout.of({"W": (3,)}))
    assert np.isnan(nothing.error_bar).all()
    assert nothing.value.shape == nothing.rounding.gradient.shape == (3,)
