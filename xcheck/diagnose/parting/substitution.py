"""Substitution: which value of one forward pass stands for which of the other, tried by exchanging them.

If y of one side is what the other side calls z, the first one goes on, with z in the place of y, as the other one does:
a value behind it is found on the other side. Of several operations that may be the first to differ, those are then
known that lead to y; a step that only stands on another way to the same end leads nowhere.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from xcheck.diagnose.parting.frontier import Parted
from xcheck.diagnose.parting.matching import key_of
from xcheck.trace.flow import recompute
from xcheck.trace.model import Array

# Nodes of either side that are tried, and nodes behind one that are computed anew. Guesses: a formula of one layer.
_TRIED, _BEHIND = 24, 48
# Steps between the first that differs and a value that is tried. A guess: those of one layer.
_MOST_STEPS = 64
# Axes that are put into every order.
_MOST_AXES = 4


@dataclass(frozen=True, slots=True)
class Place:
    """Where two forward passes part.

    Attributes:
        first: by side the first operation that differs; None where a side has nothing that does.
        value: by side a value that differs because of it, one standing for the other; None where none is known.
    """

    first: tuple[int | None, int | None]
    value: tuple[int, int] | None = None


def find_place(one: Parted, other: Parted) -> Place:
    """Return where two forward passes part; of several places the first."""
    if not (one.frontier and other.frontier):
        return Place((next(iter(one.frontier), None), next(iter(other.frontier), None)))
    for a, b in _pairs(one, other):
        if goes_on(one, a, other, b):
            return Place((one.begins(a)[0], other.begins(b)[0]), (a, b))
    return Place((one.frontier[0], other.frontier[0]))


def _pairs(one: Parted, other: Parted) -> Iterator[tuple[int, int]]:
    """Yield pairs of values of one size, those first that have the fewest steps above them that differ."""
    sizes = [_steps(side) for side in (one, other)]
    pairs = [(x + y, a, b) for a, x in sizes[0].items() for b, y in sizes[1].items()]
    for _, a, b in sorted(pairs):
        if one.matched.node(a).array.size == other.matched.node(b).array.size:
            yield a, b


def _steps(side: Parted) -> dict[int, int]:
    """Return how many steps that differ lead to each of the first values."""
    parted, above = set(side.nodes), dict[int, set[int]]()
    for number in side.nodes:
        reads = [read for read in side.matched.node(number).reads if read in parted]
        if all(read in above for read in reads):
            steps = {number}.union(*(above[read] for read in reads))
            if len(steps) <= _MOST_STEPS:
                above[number] = steps
    begun = [
        number
        for number, steps in above.items()
        if not side.matched.says_nothing(number) and not steps.isdisjoint(side.frontier)
    ]
    # By the number of steps, not by the order of the program: a penalty may be computed before everything else.
    return {number: len(above[number]) for number in sorted(begun, key=lambda each: len(above[each]))[:_TRIED]}


def goes_on(one: Parted, a: int, other: Parted, b: int) -> bool:
    """Return whether one side, given the value b of the other in the place of a, goes on as the other does.

    Both values have the same number of elements.
    """
    flow, own = one.matched.flow, other.matched.catalogue.keys[b]
    parted, below = set(one.nodes), flow.below(a)
    behind = [number for number in sorted(below) if number in parted][:_BEHIND]
    wanted = {each for each in other.matched.flow.below(b) if each in set(other.nodes)}
    for array in arrangements(other.matched.node(b).array, one.matched.node(a).array.shape):
        # Each is computed by itself, so that the first that fits ends it.
        known = {a: array}
        for number in behind:
            try:
                known = recompute(flow, known, [number])
            except Exception:  # noqa: BLE001 - a person's operation need not bear what comes from elsewhere
                break
            key = None if one.matched.node(number).is_move else key_of(known[number])
            if key is None or (own is not None and key.is_like(own)):
                continue
            if wanted.intersection(other.matched.catalogue.matches(key)):
                return True
    return False


def arrangements(array: Array, shape: tuple[int, ...]) -> Iterator[Array]:
    """Yield an array in another shape of the same size: its axes in every order that fits, else as it lies in memory.

    >>> [one.tolist() for one in arrangements(np.array([[1, 2, 3]]), (3, 1))]
    [[[1], [2], [3]]]
    """
    bare = array.squeeze()
    lengths = tuple(length for length in shape if length != 1)
    orders = [*permutations(range(bare.ndim))] if bare.ndim <= _MOST_AXES else [tuple(range(bare.ndim))]
    fitting = [order for order in orders if tuple(bare.shape[axis] for axis in order) == lengths]
    for order in fitting:
        yield np.transpose(bare, order).reshape(shape)
    if not fitting:
        yield array.reshape(shape)
