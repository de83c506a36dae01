"""Which components are wrong, from proved slopes along few directions (see `xcheck.decoding`)."""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.certificates.claims import Named
from xcheck.decoding import Row, decode
from xcheck.layout import Vector

# Directions (k, n) -> errors g·v - s and what rounding may do to them, shape (k,) each.
Errors = Callable[[Vector, Vector], tuple[Vector, Vector]]

# Directions that are proved at a time: each takes the memory of one more evaluation.
_AT_ONCE = 16


def name_wrong(gradient: Vector, errors: Errors) -> tuple[list[Named], bool]:
    """Return the components that are proved to be wrong, and whether that is all of the error.

    Args:
        gradient: shape (n,).
        errors: `errors(gradient, directions)`, see `Errors`.
    """
    residuals = _Proved(gradient, errors)
    whole = decode(gradient.size, residuals, first=1)
    return [residuals.named[flat] for flat in sorted(residuals.named)], whole


class _Proved:
    """The error of a gradient beside proved slopes; sharper than they are they cannot be had.

    Attributes:
        named: what is wrong, by its number.
    """

    is_explained = is_exhausted = False

    def __init__(self, gradient: Vector, errors: Errors) -> None:
        self._gradient, self._left, self._errors = gradient, gradient.copy(), errors
        self.named: dict[int, Named] = {}

    def along(self, rows: Sequence[Row], needs: Sequence[float]) -> tuple[Vector, Vector]:
        del needs
        parts = [np.zeros((2, 0))]
        for start in range(0, len(rows), _AT_ONCE):
            dense = np.stack([row.dense(self._left.size) for row in rows[start : start + _AT_ONCE]])
            parts.append(np.stack(self._errors(self._left, dense)))
        seen, allowed = np.concatenate(parts, axis=1)
        return seen, allowed

    def confirm(self, places: Sequence[int]) -> dict[int, float]:
        seen, allowed = self.along([Row(np.array([flat]), np.ones(1)) for flat in places], [])
        triples = zip(places, seen.tolist(), allowed.tolist(), strict=True)
        found = {flat: error for flat, error, may in triples if abs(error) > may}
        for flat, error in found.items():
            self._left[flat] -= error
            self.named[flat] = Named(flat, float(self._gradient[flat]), float(self._left[flat]))
        return found
