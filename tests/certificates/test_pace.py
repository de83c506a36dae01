"""The pace of a proof: as many slopes as fit, told from their work, and a clock that ends what takes far longer."""

import pytest

from xcheck.certificates.pace import Pace
from xcheck.certificates.work import Work
from xcheck.trace import UntraceableError

WORK = Work(10**6)


def test_what_fits_is_told_from_the_work() -> None:
    """The value takes as long as a slope; what was spent is no longer there."""
    pace = Pace(10 * WORK.seconds)
    assert pace.affordable(WORK) in (8, 9)
    pace.spend(WORK, 5, 1)
    assert pace.affordable(WORK) in (2, 3)
    pace.spend(WORK, 5, 1)
    assert pace.affordable(WORK) == 0


def test_without_a_budget_everything_fits() -> None:
    """And nothing is ended."""
    pace = Pace()
    assert pace.affordable(WORK) > 10**6
    pace.watch()


def test_the_clock_ends_what_takes_far_longer() -> None:
    """It begins with the first evaluation; the sentence has the budget."""
    seconds = iter([1000.0, 1010.0, 1039.0, 1041.0])
    pace = Pace(10.0, clock=lambda: next(seconds))
    pace.spend(WORK, 1, 3)
    pace.watch()
    pace.watch()
    with pytest.raises(UntraceableError, match="far longer than the budget of 10 s"):
        pace.watch()


def test_progress_is_reported_out_of_what_is_expected() -> None:
    """The first operation at once; where there are more than expected, their number is both."""
    seen: list[tuple[int, int]] = []
    pace = Pace(10.0, lambda done, planned: seen.append((done, planned)))
    pace.spend(WORK, 1, 3)
    pace.watch()
    assert seen == [(1, 3)]
