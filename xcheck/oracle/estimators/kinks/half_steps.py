"""Estimates from one side: near a kink, the longer steps that lead away from it.

A kink at a distance t from θ lies inside every central step longer than t, and for a tiny t shorter steps leave little
but noise: a central difference knows the slope to c σ/t. On the side that leads away from the kink J is smooth, and
steps may be long: with D(h) = (J(θ + h) − J(θ))/h and the same to the left,

    R = (8 D(h) − 6 D(2h) + D(4h))/3

errs by h³ ∂⁴J/3. Both sides are tried. One that contradicts the central difference, within the error bars of both, has
the kink on its way. Where one side remains it is the slope; where both do, they differ by no more than their bars.

The same holds where ∂²J jumps at θ: a central difference converges slowly there, and both sides quickly.

Source: R is Richardson's extrapolation of D, whose error has terms of all powers of h, with two of them eliminated.
"""

from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, Measurement

# Steps in units of the natural scale: with J = sin the truncation h³/3 and the noise 2⁻⁵³ · 10/h are equal at 2⁻¹²; the
# shorter ones are for features on the way.
_STEPS = (2.0**-12, 2.0**-16, 2.0**-20)
# R carries (8 + 6/2 + 1/4)/3 of the noise of D, which is √2 σ/h: in units of the noise of a central difference.
_NOISE = 5.5


@np.errstate(all="ignore")  # what is not finite is no better
def improve_from_one_side(
    engine: FunctionEngine, noise: Vector, best: Measurement, places: Indices
) -> tuple[Measurement, Indices]:
    """Return better measurements of components whose bars are too wide, and the places of these.

    Args:
        engine: evaluates the differences.
        noise: σ of J per component, shape (n,).
        best: what is known of all components.
        places: components that are not at a kink, shape (k,).
    """
    found, improved = best, np.zeros(len(best.value), dtype=bool)
    evaluations = best.evaluations
    for relative in _STEPS:
        step = relative * engine.scale[places]
        value, bar, spent = _slopes(engine, places, step, noise[places], best.take(places))
        evaluations += spent
        better = bar < found.bar[places]
        rows = places[better]
        row = found.take(rows)
        found = found.put(
            rows,
            replace(
                row,
                value=value[better],
                lower=value[better],
                upper=value[better],
                conventions=value[None, better],
                bar=bar[better],
                step=step[better],
            ),
        )
        improved[rows] = True
    return replace(found, evaluations=evaluations), np.flatnonzero(improved)


def _slopes(
    engine: FunctionEngine, places: Indices, step: Vector, noise: Vector, central: Measurement
) -> tuple[Vector, Vector, int]:
    """Return slopes from the sides that do not contradict the central differences, with bars, and losses spent."""
    sides = engine.both_sides(places, [factor * step for factor in (1, 2, 4)])
    values, bars = [], []
    for side in (0, 1):
        once, twice, four = (pair[side].slope for pair in sides)
        value, second = (8 * once - 6 * twice + four) / 3, 2 * once - twice
        # The second-order value is off by h² ∂³J/3, which is far more than R is off by where J is smooth.
        magnitude = sides[0][side].magnitude
        bar = np.abs(value - second) + _NOISE * NOISE_MULTIPLE * noise / step + 8 * engine.roundoff * magnitude
        values.append(value)
        bars.append(bar)
    fits = [np.abs(value - central.value) <= bar + central.bar for value, bar in zip(values, bars, strict=True)]
    apart = np.abs(values[0] - values[1])
    value, bar = np.full(len(places), np.nan), np.full(len(places), np.inf)
    for side, other in ((0, 1), (1, 0)):
        alone: Flags = fits[side] & ~fits[other]
        value[alone], bar[alone] = values[side][alone], bars[side][alone]
    both = fits[0] & fits[1]
    value[both] = ((values[0] + values[1]) / 2)[both]
    bar[both] = (np.maximum(bars[0], bars[1]) + apart)[both]
    return value, bar, 6 * len(places)
