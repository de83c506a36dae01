"""The judge of a person's own function: which lines to difference, with which steps, in which time.

All components, if the predicted time is within the budget. If not, a sample of each tensor and a few random directions
through all of θ, or where not even that fits, directions alone; what such a check can see is stated
(`xcheck.oracle.engines.lines.unseen`), and it is never silent. What is wrong along a direction is then looked for
(`xcheck.oracle.bisection.locator`), and what is found joins the sample.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator, derivatives_from, gradient_along
from xcheck.oracle.bisection.search import Allowance, Located
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.function import Evaluator, FunctionEngine
from xcheck.oracle.engines.lines import DIRECTIONS
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, estimate_fixed_step
from xcheck.oracle.estimators.noise import noises_along, noises_nearby
from xcheck.oracle.estimators.one_sided import estimate_one_sided, in_full, reconsidered
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_estimate import magnitude_of, narrowness, rounding
from xcheck.oracle.network.forward import Trace
from xcheck.oracle.options import FunctionOptions
from xcheck.oracle.scope import choose_lines
from xcheck.seeds import Stream, generator

# A guess: an estimate may take twice its budget before it stops.
_PATIENCE = 2.0
# Disputes come with the worst first: if all of these stand, so do the others. Guesses, to bound what a gradient that is
# wrong everywhere may cost.
_RECONSIDERED, _MEASURED_AGAIN = 64, 2048
# The roundings of a staircase are not independent of each other, nor alike from tread to tread.
_UNEVEN = 3.0
# What the rounding of θ may do where J bends, in units of u |θᵢ| |∂²J|.
# A guess: θ is rounded where it is stored, and again wherever the function scales it.
_OF_THETA = 2.0**3


@dataclass(frozen=True, slots=True)
class FunctionMeasurement:
    """What is known about a function around θ.

    Attributes:
        gradient: slopes along the lines.
        noise: σ of J per line.
        narrow: unit roundoff that part of the losses is computed with, although they are asked for in 64 bits; 0 for
            none.
        locator: looks for wrong components, once it is there.
    """

    gradient: OneSidedGradient
    noise: Vector
    narrow: float
    locator: Locator | None = None


def measure_function(
    evaluator: Evaluator,
    theta: Vector,
    layout: Layout,
    *,
    roundoffs: dict[str, float],
    options: FunctionOptions,
    progress: Callable[[int], None] | None = None,
) -> "FunctionOracle":
    """Take differences of a function around θ, and return the oracle that knows them.

    Args:
        evaluator: the function.
        theta: θ, shape (n,).
        layout: names of its components.
        roundoffs: per tensor the unit roundoff of what the witnesses compute in.
        options: see there.
        progress: called with the number of differences after each batch.
    """
    start = time.perf_counter()
    lines, predicted = choose_lines(evaluator, theta, layout, options)
    engine = FunctionEngine(evaluator, theta, lines, progress=progress)
    if options.scope in ("auto", "sample"):
        engine.deadline = start + _PATIENCE * options.budget
    with np.errstate(all="ignore"):
        if options.epsilon == "auto" and lines.only_directions:
            measured = _screen(engine)
        else:
            measured = _measure(engine, options, few=1 if predicted > options.budget else 3)
    return FunctionOracle(engine, measured, roundoffs, options, start=start, predicted=predicted)


def _screen(engine: FunctionEngine) -> FunctionMeasurement:
    """Measure directions alone."""
    slopes = DirectionalDerivatives(engine)
    found = slopes.measure_all()
    noise = np.full(len(found), slopes.noise)
    narrow = narrowness(np.zeros(1), noise, float(np.abs(engine.losses[0]))) if slopes.quantized else 0.0
    return FunctionMeasurement(gradient_along(found), noise, narrow, Locator(engine, slopes))


def _measure(engine: FunctionEngine, options: FunctionOptions, few: int) -> FunctionMeasurement:
    """Measure the noise, along a few components of each tensor, and then everything."""
    near, coarse = noises_nearby(engine, generator(options.seed, Stream.FUNCTION_NOISE), few=few)
    narrow = narrowness(near, coarse, float(np.abs(engine.losses[0])))
    noise = np.maximum(near, coarse)
    noise = _UNEVEN * noise if narrow > 0 else noise
    if options.epsilon == "auto":
        gradient = estimate_one_sided(engine, noise, tolerance=options.tolerance)
    else:
        measured = estimate_fixed_step(engine, noise, epsilon=options.epsilon, difference="central")
        gradient = OneSidedGradient.smooth(measured)
    return FunctionMeasurement(gradient, noise, narrow)


class FunctionOracle:
    """Differences of one function around θ, measured again where a witness disputes them.

    Attributes:
        engine: evaluates the losses.
        lines: what is differenced.
        predicted: seconds that all components were predicted to take; 0 where that was not asked.
    """

    def __init__(
        self,
        engine: FunctionEngine,
        measured: FunctionMeasurement,
        roundoffs: dict[str, float],
        options: FunctionOptions,
        *,
        start: float,
        predicted: float,
    ) -> None:
        self.engine, self.lines, self.predicted = engine, engine.lines, predicted
        self._known, self._given_roundoffs, self._options, self._start = measured, roundoffs, options, start

    @property
    def narrow(self) -> float:
        """Unit roundoff that part of the losses is computed with; see `FunctionMeasurement`."""
        return self._known.narrow

    @property
    def _found(self) -> OneSidedGradient:
        return self._known.gradient

    @property
    def _noise(self) -> Vector:
        return self._known.noise

    @property
    def _roundoffs(self) -> dict[str, float]:
        """Per tensor the unit roundoff of what it is computed in, by the witnesses or by the function itself."""
        return {name: max(self.narrow, own) for name, own in self._given_roundoffs.items()}

    def reconsider(self, disputed: Indices, gradient: Vector) -> bool:
        """Look at disputed lines again, with shorter steps; return whether anything has changed.

        The worst come first; if all of these stand, so do the others.

        Args:
            disputed: lines, the worst first, shape (k,).
            gradient: slopes along all lines as the witness says, shape (c,).
        """
        if self._options.epsilon != "auto" or self.engine.lines.only_directions or not len(disputed):
            return False
        before = self._found.measured.value, self._found.measured.bar
        with np.errstate(all="ignore"):
            self._listen(disputed)
            # What had a brief look is measured in full first; of very many the mildest, which are the likeliest to fit.
            brief = disputed[self._found.brief[disputed]][-_MEASURED_AGAIN:]
            if len(brief):
                tolerance = self._options.tolerance
                again = in_full(self.engine, self._noise, self._found, brief, tolerance=tolerance)
                self._known = replace(self._known, gradient=again)
            for part in (disputed[:_RECONSIDERED], disputed[_RECONSIDERED:]):
                seen = self._found.measured.value
                again = reconsidered(self.engine, self._noise, self._found, part, gradient)
                self._known = replace(self._known, gradient=again)
                if np.array_equal(seen, self._found.measured.value, equal_nan=True):
                    break
        now = self._found.measured.value, self._found.measured.bar
        return not all(np.array_equal(was, new, equal_nan=True) for was, new in zip(before, now, strict=True))

    def _listen(self, disputed: Indices) -> None:
        """Measure the noise along disputed lines themselves: it may be larger than where the tensor was sampled."""
        chosen = np.union1d(disputed[:_RECONSIDERED], disputed[-_RECONSIDERED:])
        near, coarse = noises_along(self.engine, chosen)
        narrow = narrowness(near, coarse, float(np.abs(self.engine.losses[0])))
        before, found = self._noise, np.maximum(near, coarse)
        noise = _UNEVEN * before if narrow > self.narrow else before.copy()
        louder = found > 2 * noise[chosen]
        if louder.any():
            noise[chosen] = np.maximum(noise[chosen], found)
            if len(chosen) < len(disputed):
                noise[disputed] = np.maximum(noise[disputed], found[louder].max())
        gradient = self._found
        if not np.array_equal(noise, before):
            measured = gradient.measured
            bar = measured.bar + NOISE_MULTIPLE * (noise - before) / measured.step
            gradient = replace(gradient, measured=replace(measured, bar=bar))
        self._known = replace(self._known, gradient=gradient, noise=noise, narrow=max(self.narrow, narrow))

    def locate(self, gradient: Vector, relative: float, roundoff: float) -> Located | None:
        """Look for the components that are wrong in a gradient, where a direction says that something is.

        What is found joins the lines. None where there is nothing to go by, or the sample names enough.

        Args:
            gradient: shape (n,).
            relative: tolerance that it is held to.
            roundoff: unit roundoff of what it is computed in.
        """
        if self._options.epsilon != "auto" or not len(self.lines.directions):
            return None
        if self._options.scope == "auto":
            self.engine.deadline = time.perf_counter() + _PATIENCE * self._options.budget
        elif self._options.scope == "sample":
            self.engine.deadline = np.inf
        with np.errstate(all="ignore"):
            locator = self._known.locator
            if locator is None:
                slopes = DirectionalDerivatives(self.engine)
                slopes.seed(derivatives_from(self._found, len(self.lines.components)), float(self._noise.max()))
                locator = Locator(self.engine, slopes)
                self._known = replace(self._known, locator=locator)
            largest = np.nan_to_num(np.abs(self._found.measured.value)).max(initial=0.0)
            # An eighth of the largest, as in the floor of the estimate: a guess.
            allowance = Allowance(relative, rounding(max(roundoff, self.narrow)) * largest / 8)
            located, found = locator.locate(gradient, allowance, self.lines, self._found), self._found
            if located is not None:
                self.lines, found = locator.join(self.lines, found)
            self._known = replace(self._known, gradient=found)
        return located

    @property
    def kinks(self) -> Indices:
        """Lines with a kink at θ, or nearer than can be told."""
        return np.flatnonzero(self._found.kink == 0)

    @property
    def kink_distance(self) -> Vector:
        """Distance within which each line has a kink: 0 where it cannot be told from θ, nan for none in sight."""
        return self._found.kink

    def estimate(self, engine: str) -> Estimate:
        """Return everything that is known as one value."""
        measured, loss = self._found.measured, float(self.engine.losses[0])
        floor = self._floor(measured.value)
        return Estimate(
            value=measured.value,
            error_bar=measured.bar,
            lower=measured.lower,
            upper=measured.upper,
            conventions=measured.conventions,
            spread=np.zeros_like(measured.value),
            near=True,  # any subgradient will do: nothing is known about what a function does at its kinks
            magnitude=magnitude_of(self.lines.layout, measured),
            loss=loss,
            rounding=Rounding(floor, self._loss_floor(loss)),
            trace=Trace.empty(),
            ties=len(self.kinks),
            engine=engine,
            predicted={},
            audits=(),
            referred=0,
            refereed=0,
            difference="central",
            epsilon=float(np.median(measured.step)) if len(measured.step) else 0.0,
            evaluations=self.engine.evaluations,
            seconds=time.perf_counter() - self._start,
            compile_seconds=0.0,
        )

    def _floor(self, value: Vector) -> Vector:
        """Return what rounding may do: to the gradient itself, and to the θ that it belongs to."""
        floor, whole = np.zeros_like(value), np.nan_to_num(np.abs(value)).max(initial=0.0)
        coarsest = max(self._roundoffs.values(), default=2.0**-53)
        # How far θ extends along each line: 1 for directions.
        single = np.abs(self.engine.theta[self.lines.components])
        extent = np.concatenate([single, np.ones(len(self.lines.directions))])
        for tensor in self.lines.layout:
            largest = np.nan_to_num(np.abs(value[tensor.span])).max(initial=0.0)
            roundoff = coarsest if tensor.name == DIRECTIONS else self._roundoffs[tensor.name]
            # A tensor whose own gradient cancels to nothing is rounded with terms of the size of the others'; an
            # eighth is a guess.
            floor[tensor.span] = rounding(roundoff) * max(largest, whole / 8)
            # θ itself is rounded: where J bends, its slope is no better known than that.
            floor[tensor.span] += _OF_THETA * roundoff * np.nan_to_num(self._found.bend * extent)[tensor.span]
        return floor

    def _loss_floor(self, loss: float) -> float:
        coarsest = max(self._roundoffs.values(), default=2.0**-53)
        noise = float(self._noise.max(initial=0.0)) * coarsest / self.engine.roundoff
        # Two losses of different programs may differ by many roundings: 64 of those that were measured.
        return 64 * noise + rounding(coarsest) * abs(loss)
