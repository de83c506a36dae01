"""Slopes of polynomials that are fitted to many losses: sharper than differences where noise is what limits these.

Along a line J(θ + Ht) is fitted by least squares at N uneven places −1 < t < 1. With a(d) the slope at 0 of the
polynomial of degree d, w the weights that make a(d) of the losses, s² the sum of squared residuals over N − d − 1, and
k|t| the kink at θ that fits these residuals best,

    R = a(d)/H        bar = (|a(d) − a(d − 2)| + c s ‖w‖ + |k|)/H

A difference takes one step, which must be short where J bends. A polynomial takes steps that are a hundred times
longer, so that noise is divided by more, and N losses average it. Nothing is assumed of the noise: s is its size. Where
no polynomial follows J, s is larger than its noise, which says that R is none of its slopes.

Source: Savitzky & Golay, "Smoothing and differentiation of data by simplified least squares procedures", 1964.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Columns, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE
from xcheck.oracle.estimators.sides import least_noise, unseen_noise
from xcheck.seeds import FIXED, Stream, generator

# Losses that one fit takes of each line. With 48 of them and degree 13 a Student's t of 34 degrees of freedom exceeds
# c = 8 once in 10⁸; on places that are nearly evenly spaced degrees beyond 2 √48 are ill-conditioned.
LOSSES = 48
_DEGREES = (5, 7, 9, 11, 13)


@dataclass(frozen=True, slots=True, eq=False)
class FittedSlopes(Columns):
    """Slopes of fitted polynomials along some lines.

    Attributes:
        value: R, shape (k,).
        bar: shape (k,); infinite where a loss is not finite.
        noise: s, shape (k,).
        curvature: size of ∂²J, shape (k,).
    """

    value: Vector
    bar: Vector
    noise: Vector
    curvature: Vector


@np.errstate(all="ignore")  # what is not finite has an infinite bar
def fit_slopes(engine: FunctionEngine, lines: Indices, reach: Vector) -> FittedSlopes:
    """Fit polynomials along some lines, and return the slope of the one with the narrowest bar for each.

    Args:
        engine: evaluates the losses.
        lines: shape (k,).
        reach: H of each, shape (k,).
    """
    indices = np.repeat(lines, LOSSES)
    steps = engine.attainable(indices, np.outer(reach, _places()).ravel())
    moved = engine.spans(indices, steps, np.zeros_like(steps)).lower.reshape(-1, LOSSES)
    places = steps.reshape(-1, LOSSES) / reach[:, None]
    # Rounding of θ that shows in no sample is noise in proportion to the slope.
    unseen = unseen_noise(engine, np.ones(len(engine.scale)))[lines] / reach
    # In units of their size: squares of what is very large or small are not finite.
    size = np.abs(moved).max(axis=1)
    size = np.where((size > 0) & np.isfinite(size), size, 1.0)
    least = least_noise(engine) / size
    fits = [_best_fit(*row) for row in zip(places, moved / size[:, None], unseen, least, strict=True)]
    value, bar, noise, bend = size * np.array(fits).reshape(-1, 4).T
    value = value / reach
    # Eight roundings of the slope, as of any that is made of differences.
    bar = bar / reach + 8 * engine.roundoff * np.abs(value)
    return FittedSlopes(value, np.where(np.isfinite(bar), bar, np.inf), noise, np.abs(bend) / reach**2)


def _best_fit(places: Vector, values: Vector, unseen: float, least: float) -> tuple[float, float, float, float]:
    """Return slope at 0, its bar, s and the second derivative, in units of H, of the degree with the narrowest bar.

    Args:
        places: t, shape (N,).
        values: of J, shape (N,).
        unseen: noise that may be in them and not show, in units of the slope.
        least: the least noise there can be.
    """
    before, best = np.nan, (np.nan, np.inf, np.inf, np.nan)
    if not np.isfinite(values).all():
        return best
    q, r = np.linalg.qr(np.polynomial.legendre.legvander(places, _DEGREES[-1]))
    for degree in (_DEGREES[0] - 2, *_DEGREES):
        count = degree + 1
        columns = q[:, :count]
        # Q has orthonormal columns: the weights of Qᵀ values have the norm of those of the values themselves.
        of_slope, of_bend = np.linalg.solve(r[:count, :count].T, _derivatives(degree)).T
        shares = columns.T @ values
        value, left = float(of_slope @ shares), values - columns @ shares
        noise = max(float(np.sqrt(left @ left / (len(values) - count))), least)
        whole = max(noise, unseen * abs(value)) * float(np.linalg.norm(of_slope))
        bar = abs(value - before) + NOISE_MULTIPLE * whole + _kink(columns, places, left)
        before = value
        if bar < best[1]:
            best = value, bar, noise, float(of_bend @ shares)
    return best


def _kink(columns: Vector, places: Vector, left: Vector) -> float:
    """Return the size of the kink k|t| that explains most of what a polynomial has left over, shape (N,)."""
    kink = np.abs(places)
    kink = kink - columns @ (columns.T @ kink)
    return abs(float(kink @ left / (kink @ kink)))


@cache
def _derivatives(degree: int) -> Vector:
    """Return first and second derivatives at 0 of the Legendre polynomials up to a degree, shape (degree + 1, 2)."""
    series = np.polynomial.legendre
    return np.array([[series.legval(0.0, series.legder(row, k)) for k in (1, 2)] for row in np.eye(degree + 1)])


@cache
def _places() -> Vector:
    """Return t, shape (N,): evenly spaced but for a random share of the spacing, so that roundings do not repeat."""
    rng = generator(FIXED, Stream.FIT)
    return np.asarray((np.arange(LOSSES) + rng.random(LOSSES)) / LOSSES * 2 - 1)
