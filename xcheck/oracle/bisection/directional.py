"""Directional derivatives of J along segments of random directions, from four losses each.

Let v be a random direction that is zero outside a contiguous segment, and t the step. From J at θ, θ ± t v and θ ± 2t v
come

    D(t) = (J(θ + tv) − J(θ − tv))/2t        R = (4 D(t) − D(2t))/3
    Δ⁴ = J(θ + 2tv) + J(θ − 2tv) − 4 (J(θ + tv) + J(θ − tv)) + 6 J(θ)

and the bar |D(t) − D(2t)| + |Δ⁴|/4t + c σ/t. It covers

- truncation: |D(t) − D(2t)| = t² |∂ᵥ³J|/2, while R errs by O(t⁴);
- a kink anywhere inside: one of jump s at a distance x t, x < 1, moves R by s |6 − 7x|/12, and the first two terms are
  s x/4 and s |2 − 3x|/4, which is no less for any x; for 1 < x < 2 the first alone is three times the error. So kinks
  need not be detected: one inside the step makes the bar wide, and a shorter step makes it narrow again;
- noise: Δ⁴ of a smooth J is t⁴ ∂ᵥ⁴J, which is negligible at such steps, so |Δ⁴| is about √70 σ. The median over all
  directions gives σ without any further loss.

θ is moved by the same distance along every segment, ‖tv‖ = `step_length`: each of k components is moved by 1/√k of it.
So the noise σ/t of a segment grows like the square root of its size, and steps cross kinks as often in large segments
as in small ones. The step length is found along one direction: it is shortened while that makes Δ⁴ smaller (kinks), and
lengthened while noise would hide a small error. A Δ⁴ that does not become smaller with the step is noise.

Source: differences of order k as a measure of noise: Moré & Wild, "Estimating Computational Noise", 2011, (2.5).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.bisection.derivative import FACTOR, DirectionalDerivative, Progress, Segment
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE
from xcheck.oracle.estimators.noise import UNEVEN

# Where θ is moved first, as a share of its scale: 2⁻¹⁴ keeps truncation h² near 2⁻²⁸ and noise u/h near 2⁻³⁹;
# float32 needs 2⁻² for its noise of 2⁻²⁴ to stay below a millionth.
_STEP_LENGTH, _STEP_LENGTH_OF_FLOAT32 = 2.0**-14, 2.0**-2
# The shortest step that still moves a J of float64 by many units of its last place; it tells whether J is quantized.
_CLOSE = 2.0**-37
# θ ± tv and θ ± 2tv.
LOSSES_EACH = 4
# Attempts at a better step length: a guess, nearly five decades to either side.
_ATTEMPTS = 4
# Δ⁴ has weights 1, −4, 6, −4, 1, whose squares add up to 70.
_OF_FOURTH = math.sqrt(70.0)
# Noise of more than 256 roundings of J is more than that of a sum of float64 numbers: a guess.
_NOISY = 2.0**8
# Relative noise that a longer step is tried for: 2⁻²³ is the default tolerance of 1e-7. Relative bar above which a
# direction is measured again: sixteen times that, a guess, since a search measures its segments more sharply anyway.
_WORTH, _SCREEN = 2.0**-23, 2.0**-19
# The median of |N(0, σ²)| is 0.67 σ.
_FROM_MEDIAN = 1.5


@dataclass(frozen=True, slots=True)
class Stencil:
    """What four losses around θ give.

    Attributes:
        value: R.
        irregular: |D(t) − D(2t)| + |Δ⁴|/4t.
        level: |Δ⁴|/√70, the noise if J is smooth.
        step: t.
        steepest: the larger |slope| of the two sides.
    """

    value: float
    irregular: float
    level: float
    step: float
    steepest: float

    @property
    def is_constant(self) -> bool:
        """Whether J has the same value, to the last bit, at all points."""
        return self.steepest == 0 == self.value


class DirectionalDerivatives:
    """Directional derivatives along segments of an engine's directions, measured as sharply as a caller needs them.

    Args:
        engine: evaluates losses.

    Attributes:
        noise: σ of J.
        step_length: how far θ is moved, as a share of its scale.
        noisy: whether J is noisier than the rounding of sums.
        quantized: whether J does not move at all with steps that are long enough for float64.
    """

    def __init__(self, engine: FunctionEngine) -> None:
        self._engine = engine
        self._here: float | None = None
        self._progress: dict[Segment, Progress] = {}
        self.noise, self.noisy, self.quantized = 0.0, False, False
        self.step_length = _STEP_LENGTH if engine.roundoff < 2.0**-40 else _STEP_LENGTH_OF_FLOAT32

    @property
    def _least_noise(self) -> float:
        """The least noise there can be: one rounding of J(θ)."""
        return self._engine.roundoff * float(np.abs(np.nan_to_num(self._engine.losses[0])))

    @property
    def evaluations(self) -> int:
        """Losses that the engine has evaluated so far."""
        return self._engine.evaluations

    @property
    def late(self) -> bool:
        """Whether the time is up."""
        return self._engine.late

    def row(self, number: int) -> Vector:
        """Return a direction, shape (n,)."""
        return self._engine.lines.directions.row(number)

    @property
    def whole(self) -> list[Segment]:
        """All directions, from end to end."""
        return [Segment(number, 0, self._engine.theta.size) for number in range(len(self._engine.lines.directions))]

    @np.errstate(all="ignore")
    def measure_all(self) -> list[DirectionalDerivative]:
        """Measure the derivatives along all directions from end to end, and σ from their fourth differences."""
        self.noise, segments = self._least_noise, self.whole
        stencils = [
            self._find_step_length(segments[0]),
            *(self._along(segment, self.step_length) for segment in segments[1:]),
        ]
        levels = [stencil.level for stencil in stencils if self.noisy or stencil.level <= _NOISY * self._least_noise]
        self.noise = max(self.noise, _FROM_MEDIAN * float(np.median([*levels, self._least_noise])))
        self.noise *= UNEVEN if self.noisy else 1.0
        for segment, stencil in zip(segments, stencils, strict=True):
            self._record(segment, stencil, self.step_length)
        size = math.sqrt(float(np.mean([np.nan_to_num(stencil.value) ** 2 for stencil in stencils])))
        return [self.measure(segment, _SCREEN * size) for segment in segments]

    @np.errstate(all="ignore")
    def seed(self, slopes: Sequence[DirectionalDerivative], noise: float) -> None:
        """Start from derivatives along all directions, and σ, that were measured otherwise; find the step length."""
        self.noise = max(self._least_noise, noise)
        for segment, slope in zip(self.whole, slopes, strict=True):
            self._progress[segment] = Progress(slope)
        self._record(self.whole[0], self._find_step_length(self.whole[0]), self.step_length)
        for segment in self.whole[1:]:
            self._progress[segment] = replace(self._progress[segment], next=self.step_length)

    @np.errstate(all="ignore")
    def measure(self, segment: Segment, need: float) -> DirectionalDerivative:
        """Return the derivative along a segment, with a bar of at most `need` where that is possible."""
        moved = self.row(segment.number)[segment.start : segment.stop]
        self._progress[segment] = self._refine(moved, segment.start, self._progress.get(segment), need)
        return self._progress[segment].derivative

    @np.errstate(all="ignore")
    def measure_along(self, row: Vector, need: float) -> DirectionalDerivative:
        """Return the derivative along a direction of any kind, shape (n,), not 0; it is not kept. See `measure`."""
        return self._refine(row, 0, None, need).derivative

    def _refine(self, moved: Vector, start: int, progress: Progress | None, need: float) -> Progress:
        for _ in range(_ATTEMPTS):
            if progress is not None and (progress.derivative.bar <= need or progress.is_exhausted):
                break
            step_length = self.step_length if progress is None else progress.next
            progress = self._after(progress, self._evaluate(moved, start, step_length), step_length)
        assert progress is not None  # noqa: S101 - at least one round; for the type checker
        return progress

    @np.errstate(all="ignore")
    def confirm(self, segment: Segment) -> DirectionalDerivative:
        """Measure a segment once more, with a shorter step, and return its derivative."""
        progress = self._progress[segment]
        step_length = min(self.step_length, progress.truncation_from, progress.noise_up_to or math.inf) / FACTOR
        return self._record(segment, self._along(segment, step_length), step_length).derivative

    def subtract(self, whole: Segment, part: Segment, rest: Segment) -> None:
        """Derive the derivative along the rest of a segment from those along the whole and a part, without a loss."""
        if rest not in self._progress:
            derived = self._progress[whole].derivative.without(self._progress[part].derivative)
            self._progress[rest] = Progress(derived, next=self.step_length)

    def _record(self, segment: Segment, stencil: Stencil, step_length: float) -> Progress:
        """Note the derivative that a stencil gives, and return the progress along its segment."""
        self._progress[segment] = self._after(self._progress.get(segment), stencil, step_length)
        return self._progress[segment]

    def _after(self, before: Progress | None, stencil: Stencil, step_length: float) -> Progress:
        noise = NOISE_MULTIPLE * self.noise / stencil.step
        bar = stencil.irregular + noise + 2 * self._engine.roundoff * abs(stencil.value)
        bar = bar if math.isfinite(bar) else math.inf
        derivative = DirectionalDerivative(stencil.value, bar, stencil.step, stencil.steepest)
        before = before or Progress(derivative)
        progress = before.after(derivative, step_length, truncated=not stencil.irregular <= noise)
        # The step length moves J along the directions; where it moves nothing, no other will.
        return replace(progress, next=0.0) if stencil.is_constant else progress

    def _find_step_length(self, segment: Segment) -> Stencil:
        """Find the step length at which neither kinks nor noise dominate, and return the stencil there."""
        stencil = self._along(segment, self.step_length)
        for _ in range(_ATTEMPTS):
            if not stencil.is_constant:
                break
            self.step_length *= FACTOR
            stencil = self._along(segment, self.step_length)
        for _ in range(_ATTEMPTS):
            if stencil.level <= _NOISY * self._least_noise or self.noisy:
                break
            shorter = self._along(segment, self.step_length / FACTOR)
            # Δ⁴ of a kink shrinks with the step, here by 16: one that shrinks by less than 8 is noise.
            if shorter.is_constant or shorter.level > stencil.level / 8:
                self.noisy = True
                self.noise = max(self.noise, stencil.level, shorter.level)
                self.quantized = self._along(segment, _CLOSE).is_constant
                break
            self.step_length, stencil = self.step_length / FACTOR, shorter
        return self._lengthen(segment, stencil)

    def _lengthen(self, segment: Segment, stencil: Stencil) -> Stencil:
        """Lengthen the step as long as noise dominates the bar, and return the stencil of the longest."""
        for _ in range(_ATTEMPTS):
            noise = NOISE_MULTIPLE * self.noise / stencil.step
            if noise <= _WORTH * abs(stencil.value):
                break
            longer = self._along(segment, self.step_length * FACTOR)
            if not longer.irregular <= noise:
                break
            self.step_length, stencil = self.step_length * FACTOR, longer
        return stencil

    def _along(self, segment: Segment, step_length: float) -> Stencil:
        moved = self.row(segment.number)[segment.start : segment.stop]
        return self._evaluate(moved, segment.start, step_length)

    def _evaluate(self, moved: Vector, start: int, step_length: float) -> Stencil:
        """Evaluate the losses around θ, moved by `step_length` of its scale along `moved`, which begins at `start`."""
        around = self._engine.theta[start : start + len(moved)][moved != 0]
        # The scale of θ is its root mean square, 1 at least: nothing else is known about it.
        size = max(1.0, float(np.linalg.norm(around)) / math.sqrt(max(1, len(around))))
        step = step_length * size / float(np.linalg.norm(moved))
        steps = step * np.array([1.0, -1.0, 2.0, -2.0])
        if self._here is None:
            # In the same batch: batches of other sizes may be rounded otherwise.
            *losses, self._here = self._engine.displaced(moved, start, np.append(steps, 0.0))
        else:
            losses = list(self._engine.displaced(moved, start, steps))
        right, left, far_right, far_left = (float(loss) for loss in losses)
        near, far = (right - left) / (2 * step), (far_right - far_left) / (4 * step)
        fourth = abs(far_right + far_left - 4 * (right + left) + 6 * self._here)
        steepest = max(abs(right - self._here), abs(left - self._here)) / step
        irregular = abs(near - far) + fourth / (4 * step)
        return Stencil((4 * near - far) / 3, irregular, fourth / _OF_FOURTH, step, steepest)
