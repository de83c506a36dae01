"""How noisy is J? Measured from difference tables, not taken on faith as u |J|.

The k-th differences of a smooth function sampled closely are tiny, so what remains in them is noise. With noise of
standard deviation σ, E[(Δᵏ f)²] = σ² (2k)!/(k!)².

Source: Moré & Wild, "Estimating Computational Noise", SIAM J. Sci. Comput. 33 (2011), equation (2.5).
"""

from math import comb

import numpy as np

from xcheck.oracle.engine import Engine
from xcheck.parameters import Layout, Vector

POINTS = 8
COMPONENTS = 12
ORDERS = (3, 4, 5)

# The sample points are this fraction of the natural step apart: close enough for third differences of J to vanish
# (1e-21 of it), far enough for the roundings to be different ones.
SPACING = 2.0**-14


def noise_level(values: Vector) -> Vector:
    """Return the standard deviation of the noise in rows of closely spaced samples, shape (..., POINTS) -> (...).

    >>> rng = np.random.default_rng(0)
    >>> smooth = np.sin(np.linspace(0, 1e-6, POINTS)) + 1e-12 * rng.standard_normal((1000, POINTS))
    >>> round(float(np.sqrt(np.mean(noise_level(smooth) ** 2))), 13)
    1e-12
    """
    squares = [np.mean(np.diff(values, order, axis=-1) ** 2, axis=-1) / comb(2 * order, order) for order in ORDERS]
    return np.asarray(np.sqrt(np.mean(squares, axis=0)), dtype=np.float64)


def sampled_differences(layout: Layout) -> int:
    """Return how many differences `loss_noise` takes."""
    return POINTS * sum(min(COMPONENTS, tensor.size) for tensor in layout)


def loss_noise(engine: Engine, steps: Vector, rng: np.random.Generator) -> Vector:
    """Return the noise σ of J per component of θ, one value for each tensor, shape (n,).

    Samples J along a few components of each tensor, as far from θ as the longest step leads (a loss that is zero at θ
    has no noise there), and takes the largest noise found. In samples that are equal to the last bit nothing can be
    measured: what rounding does at least, the estimators add.
    """
    sigma = np.zeros(engine.layout.size)
    for tensor in engine.layout:
        count = min(COMPONENTS, tensor.size)
        chosen = tensor.offset + np.sort(rng.choice(tensor.size, count, replace=False))
        multiples = np.tile(np.arange(1.0, POINTS + 1), count)
        indices = np.repeat(chosen, POINTS)
        plus = (4 + multiples * SPACING) * steps[indices]
        spans = engine.spans(indices, engine.attainable(indices, plus), np.zeros_like(plus))
        values = spans.lower.reshape(count, POINTS)
        with np.errstate(all="ignore"):
            sigma[tensor.span] = np.fmax.reduce(noise_level(values), initial=0.0)
    return sigma
