"""Tape: a trace carried out at θ, and its backward pass, in which steps can be replaced.

The backward pass is carried out once as it should be. With some steps replaced it is another one: what these hand down
differs, and so does everything below them; only the differences are carried on, since every other step is linear.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from xcheck.trace.in_numpy import carry_out
from xcheck.trace.model import Array, Constant, Operation, Source, Trace, UntraceableError, Value
from xcheck.trace.partials import HANDED, PARTIALS

# Numbers that a tape may hold: 80 MB. A guess: of what is larger a search would take minutes.
_MOST = 10_000_000

# A value -> its cotangent.
Cotangents: TypeAlias = Callable[[Value], Array]
# What an operation hands to each of its inputs, made of the cotangents of all that comes after it.
Step: TypeAlias = Callable[[Cotangents], Sequence[Array | None]]


class Tape:
    """The operations of a loss with the numbers that they read and write at θ, and the cotangents of these.

    Attributes:
        trace: the operations; what they repeat along axes on their own has a move for it.
        given: what each reads.
        written: what each writes.

    Args:
        trace: of a loss.
        arrays: θ, one array for each input.

    Raises:
        UntraceableError: it has an operation without a derivative here, or too many numbers.
    """

    def __init__(self, trace: Trace, arrays: Sequence[Array]) -> None:
        self.trace = spread_out(trace)
        self.given: list[list[Array]] = []
        self.written: list[list[Array]] = []
        self._positions: dict[int, list[NDArray[np.intp]]] = {}
        self._known: dict[Value, Array] = {
            value: np.asarray(array, np.float64) for value, array in zip(trace.inputs, arrays, strict=True)
        }
        self._run_forward()
        self._handed: list[Sequence[Array | None]] = []
        self._cotangents: dict[Value, Array] = {}
        self._run_backward()

    def array(self, source: Source) -> Array:
        """Return the numbers of a value or a constant."""
        return source.array if isinstance(source, Constant) else self._known[source]

    def cotangent(self, value: Value) -> Array:
        """Return ∂J/∂value, of its shape; zeros where nothing arrives."""
        found = self._cotangents.get(value)
        return np.zeros(value.shape) if found is None else found

    def handed(self, number: int) -> Sequence[Array | None]:
        """Return what an operation hands to each of its inputs; None where that is nothing."""
        return self._handed[number]

    def step(self, number: int, cotangents: Cotangents) -> Sequence[Array | None]:
        """Return what an operation should hand to its inputs, for any cotangents of what it writes."""
        operation, given = self.trace.operations[number], self.given[number]
        if operation.name == "move":
            return self._of_move(number, [cotangents(value) for value in operation.outputs])
        floating = [place for place, value in enumerate(operation.outputs) if value.is_floating]
        if not floating or operation.name in ("exact", "guard"):
            return [None] * len(given)
        y, cotangent = self.written[number][0], cotangents(operation.outputs[0])
        if operation.name in PARTIALS:
            partials = PARTIALS[operation.name](operation.attributes, given, y)
            return [None if one is None else cotangent * one for one in partials]
        if operation.name not in HANDED or len(operation.outputs) > 1:
            raise UntraceableError(f"{operation} has no derivative here")
        return HANDED[operation.name](operation.attributes, given, y, cotangent)

    def gradient(self, steps: Mapping[int, Step] | None = None) -> NDArray[np.float64]:
        """Return ∂J/∂θ as it comes out with these steps, by number of their operations; shape (n,)."""
        moved = self.moved(steps) if steps else {}
        parts = [self.cotangent(value) + moved.get(value, 0.0) for value in self.trace.inputs]
        return np.concatenate([np.ravel(part) for part in parts]) if parts else np.zeros(0)

    def moved(self, steps: Mapping[int, Step]) -> dict[Value, Array]:
        """Return by how much cotangents move with these steps, by number of their operations, where they do."""
        moved: dict[Value, Array] = {}

        def replaced(value: Value) -> Array:
            return np.asarray(self.cotangent(value) + moved.get(value, 0.0))

        def difference(value: Value) -> Array:
            return moved[value] if value in moved else np.zeros(value.shape)

        for number in range(max(steps, default=-1), -1, -1):
            operation = self.trace.operations[number]
            if number in steps:
                right = self._handed[number]
                found = [_less(new, old) for new, old in zip(steps[number](replaced), right, strict=True)]
            elif any(value in moved for value in operation.outputs):
                found = list(self.step(number, difference))
            else:
                continue
            _add(moved, operation, found)
        return moved

    def positions(self, number: int) -> list[NDArray[np.intp]]:
        """Return where a move takes each element of its outputs from: places in all inputs together, -1 for a fill."""
        if number not in self._positions:
            numbers, start = [], 1  # 0 stands for what is filled in
            for array in self.given[number]:
                # Integers are the indices that a move picks places by.
                moves = array.dtype.kind == "f"
                numbers.append(np.arange(start, start + array.size).reshape(array.shape) if moves else array)
                start += array.size
            found = self.trace.operations[number].run(*numbers)
            self._positions[number] = [np.asarray(places).astype(np.intp) - 1 for places in found]
        return self._positions[number]

    # --- the two passes -------------------------------------------------------------------------------------------

    def _run_forward(self) -> None:
        count = 0
        for operation in self.trace.operations:
            if operation.name in ("scan", "while", "cond"):
                raise UntraceableError(f"{operation} has no derivative here")
            given = [np.asarray(self.array(source)) for source in operation.inputs]
            written = [] if operation.name == "guard" else [np.asarray(found) for found in carry_out(operation, given)]
            self._known.update(zip(operation.outputs, written, strict=False))
            self.given.append(given)
            self.written.append(written)
            count += sum(array.size for array in written)
            if count > _MOST:
                raise UntraceableError(f"the loss has more than {_MOST} intermediate numbers")

    def _run_backward(self) -> None:
        (loss,) = self.trace.outputs
        if not isinstance(loss, Value):
            raise UntraceableError("the loss does not depend on θ")
        self._cotangents[loss] = np.ones(loss.shape)
        handed: list[Sequence[Array | None]] = []
        for number in range(len(self.trace.operations) - 1, -1, -1):
            operation = self.trace.operations[number]
            arrived = any(value in self._cotangents for value in operation.outputs)
            found = self.step(number, self.cotangent) if arrived else [None] * len(operation.inputs)
            _add(self._cotangents, operation, found)
            handed.append(found)
        self._handed = handed[::-1]

    def _of_move(self, number: int, cotangents: Sequence[Array]) -> Sequence[Array | None]:
        given = self.given[number]
        total = np.zeros(sum(array.size for array in given))
        for places, cotangent in zip(self.positions(number), cotangents, strict=True):
            taken = places.ravel() >= 0
            total += np.bincount(places.ravel()[taken], np.ravel(cotangent)[taken], len(total))
        ends = np.cumsum([array.size for array in given])[:-1]
        return [part.reshape(array.shape) for part, array in zip(np.split(total, ends), given, strict=True)]


def spread_out(trace: Trace) -> Trace:
    """Return a trace in which what an operation on elements repeats along axes of length 1 is a move of its own."""
    operations: list[Operation] = []
    for operation in trace.operations:
        if operation.name not in PARTIALS:
            operations.append(operation)
            continue
        shape, sources = operation.outputs[0].shape, list[Source]()
        for source in operation.inputs:
            if isinstance(source, Constant):
                sources.append(Constant(np.broadcast_to(source.array, shape)))
            elif source.shape == shape:
                sources.append(source)
            else:
                operations.append(_repeating(operation, source, shape))
                sources.append(operations[-1].outputs[0])
        operations.append(replace(operation, inputs=tuple(sources)))
    return replace(trace, operations=tuple(operations))


def _repeating(operation: Operation, source: Value, shape: tuple[int, ...]) -> Operation:
    """Return the move that repeats what an operation reads."""
    return Operation(
        name="move",
        inputs=(source,),
        outputs=(Value(shape, source.dtype),),
        run=lambda array: [np.broadcast_to(array, shape)],
        label=operation.label,
        place=operation.place,
    )


def _add(cotangents: dict[Value, Array], operation: Operation, found: Sequence[Array | None]) -> None:
    for source, cotangent in zip(operation.inputs, found, strict=True):
        if cotangent is not None and isinstance(source, Value):
            cotangents[source] = cotangents[source] + cotangent if source in cotangents else cotangent


def _less(new: Array | None, old: Array | None) -> Array | None:
    if new is None:
        return None if old is None else -old
    return new if old is None else new - old
