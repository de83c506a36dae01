"""Decisions: comparisons of balls, which choose a program's branches, made with proof or not at all.

Balls that lie apart decide. Balls that overlap ask for more digits. What is equal for certain is a tie:

- of two numbers that do not move, or that are one and the same: equal, for every t near 0;
- of two with other slopes: a kink. There is no slope at t = 0, but one on each side, along which the tie is decided by
  the slopes. The caller runs both sides (`Decisions.side`);
- of two with equal slopes: which is larger for t near 0 depends on their second derivatives, which are not known here.
  Where an operation returns one of the two (max, sort), the result has their common value and their common slope
  whichever is larger: x(t) and y(t) differ by o(t), so does what is chosen of them. It moves if one of the two does:
  max(0, t²) is no constant. Elsewhere nothing is proved;
- of two infinities: equal, for every t near 0, if their slopes are finite. An infinity stays what it is unless it comes
  from a pole, where derivatives are no finite numbers, and neither are their products with any slope.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from xcheck.certificates.balls import Array, Balls, in_balls


class UnsureError(Exception):
    """Balls overlap: more digits are needed."""


class KinkError(Exception):
    """Exactly at a kink, and no side was chosen."""


class NotProvedError(Exception):
    """Nothing can be proved here, with however many digits; the text says why."""


@dataclass(slots=True)
class Decisions:
    """How the ties of one evaluation are decided, and what was met.

    Attributes:
        side: 0 where a kink is an error; +1 or -1 for t > 0 or t < 0.
        at_zero: whether ties are taken as equal, as the program does at t = 0.
        kinks: the operations at whose ties the slopes differ.
        place: the operation that is being evaluated.
        watch: called before each operation; what it raises ends the evaluation.
    """

    side: int = 0
    at_zero: bool = False
    kinks: list[str] = field(default_factory=list)
    place: object = ""
    watch: Callable[[], None] | None = None

    def go_to(self, operation: object) -> None:
        """Begin with an operation."""
        self.place = operation
        if self.watch is not None:
            self.watch()

    def signs(self, left: Balls, right: Balls, *, chooses: bool = False) -> NDArray[np.int8]:
        """Return the sign of left - right, element by element, on the side of t that is looked at.

        Args:
            left: balls of one shape.
            right: balls of that shape.
            chooses: whether the result is one of the two, so that a tie with equal slopes needs no decision.

        Raises:
            UnsureError: balls overlap.
            KinkError: there is a kink, and no side was chosen.
            NotProvedError: nan is compared, or a tie has equal slopes and much depends on it.
        """
        if left is right:
            return np.zeros(left.shape, np.int8)
        less, greater = _apart(left.values, right.values)
        found = np.array(greater.astype(np.int8) - less.astype(np.int8))
        # np.nonzero of no axes is refused; one index of none stands for the one element.
        for at in zip(*np.nonzero(found == 0), strict=True) if found.ndim else [()] * int(found == 0):
            found[at] = self._decide_tie(left, right, at, chooses)
        return found

    def _decide_tie(self, left: Balls, right: Balls, at: Any, chooses: bool) -> int:
        x, y = _ball(left.values, at), _ball(right.values, at)
        equal = bool(x == y)  # balls are neither equal nor unequal where they overlap
        if not equal:
            nan = x.is_nan() or y.is_nan()
            what = "what may be nan" if nan else f"{x.str(8)} with {y.str(8)}"
            raise UnsureError(f"{self.place} compares {what}")
        stays = not (left.where_moving()[at] or right.where_moving()[at])
        if self.at_zero or stays:
            return 0
        if not x.is_finite():
            return self._decide_infinities(left, right, at)
        signs = {
            _sign(left.slopes, right.slopes, number, at) for number in range(max(left.directions, right.directions))
        }
        if None in signs:
            raise UnsureError(f"{self.place} meets a tie whose slopes may differ or not")
        if signs == {0}:
            if chooses:
                return 0
            raise NotProvedError(f"{self.place} meets a tie of equal slopes: second derivatives decide it")
        if self.side == 0 or len(signs) > 1:
            raise KinkError(f"{self.place}")
        self.kinks.append(f"{self.place}")
        return self.side * int(signs.pop() or 0)

    def _decide_infinities(self, left: Balls, right: Balls, at: Any) -> int:
        if all(slope.is_finite() for one in (left, right) for slope in _ball_slopes(one, at)):
            return 0  # a mask of attention
        raise UnsureError(f"{self.place} compares infinities, which may be finite nearby")


def _ball_slopes(one: Balls, at: Any) -> list[Any]:
    return [_ball(slope, at) for slope in one.slopes or ()]


def _apart(left: Array, right: Array) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Return where left < right for certain, and where left > right."""
    if object not in (left.dtype, right.dtype):
        return np.asarray(left < right), np.asarray(left > right)
    a, b = in_balls(left), in_balls(right)
    return np.asarray(np.less(a, b), bool), np.asarray(np.greater(a, b), bool)


def _ball(array: Array, at: Any) -> Any:
    found = array[at]
    return found if isinstance(found, arb) else arb(float(found))


def _sign(left: Any, right: Any, number: int, at: Any) -> int | None:
    """Return the sign of the difference of two slopes; None where it is not certain."""
    p = arb(0) if left is None else _ball(left[number], at)
    q = arb(0) if right is None else _ball(right[number], at)
    difference = p - q
    if difference == 0:
        return 0
    if difference > 0:
        return 1
    return -1 if difference < 0 else None
