"""What the losses around θ say of kinks, beside the slopes along each line."""

import numpy as np

from xcheck.oracle.columns import Indices
from xcheck.oracle.estimators.kinks.nearby import NearbySlopes, measure_nearby
from xcheck.oracle.estimators.kinks.ties import TiedSlopes, measure_ties
from xcheck.oracle.estimators.sides import least_noise
from xcheck.oracle.function_gradient import FunctionOracle
from xcheck.seeds import Stream, generator


def measure_tied_slopes(oracle: FunctionOracle) -> list[TiedSlopes]:
    """Return slopes along directions that move the components at kinks together; none if there are fewer than two."""
    lines = _components_among(oracle, oracle.kinks)
    if oracle.options.epsilon != "auto" or len(lines) < 2:
        return []
    noise = max(float(oracle.noise[lines].max()), float(least_noise(oracle.engine)[0]))
    rng = generator(oracle.options.seed, Stream.TIES)
    return measure_ties(oracle.engine, oracle.lines.components[lines], noise, rng)


def measure_nearby_slopes(oracle: FunctionOracle, lines: Indices) -> NearbySlopes:
    """Return slopes of the components that some lines move, at points near θ; the same points for every component."""
    noise = np.maximum(oracle.noise[lines], least_noise(oracle.engine))
    rng = generator(oracle.options.seed, Stream.NEARBY)
    return measure_nearby(oracle.engine, oracle.lines.components[lines], noise, rng)


def _components_among(oracle: FunctionOracle, lines: Indices) -> Indices:
    # Directions come after the components.
    return lines[lines < len(oracle.lines.components)]
