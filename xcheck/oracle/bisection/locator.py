"""Locating: wrong components are found by bisection, measured by themselves, and join what is differenced.

Slopes along pieces are those of J, not of a witness: a second witness profits from what was measured for the first.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.bisection.directional import DirectionalDerivative, DirectionalDerivatives
from xcheck.oracle.bisection.search import MOST_FOUND, Allowance, Located, Measured, Search
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Directions, Lines
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.one_sided import OneSidedGradient, estimate_one_sided

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
            old = None if self._measured is None else (self._measured, np.searchsorted(self._places, before))
            self._measured = _merged((found, rows), old, len(self._places))
        if self._measured is None:
            return []
        one = self._measured.measured
        rows = np.searchsorted(self._places, places)
        return [Measured(float(one.value[row]), float(_wide(one)[row])) for row in rows]

    def joined(self, lines: Lines, found: OneSidedGradient) -> tuple[Lines, OneSidedGradient]:
        """Return the lines with what was found, and what was measured along all of them."""
        count = len(lines.components)
        own = [self._slopes.slope(piece, np.inf) for piece in self._slopes.whole]
        found = replace(found, measured=_with_slopes(found.measured, count, own))
        new = np.setdiff1d(self._places, lines.components)
        if self._measured is None or not len(new):
            return lines, found
        more = lines.including(new)
        places = np.concatenate([np.searchsorted(more.components, lines.components), len(more.components) + _up(own)])
        kept = _taken(self._measured, np.searchsorted(self._places, new))
        rows = np.searchsorted(more.components, new)
        return more, _merged((kept, rows), (found, places), more.layout.size)


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
    return OneSidedGradient(measured, np.full(size, np.nan), np.zeros(size, dtype=bool), np.zeros(size))


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


def _with_slopes(measured: Measurement, start: int, slopes: Sequence[DirectionalDerivative]) -> Measurement:
    """Return a measurement whose lines from `start` on are as the slopes say."""
    own = screened(slopes).measured
    names = ("value", "lower", "upper", "magnitude", "bar", "step")
    parts: dict[str, Any] = {
        name: np.concatenate([getattr(measured, name)[:start], getattr(own, name)]) for name in names
    }
    variants = own.conventions[: len(measured.conventions)]
    return replace(measured, conventions=np.concatenate([measured.conventions[:, :start], variants], axis=1), **parts)


def _taken(found: OneSidedGradient, rows: Indices) -> OneSidedGradient:
    """Return some rows."""
    one = found.measured
    names = ("value", "lower", "upper", "magnitude", "bar", "step")
    parts: dict[str, Any] = {name: getattr(one, name)[rows] for name in names}
    measured = replace(one, indices=np.arange(len(rows)), conventions=one.conventions[:, rows], **parts)
    return OneSidedGradient(measured, found.kink[rows], found.brief[rows], found.bend[rows])


def _merged(
    one: tuple[OneSidedGradient, Indices], other: tuple[OneSidedGradient, Indices] | None, size: int
) -> OneSidedGradient:
    """Return two measurements as one, each in its own rows of `size`."""
    parts = [one] if other is None else [one, other]
    everything = np.concatenate([rows for _, rows in parts])
    order = np.argsort(everything)
    assert np.array_equal(everything[order], np.arange(size))  # noqa: S101 - every row once
    names = ("value", "lower", "upper", "magnitude", "bar", "step")

    def put(values: list[Vector]) -> Vector:
        return np.concatenate(values, axis=-1)[..., order]

    measured = Measurement(
        indices=np.arange(size),
        conventions=put([found.measured.conventions for found, _ in parts]),
        evaluations=sum(found.measured.evaluations for found, _ in parts),
        **{name: put([getattr(found.measured, name) for found, _ in parts]) for name in names},
    )
    return OneSidedGradient(
        measured,
        put([found.kink for found, _ in parts]),
        np.concatenate([found.brief for found, _ in parts])[order],
        put([found.bend for found, _ in parts]),
    )
