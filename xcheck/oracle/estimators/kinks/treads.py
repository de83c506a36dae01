"""Treads: a loss that rounds on purpose is a staircase, and θ lies on one of its treads.

Rounding to decimals or to a grid, and tables, make J constant from one jump to the next. Its derivative at θ is zero,
and the slope over many treads is that of something else. On a tread no loss within s of θ differs from J(θ) by a bit,
so that the slope is at most u |J|/s.
"""

from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.sides import OneSidedGradient

# A tread is so many times wider than the shortest step: rounding of θ makes treads as well. A guess.
_WIDER = 2.0**10
# Places at which the loss is compared, in units of s: uneven, so that what repeats itself is not met at the same place.
_PLACES = (1.0, 0.37, 0.11)


def find_treads(engine: FunctionEngine) -> Vector:
    """Return the s within which J is constant along each line, shape (c,); 0 where it moves however short the step."""
    within = np.zeros(len(engine.scale))
    step = engine.first_step * engine.scale
    while len(pending := np.flatnonzero((within == 0) & (step >= _WIDER * engine.shortest))):
        sides = engine.both_sides(pending, [place * step[pending] for place in _PLACES])
        still = np.all([side.magnitude == 0 for pair in sides for side in pair], axis=0)
        within[pending[still]] = step[pending[still]]
        step = step / 4
    return within


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
