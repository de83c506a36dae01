"""Lines through θ along which J is differenced: components one by one, and random directions.

Along a Gaussian v the slope is ∇J·v. An error e of the gradient shows there as v·e ~ N(0, ‖e‖²): k directions whose
bars are β miss an error of norm ‖e‖ with probability ∏ P(|N(0, 1)| ≤ βᵢ/‖e‖). `unseen` solves this for ‖e‖.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle.columns import Indices
from xcheck.seeds import Stream, generator

DIRECTIONS = "random directions"

# Directions beside a sample, at least and at most, and directions alone, where every loss counts: guesses. Six with a
# bar β miss an error of norm 8 β with probability 10⁻⁶.
_LEAST, _MOST, DIRECTIONS_ALONE = 4, 16, 6
# Each direction is as long as θ: a quarter of a gigabyte, a guess, bounds what is kept.
_BYTES = 256 << 20


class Directions:
    """Gaussian vectors v₀, v₁, ... of length n, drawn when they are asked for.

    Each has a stream of its own, so that any of them can be drawn again, to the last bit: only as many are kept as a
    quarter of a gigabyte holds, and one at the least.

    Args:
        count: how many there are.
        size: n.
        seed: of all of them.

    >>> one, other = Directions(3, 5, seed=0), Directions(3, 5, seed=0)
    >>> len(one), bool((one.row(2) == other.row(2)).all()), bool((one.row(1) == one.row(2)).any())
    (3, True, False)
    """

    def __init__(self, count: int, size: int, seed: int = 0) -> None:
        self._count, self._size, self._seed = count, size, seed
        self._rows: dict[int, Vector] = {}

    def __len__(self) -> int:
        return self._count

    def row(self, number: int) -> Vector:
        """Return one of them, shape (n,); not to be written into."""
        # Drawn when it is asked for: a search may stop after the first.
        if number not in self._rows:
            if 8 * self._size * (len(self._rows) + 1) > _BYTES:
                self._rows.clear()
            self._rows[number] = generator(self._seed, Stream.DIRECTIONS, number).standard_normal(self._size)
        return self._rows[number]

    def lengths(self) -> Vector:
        """Return ‖v‖ of each, shape (d,)."""
        return np.array([np.linalg.norm(self.row(number)) for number in range(self._count)], dtype=np.float64)

    def along(self, gradient: Vector) -> Vector:
        """Return v·g for each, shape (d,)."""
        return np.array([self.row(number) @ gradient for number in range(self._count)], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Lines:
    """The lines along which J is differenced.

    Attributes:
        whole: layout of θ.
        components: flat indices of the components among them, ascending, shape (c,).
        directions: random vectors through all of θ.
    """

    whole: Layout
    components: Indices
    directions: Directions

    @cached_property
    def layout(self) -> Layout:
        """Names of the lines: a sample of θ, then the directions; of size c + d."""
        layout = self.whole if self.complete else self.whole.sampled(self.components)
        if not len(self.directions):
            return layout
        extra = Tensor(DIRECTIONS, (len(self.directions),), layout.size)
        return Layout((*layout.tensors, extra))

    @classmethod
    def all_of(cls, layout: Layout) -> "Lines":
        """Return every component."""
        return cls(layout, np.arange(layout.size), Directions(0, layout.size))

    @property
    def complete(self) -> bool:
        """Whether every component is among the lines."""
        return len(self.components) == self.whole.size

    @property
    def only_directions(self) -> bool:
        """Whether there are directions and no components."""
        return len(self.directions) > 0 and not len(self.components)

    def sizes(self, theta: Vector, *, along_directions: float = 0.0) -> Vector:
        """Return |θᵢ| along components, and one number along directions, which have no size of their own, (c + d,)."""
        directions = np.full(len(self.directions), along_directions)
        return np.concatenate([np.abs(theta[self.components]), directions])

    def along(self, gradient: Vector) -> Vector:
        """Return the slopes that a gradient, shape (n,), has along the lines, shape (c + d,)."""
        with np.errstate(all="ignore"):  # a gradient that is not finite has no finite slope
            return np.concatenate([gradient[self.components], self.directions.along(gradient)])

    def including(self, components: Indices) -> "Lines":
        """Return the same lines, and some components more."""
        return Lines(self.whole, np.union1d(self.components, components), self.directions)

    def points(self, theta: Vector, lines: Indices, steps: Vector) -> Vector:
        """Return θ moved along each of `lines` by `steps`, shape (k, n)."""
        points = np.repeat(theta[None], len(lines), axis=0)
        single = lines < len(self.components)
        rows = np.flatnonzero(single)
        points[rows, self.components[lines[rows]]] += steps[rows]
        if not single.all():
            for place in np.flatnonzero(~single):
                points[place] += steps[place] * self.directions.row(int(lines[place]) - len(self.components))
        return points


def unseen(bars: Vector, probability: float = 1e-6) -> float:
    """Return the norm of an error of the gradient that random directions miss with `probability`; inf without any.

    >>> bars = np.full(8, 1e-6)
    >>> norm = unseen(bars)
    >>> round(math.prod(math.erf(1e-6 / norm / math.sqrt(2)) for _ in bars), 12)
    1e-06
    """
    if not len(bars):
        return math.inf
    if not np.isfinite(bars).all() or bars.max() == 0:
        return math.inf if not np.isfinite(bars).all() else 0.0

    def missed(norm: float) -> float:
        return math.prod(math.erf(bar / norm / math.sqrt(2)) for bar in bars)

    # The probability to miss falls with the norm: it is bracketed, then bisected on a logarithmic scale.
    low, high = float(bars.max()) * 1e-3, float(bars.max())
    while missed(high) > probability:
        high *= 2
    for _ in range(80):
        middle = math.sqrt(low * high)
        low, high = (middle, high) if missed(middle) > probability else (low, middle)
    return high


def sample_lines(layout: Layout, affordable: int, rng: np.random.Generator, including: Sequence[int] = ()) -> Lines:
    """Return a sample of each tensor, and random directions.

    Small tensors have all their components in it; components that are to be included are in it in any case.
    """
    # A quarter of what is affordable at most, so that components keep the larger share: a guess.
    fitting = min(_BYTES // (8 * max(layout.size, 1)), affordable // 4)
    directions = int(np.clip(fitting, _LEAST, _MOST))
    tensors = [tensor for tensor in layout if tensor.size]
    each = max(_LEAST, (affordable - directions) // max(1, len(tensors)))
    # Sampling all would cost the same and say less.
    if affordable >= layout.size:
        return Lines.all_of(layout)
    places: list[Indices] = []
    for tensor in tensors:
        chosen = rng.choice(tensor.size, min(each, tensor.size), replace=False)
        places.append(tensor.offset + np.sort(chosen).astype(np.intp))
    components = np.union1d(np.concatenate([*places, np.zeros(0, dtype=np.intp)]), np.array(including, dtype=np.intp))
    return Lines(layout, components, Directions(directions, layout.size, int(rng.integers(2**63))))


def directions_alone(layout: Layout, seed: int, including: Sequence[int] = ()) -> Lines:
    """Return random directions, and only those components that are to be included."""
    directions = Directions(DIRECTIONS_ALONE, layout.size, seed)
    return Lines(layout, np.array(sorted(including), dtype=np.intp), directions)
