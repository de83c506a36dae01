"""An explanation as a value."""

import pytest

from xcheck.checks.explain.explanation import Kink


@pytest.mark.parametrize(
    ("kink", "text"),
    [
        (
            Kink(distance=0.0, exact=True, sight=0.1),
            "at θ: the slopes on both sides stay apart, however short the step",
        ),
        (Kink(distance=float("nan"), exact=True, sight=0.1), "no kink in sight, within 1.0e-01 of θ"),
        (Kink(distance=-0.02, exact=False, sight=0.1), "within 2.0e-02 of θ"),
        (Kink(distance=-0.02, exact=True, sight=0.1), "at distance 2.000e-02, with θ shrinking"),
        (Kink(distance=0.02, exact=True, sight=0.1), "at distance 2.000e-02, with θ growing"),
    ],
)
def test_where_a_kink_is(kink: Kink, text: str) -> None:
    """In words: at θ, nowhere, somewhere within, or there and on which side."""
    assert str(kink) == text
