"""The noise of a smooth and quiet J, read off the losses that its slopes are measured with.

Let e(h) = J(θ + h eᵢ) + J(θ − h eᵢ) − 2 J(θ), the even part of J. Where J is smooth,

    ρ = 64 e(h) − 20 e(2h) + e(4h)

has neither a second nor a fourth derivative in it, and 8 h⁶ ∂⁶J of the sixth: with h = 2⁻¹⁰ nothing beside rounding.
What remains is noise, of variance (2 · 64² + 2 · 20² + 2 + 90²) σ² = 17094 σ². Slopes are made of the odd part, so the
noise in them is another one.

A kink inside the steps, a staircase, a part in float32, a bend that the steps are too long for: each makes ρ larger
than a few roundings of J. Then nothing is said, and the noise is measured by samples of its own
(`xcheck.oracle.estimators.noise`).
"""

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.sides import least_noise
from xcheck.oracle.estimators.two_step import draw_samples

# ρ is that many σ.
_NOISE_OF_RHO = 17094.0**0.5
# The noise is taken for a multiple s of the largest of k components. The error of a slope, 0.95 σ |N|/h with a normal
# N, is then larger than its bar, 8 s max |ρ|/130.7 h, with the probability that k other normal numbers are all below
# 0.12 |N|/s. With these multiples, and 2 from five components on, that is 2 in 10⁶. Of two it would take hundreds.
_FEWEST, _MULTIPLES, _MULTIPLE = 3, {3: 9.0, 4: 3.5}, 2.0
# A guess: a J that is computed in float64 has few roundings more than its own; what has more is worth a closer look.
_ROUNDINGS = 32.0
# A guess, a millionth of the steepest slope: what is smooth over the first step shows 10⁻¹², stairs show 1.
_BEND = 2.0**-20


def quiet_noise(engine: FunctionEngine) -> float | None:
    """Return σ of J if all that is sampled is smooth and its noise a few roundings of J; None if it is not so.

    The losses are those of the first step of `xcheck.oracle.estimators.one_sided`: they are not evaluated again.
    """
    found = quiet_noises(engine)
    return None if found is None or np.isnan(found[0]) else float(found[0])


def quiet_noises(engine: FunctionEngine) -> Vector | None:
    """Return σ of J, shape (1,), of several outputs (outputs, 1), nan where J is not smooth and quiet.

    None where that cannot be told: there are too few components, or J is computed in a narrow dtype.
    """
    samples = draw_samples(engine.layout)
    chosen = np.concatenate([*samples.values(), np.zeros(0, dtype=np.intp)])
    # What is narrow takes long first steps, which more than noise shows in.
    if len(chosen) < _FEWEST or engine.roundoff > 2.0**-50:
        return None
    step = engine.first_step * engine.scale[chosen]
    sides = engine.both_sides(chosen, [factor * step for factor in (1, 2, 4)])
    # e(h) = h (D⁺(h) − D⁻(h)), whatever the rounding of θ has made of h.
    even = [factor * step * (right.slope - left.slope) for factor, (right, left) in zip((1, 2, 4), sides, strict=True)]
    rho = np.abs(64 * even[0] - 20 * even[1] + even[2])
    # In the middle of a stair J is odd, and ρ shows nothing: there D(h), D(2h) and D(4h) differ by more than a smooth
    # function makes them, 1.5 h⁴ ∂⁵J.
    slopes = [(right.slope + left.slope) / 2 for right, left in sides]
    bend = np.abs(4 * slopes[0] - 5 * slopes[1] + slopes[2])
    smooth = bend <= _BEND * np.abs(slopes[0]).max(axis=-1, keepdims=True)
    # A component that moves J nowhere may be a stair as wide as the steps.
    moves = np.all([right.slope != 0 for right, _ in sides], axis=0)
    quiet = rho <= _ROUNDINGS * _NOISE_OF_RHO * least_noise(engine)
    multiple = _MULTIPLES.get(len(chosen), _MULTIPLE)
    noise = multiple * rho.max(axis=-1, keepdims=True) / _NOISE_OF_RHO
    return np.where((quiet & moves & smooth).all(axis=-1, keepdims=True), noise, np.nan)
