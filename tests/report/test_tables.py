"""Tables of the report on a check, wide and narrow."""

from dataclasses import replace

import pytest

from tests.report.test_text import FAILING
from xcheck.report.console import render_text
from xcheck.report.tables import Tables, title_of
from xcheck.verdict import Verdict


def shown(table: object, width: int = 100) -> list[list[str]]:
    """The words of a table, line by line."""
    return [line.split() for line in render_text(lambda console: console.print(table), width).splitlines()]


def test_undecided_components_have_a_column_where_there_are_any() -> None:
    """On a narrow page it takes the place of the band in words."""
    pair = FAILING.pairs[0]
    unsure = replace(pair, undecided=3)
    assert shown(Tables(narrow=False).pairs([pair]))[0] == ["pair", "difference", "wrong"]
    assert shown(Tables(narrow=False).pairs([unsure]))[0] == ["pair", "difference", "wrong", "undecided"]
    assert "worry" in shown(Tables(narrow=False).pairs([unsure]))[1]
    assert "worry" not in shown(Tables(narrow=True).pairs([unsure]))[1]


def test_gradients_of_different_losses_are_not_compared() -> None:
    """The number of wrong components would mean nothing."""
    pair = replace(FAILING.pairs[0], losses_agree=False, wrong=0)
    assert shown(Tables(narrow=False).pairs([pair]))[1][-1] == "loss"


@pytest.mark.parametrize(("narrow", "digits"), [(False, "0.71153333"), (True, "0.71153")])
def test_narrow_pages_have_fewer_digits(narrow: bool, digits: str) -> None:
    """Five instead of eight; at a kink an interval of slopes in both."""
    rows = shown(Tables(narrow=narrow).components(FAILING.pairs[0]))
    assert rows[1][-2] == digits
    assert any("[0," in row for row in rows)
    assert rows[-1] == ["...", "45", "more"]


def test_what_agrees_is_no_worry() -> None:
    """At a kink, or in a narrow dtype, right gradients differ by more than the notes call great."""
    agreeing = replace(FAILING.pairs[0], wrong=0, undecided=0, verdict=Verdict.AGREE)
    assert shown(Tables(narrow=False).pairs([agreeing]))[1][4] == "ok"
    assert shown(Tables(narrow=False).pairs([replace(agreeing, difference=1e-9)]))[1][4] == "great"


def test_a_pair_is_two_names() -> None:
    """As a title."""
    assert title_of(FAILING.pairs[0]) == "numpy – oracle"
