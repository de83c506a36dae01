"""Sums: what goes back through a sum, or to what is repeated along an axis, is summed over another axis, or not whole.

A value that is repeated along the axes A, as a bias is, gets Σ ȳ over A. What is summed over A hands ȳ to each of its
terms, repeated along A.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np

from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.findings import WRONG_AXIS
from xcheck.trace import Value
from xcheck.trace.model import Array
from xcheck.trace.tape import Cotangents

# Axes beyond this are not looked at: their sets double with each. A guess.
_MOST_AXES = 5
# What there is of an axis where a sum over it is not whole.
_PARTS: Mapping[str, slice] = {
    "the first alone is there": slice(0, 1),
    "the last alone is there": slice(-1, None),
    "the first is missing": slice(1, None),
    "the last is missing": slice(0, -1),
}


def mistaken_sums(program: Program) -> Iterator[Change]:
    """Yield mistakes in sums over axes."""
    for number, operation in enumerate(program.operations):
        axes = program.repeated_axes(number)
        if axes and len(operation.outputs[0].shape) <= _MOST_AXES and isinstance(operation.inputs[0], Value):
            yield from _of_repeated(program, number, axes)
        if operation.name == "sum" and len(program.tape.given[number][0].shape) <= _MOST_AXES:
            yield from _of_sum(program, number)


def name_axes(axes: Sequence[int]) -> str:
    """Return "axis 1", or "axes 0 and 2"."""
    return f"axis {axes[0]}" if len(axes) == 1 else "axes " + " and ".join(map(str, axes))


def sets_of_axes(dimensions: int) -> Iterator[tuple[int, ...]]:
    """Yield all sets of axes but the empty one."""
    for count in range(1, dimensions + 1):
        yield from combinations(range(dimensions), count)


def _of_repeated(program: Program, number: int, axes: tuple[int, ...]) -> Iterator[Change]:
    """Yield other sums than that over the axes along which a value is repeated."""
    (read,), (written,) = program.operations[number].inputs, program.operations[number].outputs
    start = f"what goes back to {program.name(read)} from {program.use(number)}"
    for rank, what, reduced in (*_not_whole(axes), *_other_axes(axes, len(written.shape))):

        def step(cotangents: Cotangents, reduced: Callable[[Array], Array] = reduced) -> list[Array | None]:
            # What does not fit is cut off, or repeated, as broadcasting does with a single number.
            return [np.resize(reduced(cotangents(written)), program.tape.array(read).shape)]

        yield Change(code=WRONG_AXIS, text=f"{start} {what}", steps={number: step}, rank=rank)


def _not_whole(axes: tuple[int, ...]) -> Iterator[tuple[int, str, Callable[[Array], Array]]]:
    for axis in axes:
        for what, part in _PARTS.items():

            def reduced(y: Array, axis: int = axis, part: slice = part) -> Array:
                return np.asarray(np.take(y, range(y.shape[axis])[part], axis).sum(axes))

            yield 3, f"is not the sum over all of axis {axis}: {what}", reduced


def _other_axes(axes: tuple[int, ...], dimensions: int) -> Iterator[tuple[int, str, Callable[[Array], Array]]]:
    for other in sets_of_axes(dimensions):

        def summed(y: Array, other: tuple[int, ...] = other) -> Array:
            return np.asarray(y.sum(axis=other))

        def averaged(y: Array, other: tuple[int, ...] = other) -> Array:
            return np.asarray(y.mean(axis=other))

        over = f"over {name_axes(other)}; it should be summed over {name_axes(axes)}"
        yield 4, f"is averaged {over}", averaged
        if other != axes:
            yield 4, f"is summed {over}", summed


def _of_sum(program: Program, number: int) -> Iterator[Change]:
    """Yield what goes back to the terms of a sum along other axes."""
    operation, axes = program.operations[number], tuple(program.operations[number].attributes["axes"])
    shape, (written,) = program.tape.given[number][0].shape, operation.outputs
    for other in combinations(range(len(shape)), len(axes)):
        kept = tuple(n for axis, n in enumerate(shape) if axis not in other)
        if other == axes or kept != written.shape:
            continue

        def step(cotangents: Cotangents, other: tuple[int, ...] = other) -> list[Array | None]:
            return [np.broadcast_to(np.expand_dims(cotangents(written), other), shape)]

        repeated = f"what goes back to its terms is repeated along {name_axes(other)}"
        text = f"{operation} is over {name_axes(axes)}, and {repeated}"
        yield Change(code=WRONG_AXIS, text=text, steps={number: step}, rank=4)
