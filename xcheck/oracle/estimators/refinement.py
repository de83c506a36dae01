"""Refinement: components are measured again with other steps, until their bars are narrow enough or stop shrinking.

- A bar that is wide because of truncation asks for a shorter step, one that is wide because of noise for a longer one.
- Where several steps were all too long, and |θᵢ| is smaller by many powers of ten, a step of 2⁻¹⁰ |θᵢ| is next.
- A kink has the same jump with a shorter step. Where noise, or the number of rounds, leaves no shorter step to show it,
  nothing is known of the component: the step may be longer than whatever J does there.
- Where noise is what leaves a bar too wide, it is measured again on a grid on which θᵢ plus a step is not rounded.
"""

from dataclasses import replace
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.oracle.columns import Flags, Indices, finite_numbers
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.steps import short_numbers
from xcheck.oracle.estimators.central import NOISE_MULTIPLE, Measurement, too_wide
from xcheck.oracle.estimators.kinks.half_steps import improve_from_one_side
from xcheck.oracle.estimators.noise import measure_noise_along, measure_noise_on_grid
from xcheck.oracle.estimators.sides import (
    NOISE_OF_JUMP,
    OneSidedGradient,
    Sides,
    least_noise,
    measure_sides,
    unseen_noise,
)

Number = TypeVar("Number", bound=np.generic)

# Each round makes the step at least four times shorter: sixteen reach 2⁻³² of the first one, where noise has the say.
ROUNDS = 16
# So many rounds whose steps are all longer than whatever J does there leave the scale of θᵢ itself as the best guess.
_HOPELESS = 2
# Whether the scale of θᵢ is further than a few rounds: then the step goes there at once, and noise is measured there.
_FAR = 2.0**30
# A tenth of the resolution of a check: where bars are wider, a sharper measurement of the noise is worth its losses.
_WIDE = 1e-7
# Steps are chosen so that noise and truncation are about equal: where noise is less than a sixteenth of the bar, a
# guess, it does not matter.
_SHARE = 1 / 16


class Refinement:
    """The measurements of all components so far, and the step that each was last measured with."""

    def __init__(self, engine: FunctionEngine, noise: Vector, sides: Sides, kink: Vector) -> None:
        self.engine, self.sides, self._measured_noise = engine, sides, noise
        self._kink, self._step, self._irregular = kink, sides.measured.step, sides.irregular
        self._evaluations = sides.measured.evaluations
        self._hopeless = np.zeros(kink.shape, dtype=int)
        # Kinks whose jump is the same with a shorter step; those of an earlier gradient are taken for it.
        self._steady = sides.measured.upper > sides.measured.lower

    @classmethod
    def of(cls, engine: FunctionEngine, noise: Vector, found: OneSidedGradient) -> "Refinement":
        """Return the refinement that goes on from an earlier gradient."""
        jump = found.measured.upper - found.measured.lower
        smooth = np.zeros(len(jump), dtype=bool)
        sides = Sides(found.measured, jump, jump > 0, found.steep, jump, smooth, found.curvature)
        return cls(engine, noise, sides, found.kink)

    @property
    def best(self) -> Measurement:
        """The best measurement so far."""
        return self.sides.measured

    @property
    def noise(self) -> Vector:
        """σ of J per component, and no less than rounding that shows in no sample, shape (n,)."""
        return np.maximum(self._measured_noise, unseen_noise(self.engine, self.best.value))

    def measure_in_full(self, places: Indices) -> None:
        """Measure components with the first step, and put that in the place of what was there."""
        if not len(places):
            return
        self._step = _written(self._step, places, self.engine.first_step * self.engine.scale[places])
        again = measure_sides(self.engine, places, self._step[places], self.noise[places])
        self.take(again, places, np.ones(len(places), dtype=bool))

    def converge(self, places: Indices, tolerance: float) -> None:
        """Measure components again, with other steps, while their bars are too wide."""
        self._refine_all(places, tolerance)
        noisy = self._sharpen(places)
        if len(noisy):
            self._refine_all(noisy, tolerance)

    def _refine_all(self, places: Indices, tolerance: float) -> None:
        pending = places
        for _ in range(ROUNDS):
            pending = pending[(self.sides.kinked | self._too_wide(tolerance))[pending]]
            # A component that changes J by not a single bit has slope zero, unless J is a staircase.
            still = (self.best.magnitude[pending] == 0) & (self.noise[pending] <= least_noise(self.engine))
            # If it does further away, one more measurement is to confirm that it does not here.
            still &= self.noisy(pending)
            pending = pending[self.hopeful(pending) & ~still]
            if not len(pending) or self.engine.late:
                break
            pending = self.refine(pending)
        self._doubt(places, pending)

    @np.errstate(invalid="ignore")
    def _too_wide(self, tolerance: float) -> Flags:
        """Return which bars are too wide beside the slopes that J has within |θᵢ|, which a step may be longer than."""
        sizes, best = self.engine.sizes, self.best
        near = np.fmax(np.abs(best.value), np.where(sizes > 0, self.sides.curvature * sizes, np.inf))
        return too_wide(self.engine, replace(best, magnitude=np.minimum(best.magnitude, near)), tolerance)

    @np.errstate(all="ignore")
    def _widened_by_noise(self) -> Flags:
        """Return which bars are wide because of the noise, so that a sharper measurement of it is worth its losses."""
        best = self.best
        largest = self.engine.layout.largest(finite_numbers(best.magnitude))
        wide = (best.bar > _WIDE * largest) & (best.step < self.engine.scale)
        return wide & ~self.sides.kinked & (NOISE_MULTIPLE * self.noise / (best.step * best.bar) > _SHARE)

    def unsettled(self, tolerance: float) -> Flags:
        """Return which components may be measured again by `converge` or `improve_from_one_side`."""
        # What the latter takes up is too wide, and no narrower there than here.
        return self.sides.kinked | self._too_wide(tolerance) | self._widened_by_noise()

    @np.errstate(invalid="ignore")
    def _sharpen(self, places: Indices) -> Indices:
        """Measure the noise anew where it makes bars wide, and return where it is less than it was taken for."""
        noisy = places[self._widened_by_noise()[places]]
        if not len(noisy) or self.engine.late:
            return noisy[:0]
        engine, step = self.engine, self.best.step[noisy]
        unseen = unseen_noise(engine, self.best.value)[noisy]
        found = np.maximum(measure_noise_on_grid(engine, noisy, step), np.maximum(unseen, least_noise(engine)))
        quieter = found < self.noise[noisy] / 4
        noisy, found = noisy[quieter], found[quieter]
        bar = self.best.bar[noisy] - NOISE_MULTIPLE * (self.noise[noisy] - found) / self.best.step[noisy]
        self.widen(noisy, bar)
        self._measured_noise = _written(self._measured_noise, noisy, found)
        self._step = _written(self._step, noisy, self.best.step[noisy])
        return noisy

    def _doubt(self, places: Indices, pending: Indices) -> None:
        """Take back what is known of kinks that are not steady, or that more rounds might show to be none."""
        unsteady = self.sides.kinked & ~self._steady
        # Where all of a tensor is zero, or much larger than the step, no scale is left that J might have below it.
        largest = self.engine.layout.largest(self.engine.sizes)
        longer = (self._step > largest) & (largest > 0)
        open_kinks = pending[(longer & self.sides.kinked)[pending] & self.hopeful(pending)]
        doubtful = np.union1d(places[unsteady[places]], open_kinks)
        # A step that is longer than whatever J does there says nothing about the slopes at θ.
        self.widen(doubtful, np.full(len(doubtful), np.inf))

    def improve_from_one_side(self, places: Indices, tolerance: float) -> None:
        """Measure components whose bars are too wide from the side that leads away from a kink nearby."""
        wide = places[(too_wide(self.engine, self.best, tolerance) & ~self.sides.kinked)[places]]
        # What moves nothing has no sides, and what is not known has no bar to be held to.
        wide = wide[(self.best.magnitude[wide] > 0) & np.isfinite(self.best.bar[wide])]
        if len(wide) and not self.engine.late:
            measured, _ = improve_from_one_side(self.engine, self.noise, self.best, wide)
            self._evaluations += measured.evaluations - self.best.evaluations
            self.sides = replace(self.sides, measured=measured)

    def noisy(self, places: Indices) -> Flags:
        """Return where noise dominates the bar: a shorter step would make it wider."""
        noise = NOISE_MULTIPLE * self.noise[places] / self._step[places]
        return np.asarray(~self.sides.kinked[places] & (2 * noise > self.best.bar[places]))

    def hopeful(self, places: Indices) -> Flags:
        """Return where another step may give a narrower bar.

        At a kink noise must leave the jump visible: only then does its absence mean that the kink is outside the step.
        """
        with np.errstate(all="ignore"):
            hidden = NOISE_OF_JUMP * self.noise[places] * 16 / self._step[places] > self.sides.jump[places]
        longest = self.noisy(places) & (self._step[places] >= self.engine.scale[places])
        shortest = self._step[places] < self.engine.shortest[places]
        return np.asarray(~(self.sides.kinked[places] & hidden) & ~longest & ~shortest)

    def _size(self, places: Indices) -> Vector:
        """Return the size of J's slopes within the step: where they cancel, as at a minimum, more than the value."""
        return np.fmax(np.abs(self.best.value[places]), self.best.magnitude[places])

    @np.errstate(all="ignore")  # what is not finite leads to a shorter step
    def factor(self, places: Indices) -> Vector:
        """Return the factors to change the steps by: the wider the bar, the shorter the step."""
        bar, size = self.best.bar[places], self._size(places)
        # Truncation falls with the fourth power: a quarter of the step gains 1/256. A bar as wide as the value, or
        # wider, says that the step is longer than whatever J does there: 16 and 256 times shorter at once. Powers of
        # four, so that θ + h is exact.
        shorter = np.select([bar <= 1e-3 * size, bar <= size], [1 / 4, 1 / 16], 1 / 256)
        shorter = np.where(self._irregular[places], np.minimum(shorter, 1 / 16), shorter)
        shorter = np.where(self.sides.kinked[places] & (bar <= self.sides.jump[places]), 1 / 16, shorter)
        factor = np.where(self.noisy(places), 4.0, shorter)
        # A step that is too long by many powers of ten gets to the scale of θᵢ at once: J may know no other.
        natural = self.engine.first_step * short_numbers(self.engine.sizes[places]) / self._step[places]
        far = (self._hopeless[places] >= _HOPELESS) & (natural < factor / _FAR) & (natural > 0)
        return np.where(far, natural, factor)

    def refine(self, places: Indices) -> Indices:
        """Measure components again, keep the better measurements, and return the components worth another round."""
        best = self.best
        factor, before = self.factor(places), self._step
        self._step = _written(self._step, places, self._step[places] * factor)
        self._measure_noise(places[(before >= _FAR * self._step)[places]])
        self._hopeless = _written(self._hopeless, places, np.where(factor <= 1 / 16, self._hopeless[places] + 1, 0))
        again = measure_sides(self.engine, places, self._step[places], self.noise[places])
        measured, distrusted = _reconciled(best, again.measured, places)
        # A regular measurement after an irregular one may be a coincidence: the next one decides.
        lucky = self._irregular[places] & ~again.irregular
        apart = np.abs(measured.value - best.value[places])
        measured = replace(measured, bar=np.where(lucky, np.maximum(measured.bar, apart), measured.bar))
        with np.errstate(invalid="ignore"):
            # A jump that is still there, and no longer larger than the noise, has not gone outside the step.
            hidden = self.sides.kinked[places] & (again.jump > self.sides.jump[places] / 2)
        again = replace(again, measured=measured, kinked=again.kinked | hidden)
        with np.errstate(invalid="ignore"):
            narrower = (again.measured.bar < best.bar[places]) | np.isnan(best.bar[places])
            shorter = again.measured.step < best.step[places]
            better = distrusted | narrower | (self._irregular[places] & shorter)
            better &= ~is_still(best, again.measured, places)
            gross = ~(best.bar[places] <= 1e-3 * self._size(places))
        # A jump that stays is measured best with the longer step, where noise is divided by more.
        outside, inside = self.sides.kinked[places] & ~again.kinked, self.sides.kinked[places] & again.kinked
        # The jump of a true kink is the same with any step; that of a feature which the step is longer than is not.
        jump = self.sides.jump[places]
        steady = inside & (again.jump > jump / 2) & (again.jump < 2 * jump)
        self._steady = _written(self._steady, places, steady)
        taken = outside | (better & (again.kinked | ~self.sides.kinked[places]))
        # A longer step against noise that meets a feature of J has gone too far: what is there stays as it is.
        overshot = again.irregular & ~shorter & ~taken
        self.take(again, places, taken)
        # Another kink inside the longer step may look like growth; inside the shorter one it is not any more.
        self.sides = replace(self.sides, steep=_written(self.sides.steep, places, again.steep))
        self._irregular = _written(self._irregular, places, again.irregular & ~overshot)
        return places[(better | outside | inside | gross | lucky | again.irregular) & ~overshot]

    def _measure_noise(self, places: Indices) -> None:
        """Measure the noise where a step has become so much shorter that J, and its noise, may be much smaller."""
        if len(places):
            both = measure_noise_along(self.engine, places, self._step[places] / self.engine.first_step)
            found = np.maximum(np.max(both, axis=0), least_noise(self.engine))
            self._measured_noise = _written(self._measured_noise, places, found)

    def take(self, again: Sides, places: Indices, taken: Flags) -> None:
        """Replace measurements where `taken`; a kink that no longer shows lies outside the step."""
        self._step = _written(self._step, places[taken], again.measured.step[taken])
        left = places[self.sides.kinked[places] & ~again.kinked & taken]
        self._kink = _written(self._kink, left, 4 * self.best.step[left])
        self.sides = self.sides.put(places[taken], again.take(taken))
        self._evaluations += again.measured.evaluations

    def widen(self, places: Indices, bar: Vector) -> None:
        """Replace the bars of components that are not to be believed."""
        self.sides = replace(self.sides, measured=replace(self.best, bar=_written(self.best.bar, places, bar)))

    def result(self, two_step: Flags) -> OneSidedGradient:
        """Return the gradient."""
        sides = replace(self.sides, measured=replace(self.best, evaluations=self._evaluations))
        return OneSidedGradient.at_jumps(sides, self._kink, two_step)


def _written(values: NDArray[Number], places: Indices, changed: NDArray[Number]) -> NDArray[Number]:
    """Return a copy with some values changed."""
    written = values.copy()
    written[places] = changed
    return written


@np.errstate(invalid="ignore")
def _reconciled(best: Measurement, again: Measurement, places: Indices) -> tuple[Measurement, Flags]:
    """Return `again` with wider bars where it contradicts `best` from a longer step, and the places where it does.

    Either the longer step has crossed a feature of J, or the shorter one agrees with itself by coincidence: the next
    measurement decides. Until then the bar is as wide as the gap.
    """
    apart = np.abs(again.value - best.value[places])
    shorter = again.step < best.step[places]
    contradicted = shorter & (apart > again.bar + best.bar[places])
    return replace(again, bar=np.where(contradicted, np.maximum(again.bar, apart), again.bar)), contradicted


def is_still(best: Measurement, again: Measurement, places: Indices) -> Flags:
    """Return where a shorter step changes J by not a single bit, although a longer one did."""
    return np.asarray((again.magnitude == 0) & (best.magnitude[places] > 0) & (again.step < best.step[places]))
