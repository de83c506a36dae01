"""Directions: Gaussian vectors through all of θ, drawn when they are asked for.

A vector is as long as θ itself. Each has a seed of its own, so that any of them can be drawn again, to the last bit:
only as many are kept as a quarter of a gigabyte holds, and one at the least.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.layout import Vector

_KEPT = 256 << 20  # bytes


class Directions:
    """Gaussian vectors v₀, v₁, ... of length n.

    Args:
        count: how many there are.
        size: n.
        seed: of all of them.

    >>> one, other = Directions(3, 5, (0,)), Directions(3, 5, (0,))
    >>> len(one), bool((one.row(2) == other.row(2)).all()), bool((one.row(1) == one.row(2)).any())
    (3, True, False)
    """

    def __init__(self, count: int, size: int, seed: Sequence[int] = ()) -> None:
        self._count, self._size, self._seed = count, size, tuple(seed)
        self._rows: dict[int, Vector] = {}

    def __len__(self) -> int:
        return self._count

    def row(self, number: int) -> Vector:
        """Return one of them, shape (n,); not to be written into."""
        if number not in self._rows:
            if 8 * self._size * (len(self._rows) + 1) > _KEPT:
                self._rows.clear()
            self._rows[number] = np.random.default_rng([*self._seed, number]).standard_normal(self._size)
        return self._rows[number]

    def lengths(self) -> Vector:
        """Return ‖v‖ of each, shape (d,)."""
        return np.array([np.linalg.norm(self.row(number)) for number in range(self._count)], dtype=np.float64)

    def along(self, gradient: Vector) -> Vector:
        """Return v·g for each, shape (d,)."""
        return np.array([self.row(number) @ gradient for number in range(self._count)], dtype=np.float64)
