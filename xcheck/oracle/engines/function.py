"""Engine of arbitrary functions: losses at many θ, as many at a time as the framework can take."""

import math
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import Indices
from xcheck.oracle.engines.base import Differences, Engine, Progress, Spans
from xcheck.oracle.engines.evaluator import Evaluator, chunk_for
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.engines.steps import short_numbers, step_factors

# Components of one tensor that are worth batches of their own: a guess.
_ALONE = 64


class FunctionEngine(Engine):
    """Any function at all, along components or directions.

    Args:
        evaluator: the function.
        theta: θ, shape (n,).
        lines: what is differenced.
        progress: called with the number of differences after each batch.
        here: J(θ), shape (1,), where it is known.
        outputs: how many functions the evaluator evaluates at once; the components of all that is measured are in the
            last axis, and those functions in the one before. None if it evaluates one, without such an axis.

    >>> cube = LoopEngine(lambda theta: float(theta[0] ** 3), np.array([1.0]), Layout.of({"theta": (1,)}))
    >>> step = np.array([0.01])
    >>> cube.differences(np.array([0]), step, -step).slope.round(6)
    array([3.0001])
    >>> cube.differences(np.array([0]), step, 0 * step).slope.round(6)
    array([3.0301])
    """

    name = "loop"

    def __init__(
        self,
        evaluator: Evaluator,
        theta: Vector,
        lines: Lines,
        *,
        progress: Progress | None = None,
        here: Vector | None = None,
        outputs: int | None = None,
    ) -> None:
        super().__init__(np.array(theta, dtype=np.float64) if here is None else theta, lines.layout, progress=progress)
        self.evaluator = evaluator
        self.lines = lines
        self.roundoff = evaluator.roundoff
        self.evaluations, self._seconds = 0, 0.0
        self.deadline = math.inf
        # Truncation of fourth order and noise balance at the fifth root of the roundoff.
        self.first_step = 2.0**-10 if self.roundoff < 2.0**-40 else 2.0**-5
        self._here, self._outputs = here, () if outputs is None else (outputs,)
        self._kept: tuple[tuple[bytes, ...], list[tuple[Differences, Differences]]] | None = None

    @property
    def late(self) -> bool:
        """Whether the time is up: components that are not refined yet stay undecided."""
        return time.perf_counter() > self.deadline

    def affordable(self, losses: int) -> int:
        """Return for how many lines there is time until the deadline, if each takes so many losses."""
        if math.isinf(self.deadline) or not self.evaluations:
            return self.layout.size
        each = max(self._seconds, 1e-9) / self.evaluations
        return max(0, int((self.deadline - time.perf_counter()) / (losses * each)))

    @cached_property
    def scale(self) -> Vector:
        """A guess, as nothing is known about the function: max(1, |θᵢ|) times a random factor from 0.7 to 1.

        The factor keeps steps off the powers of two, which a periodic function may have for its period. Along
        components it is a short number, and so are all steps: θᵢ plus or minus a step is not rounded, unless it leads
        to the next power of two. If it were, the two sides of a difference would not be alike, and it would be off by a
        rounding of θᵢ times ∂²J.
        """
        # The same in every run for functions of the same size.
        size = self.layout.size
        odd = step_factors(size)
        single = np.maximum(1.0, np.abs(self.theta[self.lines.components]))
        along = 8 / np.maximum(self.lines.directions.lengths(), 8.0)
        count = len(single)
        return np.concatenate([short_numbers(odd[:count] * single), odd[count:] * along])

    @cached_property
    def sizes(self) -> Vector:
        """|θᵢ| along components; 0 along directions, which have no size of their own."""
        return self.lines.sizes(self.theta)

    @property
    def shortest(self) -> Vector:
        """The shortest useful steps: 64 units in the last place of θᵢ; shorter ones are mostly rounded away."""
        here = self.sizes[: len(self.lines.components)]
        # A step of 64 units is rounded by 1/128 of itself, which `attainable` corrects. With shorter ones J would move
        # by few of its last bits.
        single = 64 * np.maximum(np.spacing(here), self.roundoff * here)
        return np.concatenate([single, np.full(len(self.lines.directions), 2.0**-44)])

    @cached_property
    def size_of_losses(self) -> Vector:
        """|J(θ)|, shape (1,); of several outputs (outputs, 1)."""
        return super().size_of_losses

    @cached_property
    def losses(self) -> Vector:
        """J(θ), shape (1,); of several outputs (outputs, 1)."""
        return self._at(self.theta[None]) if self._here is None else self._here

    def attainable(self, indices: Indices, step: Vector) -> Vector:
        """Return the steps that are really taken: along components they are rounded, along directions they are not."""
        if not len(self.lines.directions):
            here = self.theta[self.lines.components[indices]]
            return np.asarray(self._rounded(here + step) - here)
        taken = np.array(step)
        single = indices < len(self.lines.components)
        here = self.theta[self.lines.components[indices[single]]]
        taken[single] = self._rounded(here + step[single]) - here
        return taken

    def _rounded(self, theta: Vector) -> Vector:
        """Return numbers rounded as the arithmetic of the function stores them."""
        # θ is held in float64: nothing is to be rounded if the function computes in it too.
        if self.roundoff < 2.0**-50:
            return theta
        _, exponent = np.frexp(theta)
        unit = np.ldexp(self.roundoff, exponent)
        return np.asarray(np.round(theta / unit) * unit)

    def both_sides(self, indices: Indices, steps: Sequence[Vector]) -> list[tuple[Differences, Differences]]:
        """Return the quotients to the right and to the left of θ for each of several steps.

        All losses are from the same batches. The last answer is kept: noise and slopes are read off the same losses.

        Args:
            indices: lines, shape (k,).
            steps: h of each line, shape (k,) each.
        """
        asked = (indices.tobytes(), *(step.tobytes() for step in steps))
        if self._kept is None or self._kept[0] != asked:
            tiled, whole = np.tile(indices, len(steps)), np.concatenate(steps)
            plus, minus = self.attainable(tiled, whole), self.attainable(tiled, -whole)
            above, below, here = self._around(tiled, plus, minus)
            right = _quotients(above, here, plus, len(steps))
            left = _quotients(here, below, -minus, len(steps))
            self._kept = asked, list(zip(right, left, strict=True))
        return self._kept[1]

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return k differences, two losses each."""
        above, below, _ = self._around(indices, plus, minus)
        with np.errstate(all="ignore"):
            spans = above - below
            level = np.maximum(np.abs(above), np.abs(below))
            return Spans(spans, spans, spans[None], np.abs(spans), level)

    def for_lines(self, lines: Lines) -> "FunctionEngine":
        """Return an engine of the same function, along other lines; it counts for itself."""
        # J(θ) is the same along all lines: it is not evaluated again.
        return FunctionEngine(self.evaluator, self.theta, lines, progress=self.progress, here=self.losses)

    def displaced(self, direction: Vector, start: int, steps: Vector) -> Vector:
        """Return J with the part of θ that begins at `start` moved along `direction` by each of `steps`, shape (k,)."""
        part, found = slice(start, start + len(direction)), np.empty(len(steps))
        chunk = chunk_for(self.theta.size, self.evaluator.data)
        for first in range(0, len(steps), chunk):
            rows = slice(first, min(first + chunk, len(steps)))
            points = np.repeat(self.theta[None], len(found[rows]), axis=0)
            points[:, part] += steps[rows, None] * direction
            found[rows] = self._at(points)
            # A difference takes two losses.
            self.progress(len(points) // 2)
        return found

    def moved_together(self, components: Indices, moves: Vector) -> Vector:
        """Return J with components of θ moved by each row of `moves`, shape (r, k): shape (r,)."""
        found, chunk = np.empty(len(moves)), chunk_for(self.theta.size, self.evaluator.data)
        for first in range(0, len(moves), chunk):
            rows = moves[first : first + chunk]
            points = np.repeat(self.theta[None], len(rows), axis=0)
            points[:, components] += rows
            found[first : first + chunk] = self._at(points)
            # A difference takes two losses.
            self.progress(len(rows) // 2)
        return found

    def _around(self, indices: Indices, plus: Vector, minus: Vector) -> tuple[Vector, Vector, Vector]:
        """Return the losses on both sides and at θ, shapes (..., k).

        J(θ) is evaluated once in each batch: so that all of a batch is rounded alike.
        """
        above, below, here = (np.empty((*self._outputs, len(indices))) for _ in range(3))
        for places, alone in self._batches(indices):
            # A side without a step is θ itself, of which one loss serves the whole batch.
            up, down = plus[places] != 0, minus[places] != 0
            lines = np.concatenate([indices[places][up], indices[places][down], indices[places][:1]])
            steps = np.concatenate([plus[places][up], minus[places][down], [0.0]])
            found = self._along(lines, steps, alone=alone)
            last = found[..., -1:]
            here[..., places] = last
            count = np.count_nonzero(up)
            for side, moved, part in ((above, up, found[..., :count]), (below, down, found[..., count:-1])):
                values = np.repeat(last, len(up), axis=-1)
                values[..., moved] = part
                side[..., places] = values
            self.progress(len(up))
        return above, below, here

    def _batches(self, indices: Indices) -> Iterator[tuple[Indices, bool]]:
        """Yield places of `indices` that are evaluated together, and whether one tensor alone moves.

        Where that is cheaper, a tensor with many of them has batches of its own.
        """
        together = [np.arange(len(indices))]
        if self.evaluator.moved is not None and len(indices) >= _ALONE:
            tensor = np.searchsorted(self._starts, indices, side="right") - 1
            counts = np.bincount(tensor, minlength=len(self._starts))
            alone = (counts >= _ALONE) & (np.arange(len(counts)) < self._single)
            together = [np.flatnonzero(~alone[tensor])]
            for number in np.flatnonzero(alone):
                own = np.flatnonzero(tensor == number)
                # Two losses per component, and one at θ.
                chunk = max(1, (chunk_for(int(self._sizes[number]), self.evaluator.data) - 1) // 2)
                yield from ((own[start : start + chunk], True) for start in range(0, len(own), chunk))
        chunk = max(1, (chunk_for(self.theta.size, self.evaluator.data) - 1) // 2)
        for own in together:
            yield from ((own[start : start + chunk], False) for start in range(0, len(own), chunk))

    @cached_property
    def _starts(self) -> Indices:
        """Where the tensors of the lines begin; empty ones begin nowhere."""
        return np.array([tensor.offset for tensor in self.layout if tensor.size], dtype=np.intp)

    @cached_property
    def _sizes(self) -> Indices:
        """Sizes of these tensors, as a whole."""
        return np.array([math.prod(tensor.shape) for tensor in self.layout if tensor.size], dtype=np.intp)

    @cached_property
    def _single(self) -> int:
        """How many of these are made of components; random directions come last."""
        return int((self._starts < len(self.lines.components)).sum())

    def _along(self, lines: Indices, steps: Vector, *, alone: bool) -> Vector:
        """Return the losses at θ moved along lines."""
        if not alone or self.evaluator.moved is None:
            return self._at(self.lines.points(self.theta, lines, steps))
        # One tensor is copied per loss, and not all of θ.
        places, start = self.lines.components[lines], time.perf_counter()
        losses = self.evaluator.moved(self.theta, places, self.theta[places] + steps)
        self._count(len(lines), start)
        return losses

    def _at(self, points: Vector) -> Vector:
        start = time.perf_counter()
        losses = self.evaluator.losses(points)
        self._count(len(points), start)
        return losses

    def _count(self, losses: int, start: float) -> None:
        self.evaluations += losses
        self._seconds += time.perf_counter() - start


def _quotients(above: Vector, below: Vector, distance: Vector, parts: int) -> list[Differences]:
    """Return the difference quotients of each of several steps, which lie one after the other in the last axis."""
    with np.errstate(all="ignore"):
        slope = (above - below) / distance
        level = np.maximum(np.abs(above), np.abs(below))
    size, count = np.abs(slope), len(distance) // parts
    rows = [(..., slice(part * count, (part + 1) * count)) for part in range(parts)]
    return [Differences(slope[at], slope[at], slope[at], slope[at][None], size[at], level[at]) for at in rows]


class LoopEngine(FunctionEngine):
    """A function of one θ, one loss after the other."""

    def __init__(
        self, loss: Callable[[Vector], float], theta: Vector, layout: Layout, *, progress: Progress | None = None
    ) -> None:
        evaluator = Evaluator(lambda points: np.array([loss(point) for point in points]))
        super().__init__(evaluator, theta, Lines.all_of(layout), progress=progress)
