"""One sitting of the judge: an engine, the noise, the estimate, the refinement and the audit, one after the other."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from xcheck.dtypes import roundoff_of
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.node import NodeEngine
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
from xcheck.oracle.estimators.noise import loss_noise, sampled_differences
from xcheck.oracle.estimators.rounding import Rounding, rounding_errors
from xcheck.oracle.options import OracleOptions
from xcheck.seeds import Stream, generator

_FLOAT64 = 2.0**-53

# Components that are audited: of the node engine by weight perturbation, and of whatever does not subtract losses by
# the plain loop.
_BY_WEIGHTS, _BY_LOOP = 32, 4


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


class NetworkOracle:
    """The judge with one engine.

    Attributes:
        engine: the engine.
        measured: all components.
        audits: what came of auditing the engine.
    """

    def __init__(self, engine: type[NetworkEngine], problem: Problem, options: OracleOptions, clock: Stopwatch) -> None:
        self._problem, self._options, self._clock = problem, options, clock
        self._evaluations = self._referred = 0
        self.audits: list[Audit] = []
        self.engine = self._made(engine)
        if np.isfinite(self.engine.losses).all():
            noise = self._noise(self.engine)
            self.measured = self._with_rounding(self._measure(noise))
            if not self.engine.subtracts:
                self._audit(noise)
            elif options.extrapolates:
                self._refer()
        else:
            self.measured = _nothing(problem.layout.size)

    def estimate(self, audits: Sequence[Audit]) -> Estimate:
        """Put everything that is known into one value."""
        problem, engine, measured = self._problem, self.engine, self.measured
        roundoff = roundoff_of(self._options.dtype)
        return Estimate(
            value=measured.value,
            error_bar=measured.bar,
            lower=measured.lower,
            upper=measured.upper,
            conventions=measured.conventions,
            spread=engine.penalty.spread,
            near=engine.pieces.near,
            magnitude=measured.magnitude,
            loss=float(engine.losses.mean()) + engine.penalty.value,
            rounding=self._rounding(measured.magnitude, roundoff),
            trace=engine.trace,
            ties=engine.pieces.ties + int(np.count_nonzero(engine.penalty.spread)),
            engine=engine.name,
            predicted={},
            audits=tuple(audits),
            referred=self._referred,
            refereed=0,
            difference=self._options.difference,
            epsilon=float(np.median(measured.step)) if problem.layout.size else 0.0,
            evaluations=measured.evaluations + self._evaluations,
            seconds=self._clock.elapsed,
            compile_seconds=self._clock.first,
        )

    def _made(self, engine: type[NetworkEngine]) -> NetworkEngine:
        options = self._options
        return engine(
            self._problem,
            device=options.device,
            memory=options.memory,
            roundoff=roundoff_of(options.dtype),
            progress=self._clock.lap,
        )

    def _noise(self, engine: NetworkEngine) -> Vector:
        self._evaluations += 2 * sampled_differences(engine.layout)
        rng = generator(self._problem.seed, Stream.NETWORK_NOISE)
        return loss_noise(engine, engine.first_step * engine.scale, rng)

    def _measure(self, noise: Vector) -> Measurement:
        engine, options = self.engine, self._options
        if options.extrapolates:
            first = estimate_by_nodes(engine, noise) if isinstance(engine, NodeEngine) else None
            # Where losses are subtracted, what is too wide is referred at once. Where they are not, noise shrinks with
            # the step, and longer ones gain nothing.
            rounds = 0 if engine.subtracts else 4
            return estimate_central(
                engine, noise, tolerance=options.tolerance, first=first, lengthen=False, rounds=rounds
            )
        epsilon = FORWARD_STEP if options.epsilon == "auto" else options.epsilon
        return estimate_fixed_step(engine, noise, epsilon=epsilon, difference=options.difference)

    def _rounding(self, magnitude: Vector, roundoff: float) -> Rounding:
        engine = self.engine
        loss_magnitude = float(np.abs(engine.losses).mean()) + engine.penalty.value
        return rounding_errors(self._problem, engine.trace, engine.dead, magnitude, loss_magnitude, roundoff)

    def _with_rounding(self, measured: Measurement) -> Measurement:
        """Add to the bars what no difference table shows: rounding at θ itself, the same in all perturbed losses."""
        magnitude = np.zeros(self._problem.layout.size)
        magnitude[measured.indices] = measured.magnitude
        rounding = self._rounding(magnitude, _FLOAT64).gradient[measured.indices]
        return replace(measured, bar=measured.bar + np.nan_to_num(rounding))

    def _refer(self) -> None:
        """Measure again, without subtracting losses, what their noise has left too wide."""
        wide = np.flatnonzero(too_wide(self.engine, self.measured, self._options.tolerance))
        if not len(wide):
            return
        engine = self._made(StructuredEngine)
        again = estimate_central(
            engine, self._noise(engine), tolerance=self._options.tolerance, indices=wide, lengthen=False
        )
        self._evaluations += again.evaluations
        self._referred = int(merge_better(self.measured, self._with_rounding(again), wide).sum())

    def _audit(self, noise: Vector) -> None:
        """Hold a sample of the components against more direct engines."""
        rng = generator(self._problem.seed, Stream.AUDIT)
        size = self._problem.layout.size
        loop = self._made(NetworkLoopEngine)
        loss_noise = self._rounding(np.zeros(size), _FLOAT64).loss
        panel = [(loop, np.full(size, loss_noise), _BY_LOOP)]
        if isinstance(self.engine, NodeEngine):
            panel.insert(0, (self._made(SparseEngine), noise, _BY_WEIGHTS))
        for engine, sigma, count in panel:
            # Two of every tensor at least: a formula that serves a small one must not go unlooked at.
            own = [tensor.offset + rng.integers(0, tensor.size, 2) for tensor in self._problem.layout]
            chosen = np.unique(np.concatenate([*own, rng.choice(size, min(count, size), replace=False)]))
            self.audits.append(audit(self.engine.name, self.measured, by=engine, noise=sigma, chosen=chosen))
            self._evaluations += self.audits[-1].evaluations


def _nothing(size: int) -> Measurement:
    """Return the measurement of a loss that is not finite: there is nothing to take differences of."""
    unknown = np.full(size, np.nan)
    return Measurement(np.arange(size), unknown, unknown, unknown, unknown[None], unknown, unknown, np.zeros(size), 0)
