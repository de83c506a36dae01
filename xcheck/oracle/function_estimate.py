"""Parts of the estimate of a function that nothing is known about: roundings, the yardstick, and nothing at all."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.central import Measurement
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.network.forward import Trace

_FLOAT32, _HALF = 2.0**-24, 2.0**-8

# What rounding may do to a component, in units of u and the largest of its tensor: sums of many terms cancel. In half
# precision that would be everything.
_ROUNDINGS, _ROUNDINGS_OF_HALF = 2.0**8, 2.0**3


def quantized_roundoff(near: Vector, coarse: Vector, loss: float) -> float:
    """Return the unit roundoff of the part of J that is a staircase; 0 if there is none.

    Close samples show no noise there, and others that of float32, or of bfloat16.
    """
    stairs, level = float(coarse.max(initial=0.0)), float(near.max(initial=0.0))
    # Well above float64 (2⁻⁵³), and 256 times louder than close samples: a staircase, not a kink. 2⁻¹⁷ parts float32
    # from half.
    if not (stairs > 2.0**-36 * loss and stairs > 256 * level):
        return 0.0
    return _HALF if stairs > 2.0**-17 * loss else _FLOAT32


def rounding(roundoff: float) -> float:
    """Return what rounding may do, relative to the largest of its tensor."""
    return (_ROUNDINGS if roundoff < 2.0**-20 else _ROUNDINGS_OF_HALF) * roundoff


def magnitude_of(layout: Layout, measured: Measurement) -> Vector:
    """Return the yardstick of what is negligible, per component, shape (k,).

    It is the slope itself, at a kink the steeper one. In a tensor of which nothing stands out of the noise (the bias in
    front of a softmax, whose gradient cancels to zero) it is the largest slope of all: a tensor may be zero beside the
    others, and is then not counted as verified (`xcheck.compare.coverage`).
    """
    slope = np.maximum(np.abs(measured.lower), np.abs(measured.upper))
    magnitude = np.nan_to_num(slope, posinf=0.0, neginf=0.0)
    for tensor in layout:
        if tensor.name == DIRECTIONS:
            # Slopes to both sides may cancel, at a kink, and J moves all the same.
            magnitude[tensor.span] = np.nan_to_num(measured.magnitude[tensor.span], posinf=0.0, neginf=0.0)
    largest = magnitude.max(initial=0.0)
    for tensor in layout:
        span = tensor.span
        if not (magnitude[span] > 4 * measured.bar[span]).any():
            magnitude[span] = largest
    # What no loss has moved with is zero for certain.
    return np.where(measured.magnitude > 0, magnitude, 0.0)


def nothing_measured(layout: Layout) -> Estimate:
    """Return the estimate of a function that could not be differenced."""
    unknown, zero = np.full(layout.size, np.nan), np.zeros(layout.size)
    return Estimate(
        value=unknown,
        error_bar=unknown,
        lower=unknown,
        upper=unknown,
        conventions=unknown[None],
        spread=zero,
        near=True,
        magnitude=zero,
        loss=np.nan,
        rounding=Rounding(zero, 0.0),
        trace=Trace.empty(),
        ties=0,
        engine="none",
        predicted={},
        audits=(),
        referred=0,
        refereed=0,
        difference="central",
        epsilon=0.0,
        evaluations=0,
        seconds=0.0,
        compile_seconds=0.0,
    )
