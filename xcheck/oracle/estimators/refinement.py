"""Refinement: components are measured again, with other steps, until they are sharp enough or nothing can be gained."""

from dataclasses import replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, Measurement, too_wide
from xcheck.oracle.estimators.sides import NOISE_OF_JUMP, OneSidedGradient, Sides, least_noise, measure_sides

# Each round makes the step at least four times shorter: twelve reach 2⁻²⁴ of the first one, where noise has the say.
ROUNDS = 12


class Refinement:
    """What is known so far of all components, and the step that each was last measured with."""

    def __init__(self, engine: FunctionEngine, noise: Vector, sides: Sides, kink: Vector) -> None:
        self.engine, self.noise, self.sides = engine, noise, sides
        self._kink, self._step, self._irregular = kink, sides.measured.step, sides.irregular
        self._evaluations = sides.measured.evaluations

    @classmethod
    def of(cls, engine: FunctionEngine, noise: Vector, found: OneSidedGradient) -> "Refinement":
        """Return what is known at the end of an earlier measurement."""
        jump = found.measured.upper - found.measured.lower
        sides = Sides(found.measured, jump, jump > 0, jump, np.zeros(len(jump), dtype=bool), found.bend)
        return cls(engine, noise, sides, found.kink)

    @property
    def best(self) -> Measurement:
        """The best measurement so far."""
        return self.sides.measured

    def measure_in_full(self, places: Indices) -> None:
        """Measure with the first step, and take that over."""
        if not len(places):
            return
        self._step = _written(self._step, places, self.engine.first_step * self.engine.scale[places])
        again = measure_sides(self.engine, places, self._step[places], self.noise[places])
        self.take(again, places, np.ones(len(places), dtype=bool))

    def converge(self, pending: Indices, tolerance: float) -> None:
        """Measure again, with other steps, what is not sharp enough."""
        for _ in range(ROUNDS):
            pending = pending[(self.sides.kinked | too_wide(self.engine, self.best, tolerance))[pending]]
            # What moves J by not a single bit is zero, unless J is a staircase.
            still = (self.best.magnitude[pending] == 0) & (self.noise[pending] <= least_noise(self.engine))
            pending = pending[self.hopeful(pending) & ~still]
            if not len(pending) or self.engine.late:
                return
            pending = self.refine(pending)

    def noisy(self, places: Indices) -> Flags:
        """Return where noise dominates the bar: a shorter step would make it wider."""
        noise = NOISE_MULTIPLE * self.noise[places] / self._step[places]
        return np.asarray(~self.sides.kinked[places] & (2 * noise > self.best.bar[places]))

    def hopeful(self, places: Indices) -> Flags:
        """Return where another step may tell more: one that leaves a jump visible, or its absence would be no news."""
        with np.errstate(all="ignore"):
            hidden = NOISE_OF_JUMP * self.noise[places] * 16 / self._step[places] > self.sides.jump[places]
        longest = self.noisy(places) & (self._step[places] >= self.engine.scale[places])
        shortest = self._step[places] < self.engine.shortest[places]
        return np.asarray(~(self.sides.kinked[places] & hidden) & ~longest & ~shortest)

    @np.errstate(all="ignore")  # what is not finite leads to a shorter step
    def factor(self, places: Indices) -> Vector:
        """Return by how much to change the steps: the further off, the more."""
        # Truncation falls with the fourth power: a quarter of the step gains 1/256. A bar as wide as the value, or
        # wider, says that the step is longer than whatever J does there: 16 and 256 times shorter at once. Powers of
        # four, so that θ + h is exact.
        bar, value = self.best.bar[places], np.abs(self.best.value[places])
        # Truncation falls with the fourth power: a quarter of the step gains 1/256. A bar as wide as the value, or
        # wider, says that the step is longer than whatever J does there: 16 and 256 times shorter at once. Powers of
        # four, so that θ + h is exact.
        shorter = np.select([bar <= 1e-3 * value, bar <= value], [1 / 4, 1 / 16], 1 / 256)
        shorter = np.where(self._irregular[places], np.minimum(shorter, 1 / 16), shorter)
        shorter = np.where(self.sides.kinked[places] & (bar <= self.sides.jump[places]), 1 / 16, shorter)
        return np.where(self.noisy(places), 4.0, shorter)

    def refine(self, places: Indices) -> Indices:
        """Measure again, take over what is better, and return where it is worth going on."""
        best = self.best
        self._step = _written(self._step, places, self._step[places] * self.factor(places))
        again = measure_sides(self.engine, places, self._step[places], self.noise[places])
        measured, distrusted = _reconciled(best, again.measured, places)
        # One that is regular after one that was not may be so by coincidence: the next will tell.
        lucky = self._irregular[places] & ~again.irregular
        apart = np.abs(measured.value - best.value[places])
        measured = replace(measured, bar=np.where(lucky, np.maximum(measured.bar, apart), measured.bar))
        again = replace(again, measured=measured)
        with np.errstate(invalid="ignore"):
            narrower = (again.measured.bar < best.bar[places]) | np.isnan(best.bar[places])
            shorter = again.measured.step < best.step[places]
            better = distrusted | narrower | (self._irregular[places] & shorter)
            better &= ~is_still(best, again.measured, places)
            gross = ~(best.bar[places] <= 1e-3 * np.abs(best.value[places]))
        # A kink that stays is known best from the longer step.
        outside, inside = self.sides.kinked[places] & ~again.kinked, self.sides.kinked[places] & again.kinked
        self.take(again, places, outside | (better & (again.kinked | ~self.sides.kinked[places])))
        self._irregular = self._irregular.copy()
        self._irregular[places] = again.irregular
        return places[better | outside | inside | gross | lucky | again.irregular]

    def take(self, again: Sides, places: Indices, taken: Flags) -> None:
        """Take over a measurement; where a kink was and is no more, it lies outside the step."""
        left = places[self.sides.kinked[places] & ~again.kinked & taken]
        self._kink = _written(self._kink, left, 4 * self.best.step[left])
        self.sides = self.sides.put(places[taken], again.take(taken))
        self._evaluations += again.measured.evaluations

    def widen(self, places: Indices, bar: Vector) -> None:
        """Put other bars in the place of those that are not to be believed."""
        self.sides = replace(self.sides, measured=replace(self.best, bar=_written(self.best.bar, places, bar)))

    def result(self, brief: Flags) -> OneSidedGradient:
        """Return the gradient."""
        sides = replace(self.sides, measured=replace(self.best, evaluations=self._evaluations))
        return OneSidedGradient.at_jumps(sides, self._kink, brief)


def _written(values: Vector, places: Indices, changed: Vector) -> Vector:
    """Return a copy with some values changed."""
    written = values.copy()
    written[places] = changed
    return written


@np.errstate(invalid="ignore")
def _reconciled(best: Measurement, again: Measurement, places: Indices) -> tuple[Measurement, Flags]:
    """Return `again` with a bar as wide as the gap where a shorter step contradicts a longer one, and where it does.

    The longer step may have jumped over something, or the shorter one agrees with itself by coincidence: a third
    measurement will tell.
    """
    apart = np.abs(again.value - best.value[places])
    shorter = again.step < best.step[places]
    contradicted = shorter & (apart > again.bar + best.bar[places])
    return replace(again, bar=np.where(contradicted, np.maximum(again.bar, apart), again.bar)), contradicted


def is_still(best: Measurement, again: Measurement, places: Indices) -> Flags:
    """Return where a shorter step moves J by not a single bit, although a longer one did."""
    return np.asarray((again.magnitude == 0) & (best.magnitude[places] > 0) & (again.step < best.step[places]))
