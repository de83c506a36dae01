"""Pace: what of a proof fits the time that it may take, and how far it is."""

import time
from collections.abc import Callable

from xcheck.certificates.work import Work
from xcheck.progress import Progress
from xcheck.trace import UntraceableError

# Predictions from numbers of elements are right to a factor 1.3 where this was measured; a machine may be busy, and
# more digits may be needed. What takes so many times the budget, and at least so many seconds, is ended.
_PATIENCE, _LEAST = 4.0, 4.0
# Seconds between two reports of the progress.
_EVERY = 0.1


class Pace:
    """How many slopes fit the budget, told from their work; a clock ends only what takes far longer.

    Args:
        budget: seconds, infinite for no bound.
        progress: called with the number of operations that are evaluated and the number that is expected.
        clock: returns seconds.
    """

    def __init__(
        self,
        budget: float = float("inf"),
        progress: Progress | None = None,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self.budget, self._progress, self._clock = budget, progress, clock
        self._deadline, self._reported = float("inf"), 0.0
        self._done = self._planned = 0
        self._spent = 0.0

    def affordable(self, work: Work) -> int:
        """Return how many slopes fit what is left of the budget, beside the value; a large number where none is set."""
        left = (self.budget - self._spent) / work.seconds - 1
        return int(min(max(left, 0.0), 1e9))

    def spend(self, work: Work, slopes: int, operations: int) -> None:
        """Note that slopes are about to be proved together, by so many operations."""
        if not self._spent:
            self._deadline = self._clock() + max(_LEAST, _PATIENCE * self.budget)
        self._spent += work.seconds * (1 + slopes)
        self._planned = self._done + operations

    def watch(self) -> None:
        """Report an operation, and end what takes too long.

        Raises:
            UntraceableError: the time is up.
        """
        self._done += 1
        now = self._clock()
        if self._progress is not None and now > self._reported + _EVERY:
            self._reported = now
            self._progress(self._done, max(self._planned, self._done))
        if now > self._deadline:
            raise UntraceableError(f"it takes far longer than the budget of {self.budget:g} s")
