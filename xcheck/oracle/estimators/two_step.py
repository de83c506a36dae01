"""Two-step estimates of the components of a large tensor: the third step is taken for a sample only.

The error of R = (4 D(h) − D(2h))/3 is a fifteenth of |R − R'|, and R' needs a third step. Of a large tensor only a
sample is measured with all three; with T the largest |R − R'| in it, all others have the bar

    2 T + c σ/h

thirty times the largest error of R that the sample shows. A component whose K (`xcheck.oracle.estimators.one_sided`)
is more than thirty times the largest of the sample, plus noise, may have a kink nearby, and is measured with three
steps. So is every component that a witness disputes: if the truncation of a component is more than thirty times that of
the sample, its bar is too narrow, but no gradient is called wrong because of it.
"""

import numpy as np

from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import Measurement, error_bar, extrapolate
from xcheck.oracle.estimators.sides import NOISE_OF_JUMP
from xcheck.seeds import FIXED, Stream, generator

# A guess: the truncation of a component is larger than that of a sample of sixteen with probability 1/17. Where it is
# thirty times larger, a dispute leads to three steps before a gradient is called wrong.
SAMPLE = 16
# Of fewer components, all with three steps cost less than twice what the sample costs.
_WORTHWHILE = 4 * SAMPLE
# Truncation that is allowed for, in units of the largest of the sample: a guess.
_SAFETY = 30.0
# R errs by a fifteenth of |R − R'|.
_SAFETY_OF_BAR = _SAFETY / 15.0


def draw_sample(tensor: Tensor, rng: np.random.Generator) -> Indices:
    """Draw the components of a tensor that are measured with three steps: all of a small one."""
    if tensor.size < _WORTHWHILE:
        return _everything(tensor)
    return np.sort(rng.choice(_everything(tensor), SAMPLE, replace=False))


def draw_samples(layout: Layout) -> dict[Tensor, Indices]:
    """Draw for each tensor that has components those that are measured with three steps; the same in every run."""
    tensors = [tensor for tensor in layout if tensor.size]
    # To make a generator takes longer than the loss of a small function.
    if all(tensor.size < _WORTHWHILE for tensor in tensors):
        return {tensor: _everything(tensor) for tensor in tensors}
    rng = generator(FIXED, Stream.TWO_STEP_SAMPLE)
    return {tensor: draw_sample(tensor, rng) for tensor in tensors}


def _everything(tensor: Tensor) -> Indices:
    return np.arange(tensor.span.start, tensor.span.stop)


def estimate_two_step(
    engine: FunctionEngine, indices: Indices, step: Vector, noise: Vector, truncation: float, jump: float
) -> tuple[Measurement, Flags, Vector]:
    """Measure components with four losses each; return also where a kink may be near, and the curvature.

    Args:
        engine: evaluates the differences.
        indices: components of one tensor, shape (k,).
        step: h, shape (k,).
        noise: σ of J, shape (k,).
        truncation: T, the largest |R − R'| of the sample.
        jump: its largest |K|.
    """
    sides = engine.both_sides(indices, [factor * step for factor in (1, 2)])
    central = [(right.slope + left.slope) / 2 for right, left in sides]
    apart = [right.slope - left.slope for right, left in sides]
    value = extrapolate(*central)
    right, left = sides[0]
    magnitude = np.maximum(right.magnitude, left.magnitude)
    with np.errstate(all="ignore"):
        bar = error_bar(engine, np.full(len(indices), _SAFETY_OF_BAR * truncation), noise, step, right.level, magnitude)
        noise_of_jump = NOISE_OF_JUMP * noise / step + 8 * engine.roundoff * magnitude
        suspicious = ~(np.abs(2 * apart[0] - apart[1]) <= _SAFETY * jump + noise_of_jump)
    measured = Measurement(
        indices, value, value.copy(), value.copy(), value[None].copy(), magnitude, bar, step, 4 * len(indices)
    )
    return measured, np.asarray(suspicious), np.abs(apart[0]) / step
