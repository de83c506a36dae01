"""Orders along axes."""

from dataclasses import replace

import numpy as np

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Array, Balls, also_moving, joined, midpoints, moved
from xcheck.certificates.decisions import Decisions, NotProvedError, UnsureError
from xcheck.certificates.rules.registry import Known, Surroundings, rule
from xcheck.certificates.rules.structure import at_last, compare
from xcheck.trace.model import Operation


@rule("sort")
def _sort(surroundings: Surroundings, operation: Operation, keys: Known, *others: Known) -> list[Known]:
    """Order by the midpoints, then prove the order of all neighbours.

    Which of two equal numbers comes first matters for what goes along, and not for the numbers themselves.
    """
    if not isinstance(keys, Balls):
        raise NotProvedError(f"{operation} sorts balls by what is none")
    axis = operation.attributes["axis"]
    turned = moved(lambda a: np.moveaxis(a, axis, -1), keys)
    ordered, signs, undecided, order = _ordered(surroundings.decisions, turned, chooses=not others)
    if undecided.any():
        ordered, signs = _joined_neighbours(surroundings.decisions, ordered, undecided)
    ordered = also_moving(ordered, _moving_ties(ordered, signs == 0))
    # Of equals with equal slopes any may be in the place of any other: whose second coefficient it is, is open.
    known = ordered if (signs < 0).all() else replace(ordered, seconds=None)
    return [moved(lambda a: np.moveaxis(a, -1, axis), known), *(_in_order(one, order, axis) for one in others)]


def _neighbours(ordered: Balls) -> tuple[Balls, Balls]:
    return moved(lambda a: a[..., :-1], ordered), moved(lambda a: a[..., 1:], ordered)


def _ordered(decisions: Decisions, x: Balls, *, chooses: bool) -> tuple[Balls, Array, Array, Array]:
    """Return x in order along the last axis, the signs of neighbours, which may be equal, and the order."""
    order = np.argsort(midpoints(x.values), axis=-1, kind="stable")
    # A tie on whose side the slopes decide may need neighbours to change places, more than once.
    for _ in range(x.shape[-1] + 1):
        ordered = moved(lambda a, order=order: np.take_along_axis(a, order, -1), x)
        signs, undecided = compare(decisions, *_neighbours(ordered), chooses=chooses)
        if not (signs > 0).any():
            return ordered, signs, undecided, order
        order = _exchange(order, signs > 0)
    raise UnsureError(f"{decisions.place} cannot be decided")


def _joined_neighbours(decisions: Decisions, ordered: Balls, runs: Array) -> tuple[Balls, Array]:
    """Return what is in each place, where neighbours may be equal, and the signs of the differences of neighbours.

    Args:
        decisions: how ties are decided.
        ordered: shape (..., k).
        runs: where a number may be equal to the next, shape (..., k - 1).

    Of a run of numbers, each of which may be equal to the next, any may be in any of their places: each gets the ball
    around all. Such balls must lie in order for certain, or those that do not are one run.
    """
    for _ in range(ordered.shape[-1] + 1):
        found = _around_runs(ordered, runs)
        signs, undecided = decisions.choices(*_neighbours(found))
        if not (undecided & ~runs).any() and not (signs > 0).any():
            return found, signs
        runs = runs | undecided
    raise UnsureError(f"{decisions.place} meets numbers that may be equal")


def _around_runs(ordered: Balls, runs: Array) -> Balls:
    """Return the ball around all numbers of each run, in all of its places."""
    parts = [at_last(ordered, number) for number in range(ordered.shape[-1])]
    for number in range(len(parts) - 1):
        parts[number + 1] = joined(parts[number + 1], parts[number], np.asarray(runs[..., number]))
    for number in reversed(range(len(parts) - 1)):
        parts[number] = joined(parts[number], parts[number + 1], np.asarray(runs[..., number]))
    return moved(lambda *arrays: np.stack(arrays, -1), *parts)


def _moving_ties(ordered: Balls, tied: Array) -> Array:
    """Return where an element is tied, through neighbours, to one that moves: either may be in its place nearby."""
    found = ordered.where_moving().copy()
    for number in range(tied.shape[-1]):
        found[..., number + 1] |= tied[..., number] & found[..., number]
    for number in reversed(range(tied.shape[-1])):
        found[..., number] |= tied[..., number] & found[..., number + 1]
    return found


def _exchange(order: Array, wrong: Array) -> Array:
    """Return an order in which the first wrong pair of each row has changed places."""
    found = order.copy()
    for row in np.ndindex(*wrong.shape[:-1]):
        if wrong[row].any():
            at = int(np.argmax(wrong[row]))
            found[row][[at, at + 1]] = found[row][[at + 1, at]]
    return found


def _in_order(one: Known, order: Array, axis: int) -> Known:
    def arrange(array: Array) -> Array:
        return np.moveaxis(np.take_along_axis(np.moveaxis(array, axis, -1), order, -1), -1, axis)

    return moved(arrange, one) if isinstance(one, Balls) else arrange(one)


@rule("top_k")
def _top_k(surroundings: Surroundings, operation: Operation, x: Balls) -> list[Known]:
    """The k largest along the last axis in falling order, and where they were; the first of equals comes first."""
    count = operation.attributes["k"]
    places = np.broadcast_to(np.arange(x.shape[-1]), x.shape)
    ordering = replace(operation, name="sort", attributes={"axis": x.ndim - 1})
    negated, where = _sort(surroundings, ordering, arithmetic.negate(x), places)
    if not isinstance(negated, Balls) or isinstance(where, Balls):
        raise NotProvedError(f"{operation} cannot be ordered")
    largest = moved(lambda a: a[..., :count], arithmetic.negate(negated))
    return [largest, where[..., :count].astype(operation.outputs[1].dtype)]
