"""The four operations, products of matrices and sums, of balls with their slopes.

With x' the slope: (x + y)' = x' + y', (x y)' = x' y + x y', (x / y)' = (x' - (x/y) y') / y; of sums and products of
matrices the same.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from xcheck.certificates.balls import Array, Balls, as_array, from_matrix, in_balls, join_moving, matrix, moved

# Along a direction, an array; None of what does not depend on t.
_Part = Array | None


def _slopes(given: Sequence[Balls], one: Callable[[int], Array]) -> tuple[Array, ...] | None:
    directions = max(part.directions for part in given)
    return tuple(one(number) for number in range(directions)) if directions else None


def _seconds(given: Sequence[Balls], one: Callable[[int], Array]) -> tuple[Array, ...] | None:
    """Return the second coefficients where they are known of all that is given; None elsewhere."""
    if all(part.seconds is None for part in given) or any(part.slopes and part.seconds is None for part in given):
        return None
    return _slopes(given, one)


def _first(a: Balls, number: int) -> _Part:
    return None if a.slopes is None else a.slopes[number]


def _second(a: Balls, number: int) -> _Part:
    return None if a.seconds is None else a.seconds[number]


def _sum_of(parts: Sequence[Array]) -> Array:
    return as_array(sum(parts[1:], parts[0]))


def _products(*pairs: tuple[_Part, _Part]) -> list[Array]:
    """Return the products of those pairs that have two arrays."""
    return [in_balls(x) * in_balls(y) for x, y in pairs if x is not None and y is not None]


def spread(*given: Balls) -> list[Balls]:
    """Return balls of one shape, by NumPy's rules of broadcasting."""
    shape = np.broadcast_shapes(*[one.shape for one in given])
    return [one if one.shape == shape else moved(lambda x: np.broadcast_to(x, shape), one) for one in given]


def add(a: Balls, b: Balls) -> Balls:
    """Return a + b."""
    values = as_array(in_balls(a.values) + in_balls(b.values))

    def added(of: Callable[[Balls, int], _Part], number: int) -> Array:
        parts = [in_balls(part) for part in (of(a, number), of(b, number)) if part is not None]
        return np.broadcast_to(_sum_of(parts), values.shape)

    slopes = _slopes((a, b), lambda number: added(_first, number))
    return _elementwise(values, slopes, _seconds((a, b), lambda number: added(_second, number)), a, b)


def _elementwise(
    values: Array, slopes: tuple[Array, ...] | None, seconds: tuple[Array, ...] | None, *given: Balls
) -> Balls:
    if slopes is None:
        return Balls(values)
    shaped = [one if one.shape == values.shape else spread(one, Balls(values))[0] for one in given]
    return Balls(values, slopes, _none_if_all(join_moving(values.shape, *shaped), given), seconds)


def _none_if_all(moving: Array | None, given: Sequence[Balls]) -> Array | None:
    return moving if any(one.moving is not None for one in given) else None


def negate(a: Balls) -> Balls:
    """Return -a."""
    slopes = _slopes((a,), lambda number: as_array(-in_balls(_of(_first, a, number))))
    seconds = _seconds((a,), lambda number: as_array(-in_balls(_of(_second, a, number))))
    return Balls(as_array(-in_balls(a.values)), slopes, a.moving, seconds)


def _of(order: Callable[[Balls, int], _Part], a: Balls, number: int) -> Array:
    found = order(a, number)
    if found is None:
        raise TypeError("no slopes")
    return found


def subtract(a: Balls, b: Balls) -> Balls:
    """Return a - b."""
    return add(a, negate(b))


def multiply(a: Balls, b: Balls) -> Balls:
    """Return a b, element by element."""
    x, y = in_balls(a.values), in_balls(b.values)
    values = as_array(x * y)

    def slope(number: int) -> Array:
        return _sum_of(_products((_first(a, number), y), (x, _first(b, number))))

    def second(number: int) -> Array:
        slopes = (_first(a, number), _first(b, number))
        return _sum_of(_products((_second(a, number), y), slopes, (x, _second(b, number))))

    found = _elementwise(values, _slopes((a, b), slope), _seconds((a, b), second), a, b)
    if found.slopes is None:
        return found
    still = _stays_zero(a) | _stays_zero(b)
    return replace(found, moving=found.where_moving() & ~still) if still.any() else found


def _stays_zero(one: Balls) -> NDArray[np.bool_]:
    """Return where a number is 0 for every t near 0: so is what it is multiplied with, whatever moves there."""
    if one.slopes is not None and one.moving is None:
        return np.zeros(one.shape, bool)
    return np.asarray(one.values == 0, bool) & ~one.where_moving()


def divide(a: Balls, b: Balls) -> Balls:
    """Return a / b, element by element."""
    y = in_balls(b.values)
    values = as_array(in_balls(a.values) / y)

    def over(part: _Part, products: Sequence[Array]) -> Array:
        numerator = [*([] if part is None else [in_balls(part)]), *(-product for product in products)]
        return as_array(_sum_of(numerator) / y)

    def slope(number: int) -> Array:
        return over(_first(a, number), _products((values, _first(b, number))))

    def second(number: int) -> Array:
        products = _products((values, _second(b, number)), (slope(number), _first(b, number)))
        return over(_second(a, number), products)

    return _elementwise(values, _slopes((a, b), slope), _seconds((a, b), second), a, b)


def chain(a: Balls, values: Array, derivative: Array, second_derivative: Array | None = None) -> Balls:
    """Return f(a) of its values and its derivative, both at a: f(x)' = f'(x) x'.

    Where a does not move, neither does f(a), whether it has a derivative there or none. With x = x₀ + x₁ t + x₂ t², the
    second coefficient of f(x) is f'(x₀) x₂ + f''(x₀) x₁² / 2.

    Args:
        a: x.
        values: f(x).
        derivative: f'(x).
        second_derivative: f''(x); where it is not known, second coefficients are known where x₁ is 0.
    """
    if a.moving is not None:
        derivative = as_array(np.where(a.moving, in_balls(derivative), as_array(arb(0))))

    def second(number: int) -> Array:
        x1 = in_balls(_of(_first, a, number))
        half = as_array(arb.nan()) if second_derivative is None else second_derivative / 2
        bend = np.where(np.asarray(x1 == 0, bool), as_array(arb(0)), x1 * x1 * half)
        return as_array(derivative * in_balls(_of(_second, a, number)) + bend)

    slopes = _slopes((a,), lambda number: as_array(derivative * in_balls(_of(_first, a, number))))
    return Balls(values, slopes, a.moving, _seconds((a,), second))


def total(a: Balls, axes: Sequence[int]) -> Balls:
    """Return the sum over axes."""
    if not axes:
        return a

    def add_up(array: Array) -> Array:
        return as_array(np.add.reduce(in_balls(array), axis=tuple(axes)))

    moving = None if a.moving is None else np.asarray(a.moving.any(axis=tuple(axes)))
    slopes = _slopes((a,), lambda number: _or_zero(add_up(_of(_first, a, number))))
    seconds = _seconds((a,), lambda number: _or_zero(add_up(_of(_second, a, number))))
    return Balls(_or_zero(add_up(a.values)), slopes, moving, seconds)


def _or_zero(array: Array) -> Array:
    """Return an array in which the sum of nothing, for which NumPy gives the integer 0, is a ball."""
    return in_balls(array.astype(np.float64)) if array.size and type(array.flat[0]) is int else array


def dot(a: Balls, b: Balls) -> Balls:
    """Return the products of matrices, shapes (batch, m, k) and (batch, k, n) -> (batch, m, n)."""
    batch, rows, _ = a.shape
    columns = b.shape[-1]

    def product(one: list[Any], other: list[Any]) -> Array:
        found = np.empty((batch, rows, columns), object)
        for number, (x, y) in enumerate(zip(one, other, strict=True)):
            found[number] = from_matrix(x * y, (rows, columns))
        return found

    # Matrices are made once of what several products need.
    left, right = _matrices(a.values), _matrices(b.values)

    def products(*pairs: tuple[list[Any], list[Any]]) -> Array:
        found = [product(x, y) for x, y in pairs if x and y]
        return _sum_of(found) if found else np.empty((batch, rows, columns), object)

    def slope(number: int) -> Array:
        return products((_matrices(_first(a, number)), right), (left, _matrices(_first(b, number))))

    def second(number: int) -> Array:
        slopes = (_matrices(_first(a, number)), _matrices(_first(b, number)))
        return products((_matrices(_second(a, number)), right), slopes, (left, _matrices(_second(b, number))))

    moving = None
    if a.moving is not None or b.moving is not None:
        rows_move = np.asarray(a.where_moving().any(axis=2))
        columns_move = np.asarray(b.where_moving().any(axis=1))
        moving = rows_move[:, :, None] | columns_move[:, None, :]
    return Balls(product(left, right), _slopes((a, b), slope), moving, _seconds((a, b), second))


def _matrices(array: _Part) -> list[Any]:
    """Return the matrices of an array of shape (batch, rows, columns); none of none."""
    return [] if array is None else [matrix(one, *array.shape[1:]) for one in array]
