"""Engine of functions that nothing is known about: losses at many θ, as many at a time as the framework can take."""

from collections.abc import Callable
from functools import cached_property

import numpy as np

from xcheck.oracle.engine import Engine, Indices, Progress, Spans
from xcheck.oracle.lines import Lines
from xcheck.parameters import Layout, Vector

# On a CPU more than this at a time leaves the cache; for functions of a few parameters more would gain nothing.
_CACHE = 4 << 20  # bytes
_MOST = 512


def chunk_for(size: int) -> int:
    """Return how many θ of `size` components to evaluate at a time."""
    return int(np.clip(_CACHE // (8 * max(size, 1)), 1, _MOST))


class FunctionEngine(Engine):
    """Any function at all, along components or directions.

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
        losses: Callable[[Vector], Vector],
        theta: Vector,
        lines: Lines,
        *,
        roundoff: float = 2.0**-53,
        progress: Progress | None = None,
    ) -> None:
        super().__init__(np.array(theta, dtype=np.float64), lines.layout, progress=progress)
        self._evaluate = losses
        self.lines = lines
        self.roundoff = roundoff
        self.evaluations = 0
        # Truncation of fourth order and noise balance at the fifth root of the roundoff.
        self.first_step = 2.0**-10 if roundoff < 2.0**-40 else 2.0**-5
        self._here = self._at(self.theta[None])

    @cached_property
    def scale(self) -> Vector:
        """Nothing is known about the function: max(1, |θᵢ|), and off the powers of 2 that functions repeat at."""
        odd = 0.7 + 0.3 * np.random.default_rng(self.layout.size).random(self.layout.size)
        lengths = np.linalg.norm(self.lines.directions, axis=1) if len(self.lines.directions) else np.zeros(0)
        single = np.maximum(1.0, np.abs(self.theta[self.lines.components]))
        return odd * np.concatenate([single, 8 / np.maximum(lengths, 8.0)])

    @property
    def shortest(self) -> Vector:
        """Steps that a shorter one would round away beside θ: 64 units in the last place of θᵢ."""
        single = 64 * np.spacing(np.abs(self.theta[self.lines.components]))
        return np.concatenate([single, np.full(len(self.lines.directions), 2.0**-44)])

    @property
    def losses(self) -> Vector:
        """J(θ), shape (1,)."""
        return self._here

    def attainable(self, indices: Indices, step: Vector) -> Vector:
        """Return the step that is really taken along a component; directions take it as it is."""
        taken = np.array(step)
        single = indices < len(self.lines.components)
        here = self.theta[self.lines.components[indices[single]]]
        taken[single] = (here + step[single]) - here
        return taken

    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return k differences, two losses each; J(θ) itself once per batch."""
        spans = Spans.empty(len(indices))
        chunk = max(1, (chunk_for(self.theta.size) - 1) // 2)
        for start in range(0, len(indices), chunk):
            places = slice(start, start + chunk)
            above, below = self._pair(indices[places], plus[places], minus[places])
            with np.errstate(all="ignore"):
                spans.lower[places] = spans.upper[places] = spans.conventions[0, places] = above - below
                spans.magnitude[places] = np.abs(above - below)
                spans.level[places] = np.maximum(np.abs(above), np.abs(below))
            self.progress(len(above))
        return spans

    def _pair(self, indices: Indices, plus: Vector, minus: Vector) -> tuple[Vector, Vector]:
        """Return the losses on both sides, all from one batch: so they are rounded alike."""
        up, down = np.flatnonzero(plus), np.flatnonzero(minus)
        points = [self.lines.points(self.theta, indices[up], plus[up])]
        points += [self.lines.points(self.theta, indices[down], minus[down]), self.theta[None]]
        found = self._at(np.concatenate(points))
        above, below = np.full(len(indices), found[-1]), np.full(len(indices), found[-1])
        above[up], below[down] = found[: len(up)], found[len(up) : -1]
        return above, below

    def _at(self, points: Vector) -> Vector:
        self.evaluations += len(points)
        return self._evaluate(points)


class LoopEngine(FunctionEngine):
    """A function of one θ, one loss after the other."""

    def __init__(
        self, loss: Callable[[Vector], float], theta: Vector, layout: Layout, *, progress: Progress | None = None
    ) -> None:
        super().__init__(
            lambda points: np.array([loss(point) for point in points]), theta, Lines.all_of(layout), progress=progress
        )
