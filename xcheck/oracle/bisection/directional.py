"""Slopes of J along pieces of random directions, four losses each.

Let v be a direction of which only a contiguous piece is left, and t the step. From J at θ, θ ± t v and θ ± 2t v come

    D(t) = (J(θ + tv) − J(θ − tv))/2t        R = (4 D(t) − D(2t))/3
    Δ⁴ = J(θ + 2tv) + J(θ − 2tv) − 4 (J(θ + tv) + J(θ − tv)) + 6 J(θ)

and the bar |D(t) − D(2t)| + |Δ⁴|/4t + c σ/t. It covers

- truncation: |D(t) − D(2t)| = t² |∂ᵥ³J|/2, while R errs by O(t⁴);
- a kink anywhere inside: one of jump s at a distance x t, x < 1, moves R by s |6 − 7x|/12, and the first two terms are
  s x/4 and s |2 − 3x|/4, which is no less for any x; for 1 < x < 2 the first alone is three times the error. So a kink
  needs no telling: it makes the bar wide, and a shorter step makes it narrow again;
- noise: Δ⁴ of a smooth J is t⁴ ∂ᵥ⁴J, which is nothing at such steps, so what it shows is √70 σ. The median of all
  directions gives σ without a single loss of its own.

J is moved by the same distance along every piece, ‖tv‖ = `reach`: along a piece of k components each of them is moved
by 1/√k of it. So the noise σ/t of a piece grows like the square root of its size, and kinks are met as often in large
pieces as in small ones. The distance is found along one direction: shorter while that makes Δ⁴ vanish (kinks), longer
while noise would hide a small error; what a shorter step does not make less is noise.

Source: differences of order k as a measure of noise: Moré & Wild, "Estimating Computational Noise", 2011, (2.5).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xcheck.layout import Vector
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.estimators.central import NOISE_MULTIPLE

# Where θ is moved first, as a share of its scale: 2⁻¹⁴ keeps truncation h² near 2⁻²⁸ and noise u/h near 2⁻³⁹;
# float32 needs 2⁻² for its noise of 2⁻²⁴ to stay below a millionth.
_REACH, _REACH_OF_FLOAT32 = 2.0**-14, 2.0**-2
# No closer: J would move by few of its last bits.
_CLOSE = 2.0**-37
# Truncation |D(t) − D(2t)| changes 256-fold and noise 16-fold with each trial.
_FACTOR = 16.0
# θ ± tv and θ ± 2tv.
LOSSES_EACH = 4
_ROUNDS = 4
# Δ⁴ has weights 1, −4, 6, −4, 1, whose squares add up to 70.
_OF_FOURTH = math.sqrt(70.0)
# More roundings of J than that are not those of an ordinary sum.
_LOUD = 2.0**8
# An error of a direction's own slope that is worth going further for, and one that is worth measuring again for.
_WORTH, _SCREEN = 2.0**-23, 2.0**-19
# σ from the median of |N(0, σ²)|; and the roundings of a staircase are uneven.
_FROM_MEDIAN, _UNEVEN = 1.5, 3.0


class Segment(NamedTuple):
    """The components [start, stop) of direction `number`."""

    number: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class DirectionalDerivative:
    """∇J·v along a piece.

    Attributes:
        value: the estimate.
        bar: its error is promised to be at most this.
        step: t.
        steepest: the steeper of the slopes to both sides, without its sign: zero where J does not move.
    """

    value: float
    bar: float
    step: float
    steepest: float = 0.0

    def without(self, part: "DirectionalDerivative") -> "DirectionalDerivative":
        """Return the slope along what is left when a part is taken out."""
        return DirectionalDerivative(
            self.value - part.value, self.bar + part.bar, part.step, self.steepest + part.steepest
        )

    def reconciled(self, again: "DirectionalDerivative") -> "DirectionalDerivative":
        """Return the narrower of two; where they contradict, the one with the shorter step, with a bar as wide."""
        if not math.isfinite(again.bar):
            return self
        if not math.isfinite(self.bar):
            return again
        apart = abs(self.value - again.value)
        if apart <= self.bar + again.bar:
            return again if again.bar < self.bar else self
        shorter = again if again.step < self.step else self
        return DirectionalDerivative(shorter.value, max(shorter.bar, apart), shorter.step, shorter.steepest)


@dataclass(frozen=True, slots=True)
class Stencil:
    """What four losses say; `level` is |Δ⁴|/√70."""

    value: float
    irregular: float
    level: float
    step: float
    steepest: float

    @property
    def still(self) -> bool:
        """Whether J did not move by a single bit."""
        return self.steepest == 0 == self.value


@dataclass(slots=True)
class _Known:
    """What is known about a piece: the slope, and how far to go next to know it better.

    Attributes:
        slope: the best so far.
        next: how far to go next.
        noisy: the longest distance at which noise dominates, 0 before there is one.
        rough: the shortest at which what J does inside it dominates, infinite before there is one.
    """

    slope: DirectionalDerivative
    next: float = 0.0
    noisy: float = 0.0
    rough: float = math.inf

    @property
    def exhausted(self) -> bool:
        """Whether no distance is left that could tell more."""
        return self.next == 0 or self.rough < 2.5 * self.noisy

    def note(self, reach: float, *, rough: bool) -> None:
        """Note what dominates at a distance, and halve what is left between the two."""
        if rough:
            self.rough = min(self.rough, reach)
        else:
            self.noisy = max(self.noisy, reach)
        if self.noisy == 0 or math.isinf(self.rough):
            self.next = reach / _FACTOR if rough else reach * _FACTOR
        else:
            self.next = math.sqrt(self.noisy * self.rough)


class DirectionalDerivatives:
    """Measures slopes along pieces of the directions of an engine, each as sharply as it is asked for.

    Args:
        engine: evaluates losses.

    Attributes:
        noise: σ of J.
        reach: how far J is moved.
        loud: whether J is noisier than the rounding of sums.
        stairs: whether it does not move at all for steps that are shorter still, though long enough for float64.
    """

    def __init__(self, engine: FunctionEngine) -> None:
        self._engine = engine
        self._here: float | None = None
        self._known: dict[Segment, _Known] = {}
        self.noise, self.loud, self.stairs = 0.0, False, False
        self.reach = _REACH if engine.roundoff < 2.0**-40 else _REACH_OF_FLOAT32

    @property
    def _least(self) -> float:
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
    def screen(self) -> list[DirectionalDerivative]:
        """Measure all directions from end to end, and σ on the way."""
        self.noise, pieces = self._least, self.whole
        probes = [self._settled(pieces[0]), *(self._probe(piece, self.reach) for piece in pieces[1:])]
        levels = [probe.level for probe in probes if self.loud or probe.level <= _LOUD * self._least]
        self.noise = max(self.noise, _FROM_MEDIAN * float(np.median([*levels, self._least])))
        self.noise *= _UNEVEN if self.loud else 1.0
        for piece, probe in zip(pieces, probes, strict=True):
            self._take(piece, probe, self.reach)
        size = math.sqrt(float(np.mean([np.nan_to_num(probe.value) ** 2 for probe in probes])))
        return [self.slope(piece, _SCREEN * size) for piece in pieces]

    @np.errstate(all="ignore")
    def adopt(self, slopes: Sequence[DirectionalDerivative], noise: float) -> None:
        """Take over slopes of all directions, and σ, that were measured otherwise; find how far to go."""
        self.noise = max(self._least, noise)
        for piece, slope in zip(self.whole, slopes, strict=True):
            self._known[piece] = _Known(slope)
        self._take(self.whole[0], self._settled(self.whole[0]), self.reach)
        for piece in self.whole[1:]:
            self._known[piece].next = self.reach

    @np.errstate(all="ignore")
    def slope(self, piece: Segment, need: float) -> DirectionalDerivative:
        """Return the slope along a piece, with a bar of at most `need` if that can be had."""
        known = self._known.get(piece)
        for _ in range(_ROUNDS):
            if known is not None and (known.slope.bar <= need or known.exhausted):
                break
            reach = self.reach if known is None else known.next
            known = self._take(piece, self._probe(piece, reach), reach)
        assert known is not None  # noqa: S101 - at least one round; for the type checker
        return known.slope

    @np.errstate(all="ignore")
    def confirmed(self, piece: Segment) -> DirectionalDerivative:
        """Return the slope along a piece after it was measured once more, with a shorter step."""
        known = self._known[piece]
        reach = min(self.reach, known.rough, known.noisy or math.inf) / _FACTOR
        return self._take(piece, self._probe(piece, reach), reach).slope

    def derive(self, whole: Segment, part: Segment, rest: Segment) -> None:
        """Note what the slopes along a whole piece and a part of it say about the rest."""
        if rest not in self._known:
            derived = self._known[whole].slope.without(self._known[part].slope)
            self._known[rest] = _Known(derived, next=self.reach)

    def _take(self, piece: Segment, probe: Stencil, reach: float) -> _Known:
        """Note what a probe says, and how far to go next, should anyone wish to know it better."""
        noise = NOISE_MULTIPLE * self.noise / probe.step
        bar = probe.irregular + noise + 2 * self._engine.roundoff * abs(probe.value)
        slope = DirectionalDerivative(probe.value, bar if math.isfinite(bar) else math.inf, probe.step, probe.steepest)
        known = self._known.setdefault(piece, _Known(slope))
        known.slope = known.slope.reconciled(slope)
        known.note(reach, rough=not probe.irregular <= noise)
        if probe.still:  # what a distance that was found to be worthwhile does not move, no other will
            known.next = 0.0
        return known

    def _settled(self, piece: Segment) -> Stencil:
        """Probe a direction until kinks and noise both leave enough to be seen."""
        probe = self._probe(piece, self.reach)
        for _ in range(_ROUNDS):
            if not probe.still:
                break
            self.reach *= _FACTOR
            probe = self._probe(piece, self.reach)
        for _ in range(_ROUNDS):
            if probe.level <= _LOUD * self._least or self.loud:
                break
            shorter = self._probe(piece, self.reach / _FACTOR)
            if shorter.still or shorter.level > probe.level / 8:
                self.loud = True
                self.noise = max(self.noise, probe.level, shorter.level)
                self.stairs = self._probe(piece, _CLOSE).still
                break
            self.reach, probe = self.reach / _FACTOR, shorter
        return self._lengthened(piece, probe)

    def _lengthened(self, piece: Segment, probe: Stencil) -> Stencil:
        """Go further as long as noise is all that there is to be gained from."""
        for _ in range(_ROUNDS):
            noise = NOISE_MULTIPLE * self.noise / probe.step
            if noise <= _WORTH * abs(probe.value):
                break
            longer = self._probe(piece, self.reach * _FACTOR)
            if not longer.irregular <= noise:
                break
            self.reach, probe = self.reach * _FACTOR, longer
        return probe

    def _probe(self, piece: Segment, reach: float) -> Stencil:
        """Evaluate the losses around θ along a piece."""
        moved = self.row(piece.number)[piece.start : piece.stop]
        around = self._engine.theta[piece.start : piece.stop]
        size = max(1.0, float(np.linalg.norm(around)) / math.sqrt(max(1, len(around))))
        step = reach * size / float(np.linalg.norm(moved))
        steps = step * np.array([1.0, -1.0, 2.0, -2.0])
        if self._here is None:
            # From the same batch: batches may be rounded in a way of their own.
            *losses, self._here = self._engine.displaced(moved, piece.start, np.append(steps, 0.0))
        else:
            losses = list(self._engine.displaced(moved, piece.start, steps))
        right, left, far_right, far_left = (float(loss) for loss in losses)
        near, far = (right - left) / (2 * step), (far_right - far_left) / (4 * step)
        fourth = abs(far_right + far_left - 4 * (right + left) + 6 * self._here)
        steepest = max(abs(right - self._here), abs(left - self._here)) / step
        irregular = abs(near - far) + fourth / (4 * step)
        return Stencil((4 * near - far) / 3, irregular, fourth / _OF_FOURTH, step, steepest)
