"""Wrong components named by ratios of differences (see `xcheck.decoding`), where bisection takes more losses.

Directions through all of θ need no ratio: one wrong component shows in several as its own numbers do, which are those
of no other.
"""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.decoding import Row, Whole, decode
from xcheck.layout import Vector
from xcheck.oracle.bisection.blocks import Block
from xcheck.oracle.bisection.corrected import CorrectedGradient
from xcheck.oracle.bisection.directional import DirectionalDerivatives

# Buckets are measured until their bar is an eighth of the error that the directions show, as in bisection: a guess.
_SHARE = 8.0


class RatioSearch:
    """Names wrong components of a gradient, and corrects them; the directions end to end have been measured.

    Attributes:
        at_once: buckets that are decoded together: after each one that is left may be told by the directions.

    Args:
        slopes: measures ∇J·v.
        gradient: which is wrong along some of the directions.
        is_exhausted: says whether no more is to be measured.
    """

    at_once = 1

    def __init__(
        self, slopes: DirectionalDerivatives, gradient: CorrectedGradient, is_exhausted: Callable[[], bool]
    ) -> None:
        self._slopes, self._gradient, self._is_exhausted = slopes, gradient, is_exhausted
        self._need = np.inf

    def run(self) -> bool:
        """Name what the directions tell by themselves, then what ratios do, and return whether that is all."""
        return self.finish() or (not self.is_exhausted and decode(self._slopes.row(0).size, self))

    @property
    def named(self) -> dict[int, float]:
        """Errors of the components that were found to be wrong."""
        return self._gradient.found

    @property
    def is_exhausted(self) -> bool:
        """Whether no more is to be measured."""
        return self._is_exhausted()

    def finish(self) -> bool:
        """Name components that alone explain what the directions show; return whether nothing is wrong then."""
        while True:
            seen, allowed = self._end_to_end()
            if (np.abs(seen) <= allowed).all():
                return True
            # Without a bar a direction tells nothing; where nothing at all is allowed, no ratio can be judged.
            if self.is_exhausted or not (np.isfinite(allowed) & (allowed > 0)).all():
                return False
            place = single(self._slopes.row, seen, allowed)
            if place is None or not self._gradient.accept([place]):
                return False

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        """Return r = v·g - ∇J·v along directions, and how large it may be, shape (k,) each."""
        size, found = self._slopes.row(0).size, []
        for row, need in zip(rows, needs, strict=True):
            dense = row.dense(size)
            slope = self._slopes.measure_along(dense, min(need, self._need))
            found.append(self._gradient.residual(dense, Block(0, size), slope))
        return np.array([seen for seen, _ in found]), np.array([allowed for _, allowed in found])

    def confirm(self, places: Sequence[int]) -> None:
        """Measure components by themselves, and correct those that are wrong."""
        self._gradient.accept(places)

    def whole(self, values: Vector) -> Whole:
        """Return what the direction shows that tells most."""
        del values
        seen, allowed = self._end_to_end()
        worst = int(np.argmax(np.abs(seen) / np.maximum(allowed, np.finfo(np.float64).tiny)))
        self._need = abs(float(seen[worst])) / _SHARE
        return Whole(self._slopes.row(worst), float(seen[worst]), float(allowed[worst]), several=True)

    def _end_to_end(self) -> tuple[Vector, Vector]:
        found = [
            self._gradient.residual(
                self._slopes.row(segment.number),
                Block(segment.start, segment.stop),
                self._slopes.measure(segment, np.inf),
            )
            for segment in self._slopes.whole
        ]
        return np.array([seen for seen, _ in found]), np.array([allowed for _, allowed in found])


def single(row: Callable[[int], Vector], seen: Vector, allowed: Vector) -> int | None:
    """Return the component whose error alone explains what several directions show, None where there is none.

    Args:
        row: returns direction 0, 1, ... through all components, shape (n,).
        seen: e·v along each, shape (d,).
        allowed: how far that may be off, shape (d,), positive.
    """
    # Least squares for each component: what is explained is (Σ w s v)²/Σ w v².
    weights = (allowed.min() / allowed) ** 2
    crossed, squares = np.zeros_like(row(0)), np.zeros_like(row(0))
    for number, weight in enumerate(weights):
        crossed += weight * seen[number] * row(number)
        squares += weight * row(number) ** 2
    place = int(np.argmax(crossed**2 / np.maximum(squares, np.finfo(np.float64).tiny)))
    shown = crossed[place] / squares[place] * np.array([row(number)[place] for number in range(len(seen))])
    return place if (np.abs(seen - shown) <= allowed).all() else None
