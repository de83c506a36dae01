"""Locator: it searches for wrong components, measures them one by one, and adds them to the lines.

Derivatives along segments are those of J and not of a witness, so the search for a second witness reuses all that was
measured for the first.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.bisection.corrected import Allowance, Measured
from xcheck.oracle.bisection.derivative import DirectionalDerivative
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.search import MOST_FOUND, Search, SearchResult
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Directions, Lines
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.sides import OneSidedGradient

# A relative error of a millionth is enough to show that a component is wrong, which is all that is needed: a guess.
_TOLERANCE = 1e-6
# Components that are not finite need no search; a report shows eight.
_MOST_NOT_FINITE = 8


class Locator:
    """Finds wrong components of any number of gradients of one function.

    Args:
        engine: evaluates the losses.
        slopes: has measured all directions from end to end.
    """

    def __init__(self, engine: FunctionEngine, slopes: DirectionalDerivatives) -> None:
        self._engine, self._slopes = engine, slopes
        # What was measured, and what of it joins the lines: not the right ones that a search has tried.
        self._places = self._shown = np.zeros(0, dtype=np.intp)
        self._measured: OneSidedGradient | None = None

    def locate(
        self, gradient: Vector, allowance: Allowance, lines: Lines, found: OneSidedGradient
    ) -> SearchResult | None:
        """Return the wrong components of a gradient, shape (n,); None where the lines show enough of them already."""
        bad = np.flatnonzero(~np.isfinite(gradient))
        if len(bad):
            before, named = self._engine.evaluations, bad[:_MOST_NOT_FINITE]
            self.measure(np.setdiff1d(named, lines.components))
            spent = self._engine.evaluations - before
            return self._show(SearchResult(tuple(named.tolist()), losses=spent, not_finite=len(bad)))
        # Errors that the sample shows are subtracted first, so that the search does not find them again.
        known = _find_wrong(gradient, allowance, lines, found)
        if len(known) > MOST_FOUND:
            return None
        return self._show(Search(self._slopes, lines.whole, gradient, self.measure, allowance, known).run())

    def _show(self, result: SearchResult) -> SearchResult:
        places = np.array([*result.components, *result.drawn], dtype=np.intp)
        self._shown = np.union1d(self._shown, np.intersect1d(places, self._places))
        return result

    def measure(self, places: Indices) -> list[Measured]:
        """Measure components one by one, both sides and kinks, and return their values with bars."""
        new = np.setdiff1d(places, self._places)
        if len(new):
            engine = self._engine.for_lines(
                Lines(self._engine.lines.whole, new, Directions(0, self._engine.theta.size))
            )
            found = estimate_one_sided(engine, np.full(len(new), self._slopes.noise), tolerance=_TOLERANCE)
            # The engine for single components counts for itself: its losses belong to the search.
            self._engine.evaluations += engine.evaluations
            before = self._places
            self._places = np.union1d(before, new)
            rows = np.searchsorted(self._places, new)
            old = [] if self._measured is None else [(self._measured, np.searchsorted(self._places, before))]
            self._measured = _merge([(found, rows), *old])
        if self._measured is None:
            return []
        measured = self._measured.measured
        rows = np.searchsorted(self._places, places)
        return [Measured(float(measured.value[row]), float(_half_widths(measured)[row])) for row in rows]

    def join(self, lines: Lines, found: OneSidedGradient) -> tuple[Lines, OneSidedGradient]:
        """Return the lines with the components that are wrong or were drawn, and the measurements along all."""
        count = len(lines.components)
        own = [self._slopes.measure(segment, np.inf) for segment in self._slopes.whole]
        directions = count + np.arange(len(own))
        slopes = replace(gradient_along(own).measured, indices=directions)
        found = replace(found, measured=found.measured.put(directions, slopes))
        new = np.setdiff1d(self._shown, lines.components)
        if self._measured is None or not len(new):
            return lines, found
        more = lines.including(new)
        places = np.concatenate(
            [np.searchsorted(more.components, lines.components), len(more.components) + np.arange(len(own))]
        )
        kept = self._measured.take(np.searchsorted(self._places, new))
        return more, _merge([(kept, np.searchsorted(more.components, new)), (found, places)])


def gradient_along(slopes: Sequence[DirectionalDerivative]) -> OneSidedGradient:
    """Return derivatives along directions in the form of a gradient along lines."""
    size = len(slopes)
    value = np.array([slope.value for slope in slopes])
    bar, step = np.array([slope.bar for slope in slopes]), np.array([slope.step for slope in slopes])
    bar = np.where(np.isfinite(bar), bar, np.nan)  # not measurable: undecided, never a disagreement
    steepest = np.array([slope.steepest for slope in slopes])
    measured = Measurement(
        np.arange(size), value, value.copy(), value.copy(), np.stack([value] * 3), steepest, bar, step, 0
    )
    return OneSidedGradient.smooth(measured)


def derivatives_from(found: OneSidedGradient, start: int) -> list[DirectionalDerivative]:
    """Return the measurements along lines, from `start` on, as directional derivatives."""
    measured = found.measured
    bars = np.nan_to_num(_half_widths(measured)[start:], nan=np.inf)
    rows = zip(measured.value[start:], bars, measured.step[start:], measured.magnitude[start:], strict=True)
    return [DirectionalDerivative(*(float(number) for number in row)) for row in rows]


def _half_widths(measured: Measurement) -> Vector:
    """Return bars that cover the whole interval of slopes at a kink."""
    return np.asarray(measured.bar + (measured.upper - measured.lower) / 2)


def _find_wrong(gradient: Vector, allowance: Allowance, lines: Lines, found: OneSidedGradient) -> dict[int, Measured]:
    """Return the components on the lines in which a gradient is wrong."""
    measured, count = found.measured, len(lines.components)
    claimed, value, bar = gradient[lines.components], measured.value[:count], _half_widths(measured)[:count]
    allowed = bar + allowance.relative * np.maximum(np.abs(claimed), np.abs(value)) + allowance.floor
    rows = np.flatnonzero(np.abs(claimed - value) > allowed)
    return {int(lines.components[row]): Measured(float(value[row]), float(bar[row])) for row in rows}


def _merge(parts: Sequence[tuple[OneSidedGradient, Indices]]) -> OneSidedGradient:
    """Return measurements as one, each in its own rows; together they fill every row once."""
    everything = np.concatenate([rows for _, rows in parts])
    order = np.argsort(everything)
    numbers = np.arange(len(everything))
    assert np.array_equal(everything[order], numbers)  # noqa: S101 - every row once
    whole = OneSidedGradient.concatenate([found for found, _ in parts]).take(order)
    return replace(whole, measured=replace(whole.measured, indices=numbers))
