"""The four operations, products of matrices and sums, of balls with their slopes.

With x' the slope: (x + y)' = x' + y', (x y)' = x' y + x y', (x / y)' = (x' - (x/y) y') / y; of sums and products of
matrices the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb

from xcheck.certificates.balls import Array, Balls, as_array, from_matrix, in_balls, join_moving, matrix, moved


def _slopes(given: Sequence[Balls], one: Callable[[int], Array]) -> tuple[Array, ...] | None:
    directions = max(part.directions for part in given)
    return tuple(one(number) for number in range(directions)) if directions else None


def spread(*given: Balls) -> list[Balls]:
    """Return balls of one shape, by NumPy's rules of broadcasting."""
    shape = np.broadcast_shapes(*[one.shape for one in given])
    return [one if one.shape == shape else moved(lambda x: np.broadcast_to(x, shape), one) for one in given]


def add(a: Balls, b: Balls) -> Balls:
    """Return a + b."""
    values = as_array(in_balls(a.values) + in_balls(b.values))

    def slope(number: int) -> Array:
        if a.slopes is None or b.slopes is None:
            [alone] = [part.slopes for part in (a, b) if part.slopes is not None]
            return np.broadcast_to(in_balls(alone[number]), values.shape)
        return as_array(in_balls(a.slopes[number]) + in_balls(b.slopes[number]))

    return _elementwise(values, _slopes((a, b), slope), a, b)


def _elementwise(values: Array, slopes: tuple[Array, ...] | None, *given: Balls) -> Balls:
    if slopes is None:
        return Balls(values)
    shaped = [one if one.shape == values.shape else spread(one, Balls(values))[0] for one in given]
    return Balls(values, slopes, _none_if_all(join_moving(values.shape, *shaped), given))


def _none_if_all(moving: Array | None, given: Sequence[Balls]) -> Array | None:
    return moving if any(one.moving is not None for one in given) else None


def negate(a: Balls) -> Balls:
    """Return -a."""
    slopes = _slopes((a,), lambda number: as_array(-in_balls(_of(a, number))))
    return Balls(as_array(-in_balls(a.values)), slopes, a.moving)


def _of(a: Balls, number: int) -> Array:
    if a.slopes is None:
        raise TypeError("no slopes")
    return a.slopes[number]


def subtract(a: Balls, b: Balls) -> Balls:
    """Return a - b."""
    return add(a, negate(b))


def multiply(a: Balls, b: Balls) -> Balls:
    """Return a b, element by element."""
    x, y = in_balls(a.values), in_balls(b.values)
    values = as_array(x * y)

    def slope(number: int) -> Array:
        parts = []
        if a.slopes is not None:
            parts.append(in_balls(a.slopes[number]) * y)
        if b.slopes is not None:
            parts.append(x * in_balls(b.slopes[number]))
        return as_array(sum(parts[1:], parts[0]))

    return _elementwise(values, _slopes((a, b), slope), a, b)


def divide(a: Balls, b: Balls) -> Balls:
    """Return a / b, element by element."""
    x, y = in_balls(a.values), in_balls(b.values)
    values = as_array(x / y)

    def slope(number: int) -> Array:
        if b.slopes is None:
            return as_array(in_balls(_of(a, number)) / y)
        numerator = -(values * in_balls(b.slopes[number]))
        if a.slopes is not None:
            numerator = in_balls(a.slopes[number]) + numerator
        return as_array(numerator / y)

    return _elementwise(values, _slopes((a, b), slope), a, b)


def chain(a: Balls, values: Array, derivative: Array) -> Balls:
    """Return f(a) of its values and its derivative, both at a: f(x)' = f'(x) x'.

    Where a does not move, neither does f(a), whether it has a derivative there or none.
    """
    if a.moving is not None:
        derivative = as_array(np.where(a.moving, in_balls(derivative), as_array(arb(0))))
    slopes = _slopes((a,), lambda number: as_array(derivative * in_balls(_of(a, number))))
    return Balls(values, slopes, a.moving)


def total(a: Balls, axes: Sequence[int]) -> Balls:
    """Return the sum over axes."""
    if not axes:
        return a

    def add_up(array: Array) -> Array:
        return as_array(np.add.reduce(in_balls(array), axis=tuple(axes)))

    moving = None if a.moving is None else np.asarray(a.moving.any(axis=tuple(axes)))
    return Balls(_or_zero(add_up(a.values)), _slopes((a,), lambda n: _or_zero(add_up(_of(a, n)))), moving)


def _or_zero(array: Array) -> Array:
    """Return an array in which the sum of nothing, for which NumPy gives the integer 0, is a ball."""
    return in_balls(array.astype(np.float64)) if array.size and type(array.flat[0]) is int else array


def dot(a: Balls, b: Balls) -> Balls:
    """Return the products of matrices, shapes (batch, m, k) and (batch, k, n) -> (batch, m, n)."""
    batch, rows, _ = a.shape
    columns = b.shape[-1]
    left, right = _matrices(a.values), _matrices(b.values)

    def product(one: list[Any], other: list[Any]) -> Array:
        found = np.empty((batch, rows, columns), object)
        for number, (x, y) in enumerate(zip(one, other, strict=True)):
            found[number] = from_matrix(x * y, (rows, columns))
        return found

    def slope(number: int) -> Array:
        parts = []
        if a.slopes is not None:
            parts.append(product(_matrices(a.slopes[number]), right))
        if b.slopes is not None:
            parts.append(product(left, _matrices(b.slopes[number])))
        return as_array(sum(parts[1:], parts[0]))

    moving = None
    if a.moving is not None or b.moving is not None:
        rows_move = np.asarray(a.where_moving().any(axis=2))
        columns_move = np.asarray(b.where_moving().any(axis=1))
        moving = rows_move[:, :, None] | columns_move[:, None, :]
    return Balls(product(left, right), _slopes((a, b), slope), moving)


def _matrices(array: Array) -> list[Any]:
    """Return the matrices of an array of shape (batch, rows, columns)."""
    return [matrix(one, *array.shape[1:]) for one in array]
