"""Progress: engines say how many differences more are done, people want to know of how many."""

from collections.abc import Callable
from typing import TypeAlias

Progress: TypeAlias = Callable[[int, int], None]


def counted(progress: Progress | None, planned: int) -> Callable[[int], None] | None:
    """Turn "so many more" into "so many of so many"; None stays None.

    >>> advance = counted(lambda done, planned: print(done, "of", planned), 6)
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
        progress(done, max(planned, done))

    return advance
