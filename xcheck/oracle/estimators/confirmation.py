"""Confirmation: slopes that differences leave open, and that a polynomial fitted to many losses shows to be right.

A fit needs J to be smooth over longer steps than a difference does (`xcheck.oracle.estimators.polynomials`). What is
smaller than the noise, and narrower than these steps, would not show. So a fit is believed only where it confirms what
a witness says, and no gradient is called wrong because of it.
"""

from dataclasses import dataclass, replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.noise import measure_noise_along
from xcheck.oracle.estimators.polynomials import LOSSES, FittedSlopes, fit_slopes
from xcheck.oracle.estimators.sides import OneSidedGradient, least_noise

# How far fits reach, in units of the step that was best for differences, which reach four of them: the likeliest first.
_REACHES = (4.0, 16.0, 64.0, 256.0, 1024.0, 32.0, 128.0, 1.0)
# Where no step is known to be good: from the natural scale down, an eighth each, until rounding of θ would show; from
# that of θ itself, where it is smaller by more than so many steps lead.
_EIGHTHS, _LEAST, _FAR = tuple(0.125**k for k in range(16)), 2.0**3, 2.0**-30
# Residuals of a fit that follows J are as large as its noise, which is measured by few samples: a guess. Where they are
# larger there is something else in them, of which the fit knows nothing.
_FOLLOWS = 4.0
# So many lines are tried first, those that lack least: if none of them is confirmed, the others are left. A guess.
_FIRST = 8


@dataclass(frozen=True, slots=True, eq=False)
class Claim:
    """What a witness says, and how near any slope of J must be to it, to show that it is right.

    Attributes:
        gradient: its slopes along all lines, shape (c,).
        tolerance: by how much they may be off beside the bar of a fit, in units of themselves.
        widest: how far any slope within that bar may be, shape (c,).
        resolution: the same in units of the slope itself, where that is larger.
    """

    gradient: Vector
    tolerance: float
    widest: Vector
    resolution: float

    @np.errstate(all="ignore")  # what is not known is not near
    def is_confirmed(self, lines: Indices, fits: FittedSlopes) -> Flags:
        """Return along which lines, shape (k,), fitted slopes show that it is right."""
        own, apart = self.gradient[lines], np.abs(fits.value - self.gradient[lines])
        enough = np.maximum(self.widest[lines], self.resolution * np.abs(fits.value))
        # A fit that it is not within the bar of would call it wrong.
        return np.asarray((apart + fits.bar <= enough) & (apart <= fits.bar + self.tolerance * np.abs(own)))


@np.errstate(all="ignore")  # what is not known is not narrow
def confirm_slopes(
    engine: FunctionEngine, noise: Vector, found: OneSidedGradient, lines: Indices, claim: Claim
) -> OneSidedGradient:
    """Return the gradient with fitted slopes along those lines where they confirm a witness.

    Args:
        engine: evaluates the losses.
        noise: σ of J along each line, shape (c,).
        found: what differences show.
        lines: that are undecided, shape (k,).
        claim: the witness's.
    """
    lines = lines[np.argsort(found.measured.bar[lines], kind="stable")]
    for part in (lines[:_FIRST], lines[_FIRST:]):
        before = found
        found = _confirm_some(engine, _noise_along(engine, noise, part), found, part, claim)
        if found is before:
            break
    return found


def _noise_along(engine: FunctionEngine, noise: Vector, lines: Indices) -> Vector:
    """Return the noise along all lines, shape (c,), measured anew along some that others may have stood for."""
    lines = lines[: engine.affordable(LOSSES)]
    along = noise.copy()
    if len(lines):
        along[lines] = np.max([noise[lines], *measure_noise_along(engine, lines)], axis=0)
    return np.maximum(along, least_noise(engine))


def _confirm_some(
    engine: FunctionEngine, noise: Vector, found: OneSidedGradient, pending: Indices, claim: Claim
) -> OneSidedGradient:
    differences = found.measured
    known = np.isfinite(differences.bar) & np.isfinite(differences.value)
    tiny = (engine.sizes > 0) & (engine.sizes < _FAR * engine.scale)
    natural = np.where(tiny, engine.sizes, engine.scale)
    for column in range(len(_EIGHTHS)):
        multiple = _REACHES[column] if column < len(_REACHES) else np.nan
        reach = np.where(known, multiple * differences.step, _EIGHTHS[column] * natural)
        far = (reach >= _LEAST * engine.shortest) & (reach <= 4 * engine.scale)
        tried = pending[far[pending]][: engine.affordable(LOSSES)]
        if not len(tried) or engine.late:
            continue
        fits = fit_slopes(engine, tried, reach[tried])
        beside = np.abs(fits.value - differences.value[tried]) <= differences.bar[tried] + fits.bar
        # Rounding of θ itself may be hidden from samples that are close: it is within a fit's reach.
        rounding = engine.roundoff * engine.sizes[tried] * np.abs(fits.value)
        follows = fits.noise <= _FOLLOWS * np.maximum(noise[tried], rounding)
        right = claim.is_confirmed(tried, fits) & follows & (beside | ~known[tried])
        if right.any():
            found = _with_fits(found, tried[right], fits.take(right), reach[tried[right]])
            pending = np.setdiff1d(pending, tried[right])
    return found


def _with_fits(found: OneSidedGradient, lines: Indices, fits: FittedSlopes, reach: Vector) -> OneSidedGradient:
    row, value = found.take(lines), fits.value
    measured = replace(row.measured, value=value, lower=value, upper=value, bar=fits.bar, step=reach)
    measured = replace(measured, conventions=value[None], magnitude=np.fmax(row.measured.magnitude, np.abs(value)))
    smooth, fitted = np.zeros(len(lines), dtype=bool), np.ones(len(lines), dtype=bool)
    # A kink that was met nearby stays where it is; one at θ has turned out to be none.
    kink = np.where(row.kink == 0, np.nan, row.kink)
    row = replace(row, measured=measured, kink=kink, steep=smooth, two_step=smooth, fitted=fitted)
    return found.put(lines, replace(row, curvature=fits.curvature))
