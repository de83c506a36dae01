"""How close is close enough: the tolerance that was asked for, and what a dtype can hold to."""

import pytest

from xcheck.compare.tolerance import Tolerance, tolerance_for


def test_the_tolerance_of_float32_is_that_of_float32() -> None:
    """A thousand roundings of float32 are allowed, whatever was asked for."""
    assert Tolerance(1e-7, 2.0**-24).effective == 2.0**-14
    assert Tolerance(1e-3, 2.0**-24).effective == 1e-3


@pytest.mark.parametrize(
    ("bits", "extrapolates", "effective", "resolution"),
    [(53, True, 1e-7, 1e-6), (53, False, 1e-7, 1e-3), (24, True, 2.0**-14, 1e-2), (8, True, 0.125, 1.0)],
)
def test_each_dtype_has_a_tolerance_of_its_own(
    bits: int, extrapolates: bool, effective: float, resolution: float
) -> None:
    """A thousand roundings, of 16 bits only 32; plain differences decide less than extrapolated ones."""
    tolerance = tolerance_for(1e-7, 2.0**-bits, extrapolates=extrapolates)
    assert (tolerance.effective, tolerance.resolution) == (effective, resolution)
