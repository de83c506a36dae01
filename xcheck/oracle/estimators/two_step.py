"""A brief look at the many components of a large tensor: two steps instead of three, the rest by sample.

The error of R = (4 D(h) − D(2h))/3 is a fifteenth of |R − R'|, and R' needs a third step. Of a large tensor only a
sample is measured with all three; with T the largest |R − R'| in it, all others have the bar

    2 T + c σ/h

thirty times the largest error of R that the sample shows. A component whose K (`xcheck.oracle.estimators.one_sided`)
is more than thirty times the largest of the sample, beside noise, may have a kink nearby, and is measured in full.
So is one that a witness disputes: a component that bends more than thirty times as much as the sample is out of its
bar, but nobody is blamed for it.
"""

import numpy as np

from xcheck.layout import Tensor, Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import Measurement, error_bar, extrapolated

# A guess: a component bends more than all of a sample of sixteen with probability 1/17; nobody is blamed for one that
# bends more than thirty times as much, for it is measured in full where it is disputed.
SAMPLE = 16
# Below that, measuring all in full costs less than twice the sample.
_WORTHWHILE = 4 * SAMPLE
# How many times as much as the worst of the sample the others may bend.
_SAFETY = 30.0
# R errs by a fifteenth of |R − R'|.
_SAFETY_OF_BAR = _SAFETY / 15.0
_NOISE_OF_K = 33.0


def sample_of(tensor: Tensor, rng: np.random.Generator) -> Indices:
    """Return the components to be measured in full: all of a small tensor."""
    everything = np.arange(tensor.span.start, tensor.span.stop)
    if tensor.size < _WORTHWHILE:
        return everything
    return np.sort(rng.choice(everything, SAMPLE, replace=False))


def estimate_two_step(
    engine: FunctionEngine, indices: Indices, step: Vector, noise: Vector, truncation: float, jump: float
) -> tuple[Measurement, Flags, Vector]:
    """Measure components with four losses each; return where a kink may be near, and how J bends.

    Args:
        engine: evaluates the differences.
        indices: components of one tensor, shape (k,).
        step: h, shape (k,).
        noise: σ of J, shape (k,).
        truncation: T, the largest |R − R'| of the sample.
        jump: its largest |K|.
    """
    sides = [engine.both_sides(indices, factor * step) for factor in (1, 2)]
    central = [(right.slope + left.slope) / 2 for right, left in sides]
    apart = [right.slope - left.slope for right, left in sides]
    value = extrapolated(*central)
    right, left = sides[0]
    magnitude = np.maximum(right.magnitude, left.magnitude)
    with np.errstate(all="ignore"):
        bar = error_bar(engine, np.full(len(indices), _SAFETY_OF_BAR * truncation), noise, step, right.level, magnitude)
        accident = _NOISE_OF_K * noise / step + 8 * engine.roundoff * magnitude
        suspicious = ~(np.abs(2 * apart[0] - apart[1]) <= _SAFETY * jump + accident)
    measured = Measurement(
        indices, value, value.copy(), value.copy(), value[None].copy(), magnitude, bar, step, 4 * len(indices)
    )
    return measured, np.asarray(suspicious), np.abs(apart[0]) / step
