"""Verdicts, and the exit statuses that follow from them."""

from itertools import pairwise

from xcheck.verdict import Verdict


def test_exit_statuses() -> None:
    """0 AGREE, 1 DISAGREE, 3 UNDECIDED, 4 ERROR; 2 is a wrong command line."""
    assert {str(verdict): verdict.exit_status for verdict in Verdict} == {
        "AGREE": 0,
        "UNDECIDED": 3,
        "DISAGREE": 1,
        "ERROR": 4,
    }


def test_the_worst_decides() -> None:
    """A crash before a mistake, a mistake before doubt, doubt before agreement."""
    for better, worse in pairwise((Verdict.AGREE, Verdict.UNDECIDED, Verdict.DISAGREE, Verdict.ERROR)):
        assert Verdict.worst([worse, better]) is Verdict.worst([better, worse]) is worse
    assert Verdict.worst([]) is Verdict.AGREE
