"""Operations that move elements, add them up or choose among them along axes; `orders` sort them.

log Σ exp is one piece: without subtracting the largest, at whose ties there would seem to be a kink.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from flint import arb

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import (
    Array,
    Balls,
    also_moving,
    as_array,
    constant,
    extreme_seconds,
    in_balls,
    joined,
    midpoints,
    moved,
)
from xcheck.certificates.decisions import Decisions, NotProvedError, UnsureError
from xcheck.certificates.rules.registry import RULES, Known, Surroundings, rule
from xcheck.trace.model import Operation, array_of


@rule("move")
def _move(surroundings: Surroundings, operation: Operation, *given: Known) -> list[Known]:
    """Let the framework itself move the numbers of the elements: what its operation means is its own business.

    Number 0 stands for what an operation fills in where there is no element.
    """
    if not any(isinstance(one, Balls) for one in given):
        return [array_of(found) for found in operation.run(*given)]
    numbers, floating, start = [], [], 1
    for one in given:
        if isinstance(one, Balls):
            numbers.append(np.arange(start, start + one.values.size, dtype=np.int64).reshape(one.shape))
            floating.append(one)
            start += one.values.size
        else:
            numbers.append(one)
    outputs = [np.asarray(found) for found in operation.run(*numbers)]
    fill = Balls(np.full(1, operation.attributes.get("fill", 0.0)))

    def pick(found: Array) -> Balls:
        return moved(lambda *parts: np.concatenate([part.reshape(-1) for part in parts])[found], fill, *floating)

    return [pick(found) for found in outputs]


@rule("sum")
def _sum(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    return arithmetic.total(x, operation.attributes["axes"])


@rule("dot")
def _dot(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    return arithmetic.dot(a, b)


def last_axis(x: Balls, axes: Sequence[int]) -> Balls:
    """Return x with these axes as one, the last."""
    rest = [axis for axis in range(x.ndim) if axis not in axes]
    shape = [x.shape[axis] for axis in rest]
    count = int(np.prod([x.shape[axis] for axis in axes], dtype=int))
    return moved(lambda a: a.transpose(*rest, *axes).reshape(*shape, count), x)


def at_last(x: Balls, number: int) -> Balls:
    """Return one element along the last axis."""
    return moved(lambda a: as_array(a[..., number]), x)


@rule("prod")
def _product(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    whole = last_axis(x, operation.attributes["axes"])
    if not whole.shape[-1]:
        return constant(np.ones(whole.shape[:-1]))
    found = at_last(whole, 0)
    for number in range(1, whole.shape[-1]):
        found = arithmetic.multiply(found, at_last(whole, number))
    return found


def first_extreme(decisions: Decisions, x: Balls, *, largest: bool, chooses: bool) -> tuple[Array, Array, Array]:
    """Return the index of the first extreme along the last axis, which elements are equal to it, and which may be.

    The index is proved but for elements of the last kind: one of them may be the extreme instead.

    Args:
        decisions: how ties are decided.
        x: shape (..., k).
        largest: whether it is the maximum.
        chooses: whether only its value is used, so that ties of equal slopes need no decision; no element may be equal
            without being so for certain where it is not.

    Raises:
        UnsureError: the winner is not certain.
        NotProvedError: there is no element.
    """
    if not x.shape[-1]:
        raise NotProvedError(f"{decisions.place} asks for the extreme of no elements")
    signed = x if largest else arithmetic.negate(x)
    index = np.asarray(np.argmax(midpoints(signed.values), axis=-1))
    places = np.arange(x.shape[-1])
    # Each round moves on to one that is larger for certain.
    for _ in range(x.shape[-1] + 1):
        at = index[..., None]
        best = moved(lambda a, at=at: np.broadcast_to(np.take_along_axis(a, at, -1), a.shape), signed)
        others = _without(signed, places == at)
        signs, undecided = compare(decisions, best, others, chooses=chooses)
        if (signs >= 0).all():
            equal = (signs == 0) & ~undecided | (places == at)
            return np.asarray(np.argmax(equal, -1)), equal, undecided
        index = np.where((signs < 0).any(-1), np.argmax(signs < 0, -1), index)
    raise UnsureError("which element is the largest is not certain")


def compare(decisions: Decisions, left: Balls, right: Balls, *, chooses: bool) -> tuple[Array, Array]:
    """Return the signs of differences, and where they are not known: nowhere, unless only values are chosen."""
    if chooses:
        return decisions.choices(left, right)
    return decisions.signs(left, right), np.zeros(left.shape, bool)


def _without(x: Balls, own: Array) -> Balls:
    """Return x with -∞ where the winner stands: it is not compared with itself."""
    lowest: Any = np.where(own, -np.inf, 0.0)
    if x.values.dtype != object:
        return Balls(np.where(own, lowest, x.values), x.slopes, x.moving)
    values = in_balls(x.values).copy()
    values[np.broadcast_to(own, values.shape)] = arb.neg_inf()
    return Balls(values, x.slopes, x.moving)


@rule("reduce_max", "reduce_min")
def _reduce_extreme(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    if not operation.attributes["axes"]:
        return x
    whole = last_axis(x, operation.attributes["axes"])
    largest = operation.name == "reduce_max"
    index, equal, undecided = first_extreme(surroundings.decisions, whole, largest=largest, chooses=True)
    found = moved(lambda a: as_array(np.take_along_axis(a, index[..., None], -1)[..., 0]), whole)
    found = also_moving(found, np.asarray((equal & whole.where_moving()).any(-1)))
    for number in range(whole.shape[-1]):
        other = at_last(whole, number)
        found = extreme_seconds(found, other, np.asarray(equal[..., number]), largest=largest)
        found = joined(found, other, np.asarray(undecided[..., number]))
    return found


@rule("logsumexp")
def _log_of_sum(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    """log Σ exp(x - c) + c, with a constant c near the largest x: whatever it is, the result is the same."""
    whole = last_axis(x, operation.attributes["axes"])
    shift = _near_the_largest(whole)
    terms = RULES["exp"](surroundings, operation, arithmetic.subtract(whole, constant(shift[..., None])))
    total = arithmetic.total(terms, [whole.ndim - 1])
    found: Balls = RULES["log"](surroundings, operation, total)
    return arithmetic.add(found, constant(shift))


def _near_the_largest(x: Balls) -> Array:
    """Return float64 numbers near the largest along the last axis; 0 where that is infinite."""
    largest = np.max(midpoints(x.values), axis=-1, initial=-np.inf)
    return np.where(np.isfinite(largest), largest, 0.0)


@rule("argmax", "argmin")
def _index_of_extreme(surroundings: Surroundings, operation: Operation, x: Balls) -> Array:
    whole = last_axis(x, operation.attributes["axes"])
    index, _, _ = first_extreme(surroundings.decisions, whole, largest=operation.name == "argmax", chooses=False)
    return index.astype(operation.outputs[0].dtype)


def _step_by_step(surroundings: Surroundings, operation: Operation, x: Balls, combine: Callable[..., Any]) -> Balls:
    """Return x combined from the left, one element after the other, along an axis."""
    axis, backwards = operation.attributes["axis"], operation.attributes.get("reverse", False)
    turned = moved(lambda a: np.moveaxis(np.flip(a, axis) if backwards else a, axis, -1), x)
    parts = [at_last(turned, 0)] if turned.shape[-1] else []
    for number in range(1, turned.shape[-1]):
        parts.append(combine(parts[-1], at_last(turned, number)))
    if not parts:
        return x

    def back(*arrays: Array) -> Array:
        whole = np.moveaxis(np.stack(arrays, axis=-1), -1, axis)
        return np.flip(whole, axis) if backwards else whole

    return moved(back, *parts)


@rule("cumsum", "cumprod", "cummax", "cummin")
def _cumulative(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    name = {"cumsum": "add", "cumprod": "mul", "cummax": "max", "cummin": "min"}[operation.name]
    step = Operation(name=name, inputs=(), outputs=(), run=operation.run, label=operation.label, place=operation.place)
    return _step_by_step(surroundings, operation, x, lambda a, b: RULES[name](surroundings, step, a, b))


@rule("cumlogsumexp")
def _cumulative_log_sum(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    """log Σ exp, in balls, which neither overflow nor cancel: there is no need to subtract the largest."""
    exp, log = RULES["exp"], RULES["log"]
    summed = _step_by_step(surroundings, operation, exp(surroundings, operation, x), arithmetic.add)
    found: Balls = log(surroundings, operation, summed)
    return found


@rule("scatter_add")
def _scatter_add(
    surroundings: Surroundings, operation: Operation, operand: Balls, indices: Array, updates: Balls
) -> Balls:
    """Add every update to the element that it belongs to."""
    positions = np.asarray(operation.attributes["positions"](indices)).reshape(-1)
    operand, updates = (Balls(in_balls(one.values), one.slopes, one.moving) for one in (operand, updates))

    def add_up(into: Array, what: Array) -> Array:
        found = in_balls(into).copy().reshape(-1)
        for place, one in zip(positions, in_balls(what).reshape(-1), strict=True):
            if place >= 0:
                found[place] = found[place] + one
        return found.reshape(into.shape)

    values = add_up(operand.values, updates.values)
    directions = max(operand.directions, updates.directions)
    if not directions:
        return Balls(values)

    def slope(one: Balls, number: int) -> Array:
        return np.zeros(one.shape) if one.slopes is None else one.slopes[number]

    slopes = tuple(add_up(slope(operand, number), slope(updates, number)) for number in range(directions))
    moving = operand.where_moving().reshape(-1).copy()
    moving[positions[(positions >= 0) & updates.where_moving().reshape(-1)]] = True
    return Balls(values, slopes, moving.reshape(operand.shape))
