"""Decisions: comparisons of balls, which choose a program's branches, made with proof or not at all.

Balls that lie apart decide. Balls that overlap ask for more digits. What is equal for certain is a tie:

- of two numbers that do not move, or that are one and the same: equal, for every t near 0;
- of two with other slopes: a kink. There is no slope at t = 0, but one on each side, along which the tie is decided by
  the slopes. The caller runs both sides (`Decisions.side`);
- of two with equal slopes: which is larger for t near 0 depends on their second derivatives, and is the same for t > 0
  and t < 0. Where they are known and differ they decide, on each side. Where an operation returns one of the two (max,
  sort), the result has their common value and their common slope whichever is larger: x(t) and y(t) differ by o(t), so
  does what is chosen of them. It moves if one of the two does: max(0, t²) is no constant. Elsewhere nothing is proved;
- of two numbers whose balls overlap, and whose slopes do, too (one number that is computed in two ways): equal or not,
  nobody knows. Where an operation returns the larger or the smaller of the two, the ball around both encloses the value
  and the slopes on both sides, whatever is true. Let it be max(x, y). If x(0) > y(0), it is x near 0, with the value
  and the slope of x; if x(0) < y(0), those of y. If they are equal, the slope for t > 0 is the larger of x'(0) and
  y'(0), that for t < 0 the smaller. All of these are in one of the two balls. What is computed from it has one-sided
  slopes by the formulas of all slopes. It moves if one of the two does. A branch is no such operation: at a jump, which
  one is taken matters more than the slopes tell;
- of two infinities: equal, for every t near 0, if their slopes are finite. An infinity stays what it is unless it comes
  from a pole, where derivatives are no finite numbers, and neither are their products with any slope.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from xcheck.certificates.balls import Array, Balls, in_balls, places, second

# The code, among signs, of two numbers of which nobody knows which is larger, and which the ball around both encloses.
_UNDECIDED = 2


class UnsureError(Exception):
    """Balls overlap: more digits are needed."""


class KinkError(Exception):
    """Exactly at a kink, and no side was chosen."""


class SecondOrderError(Exception):
    """Second coefficients decide on this side, and they were not asked for."""


class NotProvedError(Exception):
    """Nothing can be proved here, with however many digits; the text says why."""


@dataclass(slots=True)
class Decisions:
    """How the ties of one evaluation are decided, and what was met.

    Attributes:
        side: 0 where a kink is an error; +1 or -1 for t > 0 or t < 0.
        seconds: whether balls have second coefficients, as far as they are known.
        at_zero: whether ties are taken as equal, as the program does at t = 0.
        kinks: the operations at whose ties the slopes differ.
        place: the operation that is being evaluated.
        watch: called before each operation; what it raises ends the evaluation.
    """

    side: int = 0
    seconds: bool = False
    at_zero: bool = False
    kinks: list[str] = field(default_factory=list)
    place: object = ""
    watch: Callable[[], None] | None = None

    def go_to(self, operation: object) -> None:
        """Begin with an operation."""
        self.place = operation
        if self.watch is not None:
            self.watch()

    def signs(self, left: Balls, right: Balls) -> NDArray[np.int8]:
        """Return the sign of left - right, element by element, on the side of t that is looked at.

        Args:
            left: balls of one shape.
            right: balls of that shape.

        Raises:
            UnsureError: balls overlap.
            KinkError: there is a kink, and no side was chosen.
            SecondOrderError: a tie has equal slopes, and second coefficients were not asked for.
            NotProvedError: a tie has equal slopes, and second coefficients are equal or not known.
        """
        return self._compare(left, right, chooses=False)

    def choices(self, left: Balls, right: Balls) -> tuple[NDArray[np.int8], NDArray[np.bool_]]:
        """Return the signs, and where they are not known, for an operation that returns the larger or the smaller.

        A tie with equal slopes needs no decision there: its sign is 0. Nor do numbers that overlap with their slopes:
        their sign is 0, too, and the ball around both (`joined`) is the result.

        Args:
            left: balls of one shape.
            right: balls of that shape.

        Raises:
            UnsureError: balls overlap, and slopes do not.
            KinkError: there is a kink, and no side was chosen.
        """
        found = self._compare(left, right, chooses=True)
        undecided = np.asarray(found == _UNDECIDED)
        return np.where(undecided, np.int8(0), found), undecided

    def _compare(self, left: Balls, right: Balls, *, chooses: bool) -> NDArray[np.int8]:
        if left is right:
            return np.zeros(left.shape, np.int8)
        less, greater = _apart(left.values, right.values)
        found = np.array(greater.astype(np.int8) - less.astype(np.int8))
        for at in places(found == 0):
            found[at] = self._decide_tie(left, right, at, chooses)
        return found

    def _decide_tie(self, left: Balls, right: Balls, at: Any, chooses: bool) -> int:
        x, y = _ball(left.values, at), _ball(right.values, at)
        equal = bool(x == y)  # balls are neither equal nor unequal where they overlap
        if not equal:
            if chooses and x.is_finite() and y.is_finite() and _slopes_overlap(left, right, at):
                return _UNDECIDED
            nan = x.is_nan() or y.is_nan()
            what = "what may be nan" if nan else f"{x.str(8)} with {y.str(8)}"
            raise UnsureError(f"{self.place} compares {what}")
        stays = not (left.where_moving()[at] or right.where_moving()[at])
        if self.at_zero or stays:
            return 0
        if not x.is_finite():
            return self._decide_infinities(left, right, at)
        return self._decide_by_slopes(left, right, at, chooses)

    def _decide_by_slopes(self, left: Balls, right: Balls, at: Any, chooses: bool) -> int:
        signs = {_sign(p - q) for p, q in _pairs(left, right, at)}
        if None in signs:
            if chooses and _slopes_overlap(left, right, at):
                return _UNDECIDED
            if chooses and len(signs) > 1:
                raise KinkError(f"{self.place}")  # perhaps along some directions only
            raise UnsureError(f"{self.place} meets a tie whose slopes may differ or not")
        if signs == {0}:
            if chooses:
                return 0
            return self._decide_by_seconds(left, right, at)
        if self.side == 0 or len(signs) > 1:
            raise KinkError(f"{self.place}")
        self.kinks.append(f"{self.place}")
        return self.side * int(signs.pop() or 0)

    def _decide_by_seconds(self, left: Balls, right: Balls, at: Any) -> int:
        if not self.side:
            raise KinkError(f"{self.place}")
        if not self.seconds:
            raise SecondOrderError(f"{self.place}")
        directions = range(max(left.directions, right.directions))
        differences = [_ball(second(left, n), at) - _ball(second(right, n), at) for n in directions]
        signs = {_sign(one) for one in differences}
        if 0 in signs or any(one.is_nan() for one in differences):
            raise NotProvedError(f"{self.place} meets a tie of equal slopes, which second derivatives do not decide")
        if None in signs:
            raise UnsureError(f"{self.place} meets a tie of equal slopes whose second derivatives may differ or not")
        if len(signs) > 1:
            raise KinkError(f"{self.place}")
        self.kinks.append(f"{self.place}")
        return int(signs.pop() or 0)

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


def _pairs(left: Balls, right: Balls, at: Any) -> list[tuple[Any, Any]]:
    """Return the slopes of both along each direction."""
    slopes = [_ball_slopes(one, at) or [arb(0)] * max(left.directions, right.directions) for one in (left, right)]
    return list(zip(*slopes, strict=True))


def _slopes_overlap(left: Balls, right: Balls, at: Any) -> bool:
    return all(p.is_finite() and q.is_finite() and p.overlaps(q) for p, q in _pairs(left, right, at))


def _sign(difference: Any) -> int | None:
    """Return the sign of a ball; None where it is not certain."""
    if difference == 0:
        return 0
    if difference > 0:
        return 1
    return -1 if difference < 0 else None
