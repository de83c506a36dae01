"""Targets: what xcheck is meant to reach on two cores, as ratios of medians within one run."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measure.rows import Row
from benchmarks.measure.whole import COMMAND, IMPORTS

_GIB = 1 << 30


class Run:
    """The valid rows of one run, by scenario and method."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = {(row.scenario, row.method): row for row in rows if row.valid}

    def median(self, scenario: str, method: str) -> float | None:
        """Return the median, or None where there is no valid row."""
        row = self._rows.get((scenario, method))
        return row.median if row else None

    def per_pass(self, scenario: str, method: str) -> float | None:
        """Return the seconds of one central difference of everything."""
        row = self._rows.get((scenario, method))
        return row.seconds_per_pass if row else None

    def memory(self, scenario: str, method: str) -> float | None:
        """Return the peak memory."""
        row = self._rows.get((scenario, method))
        return row.peak_memory if row else None

    def parameters(self, scenario: str) -> int:
        """Return n."""
        return next(row.parameters for (name, _), row in self._rows.items() if name == scenario)


@dataclass(frozen=True, slots=True)
class Target:
    """One number that is meant to be reached.

    Attributes:
        text: what it is.
        goal: the number.
        at_least: whether more is better.
        unit: what it is counted in.
        measured: takes it from a run; None where the run does not have what is needed.
    """

    text: str
    goal: float
    at_least: bool
    unit: str
    measured: Callable[[Run], float | None]

    def met(self, value: float) -> bool:
        """Whether a measured value reaches the goal."""
        return value >= self.goal if self.at_least else value <= self.goal


def quotient(above: float | None, below: float | None) -> float | None:
    """Return a ratio, None where one of the two is missing."""
    return above / below if above and below else None


def _growth(run: Run) -> float | None:
    """Return p for time ~ nᵖ between the two large networks."""
    ratio = quotient(run.median("million", "xcheck-node"), run.median("mnist", "xcheck-node"))
    if ratio is None:
        return None
    return math.log(ratio) / math.log(run.parameters("million") / run.parameters("mnist"))


def _beyond_imports(run: Run) -> float | None:
    whole, imports = run.median("small", COMMAND), run.median("small", IMPORTS)
    return None if whole is None or imports is None else whole - imports


def _gibibytes(run: Run) -> float | None:
    used = run.memory("million", COMMAND)
    return None if used is None else used / _GIB


def _ratio(slow: str, fast: str) -> Callable[[Run], float | None]:
    """Compare whole calls."""
    return lambda run: quotient(run.median("mnist", slow), run.median("mnist", fast))


def _pass_ratio(slow: str, fast: str) -> Callable[[Run], float | None]:
    """Compare single central differences of everything."""
    return lambda run: quotient(run.per_pass("mnist", slow), run.per_pass("mnist", fast))


def _faster(text: str, factor: float, measured: Callable[[Run], float | None]) -> Target:
    return Target(f"mnist: {text}", factor, True, "×", measured)


TARGETS: tuple[Target, ...] = (
    _faster("one pass of structured against vmap", 200, _pass_ratio("vmap", "xcheck-structured")),
    _faster("one pass of structured against notes-loop", 100, _pass_ratio("notes-loop", "xcheck-structured")),
    _faster("all of structured against one pass of vmap", 200, _ratio("vmap", "xcheck-structured")),
    _faster("all of structured against one pass of notes-loop", 100, _ratio("notes-loop", "xcheck-structured")),
    _faster("one pass of node against one pass of structured", 50, _pass_ratio("xcheck-structured", "xcheck-node")),
    Target("node, mnist to million: exponent of n", 1, False, "", _growth),
    Target("million: python -m xcheck", 30, False, "s", lambda run: run.median("million", COMMAND)),
    Target("million: peak memory of python -m xcheck", 2, False, "GiB", _gibibytes),
    Target("small: python -m xcheck, beyond importing torch and jax", 2, False, "s", _beyond_imports),
)
