"""Derivatives along segments: what is left of a whole, and two that contradict each other."""

import math

from xcheck.oracle.bisection.derivative import DirectionalDerivative


def test_what_contradicts_has_a_bar_as_wide_as_the_gap() -> None:
    """The shorter step is believed, the narrower bar is not."""
    long, short = DirectionalDerivative(1.0, 0.01, step=1.0), DirectionalDerivative(2.0, 0.02, step=0.1)
    assert long.reconcile(short) == DirectionalDerivative(2.0, 1.0, step=0.1)
    assert long.reconcile(DirectionalDerivative(1.005, 0.02, step=0.1)) == long


def test_a_measurement_that_failed_changes_nothing() -> None:
    """An infinite bar is replaced by any other, and replaces none."""
    known, failed = DirectionalDerivative(1.0, 0.01, step=1.0), DirectionalDerivative(7.0, math.inf, step=0.1)
    assert known.reconcile(failed) == failed.reconcile(known) == known


def test_what_is_left_when_a_part_is_taken_out() -> None:
    """Slopes are subtracted, bars and steepest slopes add up; the step is that of the part."""
    whole, part = DirectionalDerivative(5.0, 0.25, 1.0, 6.0), DirectionalDerivative(3.0, 0.5, 0.5, 4.0)
    assert whole.without(part) == DirectionalDerivative(2.0, 0.75, 0.5, 10.0)
