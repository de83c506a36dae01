"""Judging gradients: what rounding explains is right, what it does not is wrong, and kinks are no excuse."""

from dataclasses import replace

import numpy as np
import pytest
from flint import arb

from xcheck.certificates.judge import Claimed, judge, norm_of
from xcheck.certificates.slopes import Slopes
from xcheck.dtypes import FLOAT64

GRADIENT = np.array([3.0, -4.0, 0.5])
DIRECTIONS = [np.array([1.0, 1.0, -1.0]), np.array([1.0, -1.0, -1.0])]
SLOPES = Slopes(value=arb(1), slopes=tuple(arb(float(GRADIENT @ v)) for v in DIRECTIONS))
CLAIMED = Claimed(name="numpy", gradient=GRADIENT, roundoff=FLOAT64, spread=np.array([4.0, 4.0]))


def nudged(size: float) -> Claimed:
    """The gradient with one component off."""
    return replace(CLAIMED, gradient=GRADIENT + np.array([size, 0, 0]))


@pytest.mark.parametrize(
    ("size", "claim"), [(0.0, "right"), (1e-15, "right"), (2e-14, "inaccurate"), (1e-12, "wrong"), (np.nan, "wrong")]
)
def test_rounding_decides(size: float, claim: str) -> None:
    """One component that is off by so much; the norm is 5."""
    assert judge(nudged(size), SLOPES, DIRECTIONS).claim == claim


def test_the_error_is_in_units_of_the_norm() -> None:
    """And so is what would have been seen."""
    found = judge(nudged(1e-9), SLOPES, DIRECTIONS)
    assert found.error == pytest.approx(1e-9 / norm_of(SLOPES))
    assert 1e-16 < found.allowed < 1e-14
    assert found.claimed - found.slope == pytest.approx(1e-9, rel=1e-5)


def test_where_the_program_is_not_known_little_is_claimed() -> None:
    """No gradient is called wrong by a guess."""
    unknown = replace(nudged(1e-9), spread=None)
    assert judge(unknown, SLOPES, DIRECTIONS).claim == "not known"
    assert judge(replace(CLAIMED, spread=None), SLOPES, DIRECTIONS).claim == "right"
    # Nan is no rounding.
    assert judge(replace(nudged(np.nan), spread=None), SLOPES, DIRECTIONS).claim == "wrong"


def test_at_one_kink_everything_between_the_slopes_is_right() -> None:
    """Outside them it is wrong, with the distance."""
    both = replace(SLOPES, left=tuple(slope - 2 for slope in SLOPES.slopes), ties=1)
    # v₀ and v₁ both have +1 in front of the first component.
    assert judge(nudged(-1.0), both, DIRECTIONS).claim == "right"
    outside = judge(nudged(0.5), both, DIRECTIONS)
    assert outside.claim == "wrong"
    assert outside.other == pytest.approx(outside.slope - 2)
    assert outside.error * norm_of(both) == pytest.approx(0.5)


def test_at_several_kinks_only_a_slope_that_both_sides_share_refutes() -> None:
    """A sum of choices may lie outside the two slopes of the whole."""
    both = replace(SLOPES, left=tuple(slope - 2 for slope in SLOPES.slopes), ties=2)
    assert judge(nudged(0.5), both, DIRECTIONS).claim == "at a kink"
    assert judge(nudged(0.5), replace(both, left=SLOPES.slopes), DIRECTIONS).claim == "wrong"


def test_a_gradient_of_zero_is_right_where_all_slopes_are_zero() -> None:
    """Nothing is divided by the norm."""
    flat = Slopes(value=arb(1), slopes=(arb(0), arb(0)))
    assert judge(replace(CLAIMED, gradient=np.zeros(3), spread=np.zeros(2)), flat, DIRECTIONS).claim == "right"
    assert judge(replace(CLAIMED, spread=np.zeros(2)), flat, DIRECTIONS).claim == "wrong"
