"""Locating: wrong components are found by bisection, measured by themselves, and join what is differenced.

Slopes along pieces are those of J, not of a witness: a second witness profits from what was measured for the first.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.bisection.directional import DirectionalDerivative, DirectionalDerivatives
from xcheck.oracle.bisection.search import MOST_FOUND, Allowance, Located, Measured, Search
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Directions, Lines
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.sides import OneSidedGradient

# A component that is to be named need not be known any better.
_TOLERANCE = 1e-6
# They are found for nothing, by looking; eight fill the report.
_MOST_NOT_FINITE = 8


class Locator:
    """Looks for wrong components of any number of gradients of one function.

    Args:
        engine: evaluates the losses.
        slopes: knows all directions from end to end.
    """

    def __init__(self, engine: FunctionEngine, slopes: DirectionalDerivatives) -> None:
        self._engine, self._slopes = engine, slopes
        self._places = np.zeros(0, dtype=np.intp)
        self._measured: OneSidedGradient | None = None

    def locate(self, gradient: Vector, allowance: Allowance, lines: Lines, found: OneSidedGradient) -> Located | None:
        """Return which components of a gradient, shape (n,), are wrong; None where the lines name enough of them."""
        bad = np.flatnonzero(~np.isfinite(gradient))
        if len(bad):
            before, named = self._engine.evaluations, bad[:_MOST_NOT_FINITE]
            self.measure(np.setdiff1d(named, lines.components))
            spent = self._engine.evaluations - before
            return Located(tuple(named.tolist()), losses=spent, not_finite=len(bad))
        known = _wrong(gradient, allowance, lines, found)
        if len(known) > MOST_FOUND:
            return None
        return Search(self._slopes, lines.whole, gradient, self.measure, allowance, known).run()

    def measure(self, places: Indices) -> list[Measured]:
        """Measure components by themselves: both sides, kinks, and bars."""
        new = np.setdiff1d(places, self._places)
        if len(new):
            engine = self._engine.for_lines(
                Lines(self._engine.lines.whole, new, Directions(0, self._engine.theta.size))
            )
            found = estimate_one_sided(engine, np.full(len(new), self._slopes.noise), tolerance=_TOLERANCE)
            self._engine.evaluations += engine.evaluations
            before = self._places
            self._places = np.union1d(before, new)
            rows = np.searchsorted(self._places, new)
            old = [] if self._measured is None else [(self._measured, np.searchsorted(self._places, before))]
            self._measured = _merged([(found, rows), *old])
        if self._measured is None:
            return []
        one = self._measured.measured
        rows = np.searchsorted(self._places, places)
        return [Measured(float(one.value[row]), float(_wide(one)[row])) for row in rows]

    def joined(self, lines: Lines, found: OneSidedGradient) -> tuple[Lines, OneSidedGradient]:
        """Return the lines with what was found, and what was measured along all of them."""
        count = len(lines.components)
        own = [self._slopes.slope(piece, np.inf) for piece in self._slopes.whole]
        directions = count + _up(own)
        slopes = replace(screened(own).measured, indices=directions)
        found = replace(found, measured=found.measured.put(directions, slopes))
        new = np.setdiff1d(self._places, lines.components)
        if self._measured is None or not len(new):
            return lines, found
        more = lines.including(new)
        places = np.concatenate([np.searchsorted(more.components, lines.components), len(more.components) + _up(own)])
        kept = self._measured.take(np.searchsorted(self._places, new))
        return more, _merged([(kept, np.searchsorted(more.components, new)), (found, places)])


def screened(slopes: Sequence[DirectionalDerivative]) -> OneSidedGradient:
    """Return slopes along directions as what was measured along lines."""
    size = len(slopes)
    value = np.array([slope.value for slope in slopes])
    bar, step = np.array([slope.bar for slope in slopes]), np.array([slope.step for slope in slopes])
    bar = np.where(np.isfinite(bar), bar, np.nan)  # what could not be measured nobody is blamed for
    steepest = np.array([slope.steepest for slope in slopes])
    measured = Measurement(
        np.arange(size), value, value.copy(), value.copy(), np.stack([value] * 3), steepest, bar, step, 0
    )
    return OneSidedGradient.smooth(measured)


def slopes_of(found: OneSidedGradient, start: int) -> list[DirectionalDerivative]:
    """Return what was measured along lines, from `start` on, as slopes."""
    one = found.measured
    bars = np.nan_to_num(_wide(one)[start:], nan=np.inf)
    rows = zip(one.value[start:], bars, one.step[start:], one.magnitude[start:], strict=True)
    return [DirectionalDerivative(*(float(number) for number in row)) for row in rows]


def _wide(measured: Measurement) -> Vector:
    """Return bars that hold the whole interval at a kink."""
    return np.asarray(measured.bar + (measured.upper - measured.lower) / 2)


def _up(slopes: Sequence[DirectionalDerivative]) -> Indices:
    return np.arange(len(slopes), dtype=np.intp)


def _wrong(gradient: Vector, allowance: Allowance, lines: Lines, found: OneSidedGradient) -> dict[int, Measured]:
    """Return the measured components in which a gradient is wrong."""
    one, count = found.measured, len(lines.components)
    claimed, value, bar = gradient[lines.components], one.value[:count], _wide(one)[:count]
    allowed = bar + allowance.relative * np.maximum(np.abs(claimed), np.abs(value)) + allowance.floor
    rows = np.flatnonzero(np.abs(claimed - value) > allowed)
    return {int(lines.components[row]): Measured(float(value[row]), float(bar[row])) for row in rows}


def _merged(parts: Sequence[tuple[OneSidedGradient, Indices]]) -> OneSidedGradient:
    """Return measurements as one, each in its own rows; together they have every row once."""
    everything = np.concatenate([rows for _, rows in parts])
    order = np.argsort(everything)
    numbers = np.arange(len(everything))
    assert np.array_equal(everything[order], numbers)  # noqa: S101 - every row once
    whole = OneSidedGradient.concatenate([found for found, _ in parts]).take(order)
    return replace(whole, measured=replace(whole.measured, indices=numbers))
