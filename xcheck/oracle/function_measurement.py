"""The first measurement of a function around θ: its noise, whether it is a staircase, and its slopes along the lines.

The noise is read off the losses that the slopes are measured with where J is smooth and quiet
(`xcheck.oracle.estimators.even_part`), and measured by samples of its own elsewhere.
"""

from dataclasses import dataclass, replace

import numpy as np

from xcheck.dtypes import BFLOAT16
from xcheck.layout import Vector
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator, gradient_along
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.audit import Audit
from xcheck.oracle.estimators.central import estimate_fixed_step
from xcheck.oracle.estimators.even_part import quiet_noise
from xcheck.oracle.estimators.kinks.treads import decide_on_treads
from xcheck.oracle.estimators.noise import UNEVEN, measure_noise_nearby
from xcheck.oracle.estimators.one_sided import estimate_one_sided
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_estimate import quantized_roundoff
from xcheck.oracle.nodes.measurement import choose_nodes, measure_by_nodes
from xcheck.oracle.options import FunctionOptions
from xcheck.seeds import Stream, generator


@dataclass(frozen=True, slots=True)
class FunctionMeasurement:
    """The measurements of a function around θ.

    Attributes:
        gradient: slopes along the lines.
        noise: σ of J per line.
        computed_in: unit roundoff of the coarsest arithmetic that part of the losses shows, although they were asked
            for in 64 bits; 0 if they show none.
        locator: finds wrong components; None before the first search.
        nodes: how nodes have served, or why they have not; empty where nobody asked.
        audits: of what nodes say, by components that were moved themselves.
        served: whether the slopes are those of nodes.
        treads: of a J that is a staircase on purpose, or may be, within which distance it is constant along each line,
            shape (c,), 0 where it is not; None of any other J.
    """

    gradient: OneSidedGradient
    noise: Vector
    computed_in: float
    locator: Locator | None = None
    treads: Vector | None = None
    nodes: str = ""
    audits: tuple[Audit, ...] = ()
    served: bool = False


def measure_directions(engine: FunctionEngine) -> FunctionMeasurement:
    """Measure random directions alone."""
    slopes = DirectionalDerivatives(engine)
    found = slopes.measure_all()
    noise = np.full(len(found), slopes.noise)
    computed_in = quantized_roundoff(np.zeros(1), noise, float(np.abs(engine.losses[0]))) if slopes.quantized else 0.0
    return FunctionMeasurement(gradient_along(found), noise, computed_in, Locator(engine, slopes))


def measure_components(engine: FunctionEngine, options: FunctionOptions) -> FunctionMeasurement:
    """Measure all components, by nodes where that is quicker by far and proves to be right, else by themselves."""
    nodes = choose_nodes(engine) if options.epsilon == "auto" else ""
    if isinstance(nodes, str):
        return replace(measure_lines(engine, options, few=3), nodes=nodes)

    def measure(sample: FunctionEngine) -> tuple[OneSidedGradient, Vector] | None:
        found = measure_lines(sample, options, few=1)
        return None if found.computed_in > 0 or found.treads is not None else (found.gradient, found.noise)

    found = measure_by_nodes(engine, nodes, measure, options)
    if found.gradient is None:
        return replace(measure_lines(engine, options, few=3), nodes=found.text, audits=found.audits)
    return FunctionMeasurement(found.gradient, found.noise, 0.0, nodes=found.text, audits=found.audits, served=True)


def measure_lines(engine: FunctionEngine, options: FunctionOptions, few: int) -> FunctionMeasurement:
    """Measure the noise, if it must be along a few components of each tensor, and then all lines."""
    quiet = quiet_noise(engine) if options.epsilon == "auto" else None
    if quiet is not None:
        noise = np.full(engine.layout.size, quiet)
        return FunctionMeasurement(estimate_one_sided(engine, noise, tolerance=options.tolerance), noise, 0.0)
    near, coarse = measure_noise_nearby(engine, generator(options.seed, Stream.FUNCTION_NOISE), few=few)
    computed_in = quantized_roundoff(near, coarse, float(np.abs(engine.losses[0])))
    if options.epsilon != "auto":
        noise = _noise(near, coarse, computed_in)
        measured = estimate_fixed_step(engine, noise, epsilon=options.epsilon, difference="central")
        return FunctionMeasurement(OneSidedGradient.smooth(measured), noise, computed_in)
    narrow = engine.evaluator.narrow() if computed_in > 0 else np.inf
    # Nothing rounds to the bits of a dtype: J is a staircase because it is meant to be.
    if narrow == 0:
        coarse, computed_in = np.zeros_like(coarse), 0.0
    noise = _noise(near, coarse, computed_in)
    gradient, treads = estimate_one_sided(engine, noise, tolerance=options.tolerance), None
    # What is known to be narrow makes stairs that nobody means. Where nobody knows, stairs of float32 are nearly always
    # those of a dtype; those of half precision may be meant.
    if narrow is None or narrow in (0, np.inf):
        everything, half = np.arange(len(noise)), computed_in == BFLOAT16
        gradient, treads = decide_on_treads(engine, gradient, everything, leaves_open=half)
    return FunctionMeasurement(gradient, noise, computed_in, treads=treads)


def _noise(near: Vector, coarse: Vector, computed_in: float) -> Vector:
    noise = np.maximum(near, coarse)
    return UNEVEN * noise if computed_in > 0 else noise


def measure_as_narrow(
    engine: FunctionEngine, known: FunctionMeasurement, roundoff: float, *, tolerance: float
) -> FunctionMeasurement:
    """Measure a J anew of which it has become known that a part is computed in a narrow dtype.

    Args:
        engine: evaluates the losses.
        known: what was measured before.
        roundoff: unit roundoff of that dtype.
        tolerance: as in `xcheck.oracle.estimators.central.estimate`.
    """
    # The error of a rounding is within u |J|, and its standard deviation 1/√3 of that.
    rounding = UNEVEN * roundoff * float(np.abs(engine.losses).max()) / np.sqrt(3.0)
    noise = np.maximum(known.noise, rounding)
    return FunctionMeasurement(estimate_one_sided(engine, noise, tolerance=tolerance), noise, roundoff)
