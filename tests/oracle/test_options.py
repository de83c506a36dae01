"""Options: steps are chosen only where nobody has asked for one, or for one-sided differences."""

import pytest

from xcheck.oracle import OracleOptions


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (OracleOptions(), True),
        (OracleOptions(epsilon=1e-7), False),
        (OracleOptions(difference="forward"), False),
        (OracleOptions(difference="forward", epsilon=1e-7), False),
    ],
)
def test_when_steps_are_extrapolated(options: OracleOptions, expected: bool) -> None:
    """The lecture's formulas are taken as they stand."""
    assert options.extrapolates == expected
