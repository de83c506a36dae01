"""Verdicts: which is worse, and the exit status of each."""

import itertools

import pytest

from xcheck.verdict import Verdict

ORDER = ("AGREE", "UNDECIDED", "DISAGREE", "ERROR")


@pytest.mark.parametrize(("verdict", "status"), [("AGREE", 0), ("DISAGREE", 1), ("UNDECIDED", 3), ("ERROR", 4)])
def test_exit_statuses(verdict: str, status: int) -> None:
    """2 is left to wrong command lines and definitions."""
    assert Verdict(verdict).exit_status == status


@pytest.mark.parametrize("pair", list(itertools.combinations(range(4), 2)))
def test_the_worst_decides(pair: tuple[int, int]) -> None:
    """In whatever order they come."""
    mild, severe = (Verdict(ORDER[place]) for place in pair)
    assert Verdict.worst([mild, severe]) is Verdict.worst([severe, mild]) is severe


def test_nothing_at_all_agrees() -> None:
    """There is nobody who could disagree."""
    assert Verdict.worst([]) is Verdict.AGREE


def test_a_verdict_is_its_word() -> None:
    """As it stands in reports and in JSON."""
    assert f"{Verdict.DISAGREE}" == "DISAGREE"
