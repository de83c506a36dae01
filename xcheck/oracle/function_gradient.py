"""The judge of a person's own function: which lines to difference, with which steps, in which time.

All components, if the predicted time is within the budget. If not, a sample of each tensor and a few random directions
through all of θ, or where not even that fits, directions alone; what such a check can see is stated
(`xcheck.oracle.engines.lines.unseen`), and it is never silent. What is wrong along a direction is then looked for
(`xcheck.oracle.bisection.locator`), and what is found joins the sample.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator, screened, slopes_of
from xcheck.oracle.bisection.search import Allowance, Located
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.function import Evaluator, FunctionEngine, chunk_for
from xcheck.oracle.engines.lines import DIRECTIONS, Lines, directed, sampled
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, estimate_fixed_step
from xcheck.oracle.estimators.noise import noises_along, noises_nearby
from xcheck.oracle.estimators.one_sided import estimate_one_sided, in_full, reconsidered
from xcheck.oracle.estimators.rounding import Rounding
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_estimate import magnitude_of, narrowness, rounding
from xcheck.oracle.network.forward import Trace
from xcheck.seeds import Stream, generator

ScopeName = Literal["auto", "all", "sample", "directions"]

# Two sides of h, 2h and 4h. Then, for the budget, two guesses: half of the components are measured
# once more, and an estimate may take twice its budget before it stops.
_LOSSES_EACH = 6
_REFINEMENT, _PATIENCE = 1.5, 2.0
# Disputes come with the worst first: if all of these stand, so do the others. Guesses, to bound what a gradient that is
# wrong everywhere may cost.
_RECONSIDERED, _MEASURED_AGAIN = 64, 2048
# Components that the least sample of a tensor costs, with what it takes to measure its noise.
_WITH_NOISE = 10
# The roundings of a staircase are not independent of each other, nor alike from tread to tread.
_UNEVEN = 3.0
# What the rounding of θ may do where J bends, in units of u |θᵢ| |∂²J|.
# A guess: θ is rounded where it is stored, and again wherever the function scales it.
_OF_THETA = 2.0**3


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionOptions:
    """How to differentiate numerically.

    Attributes:
        epsilon: "auto", or the fixed step of the lecture notes.
        tolerance: relative tolerance that gradients will be held to.
        scope: all components, a sample with random directions, directions alone, or whichever fits the budget.
        budget: seconds.
        seed: of the sample and of the directions.
        including: components that a sample includes in any case.
    """

    epsilon: float | Literal["auto"] = "auto"
    tolerance: float = 1e-7
    scope: ScopeName = "auto"
    budget: float = 10.0
    seed: int = 0
    including: tuple[int, ...] = ()


class FunctionOracle:
    """Differences of one function around θ.

    Args:
        evaluator: the function.
        theta: θ, shape (n,).
        layout: names of its components.
        roundoffs: per tensor the unit roundoff of what the witnesses compute in.
        options: see there.
        progress: called with the number of differences after each batch.

    Attributes:
        lines: what is differenced.
        narrow: unit roundoff that part of the losses is computed with, although they are asked for in 64 bits; 0 for
            none.
    """

    def __init__(
        self,
        evaluator: Evaluator,
        theta: Vector,
        layout: Layout,
        *,
        roundoffs: dict[str, float],
        options: FunctionOptions,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self._start = time.perf_counter()
        self._options = options
        self._roundoffs = roundoffs
        self.predicted = self.narrow = 0.0
        self.lines = Lines.all_of(layout)
        if options.scope == "directions":
            self.lines = directed(layout, options.seed, options.including)
        elif options.scope != "all":
            self.lines = self._chosen(evaluator, theta, layout)
        self.engine = FunctionEngine(evaluator, theta, self.lines, progress=progress)
        if options.scope in ("auto", "sample"):
            self.engine.deadline = self._start + _PATIENCE * options.budget
        self._locator: Locator | None = None
        self._screens = options.epsilon == "auto" and self.lines.only_directions
        with np.errstate(all="ignore"):
            if self._screens:
                self._screen()
            else:
                self._listen_and_measure()

    def _screen(self) -> None:
        """Measure directions alone."""
        slopes = DirectionalDerivatives(self.engine)
        found = slopes.screen()
        self._noise = np.full(len(found), slopes.noise)
        if slopes.stairs:
            self._note_narrow(narrowness(np.zeros(1), self._noise, float(np.abs(self.engine.losses[0]))))
        self._found = screened(found)
        self._locator = Locator(self.engine, slopes)

    def _listen_and_measure(self) -> None:
        """Measure the noise, and then everything."""
        rng = generator(self._options.seed, Stream.FUNCTION_NOISE)
        near, coarse = noises_nearby(self.engine, rng, few=1 if self.predicted > self._options.budget else 3)
        self._noise = np.maximum(near, coarse)
        self._note_stairs(near, coarse)
        self._found = self._measured()

    def _note_stairs(self, near: Vector, coarse: Vector) -> None:
        """Judge by the noise of what part of J is really computed in."""
        narrow = narrowness(near, coarse, float(np.abs(self.engine.losses[0])))
        if narrow > self.narrow:
            self._noise = _UNEVEN * self._noise
        self._note_narrow(narrow)

    def _note_narrow(self, narrow: float) -> None:
        self.narrow = max(self.narrow, narrow)
        self._roundoffs = {name: max(self.narrow, own) for name, own in self._roundoffs.items()}

    def _chosen(self, evaluator: Evaluator, theta: Vector, layout: Layout) -> Lines:
        """Time some losses, and return what fits the budget.

        Two losses are enough where all components fit. A whole batch is faster for each loss, but costs as much as the
        differences of a small function: it is timed only where two losses speak against it.
        """
        chunk = min(chunk_for(layout.size, evaluator.data), _LOSSES_EACH * layout.size)
        points = np.repeat(theta[None], chunk, axis=0)
        points[:, : min(layout.size, 1)] *= 1 + 2.0**-20  # not θ itself, which needs no batch
        for batch in (points[:2], points):
            evaluator.losses(batch)  # compiles
            start = time.perf_counter()
            evaluator.losses(batch)
            each = (time.perf_counter() - start) / max(1, len(batch))
            self.predicted = _REFINEMENT * _LOSSES_EACH * layout.size * each
            if self._options.scope == "auto" and self.predicted <= self._options.budget:
                return Lines.all_of(layout)
        affordable = self._options.budget / (_REFINEMENT * _LOSSES_EACH * max(each, 1e-9))
        tensors = sum(1 for tensor in layout if tensor.size)
        if self._options.scope == "auto" and affordable < _WITH_NOISE * (tensors + 1):
            return directed(layout, self._options.seed, self._options.including)
        rng = generator(self._options.seed, Stream.SAMPLE)
        return sampled(layout, int(min(affordable, 1e6)), rng, self._options.including)

    def _measured(self) -> OneSidedGradient:
        options = self._options
        if options.epsilon == "auto":
            return estimate_one_sided(self.engine, self._noise, tolerance=options.tolerance)
        measured = estimate_fixed_step(self.engine, self._noise, epsilon=options.epsilon, difference="central")
        return OneSidedGradient.smooth(measured)

    def reconsider(self, disputed: Indices, gradient: Vector) -> bool:
        """Look at disputed lines again, with shorter steps; return whether anything has changed.

        The worst come first; if all of these stand, so do the others.

        Args:
            disputed: lines, the worst first, shape (k,).
            gradient: slopes along all lines as the witness says, shape (c,).
        """
        if self._options.epsilon != "auto" or self._screens or not len(disputed):
            return False
        before = self._found.measured.value, self._found.measured.bar
        with np.errstate(all="ignore"):
            self._listen(disputed)
            # What had a brief look is measured in full first; of very many the mildest, which are the likeliest to fit.
            brief = disputed[self._found.brief[disputed]][-_MEASURED_AGAIN:]
            if len(brief):
                tolerance = self._options.tolerance
                self._found = in_full(self.engine, self._noise, self._found, brief, tolerance=tolerance)
            for part in (disputed[:_RECONSIDERED], disputed[_RECONSIDERED:]):
                seen = self._found.measured.value
                self._found = reconsidered(self.engine, self._noise, self._found, part, gradient)
                if np.array_equal(seen, self._found.measured.value, equal_nan=True):
                    break
        now = self._found.measured.value, self._found.measured.bar
        return not all(np.array_equal(was, new, equal_nan=True) for was, new in zip(before, now, strict=True))

    def _listen(self, disputed: Indices) -> None:
        """Measure the noise along disputed lines themselves: it may be larger than where the tensor was sampled."""
        chosen = np.union1d(disputed[:_RECONSIDERED], disputed[-_RECONSIDERED:])
        near, coarse = noises_along(self.engine, chosen)
        before = self._noise
        self._note_stairs(near, coarse)
        found = np.maximum(near, coarse)
        louder = found > 2 * self._noise[chosen]
        noise = self._noise.copy()
        if louder.any():
            noise[chosen] = np.maximum(noise[chosen], found)
            if len(chosen) < len(disputed):
                noise[disputed] = np.maximum(noise[disputed], found[louder].max())
        if np.array_equal(noise, before):
            return
        measured = self._found.measured
        bar = measured.bar + NOISE_MULTIPLE * (noise - before) / measured.step
        self._noise, self._found = noise, replace(self._found, measured=replace(measured, bar=bar))

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
            if self._locator is None:
                slopes = DirectionalDerivatives(self.engine)
                slopes.adopt(slopes_of(self._found, len(self.lines.components)), float(self._noise.max()))
                self._locator = Locator(self.engine, slopes)
            largest = np.nan_to_num(np.abs(self._found.measured.value)).max(initial=0.0)
            # An eighth of the largest, as in the floor of the estimate: a guess.
            allowance = Allowance(relative, rounding(max(roundoff, self.narrow)) * largest / 8)
            located = self._locator.locate(gradient, allowance, self.lines, self._found)
            if located is not None:
                self.lines, self._found = self._locator.joined(self.lines, self._found)
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
        for tensor in self.lines.layout:
            largest = np.nan_to_num(np.abs(value[tensor.span])).max(initial=0.0)
            roundoff = coarsest if tensor.name == DIRECTIONS else self._roundoffs[tensor.name]
            # A tensor whose own gradient cancels to nothing is rounded with terms of the size of the others'; an
            # eighth is a guess.
            floor[tensor.span] = rounding(roundoff) * max(largest, whole / 8)
            # θ itself is rounded: where J bends, its slope is no better known than that.
            floor[tensor.span] += _OF_THETA * roundoff * np.nan_to_num(self._found.bend * self._reach)[tensor.span]
        return floor

    @property
    def _reach(self) -> Vector:
        """How far θ extends along each line: |θᵢ|; 1 for directions."""
        single = np.abs(self.engine.theta[self.lines.components])
        return np.concatenate([single, np.ones(len(self.lines.directions))])

    def _loss_floor(self, loss: float) -> float:
        coarsest = max(self._roundoffs.values(), default=2.0**-53)
        noise = float(self._noise.max(initial=0.0)) * coarsest / self.engine.roundoff
        # Two losses of different programs may differ by many roundings: 64 of those that were measured.
        return 64 * noise + rounding(coarsest) * abs(loss)
