"""The numerical gradient of a network: choose an engine, measure the noise, estimate, refine, audit.

If an engine fails its audit, the next more direct one takes over.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from xcheck.dtypes import FLOAT64, roundoff_of
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.selection import choose, more_direct, predict
from xcheck.oracle.engines.structured import SparseEngine, StructuredEngine
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.audit import Audit, audit
from xcheck.oracle.estimators.central import (
    FORWARD_STEP,
    Measurement,
    estimate_central,
    estimate_fixed_step,
    merge_better,
    too_wide,
)
from xcheck.oracle.estimators.node import estimate_by_nodes
from xcheck.oracle.estimators.noise import measure_loss_noise, sampled_differences
from xcheck.oracle.estimators.rounding import Rounding, rounding_errors
from xcheck.oracle.options import OracleOptions
from xcheck.seeds import Stream, generator

# Components to be audited in addition to two of each tensor: by weight perturbation, which is cheap, and by the plain
# loop, which is not. Guesses.
_BY_WEIGHTS, _BY_LOOP = 32, 4
# How many times the budget an engine may take if it replaces one that failed its audit: a guess, five minutes.
_PATIENCE = 30


class Stopwatch:
    """A clock for the seconds since the start, and until the first batch, which are nearly all compilation."""

    def __init__(self, progress: Callable[[int], None] | None) -> None:
        self._start = time.perf_counter()
        self._progress = progress
        self.first = 0.0

    @property
    def elapsed(self) -> float:
        """Seconds since the start."""
        return time.perf_counter() - self._start

    def lap(self, done: int) -> None:
        """Note that a batch of `done` differences is done."""
        self.first = self.first or self.elapsed
        if self._progress:
            self._progress(done)


@dataclass(frozen=True, slots=True)
class NetworkMeasurement:
    """The measurements of all components of θ by one engine.

    Attributes:
        engine: the engine.
        measured: all components, with rounding at θ included in the bars.
        audits: the audits of the engine.
        referred: components whose bars were too wide because of noise, and that another engine measured without it.
        evaluations: losses evaluated beside those of `measured`.
    """

    engine: NetworkEngine
    measured: Measurement
    audits: tuple[Audit, ...] = ()
    referred: int = 0
    evaluations: int = 0


@dataclass(frozen=True, slots=True)
class NetworkOracle:
    """The oracle of one network at θ.

    Attributes:
        problem: the network with its data.
        options: how the gradient is taken.
        clock: takes the time.
    """

    problem: Problem
    options: OracleOptions
    clock: Stopwatch

    def measure(self, engine: type[NetworkEngine]) -> NetworkMeasurement:
        """Measure all components with one engine, and audit it, or refine what it leaves too wide."""
        made = self._make(engine)
        # There is nothing to subtract from: every component stays unknown, and the report says why.
        if not np.isfinite(made.losses).all():
            return NetworkMeasurement(made, _nothing(self.problem.layout.size))
        noise = self._noise(made)
        measured = self._with_rounding(made, self._estimate(made, noise))
        found = NetworkMeasurement(made, measured, evaluations=_noise_samples(made))
        # Losses that are subtracted are noisy but direct; increments are sharp but derived, so they are audited.
        if not made.subtracts:
            return self._audit(found, noise)
        return self._refer(found) if self.options.extrapolates else found

    def estimate(self, found: NetworkMeasurement, audits: Sequence[Audit]) -> Estimate:
        """Return the gradient with its bars, and the statistics of how it was measured.

        Args:
            found: the measurements of the engine.
            audits: its audits, and those of engines that failed before.
        """
        problem, engine, measured = self.problem, found.engine, found.measured
        roundoff = roundoff_of(self.options.dtype)
        return Estimate(
            value=measured.value,
            error_bar=measured.bar,
            lower=measured.lower,
            upper=measured.upper,
            conventions=measured.conventions,
            spread=engine.penalty.spread,
            near=engine.branches.near,
            magnitude=measured.magnitude,
            terms=measured.magnitude,
            loss=float(engine.losses.mean()) + engine.penalty.value,
            rounding=self._rounding(engine, measured.magnitude, roundoff),
            trace=engine.trace,
            ties=engine.branches.ties + int(np.count_nonzero(engine.penalty.spread)),
            engine=engine.name,
            predicted={},
            audits=tuple(audits),
            referred=found.referred,
            refereed=0,
            difference=self.options.difference,
            epsilon=float(np.median(measured.step)) if problem.layout.size else 0.0,
            evaluations=measured.evaluations + found.evaluations,
            seconds=self.clock.elapsed,
            compile_seconds=self.clock.first,
        )

    def _make(self, engine: type[NetworkEngine]) -> NetworkEngine:
        options = self.options
        return engine(
            self.problem,
            device=options.device,
            memory=options.memory,
            roundoff=roundoff_of(options.dtype),
            progress=self.clock.lap,
        )

    def _noise(self, engine: NetworkEngine) -> Vector:
        """Return σ of J per component, shape (n,)."""
        rng = generator(self.problem.seed, Stream.NETWORK_NOISE)
        return measure_loss_noise(engine, engine.first_step * engine.scale, rng)

    def _estimate(self, engine: NetworkEngine, noise: Vector) -> Measurement:
        options = self.options
        if options.extrapolates:
            first = estimate_by_nodes(engine, noise) if isinstance(engine, NodeEngine) else None
            # If losses are subtracted, `_refer` measures bars that are too wide without subtracting. If they are not,
            # noise shrinks with the step, so longer steps gain nothing.
            rounds = 0 if engine.subtracts else 4
            return estimate_central(
                engine, noise, tolerance=options.tolerance, first=first, lengthen=False, rounds=rounds
            )
        # One-sided differences are not extrapolated: they have a fixed step, even if it is automatic.
        epsilon = FORWARD_STEP if options.epsilon == "auto" else options.epsilon
        return estimate_fixed_step(engine, noise, epsilon=epsilon, difference=options.difference)

    def _rounding(self, engine: NetworkEngine, magnitude: Vector, roundoff: float) -> Rounding:
        loss_magnitude = float(np.abs(engine.losses).mean()) + engine.penalty.value
        return rounding_errors(self.problem, engine.trace, engine.dead, magnitude, loss_magnitude, roundoff)

    def _with_rounding(self, engine: NetworkEngine, measured: Measurement) -> Measurement:
        """Add to the bars the rounding at θ, which is the same in all perturbed losses, so that no table shows it."""
        magnitude = np.zeros(self.problem.layout.size)
        magnitude[measured.indices] = measured.magnitude
        rounding = self._rounding(engine, magnitude, FLOAT64).gradient[measured.indices]
        return replace(measured, bar=measured.bar + np.nan_to_num(rounding))

    def _refer(self, found: NetworkMeasurement) -> NetworkMeasurement:
        """Measure components whose bars are too wide again, without subtracting losses."""
        tolerance = self.options.tolerance
        wide = np.flatnonzero(too_wide(found.engine, found.measured, tolerance))
        if not len(wide):
            return found
        # The structured engine computes increments without subtracting, so its bars have no noise to shrink.
        engine = self._make(StructuredEngine)
        again = estimate_central(engine, self._noise(engine), tolerance=tolerance, indices=wide, lengthen=False)
        measured, better = merge_better(found.measured, self._with_rounding(found.engine, again), wide)
        evaluations = found.evaluations + _noise_samples(engine) + again.evaluations
        return replace(found, measured=measured, referred=int(better.sum()), evaluations=evaluations)

    def _audit(self, found: NetworkMeasurement, noise: Vector) -> NetworkMeasurement:
        """Compare a sample of the components with more direct engines."""
        layout, rng = self.problem.layout, generator(self.problem.seed, Stream.AUDIT)
        rounding = self._rounding(found.engine, np.zeros(layout.size), FLOAT64).loss
        auditors: list[tuple[NetworkEngine, Vector, int]] = []
        if isinstance(found.engine, NodeEngine):
            auditors.append((self._make(SparseEngine), noise, _BY_WEIGHTS))
        # The loop is audited by no one: it is the definition of the network, written out.
        auditors.append((self._make(NetworkLoopEngine), np.full(layout.size, rounding), _BY_LOOP))
        audits = []
        for engine, sigma, count in auditors:
            # Two of every tensor at least: a wrong formula for a small tensor must show as well.
            own = [tensor.offset + rng.integers(0, tensor.size, 2) for tensor in layout]
            drawn = rng.choice(layout.size, min(count, layout.size), replace=False)
            chosen = np.unique(np.concatenate([*own, drawn]))
            audits.append(audit(found.engine.name, found.measured, by=engine, noise=sigma, chosen=chosen))
        evaluations = found.evaluations + sum(each.evaluations for each in audits)
        return replace(found, audits=tuple(audits), evaluations=evaluations)


def _noise_samples(engine: NetworkEngine) -> int:
    """Return how many losses it takes to measure the noise."""
    # A difference takes two losses.
    return 2 * sampled_differences(engine.layout)


def _nothing(size: int) -> Measurement:
    """Return the measurement of a loss that is not finite at θ: every value is unknown."""
    unknown = np.full(size, np.nan)
    return Measurement(np.arange(size), unknown, unknown, unknown, unknown[None], unknown, unknown, np.zeros(size), 0)


def planned_differences(problem: Problem, options: OracleOptions) -> int:
    """Return how many differences are planned: noise samples, and three steps for all components, or for all units.

    Audits and refinements are not included.
    """
    # The node engine moves units; a fixed step is taken per weight by the lecture's definition.
    by_unit = options.extrapolates and issubclass(_chosen(problem, options), NodeEngine)
    return _differences(problem, sum(problem.network.widths[1:]) if by_unit else problem.layout.size)


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
    options = options or OracleOptions()
    estimate = estimate_with(_chosen(problem, options), problem, options, progress=progress)
    return replace(estimate, predicted=_predicted(problem)) if options.engine == "auto" else estimate


def _differences(problem: Problem, perturbed: int) -> int:
    return sampled_differences(problem.layout) + 3 * perturbed


def _predicted(problem: Problem) -> dict[str, float]:
    """Return the predicted seconds of the engines that perturb all of θ."""
    return predict(problem, _differences(problem, problem.layout.size))


def _chosen(problem: Problem, options: OracleOptions) -> type[NetworkEngine]:
    return choose(options.engine, _predicted(problem), options.budget, nodes=options.extrapolates)


def estimate_with(
    engine: type[NetworkEngine],
    problem: Problem,
    options: OracleOptions,
    *,
    progress: Callable[[int], None] | None = None,
) -> Estimate:
    """Return the estimate of an engine; if it fails its audit, that of the next more direct one.

    No value of an engine that failed is used. If none is left, or the next would take hours, every bar is infinite.
    """
    oracle, predicted = NetworkOracle(problem, options, Stopwatch(progress)), _predicted(problem)
    audits: list[Audit] = []  # the loop below ends: each engine is more direct than the one before
    while True:
        found = oracle.measure(engine)
        audits += found.audits
        estimate = oracle.estimate(found, audits)
        if all(each.passed for each in found.audits):
            return estimate
        following = more_direct(engine)
        # The plain loop has no prediction of its own: it runs what the batched engine runs.
        if following is None or predicted.get(following.name, predicted["batched"]) > _PATIENCE * options.budget:
            return replace(estimate, error_bar=np.full_like(estimate.error_bar, np.inf))
        engine = following
