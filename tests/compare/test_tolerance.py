"""How close is close enough: the same rule for networks and functions, by the roundoff of what they compute in."""

import pytest

from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import roundoff_of


@pytest.mark.parametrize(
    ("roundoff", "extrapolates", "effective", "resolution"),
    [
        (roundoff_of("float64"), True, 1e-7, 1e-6),
        (roundoff_of("float64"), False, 1e-7, 1e-3),
        (roundoff_of("float32"), True, 2.0**-14, 1e-2),
        (roundoff_of("float32"), False, 2.0**-14, 1e-2),
        (roundoff_of("bfloat16"), True, 2.0**-3, 1.0),
        (2.0**-11, True, 2.0**-6, 1.0),
    ],
)
def test_by_roundoff(roundoff: float, extrapolates: bool, effective: float, resolution: float) -> None:
    """A thousand roundings of float32, thirty-two of the 16-bit dtypes; plain differences decide less."""
    tolerance = tolerance_for(1e-7, roundoff, extrapolates=extrapolates)
    assert (tolerance.effective, tolerance.resolution) == (effective, resolution)


def test_what_was_asked_for_counts_where_it_is_more() -> None:
    """A tolerance of a hundredth is one, in any dtype that is finer."""
    assert tolerance_for(1e-2, roundoff_of("float32"), extrapolates=True).effective == 1e-2
