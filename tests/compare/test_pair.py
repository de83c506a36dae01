"""Pairs: the lecture's difference and its words."""

import numpy as np
import pytest

from xcheck.compare.pair import band, norm_relative_difference


@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
def test_the_norm_relative_difference_neither_overflows_nor_underflows(scale: float) -> None:
    """The lecture's formula holds at any scale."""
    a, b = scale * np.array([3.0, 4.0]), scale * np.array([3.0, 2.0])
    assert norm_relative_difference(a, b) == pytest.approx(2 / (5 + np.sqrt(13)))


def test_the_difference_of_what_is_not_finite_is_nan_and_a_worry() -> None:
    """And that of two zeros is zero."""
    assert np.isnan(norm_relative_difference(np.array([np.inf]), np.array([1.0])))
    assert band(float("nan")) == "worry"
    assert norm_relative_difference(np.zeros(2), np.zeros(2)) == 0.0
