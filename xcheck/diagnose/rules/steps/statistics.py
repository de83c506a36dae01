"""Statistics of x that are taken from x again: their share in what goes back is missing, or a sum over another axis.

The mean of x over the axes A in x − μ, the variance in (x − μ)/σ and the sum of a softmax are made of a sum over A, and
repeated along A. Where m̄ arrives, x gets s Σ m̄ over A, with the slope s of the statistic by its sum; and a sum over
other axes B can be added to x, too, for it is repeated along B. Where a k is the same along A, as 1/σ is, Σ m̄ k /k over
A is Σ m̄, and over B it is not: people write the one or the other.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.diagnose.rules.steps.sums import name_axes, sets_of_axes
from xcheck.findings import DETACHED_BRANCH, WRONG_AXIS
from xcheck.trace import Value
from xcheck.trace.model import Array
from xcheck.trace.partials import PARTIALS
from xcheck.trace.tape import Cotangents, Step

# Axes beyond this are not looked at: their sets double with each. A guess.
_MOST_AXES = 5
# Numbers k that are tried for one statistic. A guess.
_MOST_SCALES = 8
# Operations between a sum and where it is repeated. A guess: a mean, a square root, an ε and their reshaping.
_LONGEST = 12


@dataclass(frozen=True, slots=True, eq=False)
class _Statistic:
    """A value that is made of a sum over some axes, and repeated along them.

    Attributes:
        sum: number of the operation that sums.
        axes: over which it does.
        move: number of the operation that repeats the value.
        slope: s, in the shape of what the value is repeated to.
    """

    sum: int
    axes: tuple[int, ...]
    move: int
    slope: Array


@dataclass(frozen=True, slots=True, eq=False)
class _Scale:
    """Numbers k that are the same along some axes, shape of x, and what is done with them in words."""

    words: str
    k: Array


def mistaken_statistics(program: Program) -> Iterator[Change]:
    """Yield mistakes in the shares of statistics."""
    statistics: list[_Statistic] = []
    for number, operation in enumerate(program.operations):
        if operation.name == "sum" and len(program.tape.given[number][0].shape) <= _MOST_AXES:
            axes, (total,) = tuple(operation.attributes["axes"]), operation.outputs
            statistics += _find(program, number, axes, total, np.ones(total.shape), _LONGEST)
    for statistic in statistics:
        yield from _missing(program, statistic)
        others = [other for other in statistics if other.axes == statistic.axes]
        yield from _other_axes(program, statistic, _beside(program, statistic, others))


def _start(program: Program, statistic: _Statistic) -> str:
    return f"the share of {program.operations[statistic.sum]} in what goes back from {program.use(statistic.move)}"


def _cut(program: Program, statistic: _Statistic) -> dict[int, Step]:
    return {statistic.move: program.handing(statistic.move, {0: None})}


def _missing(program: Program, statistic: _Statistic) -> Iterator[Change]:
    text = f"{_start(program, statistic)} is missing, as if it were a constant"
    yield Change(code=DETACHED_BRANCH, text=text, steps=_cut(program, statistic), rank=3)


@dataclass(frozen=True, slots=True, eq=False)
class _Beside:
    """What other statistics over the same axes have to do with one.

    What comes to the mean through the variance of x − μ sums to zero over A, so that people leave it out; over B it
    does not.

    Attributes:
        less: what arrives at the statistic through others, shape of what it is repeated to.
        held: steps of those that it is made of, which hand down what they should, whatever it hands to them.
    """

    less: Array
    held: dict[int, Step]


def _beside(program: Program, statistic: _Statistic, others: Sequence[_Statistic]) -> _Beside:
    cut: dict[int, Step] = {}
    held: dict[int, Step] = {}
    for other in others:
        if other.sum > statistic.move:
            cut |= _cut(program, other)
        if other.move < statistic.sum:
            held[other.move] = _holding(program, other.move)
    repeated = program.operations[statistic.move].outputs[0]
    return _Beside(-program.tape.moved(cut).get(repeated, np.zeros(repeated.shape)), held)


def _holding(program: Program, number: int) -> Step:
    return lambda cotangents: program.tape.handed(number)


def _other_axes(program: Program, statistic: _Statistic, beside: _Beside) -> Iterator[Change]:
    shape, axes = statistic.slope.shape, statistic.axes
    others = [other for other in sets_of_axes(len(shape)) if other != axes]
    for other, scale in product(others, _scales(program, shape, axes)):
        lengths = [np.prod([shape[axis] for axis in some]) for some in (axes, other)]
        for what, factor in (("averaged", lengths[0] / lengths[1]), ("summed", 1.0)):
            should = f"and should be over {name_axes(axes)}{scale.words}"
            # What should arrive by the move is left out, and comes in another way.
            step = _sum_over(program, statistic, other, factor * statistic.slope / scale.k, scale.k, beside.less)
            yield Change(
                code=WRONG_AXIS,
                text=f"{_start(program, statistic)} is {what} over {name_axes(other)}, {should}",
                steps={**beside.held, **_cut(program, statistic), statistic.sum: step},
                rank=4,
            )


def _sum_over(
    program: Program, statistic: _Statistic, axes: tuple[int, ...], after: Array, before: Array, less: Array
) -> Step:
    """Return the step of the sum that adds `after` Σ (m̄ − less) `before` over these axes to what it hands down."""
    repeated = program.operations[statistic.move].outputs[0]

    def step(cotangents: Cotangents) -> list[Array | None]:
        (rest,) = program.tape.step(statistic.sum, cotangents)
        return [rest + after * ((cotangents(repeated) - less) * before).sum(axis=axes, keepdims=True)]

    return step


def _find(
    program: Program, start: int, axes: tuple[int, ...], value: Value, slope: Array, left: int
) -> Iterator[_Statistic]:
    """Yield where a value that is made of a sum, element by element, comes back to the shape of the terms."""
    shape = program.tape.given[start][0].shape
    for number, place in program.readers(value) if left else ():
        operation, outputs = program.operations[number], program.operations[number].outputs
        if len(outputs) == 1 and outputs[0].shape == shape and program.repeated_axes(number) == axes:
            yield _Statistic(start, axes, number, np.asarray(operation.run(slope)[0]))
            continue
        following = _carry(program, number, place, slope)
        if following is not None:
            yield from _find(program, start, axes, outputs[0], following, left - 1)


def _carry(program: Program, number: int, place: int, slope: Array) -> Array | None:
    """Return the slope of what an operation makes of a value; None where it is no function of its elements alone."""
    operation, given, written = program.operations[number], program.tape.given[number], program.tape.written[number]
    if len(written) != 1 or written[0].size != slope.size:
        return None
    if operation.name == "move":
        return np.asarray(operation.run(slope)[0]) if len(given) == 1 else None
    alone = all(place == other or not isinstance(source, Value) for other, source in enumerate(operation.inputs))
    if operation.name not in PARTIALS or not alone:
        return None
    partial = PARTIALS[operation.name](operation.attributes, given, written[0])[place]
    return None if partial is None else slope.reshape(partial.shape) * partial


def _scales(program: Program, shape: tuple[int, ...], axes: tuple[int, ...]) -> list[_Scale]:
    """Return 1, and what is repeated along some axes, with its inverse."""
    found = [_Scale("", np.ones(shape))]
    for number, operation in enumerate(program.operations):
        if program.repeated_axes(number) == axes and operation.outputs[0].shape == shape and len(found) < _MOST_SCALES:
            array, name = program.tape.written[number][0], program.name(operation.outputs[0])
            usable = array.all() and np.isfinite(array).all()
            if usable and not any(np.array_equal(array, other.k) for other in found):
                found.append(_Scale(f" (before it is divided by {name})", array))
                found.append(_Scale(f" (before it is multiplied by {name})", 1 / array))
    return found
