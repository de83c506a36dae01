"""Contraction: slopes along nodes become the gradient, and their error bars its error bars.

With z = A θ + c, ∂J/∂θ = Aᵀ ∂J/∂z. The bar of a slope D along a node has two parts:

- *truncation* and whatever else repeats itself: errors of many nodes may have one sign, so they add up, |A|ᵀ t;
- *rounding of losses*: those of different losses are independent, so squares add up, √((A ∘ A)ᵀ r²). That is the mean
  of (Aᵀ (s ∘ r))² over random signs s. With 32 draws it is less than a quarter of its mean with probability 4·10⁻⁵,
  and r itself has a margin of eight.

Where a loss moves by a few units in its last place at most, its rounding is no accident: all such moves may be rounded
to nothing. There one unit for each difference counts among the errors that add up.
"""

from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, Measurement
from xcheck.oracle.estimators.sides import OneSidedGradient, least_noise
from xcheck.oracle.nodes.engine import NodesEngine
from xcheck.seeds import FIXED, Stream, generator

# Random signs, and how many of them at a time: see the module.
_DRAWS, _AT_A_TIME = 32, 8
# Units in the last place of J by which a loss moves where its rounding is taken for an accident: a guess.
_MOVES = 16.0
# Roundings of a sum of many products, in units of the sum of their sizes: a guess, as sums are taken in blocks.
_ROUNDINGS = 8.0


def contract(engine: NodesEngine, found: OneSidedGradient, noise: Vector, onto: FunctionEngine) -> OneSidedGradient:
    """Return the gradient of what nodes cover; the value is nan elsewhere, and at kinks and jumps of nodes.

    Args:
        engine: of the nodes.
        found: slopes along all nodes.
        noise: σ of J along each, shape (N,).
        onto: of the components of θ; where the steps and the size n come from.
    """
    nodes, measured = engine.nodes, found.measured
    known = np.isfinite(measured.value) & np.isfinite(measured.bar) & (measured.lower == measured.upper)
    value = np.where(known, measured.value, 0.0)
    # Where no loss has changed by a bit the slope is zero for certain, unless steps have become that short for a kink.
    still = (measured.magnitude == 0) & (measured.step >= engine.first_step * engine.scale)
    moves = known & ~still
    rounded = np.where(moves, NOISE_MULTIPLE * noise / measured.step, 0.0)
    unit = 2 * least_noise(engine) / measured.step
    hidden = np.where(moves & (np.abs(value) < _MOVES * unit), unit, 0.0)
    repeated = np.where(moves, np.maximum(measured.bar - rounded, 0.0), 0.0) + hidden
    size = nodes.pull_sizes(np.abs(value))
    bar = nodes.pull_sizes(repeated) + _spread(engine, rounded) + _ROUNDINGS * engine.roundoff * size
    unknown = ~nodes.covered | (nodes.pull_sizes((~known).astype(np.float64)) > 0)
    slope = np.where(unknown, np.nan, nodes.pull(value[None])[0])
    count = onto.layout.size
    result = Measurement(
        indices=np.arange(count),
        value=slope,
        lower=slope,
        upper=slope,
        conventions=np.stack([slope] * 3),
        magnitude=np.maximum(size, np.abs(slope)),
        bar=np.where(unknown, np.inf, bar),
        step=onto.first_step * onto.scale,
        evaluations=nodes.passes,
    )
    # Whatever is disputed is measured itself before a gradient is called wrong.
    return replace(OneSidedGradient.smooth(result), two_step=np.ones(count, dtype=bool))


def _spread(engine: NodesEngine, rounded: Vector) -> Vector:
    """Return √((A ∘ A)ᵀ r²), from random signs."""
    rng, squares = generator(FIXED, Stream.NODE_SIGNS), np.zeros(len(engine.nodes.covered))
    for _ in range(0, _DRAWS, _AT_A_TIME):
        signs = rng.choice([-1.0, 1.0], (_AT_A_TIME, len(rounded)))
        squares += (engine.nodes.pull(signs * rounded) ** 2).sum(axis=0)
    return np.asarray(np.sqrt(squares / _DRAWS))
