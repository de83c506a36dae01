"""Helpers of wording: one line each, short, and right in the corners."""

import math

import pytest

from xcheck.errors import Complaint
from xcheck.text import did_you_mean, joined, listed, quoted, ratio, shortened


def test_words_are_quoted_on_one_line() -> None:
    """Long ones are cut, control characters are escaped."""
    assert quoted("two\nlines") == r"'two\nlines'"
    assert quoted("x" * 41) == "'" + "x" * 37 + "...'"
    assert quoted("x" * 40) == "'" + "x" * 40 + "'"


def test_lists_are_cut() -> None:
    """And say that, or by how much, they are."""
    assert listed("abc") == "'a', 'b', 'c'"
    assert listed("abcdefghi").endswith("'h', ...")
    assert joined([1, 2], 2) == "1, 2"
    assert joined([1, 2, 3], 2) == "1, 2 and 1 more"


def test_the_eleventh_complaint_is_a_number() -> None:
    """Of a thousand bad cells ten are shown."""
    ten = [Complaint(f"bad cell {number}") for number in range(10)]
    assert shortened(ten) == ten
    more = shortened([*ten, Complaint("bad cell 10"), Complaint("bad cell 11")])
    assert len(more) == 11
    assert more[-1].text == "... and 2 more"


def test_a_slip_is_guessed() -> None:
    """Whatever its case; what is like nothing gets the whole list."""
    assert did_you_mean("UNITS", ["units", "activation"]) == "; did you mean 'units'?"
    assert did_you_mean("zzz", ["units", "activation"]) == "; known: units, activation"


@pytest.mark.parametrize(
    ("a", "b", "text"),
    [
        (3.0, 2.0, "1.5 x"),
        (-1.0, 1.0, "-1 x"),
        (1 + 1e-9, 1.0, "1.000000001 x"),
        (0.0, 1.0, "0, not 1 as"),
        (-0.0, 1.0, "0, not 1 as"),
        (1e9, 1.0, "1e+09, not 1 as"),
        (math.inf, 1.0, "inf, not 1 as"),
        (0.0, 0.0, "0, not 0 as"),
    ],
)
def test_ratios(a: float, b: float, text: str) -> None:
    """As many digits as tell the ratio from 1; both numbers where a ratio says nothing."""
    assert ratio(a, b) == text
