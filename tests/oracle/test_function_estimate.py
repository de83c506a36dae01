"""Parts of a function's estimate: stairs of float32 are told from noise, and the yardstick from what is zero."""

from dataclasses import replace

import numpy as np
import pytest

from xcheck.layout import Layout
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_estimate import (
    magnitude_of,
    nothing_measured,
    quantized_roundoff,
    rounding,
    rounding_floor,
    still_slopes,
    terms_of,
)


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
    still = np.full(5, 0.5)
    zero, terms = np.zeros(5), terms_of(OneSidedGradient.smooth(measured), np.zeros(5), still)
    np.testing.assert_array_equal(magnitude_of(layout, measured, terms, still), [1.0, 4.0, 0.0, 4.0, 4.0])
    steeper = replace(measured, lower=slope - 5.0)
    assert magnitude_of(layout, steeper, terms_of(OneSidedGradient.smooth(steeper), zero, still), still)[0] == 4.0


def test_what_cancels_is_compared_with_the_slope_a_step_away() -> None:
    """Zero at θ, and at four steps of a quarter from it a slope of the size of ∂²J; J itself where nothing moves."""
    slope, bar = np.array([1e-12, 0.0]), np.full(2, 1e-11)
    measured = Measurement(
        np.arange(2), slope, slope, slope, slope[None], np.array([0.1, 0.0]), bar, np.full(2, 0.25), 0
    )
    gradient = replace(OneSidedGradient.smooth(measured), curvature=np.array([3.0, 0.0]))
    still = still_slopes(Lines.all_of(Layout.of({"W": (2,)})), np.array([0.0, 10.0]), np.array([-7.0]))
    np.testing.assert_allclose(still, [7.0, 0.7])
    np.testing.assert_allclose(terms_of(gradient, np.zeros(2), still), [3.0, 0.7])
    np.testing.assert_allclose(terms_of(gradient, np.full(2, 0.5), still), [1.5, 0.7])


def test_a_loss_that_does_not_move_is_compared_with_itself() -> None:
    """Slopes and terms within the noise: a millionth of J, if θ moves by its own size."""
    layout, bar = Layout.of({"W": (2,)}), np.full(2, 1e-13)
    noise = np.array([2e-14, 1e-14])
    measured = Measurement(np.arange(2), noise, noise, noise, noise[None], noise, bar, np.ones(2), 0)
    np.testing.assert_array_equal(magnitude_of(layout, measured, noise, np.ones(2)), np.full(2, 2.0**-20))


def test_nothing_measured_promises_nothing() -> None:
    """As long as θ, and unknown."""
    nothing = nothing_measured(Layout.of({"W": (3,)}))
    assert np.isnan(nothing.error_bar).all()
    assert nothing.value.shape == nothing.rounding.gradient.shape == (3,)
