"""The oracle of a person's own function: it measures the noise, then the gradient, and again what a witness disputes.

The lines along which J is differenced are all components, or a sample with random directions, or directions alone
(`xcheck.oracle.scope`). Where a direction shows an error, a search locates the wrong components
(`xcheck.oracle.bisection.locator`), and they join the lines.
"""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from xcheck.dtypes import FLOAT64
from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.corrected import Allowance
from xcheck.oracle.bisection.directional import DirectionalDerivatives
from xcheck.oracle.bisection.locator import Locator, derivatives_from
from xcheck.oracle.bisection.search import SearchResult
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.evaluator import Evaluator, TimedLoss
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimate import Estimate
from xcheck.oracle.estimators.central import NOISE_MULTIPLE
from xcheck.oracle.estimators.confirmation import Claim, confirm_slopes
from xcheck.oracle.estimators.kinks.treads import decide_on_treads
from xcheck.oracle.estimators.noise import UNEVEN, measure_noise_along
from xcheck.oracle.estimators.one_sided import measure_in_full, remeasure_disputed
from xcheck.oracle.estimators.sides import OneSidedGradient
from xcheck.oracle.function_estimate import estimates_of, quantized_roundoff, rounding
from xcheck.oracle.function_measurement import (
    FunctionMeasurement,
    measure_as_narrow,
    measure_components,
    measure_directions,
    measure_lines,
)
from xcheck.oracle.options import FunctionOptions
from xcheck.oracle.scope import choose_lines

# A check may take this much of its budget before it stops to refine, and a search for wrong components this much where
# less is left: guesses.
_PATIENCE, _SEARCH = 1.5, 0.25
# What the noise along one component takes: two places, eight samples each, three times where they are on one tread.
_LOSSES_OF_NOISE = 48
# Disputes come the worst first: if 64 stand, so do the others. Guesses that bound the cost of an all-wrong gradient.
_RECONSIDERED, _MEASURED_AGAIN = 64, 2048


def measure_function(
    evaluator: Evaluator,
    theta: Vector,
    layout: Layout,
    *,
    roundoffs: dict[str, float],
    options: FunctionOptions,
    progress: Callable[[int], None] | None = None,
    here: TimedLoss | None = None,
) -> "FunctionOracle":
    """Measure a function around θ by differences, and return its oracle.

    Args:
        evaluator: the function.
        theta: θ, shape (n,).
        layout: names of its components.
        roundoffs: per tensor the unit roundoff of what the witnesses compute in.
        options: see there.
        progress: called with the number of differences after each batch.
        here: J(θ), where it is known.
    """
    start = time.perf_counter()
    here = here or TimedLoss.of(evaluator.losses, theta)
    lines, predicted = choose_lines(evaluator, theta, layout, options, here.seconds)
    engine = FunctionEngine(evaluator, theta, lines, progress=progress, here=here.value)
    engine.evaluations = 1  # this one; its time is left out, in which something may have been compiled
    # Checks of all components, or of directions alone, were asked for as such: they have no deadline.
    if options.scope in ("auto", "sample"):
        engine.deadline = start + _PATIENCE * options.budget
    with np.errstate(all="ignore"):
        if options.epsilon == "auto" and lines.only_directions:
            measured = measure_directions(engine)
        elif options.scope == "all":
            measured = measure_components(engine, options)
        else:
            measured = measure_lines(engine, options, few=1 if predicted > options.budget else 3)
    return FunctionOracle(engine, measured, roundoffs, options, start=start, predicted=predicted)


class FunctionOracle:
    """The numerical gradient of one function at θ, measured again where a witness disputes it.

    Attributes:
        engine: evaluates the losses.
        lines: what is differenced.
        options: how.
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
        self._known, self._given_roundoffs, self.options, self._start = measured, roundoffs, options, start

    @property
    def computed_in(self) -> float:
        """Unit roundoff that part of the losses is computed with; see `FunctionMeasurement`."""
        return self._known.computed_in

    @property
    def treads(self) -> Vector | None:
        """Within which distance J is constant along each component of `engine.lines`, 0 elsewhere; None: no stairs."""
        return None if self._known.treads is None else self._known.treads[: len(self.engine.lines.components)]

    @property
    def _found(self) -> OneSidedGradient:
        return self._known.gradient

    @property
    def noise(self) -> Vector:
        """σ of J along each line, shape (c,)."""
        return self._known.noise

    @property
    def _roundoffs(self) -> dict[str, float]:
        """Per tensor the unit roundoff of what it is computed in, by the witnesses or by the function itself."""
        return {name: max(self.computed_in, own) for name, own in self._given_roundoffs.items()}

    def reconsider(self, disputed: Indices, gradient: Vector) -> bool:
        """Measure disputed lines again, with shorter steps, and return whether any value or bar has changed.

        The worst are measured first; if all of these stand, so do the others.

        Args:
            disputed: lines, the worst first, shape (k,).
            gradient: the witness's slopes along all lines, shape (c,).
        """
        if self.options.epsilon != "auto" or self.engine.lines.only_directions or not len(disputed):
            return False
        before, tolerance = (self._found.measured.value, self._found.measured.bar), self.options.tolerance
        with np.errstate(all="ignore"):
            self._measure_noise(disputed)
            self._find_treads(disputed[:_MEASURED_AGAIN], gradient)
            # What was measured with two steps is measured with three first; of very many the mildest disputes, which
            # are the likeliest to be settled by it.
            two_step = disputed[self._found.two_step[disputed]][-_MEASURED_AGAIN:]
            if len(two_step):
                again = measure_in_full(self.engine, self.noise, self._found, two_step, tolerance=tolerance)
                self._known = replace(self._known, gradient=again)
            for part in (disputed[:_RECONSIDERED], disputed[_RECONSIDERED:]):
                seen = self._found.measured.value
                again = remeasure_disputed(self.engine, self.noise, self._found, part, gradient, tolerance=tolerance)
                self._known = replace(self._known, gradient=again)
                if np.array_equal(seen, self._found.measured.value, equal_nan=True):
                    break
        now = self._found.measured.value, self._found.measured.bar
        return not all(np.array_equal(was, new, equal_nan=True) for was, new in zip(before, now, strict=True))

    def confirm(self, undecided: Indices, claim: Claim) -> bool:
        """Fit polynomials along undecided lines, and return whether any of them confirms what a witness claims."""
        # Stairs are no noise that many losses average: a slope over them is not that at θ.
        if self.options.epsilon != "auto" or self.computed_in > 0 or not len(undecided):
            return False
        before = self._found
        treads = self._known.treads
        lines = undecided if treads is None else undecided[treads[undecided] == 0]
        found = confirm_slopes(self.engine, self.noise, before, lines, claim)
        self._known = replace(self._known, gradient=found)
        return found is not before

    def _measure_noise(self, disputed: Indices) -> None:
        """Measure the noise along the disputed lines: it may be larger than where the tensor was sampled."""
        # The worst and the mildest disputes stand for all of them; as many as there is time for, and one of each.
        few = int(np.clip(self.engine.affordable(2 * _LOSSES_OF_NOISE), 1, _RECONSIDERED))
        chosen = np.union1d(disputed[:few], disputed[-few:])
        near, coarse = measure_noise_along(self.engine, chosen)
        coarse = np.zeros_like(coarse) if self._known.treads is not None else coarse
        computed_in = quantized_roundoff(near, coarse, float(np.abs(self.engine.losses[0])))
        # Samples that are all the same say nothing of the width of their tread, which may be that of any dtype.
        if computed_in == self.computed_in == 0 and not near.all() and self._known.treads is None:
            roundoff = self.engine.evaluator.narrow() or 0.0
            # Stairs of huge numbers are of another height than roundings of J.
            if roundoff > FLOAT64:
                self._known = measure_as_narrow(self.engine, self._known, roundoff, tolerance=self.options.tolerance)
                return
        before, found = self.noise, np.maximum(near, coarse)
        noise = UNEVEN * before if computed_in > self.computed_in else before.copy()
        # Noise is a measurement itself: less than twofold is no news.
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
        self._known = replace(
            self._known, gradient=gradient, noise=noise, computed_in=max(self.computed_in, computed_in)
        )

    def _find_treads(self, disputed: Indices, gradient: Vector) -> None:
        """Decide on stairs that disputed lines lie on, where none have been found before."""
        if self._known.treads is not None:
            return
        treads, found, none = np.zeros(len(gradient)), self._found, gradient[disputed] == 0
        # A gradient of zero is right where stairs are meant: where nobody knows, it is not called wrong.
        for lines, is_zero in ((disputed[none], True), (disputed[~none], False)):
            found, within = decide_on_treads(self.engine, found, lines, leaves_open=is_zero)
            treads += 0 if within is None else within
        if treads.any():
            self._known = replace(self._known, gradient=found, treads=treads)

    def locate(self, gradient: Vector, relative: float, roundoff: float) -> SearchResult | None:
        """Locate the wrong components of a gradient if a direction shows an error; they join the lines.

        Return None where there are no directions, or where the sample shows enough wrong components already.

        Args:
            gradient: shape (n,).
            relative: tolerance that it is held to.
            roundoff: unit roundoff of what it is computed in.
        """
        if self.options.epsilon != "auto" or not len(self.lines.directions):
            return None
        # A search is worth its losses even where the sample has taken all the time.
        if self.options.scope == "auto":
            search = time.perf_counter() + _SEARCH * self.options.budget
            self.engine.deadline = max(search, self._start + _PATIENCE * self.options.budget)
        elif self.options.scope == "sample":
            self.engine.deadline = np.inf
        with np.errstate(all="ignore"):
            locator = self._known.locator
            if locator is None:
                # The directions were measured with the sample: the search starts from these values.
                slopes = DirectionalDerivatives(self.engine)
                slopes.seed(derivatives_from(self._found, len(self.lines.components)), float(self.noise.max()))
                locator = Locator(self.engine, slopes)
                self._known = replace(self._known, locator=locator)
            largest = np.nan_to_num(np.abs(self._found.measured.value)).max(initial=0.0)
            # An eighth of the largest, as in the floor of the estimate: a guess.
            allowance = Allowance(relative, rounding(max(roundoff, self.computed_in)) * largest / 8)
            located, found = locator.locate(gradient, allowance, self.lines, self._found), self._found
            if located is not None:
                self.lines, found = locator.join(self.lines, found)
            self._known = replace(self._known, gradient=found)
        return located

    def sides(self, lines: Indices) -> tuple[Vector, Vector]:
        """Return the least and the largest slope of some lines, shape (k,) each, equal where there is no kink."""
        return self._found.measured.lower[lines], self._found.measured.upper[lines]

    def widen(self, lines: Indices, lower: Vector, upper: Vector, bar: Vector) -> None:
        """Replace the intervals of slopes of some lines, which other measurements have shown to sit on a kink."""
        row = self._found.take(lines)
        measured = replace(row.measured, lower=lower, upper=upper, bar=np.maximum(row.measured.bar, bar))
        measured = replace(measured, conventions=np.stack([lower, measured.value, upper]))
        at_kinks = replace(row, measured=measured, kink=np.zeros(len(lines)))
        self._known = replace(self._known, gradient=self._found.put(lines, at_kinks))

    @property
    def kinks(self) -> Indices:
        """Lines with a kink at θ, or too close to it to be told apart; where J jumps it has no slopes at all."""
        return np.flatnonzero((self._found.kink == 0) & ~self._found.steep)

    @property
    def kink_distance(self) -> Vector:
        """Distance within which each line has a kink: 0 for at θ, nan where no kink was met."""
        return self._found.kink

    def estimate(self, engine: str) -> Estimate:
        """Return the gradient with its bars, and the statistics of how it was measured."""
        (only,) = estimates_of(
            self.engine,
            self.lines,
            self._found,
            self.noise,
            self._roundoffs,
            name=engine,
            seconds=time.perf_counter() - self._start,
        )
        return replace(only, audits=self._known.audits)

    def name_engine(self, losses: str) -> str:
        """Return the name of the engine, with what evaluates the losses and what is to be said of nodes."""
        known = self._known
        if known.served:
            return f"nodes ({known.nodes}; {losses})"
        return f"{losses} (no nodes: {known.nodes})" if known.nodes else losses
