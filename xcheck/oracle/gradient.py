"""The numerical gradient of a problem: engine, noise, estimator, one after the other."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np

from xcheck.oracle.engine import Engine, EngineName
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators import FIRST_STEP, FORWARD_STEP, DifferenceName, Measurement, automatic, fixed
from xcheck.oracle.noise import loss_noise, sampled_differences
from xcheck.oracle.rounding import rounding_errors
from xcheck.parameters import Layout, Vector
from xcheck.problem import DtypeName, Problem

_NOISE_STREAM = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class OracleOptions:
    """How the numerical gradient is taken.

    Attributes:
        epsilon: the fixed step of the lecture notes, or "auto": fourth order, step chosen per component.
        difference: "central", or "forward" for teaching; then "auto" is √u.
        tolerance: relative tolerance of the check; bars much wider than it are refined.
        device: "cpu" or "gpu"; float64 on both.
        dtype: what the witnesses compute in: decides when rounding alone may put a unit on either side of a kink.
        memory: bytes that perturbed networks may take up at a time.
        engine: how perturbed losses are evaluated, or "auto".
        budget: seconds within which "auto" runs the whole network for every perturbation.
    """

    epsilon: float | Literal["auto"] = "auto"
    difference: DifferenceName = "central"
    tolerance: float = 1e-7
    device: str = "cpu"
    dtype: DtypeName = "float64"
    memory: int = 1 << 30
    engine: EngineName = "auto"
    budget: float = 10.0

    @property
    def extrapolates(self) -> bool:
        """Whether steps are chosen and extrapolated, or one fixed step is taken as it is."""
        return self.epsilon == "auto" and self.difference == "central"


def planned_differences(layout: Layout) -> int:
    """Return how many differences will be taken at least: noise samples, and θ once with each of three steps."""
    return sampled_differences(layout) + 3 * layout.size


def measure(engine: Engine, options: OracleOptions, seed: int) -> tuple[Measurement, int]:
    """Return the measurement of all components, and the number of losses that measuring the noise took."""
    base = FIRST_STEP * engine.scale
    noise = loss_noise(engine, base, np.random.default_rng([seed, _NOISE_STREAM]))
    samples = 2 * sampled_differences(engine.layout)
    if options.extrapolates:
        return automatic(engine, noise, tolerance=options.tolerance), samples
    epsilon = FORWARD_STEP if options.epsilon == "auto" else options.epsilon
    return fixed(engine, noise, epsilon=epsilon, difference=options.difference), samples


def numerical_gradient(
    problem: Problem,
    options: OracleOptions | None = None,
    *,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """Estimate ∂J/∂θ of a network by differences of its loss.

    Args:
        problem: the network at θ.
        options: how.
        progress: called after each batch with the number of differences in it.

    Returns:
        The estimate with its error bars.

    Raises:
        DeviceError: the device is not there.
    """
    from xcheck.oracle.choose import choose

    options = options or OracleOptions()
    clock = Stopwatch(progress)
    roundoff = float(np.finfo(options.dtype).eps) / 2
    chosen = choose(options.engine, problem, planned_differences(problem.layout), options.budget)
    engine = chosen(problem, device=options.device, memory=options.memory, roundoff=roundoff, progress=clock.lap)
    losses = engine.losses
    if np.isfinite(losses).all():
        measured, samples = measure(engine, options, problem.seed)
    else:
        measured, samples = _nothing(problem.layout.size), 0
    loss_magnitude = float(np.abs(losses).mean()) + engine.penalty.value
    return Estimate(
        value=measured.value,
        error_bar=measured.bar,
        lower=measured.lower,
        upper=measured.upper,
        conventions=measured.conventions,
        spread=engine.penalty.spread,
        near=engine.pieces.near,
        magnitude=measured.magnitude,
        loss=float(losses.mean()) + engine.penalty.value,
        rounding=rounding_errors(problem, engine.trace, measured.magnitude, loss_magnitude, roundoff),
        trace=engine.trace,
        ties=engine.pieces.ties + int(np.count_nonzero(engine.penalty.spread)),
        engine=engine.name,
        difference=options.difference,
        epsilon=_median(measured.step),
        evaluations=measured.evaluations + samples,
        seconds=clock.elapsed,
        compile_seconds=clock.first,
    )


def _nothing(size: int) -> Measurement:
    """Return the measurement of a loss that is not finite: there is nothing to take differences of."""
    unknown = np.full(size, np.nan)
    return Measurement(unknown, unknown, unknown, unknown[None], unknown, unknown, np.zeros(size), 0)


def _median(steps: Vector) -> float:
    return float(np.median(steps)) if len(steps) else 0.0


class Stopwatch:
    """Seconds since the start, and until the first batch came back (compilation, nearly all of it)."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._start = time.perf_counter()
        self._progress = progress
        self.first = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def lap(self, done: int) -> None:
        """Note that a batch of `done` differences is there."""
        self.first = self.first or self.elapsed
        if self._progress:
            self._progress(done)
