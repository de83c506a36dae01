"""Parts of the estimate of a function that nothing is known about: the yardstick of what is negligible, and nothing."""

import numpy as np

from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators import Measurement
from xcheck.oracle.forward import Trace
from xcheck.oracle.lines import DIRECTIONS
from xcheck.oracle.rounding import Rounding
from xcheck.parameters import Layout, Vector


def magnitude_of(layout: Layout, measured: Measurement) -> Vector:
    """Return the yardstick of what is negligible, per component, shape (k,).

    It is the slope itself, at a kink the steeper one. In a tensor of which nothing stands out of the noise (the bias in
    front of a softmax, whose gradient cancels to zero) it is the largest slope of all: a tensor may be zero beside the
    others, and is then not counted as verified (`xcheck.proof`).
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
