"""Progress: adding up the differences that engines have computed, and reporting them out of all that are planned."""

from collections.abc import Callable
from typing import TypeAlias

# Called with the number of differences that are done and the number that is planned.
Progress: TypeAlias = Callable[[int, int], None]


def count_progress(progress: Progress | None, planned: int) -> Callable[[int], None] | None:
    """Return a function that engines call with how many more differences are done; None if nobody asks for progress.

    It reports their sum and what is planned. Where more are done than planned, the sum is reported for both.

    >>> advance = count_progress(lambda done, planned: print(done, "of", planned), 6)
    >>> advance(4), advance(4)
    4 of 6
    8 of 8
    (None, None)
    """
    if progress is None:
        return None
    done = 0

    def advance(more: int) -> None:
        nonlocal done
        done += more
        # Plans are estimates: disputed components are measured again, with as many differences as it takes.
        progress(done, max(planned, done))

    return advance
