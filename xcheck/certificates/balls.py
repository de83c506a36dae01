"""Balls: arrays of numbers with proved error bounds, and of their slopes along directions.

A ball is a midpoint and a radius; an operation of balls encloses whatever the operation of any members of them gives
(F. Johansson, "Arb: efficient arbitrary-precision midpoint-radius interval arithmetic", IEEE Transactions on Computers
66, 2017). FLINT computes with them; python-flint is the extra `proof`.

Along t, θ + t v makes of each value x a function x(t). `Balls` hold x(0) and, for each of several v, the slope x'(0).
On one side of t = 0, where a slope alone does not tell what is larger, `Balls` may hold x''(0)/2, too.
What is not computed yet (parameters, data, constants) stays an array of float64: those are exact.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from flint import arb, arb_mat
from numpy.typing import NDArray

Array = NDArray[Any]

_as_ball = np.frompyfunc(arb, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Balls:
    """Values and slopes.

    Attributes:
        values: float64, exact; or objects, each an `arb`.
        slopes: for each direction an array like `values`; None where nothing depends on t.
        moving: where x(t) may depend on t at all; None where `slopes` says it: everywhere, or nowhere. An element that
            does not move is the same number for every t near 0, which is more than a slope of 0.
        seconds: for each direction c of x(t) = x(0) + x'(0) t + c t² + o(t²), on the side of t that is looked at, an
            array like `values`: nan where it is not known. None where it is not asked for, or known of no element.

    Raises:
        TypeError: there is something else than balls in an array of objects: one float among them is enough for
            rounded arithmetic, and nothing would be proved.
    """

    values: Array
    slopes: tuple[Array, ...] | None = None
    moving: NDArray[np.bool_] | None = None
    seconds: tuple[Array, ...] | None = None

    def __post_init__(self) -> None:
        for array in (self.values, *(self.slopes or ()), *(self.seconds or ())):
            if array.dtype == object and not set(map(type, array.ravel().tolist())) <= {arb}:
                raise TypeError("an array of balls holds something else")

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape."""
        return self.values.shape

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return self.values.ndim

    @property
    def directions(self) -> int:
        """How many slopes there are, 0 where nothing depends on t."""
        return 0 if self.slopes is None else len(self.slopes)

    def where_moving(self) -> NDArray[np.bool_]:
        """Return `moving` as an array."""
        return np.full(self.shape, self.slopes is not None) if self.moving is None else self.moving


def constant(values: Any) -> Balls:
    """Return exact numbers that do not depend on t."""
    return Balls(np.asarray(values, dtype=np.float64))


def as_array(found: Any) -> Array:
    """Return an array of what NumPy gives, which without axes is a bare number or object."""
    if isinstance(found, np.ndarray | np.generic):
        return np.asarray(found)
    array = np.empty((), object)
    array[()] = found
    return array


def in_balls(array: Array) -> Array:
    """Return an array of `arb`."""
    if array.dtype == object:
        return array
    return as_array(_as_ball(array.astype(object))) if array.size else array.astype(object)


def midpoints(array: Array) -> NDArray[np.float64]:
    """Return the midpoints, rounded to float64."""
    return array.astype(np.float64)


def moved(function: Callable[..., Any], *given: Balls) -> Balls:
    """Return what a function makes of arrays that only moves their elements about.

    Args:
        function: arrays -> an array of some of their elements.
        given: what it is applied to: their values, and direction by direction their slopes.
    """
    directions = max((one.directions for one in given), default=0)
    values = as_array(function(*_alike([one.values for one in given])))
    if not directions:
        return Balls(values)

    def each(parts: Sequence[Sequence[Array]]) -> tuple[Array, ...]:
        return tuple(as_array(function(*_alike(arrays))) for arrays in zip(*parts, strict=True))

    slopes = each([one.slopes or _constants(one, 0.0, directions) for one in given])
    seconds = None
    if any(one.seconds is not None for one in given):
        seconds = each([one.seconds or _constants(one, _unknown(one), directions) for one in given])
    moving = None
    if any(one.moving is not None or one.slopes is None for one in given):
        moving = np.asarray(function(*[one.where_moving() for one in given]), bool)
    return Balls(values, slopes, moving, seconds)


def _constants(one: Balls, number: float, directions: int) -> tuple[Array, ...]:
    return (np.full(one.shape, number),) * directions


def _unknown(one: Balls) -> float:
    """Return the second coefficient of what has none: 0 of what does not depend on t."""
    return 0.0 if one.slopes is None else np.nan


def second(one: Balls, number: int) -> Array:
    """Return the second coefficients along a direction, nan where they are not known."""
    return np.full(one.shape, _unknown(one)) if one.seconds is None else one.seconds[number]


def _alike(arrays: Sequence[Array]) -> list[Array]:
    """Return arrays of balls if there is one among them: floats and balls in one array would be rounded arithmetic."""
    return [in_balls(one) for one in arrays] if any(one.dtype == object for one in arrays) else list(arrays)


def join_moving(shape: tuple[int, ...], *given: Balls) -> NDArray[np.bool_] | None:
    """Return where a result moves of which each element depends on one element of each argument."""
    if all(one.moving is None for one in given):
        return None
    found = np.zeros(shape, bool)
    for one in given:
        found |= one.where_moving()
    return found


def places(where: NDArray[np.bool_]) -> Iterator[tuple[int, ...]]:
    """Yield the index of every element that is true, of an array without axes, too."""
    for index in np.argwhere(where).tolist():
        yield tuple(index)


def joined(one: Balls, other: Balls, where: NDArray[np.bool_]) -> Balls:
    """Return `one`, and where it is said the ball around both, of their values and of their slopes.

    Args:
        one: balls.
        other: balls of that shape.
        where: of that shape.
    """
    if not where.any():
        return one

    def around(left: Array, right: Array) -> Array:
        found, beside = in_balls(left).copy(), in_balls(right)
        for at in places(where):
            found[at] = found[at].union(beside[at])
        return found

    def slope(part: Balls, number: int) -> Array:
        return np.zeros(part.shape) if part.slopes is None else part.slopes[number]

    directions = range(max(one.directions, other.directions))
    slopes = tuple(around(slope(one, number), slope(other, number)) for number in directions)
    seconds = None
    if one.seconds is not None or other.seconds is not None:
        seconds = tuple(around(second(one, number), second(other, number)) for number in directions)
    moving = one.where_moving() | (where & other.where_moving())
    return Balls(around(one.values, other.values), slopes or None, moving, seconds)


def extreme_seconds(one: Balls, other: Balls, where: NDArray[np.bool_], *, largest: bool) -> Balls:
    """Return `one` with the larger, or smaller, of both second coefficients where values and slopes are equal."""
    if one.seconds is None or not where.any():
        return one

    def pick(left: Array, right: Array) -> Array:
        found, beside = in_balls(left).copy(), in_balls(right)
        for at in places(where):
            found[at] = found[at].max(beside[at]) if largest else found[at].min(beside[at])
        return found

    return replace(one, seconds=tuple(pick(left, second(other, number)) for number, left in enumerate(one.seconds)))


def also_moving(one: Balls, where: NDArray[np.bool_]) -> Balls:
    """Return the same balls, which may move there, too."""
    return one if one.moving is None else replace(one, moving=one.moving | where)


def matrix(array: Array, rows: int, columns: int) -> Any:
    """Return a matrix of balls, shape (rows, columns), of an array."""
    return arb_mat(rows, columns, array.ravel().tolist())


def from_matrix(found: Any, shape: tuple[int, ...]) -> Array:
    """Return the entries of a matrix of balls as an array."""
    array = np.empty(found.nrows() * found.ncols(), object)
    array[:] = found.entries()
    return array.reshape(shape)


def inner(left: Array, right: Array) -> Any:
    """Return Σ a b of two arrays of float64 as a ball."""
    a, b = (np.asarray(one, np.float64).ravel().tolist() for one in (left, right))
    return (arb_mat(1, len(a), a) * arb_mat(len(b), 1, b))[0, 0]
