"""Progress: engines say how many more, people are told of how many."""

from xcheck.progress import count_progress


def test_differences_are_added_up() -> None:
    """And reported out of all that are planned."""
    told: list[tuple[int, int]] = []
    advance = count_progress(lambda done, planned: told.append((done, planned)), 10)
    assert advance is not None
    for more in (3, 0, 5):
        advance(more)
    assert told == [(3, 10), (3, 10), (8, 10)]


def test_more_than_planned() -> None:
    """Never more than all: the plan grows with what is done."""
    told: list[tuple[int, int]] = []
    advance = count_progress(lambda done, planned: told.append((done, planned)), 4)
    assert advance is not None
    advance(6)
    assert told == [(6, 6)]


def test_nobody_asks() -> None:
    """Then there is nothing to call."""
    assert count_progress(None, 10) is None


def test_two_counters_do_not_share_their_sum() -> None:
    """Each check begins at nothing."""
    told: list[int] = []
    for _ in range(2):
        advance = count_progress(lambda done, planned: told.append(done), 10)
        assert advance is not None
        advance(3)
    assert told == [3, 3]
