"""Treads: a loss that rounds on purpose is a staircase, and θ lies on one of its treads.

Rounding to decimals or to a grid, and tables, make J constant from one jump to the next. Its derivative at θ is zero,
and the slope over many treads is that of something else. On a tread no loss within s of θ differs from J(θ) by a bit,
so that the slope is at most u |J|/s.

The flat part of a smooth J is no tread, nor is what a kink lies beside. Where J has moved by m at a distance t from θ,
its slope there is m/t on the average, and at a minimum of any order it is more; so within s/16 from there J moves by
m s/16 t or more. Where that is many roundings of J, what does not move at all is a staircase, unless one of its jumps
lies in between.
"""

from dataclasses import replace

import numpy as np

from xcheck.dtypes import FLOAT64
from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.sides import OneSidedGradient

# A tread is so many times wider than the shortest step: rounding of θ makes treads as well. A guess.
_WIDER = 2.0**10
# A small θ beside numbers of size 1 makes treads that are 2⁻⁵² wide: narrower ones than this, in units of the scale,
# are not looked at. Numbers of size 2¹⁶ make wider ones, and are seen in the trace (`xcheck.trace.absorption`).
_NARROWEST = 2.0**-37
# Places at which the loss is compared, in units of s: uneven, so that what repeats itself is not met at the same place.
_PLACES = (1.0, 0.37, 0.11)
# Places beyond the tread, in the same units, further and further away until J has had so many values there, one at θ
# included: a single jump, and the end of a range, have two.
_BEYOND, _LEVELS = (4.0, 2.9, -4.0, -2.9), 4
# See the module: over how much of s J is constant there as well, and by how many roundings a smooth J would move there,
# whose terms may be ten times as large as it is. Three of four places must be on a tread: the nearest edge of a tread
# is s away or more, so that a jump is met at a place in 32.
_FLAT, _WOULD_MOVE, _MOST = 1 / 16, 16.0, 0.75
# The furthest place, in units of the first step: a few treads of the width that it has itself.
_FURTHEST = 64.0


def find_treads(engine: FunctionEngine, lines: Indices) -> Vector:
    """Return the s within which J is constant along lines, shape (c,) of all; 0 where it moves, or is no staircase.

    Args:
        engine: evaluates the losses.
        lines: those that are looked at, shape (k,).
    """
    within, longest = np.zeros(len(engine.scale)), engine.first_step * engine.scale
    # As far away as the first step a smooth J hardly ever stands still: two losses tell most of them.
    step, away = np.maximum(_WIDER * engine.shortest, _NARROWEST * engine.scale), longest[lines]
    pending = lines[_moved(engine, lines, away) == _moved(engine, lines, away + step[lines])]
    while len(pending := pending[step[pending] <= longest[pending]]):
        sides = engine.both_sides(pending, [place * step[pending] for place in _PLACES])
        still = np.all([side.magnitude == 0 for pair in sides for side in pair], axis=0)
        pending = pending[still]
        within[pending] = step[pending]
        step = 4 * step
    places = np.flatnonzero(within)
    within[places[~_are_stairs(engine, places, within[places])]] = 0
    return within


def _moved(engine: FunctionEngine, lines: Indices, step: Vector) -> Vector:
    """Return J at steps from θ, less J(θ), shape (k,)."""
    return np.asarray(engine.spans(lines, engine.attainable(lines, step), np.zeros_like(step)).lower)


@np.errstate(invalid="ignore")
def _are_stairs(engine: FunctionEngine, places: Indices, within: Vector) -> Flags:
    """Return whether J jumps beyond its treads and is constant between jumps, shape (k,)."""
    least = _WOULD_MOVE * engine.roundoff * np.abs(engine.losses[0])
    values: list[set[float]] = [{0.0} for _ in places]
    jumps, flats = np.zeros(len(places)), np.zeros(len(places))
    pending, unit, furthest = np.arange(len(places)), within, (_FURTHEST * engine.first_step * engine.scale)[places]
    while len(pending):
        away = np.outer(_BEYOND, unit[pending])
        lines, shape = np.tile(places[pending], len(_BEYOND)), away.shape
        moved = _moved(engine, lines, away.ravel()).reshape(shape)
        again = _moved(engine, lines, (away + _FLAT * within[pending]).ravel()).reshape(shape)
        seen = np.abs(moved) * _FLAT * within[pending] > least * np.abs(away)
        jumps[pending] += seen.sum(axis=0)
        flats[pending] += (seen & (again == moved)).sum(axis=0)
        for place, column in zip(pending, moved.T, strict=True):
            values[place].update(column[np.isfinite(column)])
        unit = 4 * unit
        several = np.array([len(each) >= _LEVELS for each in values])
        smooth = (jumps >= _LEVELS) & (flats < _MOST * jumps)
        pending = pending[~(several & (jumps >= _LEVELS) | smooth | (4 * unit > furthest))[pending]]
    return np.array([len(each) >= _LEVELS for each in values], dtype=bool) & (flats >= _MOST * jumps) & (jumps > 0)


def decide_on_treads(
    engine: FunctionEngine, gradient: OneSidedGradient, lines: Indices, *, leaves_open: bool
) -> tuple[OneSidedGradient, Vector | None]:
    """Return the gradient with what is known on treads, and within which distance these are constant; None: no stairs.

    Where all is computed in 64 bits, the stairs are meant and the slope is zero. Those of a narrow dtype, and of huge
    numbers, are noise of J.

    Args:
        engine: evaluates the losses.
        gradient: as it was measured.
        lines: those that are looked at, shape (k,).
        leaves_open: whether there is no slope where nobody knows; else it is that over the stairs.
    """
    within = find_treads(engine, lines)
    narrow = engine.evaluator.narrow() if within.any() else FLOAT64
    if narrow == 0:
        return settle_on_treads(engine, gradient, within), within
    return (leave_open_on_treads(gradient, within), within) if narrow is None and leaves_open else (gradient, None)


def settle_on_treads(engine: FunctionEngine, gradient: OneSidedGradient, within: Vector) -> OneSidedGradient:
    """Return the gradient with slope zero along the lines that lie on a tread."""
    places = np.flatnonzero(within)
    row, zero = gradient.take(places), np.zeros(len(places))
    bar = engine.roundoff * float(np.abs(engine.losses).mean()) / within[places]
    measured = replace(row.measured, value=zero, lower=zero, upper=zero, magnitude=zero, bar=bar, step=within[places])
    measured = replace(measured, conventions=np.zeros_like(row.measured.conventions))
    nowhere = np.zeros(len(places), dtype=bool)
    settled = replace(row, measured=measured, kink=np.full(len(places), np.nan), steep=nowhere, curvature=zero)
    return gradient.put(places, replace(settled, two_step=nowhere))


def leave_open_on_treads(gradient: OneSidedGradient, within: Vector) -> OneSidedGradient:
    """Return the gradient without a slope along the lines that lie on a tread, as at a jump."""
    places = np.flatnonzero(within)
    row, unknown = gradient.take(places), np.full(len(places), np.nan)
    lower, upper = np.full(len(places), -np.inf), np.full(len(places), np.inf)
    measured = replace(row.measured, value=unknown, lower=lower, upper=upper)
    measured = replace(measured, conventions=np.full_like(row.measured.conventions, np.nan))
    everywhere = np.ones(len(places), dtype=bool)
    return gradient.put(places, replace(row, measured=measured, kink=np.zeros(len(places)), steep=everywhere))
