"""Which components are wrong, from proved slopes along few directions (see `xcheck.decoding`)."""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.certificates.claims import Named
from xcheck.decoding import Row, Whole, decode
from xcheck.layout import Vector

# Directions (k, n) -> errors g·v - s and what rounding may do to them, shape (k,) each.
Errors = Callable[[Vector, Vector], tuple[Vector, Vector]]

# Directions that are proved at a time: each takes the memory of one more evaluation.
_AT_ONCE = 16


def name_wrong(
    gradient: Vector, errors: Errors, is_exhausted: Callable[[], bool] = lambda: False
) -> tuple[list[Named], bool]:
    """Return the components that are proved to be wrong, and whether that is all of the error.

    Args:
        gradient: shape (n,).
        errors: `errors(gradient, directions)`, see `Errors`.
        is_exhausted: says whether no more directions are to be proved.
    """
    residuals = _Proved(gradient, errors, is_exhausted)
    whole = decode(gradient.size, residuals)
    return [residuals.describe(flat) for flat in sorted(residuals.named)], whole


class _Proved:
    """The error of a gradient beside proved slopes; sharper than they are they cannot be had.

    Attributes:
        at_once: buckets that are decoded together.
        named: errors of what is wrong, by flat indices.
    """

    at_once = _AT_ONCE

    def __init__(self, gradient: Vector, errors: Errors, is_exhausted: Callable[[], bool]) -> None:
        self._gradient, self._left, self._errors = gradient, gradient.copy(), errors
        self._is_exhausted = is_exhausted
        self.named: dict[int, float] = {}

    @property
    def is_exhausted(self) -> bool:
        return self._is_exhausted()

    def whole(self, values: Vector) -> Whole:
        seen, allowed = self.along([Row(np.arange(len(values)), values)], [])
        return Whole(values, float(seen[0]), float(allowed[0]), several=False)

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        del needs
        parts = [np.zeros((2, 0))]
        for start in range(0, len(rows), _AT_ONCE):
            dense = np.stack([row.dense(self._left.size) for row in rows[start : start + _AT_ONCE]])
            parts.append(np.stack(self._errors(self._left, dense)))
        seen, allowed = np.concatenate(parts, axis=1)
        return seen, allowed

    def confirm(self, places: Sequence[int]) -> None:
        seen, allowed = self.along([Row(np.array([flat]), np.ones(1)) for flat in places], [])
        for flat, error, may in zip(places, seen.tolist(), allowed.tolist(), strict=True):
            if abs(error) > may:
                self._left[flat] -= error
                self.named[flat] = float(self._gradient[flat] - self._left[flat])

    def finish(self) -> bool:
        return False

    def describe(self, flat: int) -> Named:
        return Named(flat, float(self._gradient[flat]), float(self._left[flat]))
