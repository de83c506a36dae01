"""Program: a traced loss at θ, with who computes and who reads each value, and what people would call it."""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from xcheck.diagnose.rules.steps.chains import find_activations, find_chains
from xcheck.trace import Constant, Operation, Value
from xcheck.trace.model import Array, Source
from xcheck.trace.tape import Cotangents, Step, Tape

_EXTREMES = frozenset({"reduce_max", "reduce_min"})
# What arrives at an extreme is nothing if it is so much smaller than what arrives so many steps further. Guesses: many
# roundings, and where the extreme is reshaped, repeated and subtracted.
_SILENT, _STEPS = 1e-9, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A mistake in one step of a backward pass.

    Attributes:
        code: of the cause.
        text: what was done, and where; changes of one text belong to calls of one line.
        steps: what is handed down in the place of what should be, by number of the operation.
        rank: of changes that give the same gradient, the one with the lower rank is named.
        key: of changes that belong together, where their texts differ: they are not tried one by one.
    """

    code: str
    text: str
    steps: Mapping[int, Step]
    rank: int = 0
    key: str = ""


class Program:
    """A traced loss.

    Attributes:
        tape: its operations with their numbers.
        chains: which values are functions of one other value, element by element.

    Args:
        tape: of the loss.
        names: of the inputs of the trace.
    """

    def __init__(self, tape: Tape, names: Sequence[str]) -> None:
        self.tape = tape
        self.chains = find_chains(tape)
        self._activations = find_activations(tape, self.chains)
        self._names = dict(zip(tape.trace.inputs, names, strict=True))
        self._numbers: dict[Value, int] = {}
        self._readers: dict[Value, list[tuple[int, int]]] = {}
        self._calls: dict[str, list[int]] = {}
        for number, operation in enumerate(tape.trace.operations):
            self._numbers.update(dict.fromkeys(operation.outputs, number))
            self._calls.setdefault(_line(operation), []).append(number)
            for place, source in enumerate(operation.inputs):
                if isinstance(source, Value):
                    self._readers.setdefault(source, []).append((number, place))

    @property
    def operations(self) -> Sequence[Operation]:
        """The operations in order."""
        return self.tape.trace.operations

    def number(self, source: Source) -> int | None:
        """Return which operation computes a value; None of an input or a constant."""
        return self._numbers.get(source) if isinstance(source, Value) else None

    def producer(self, source: Source) -> Operation | None:
        """Return the operation that computes a value; None of an input or a constant."""
        number = self.number(source)
        return None if number is None else self.operations[number]

    def readers(self, value: Value) -> Sequence[tuple[int, int]]:
        """Return the operations that read a value, each with the place among its inputs."""
        return self._readers.get(value, ())

    def origin(self, source: Source) -> Source:
        """Return what a source is before it is only moved: reshaped, transposed, or repeated along an axis."""
        while (operation := self.producer(source)) is not None and operation.name == "move":
            if len(operation.inputs) != 1 or len(operation.outputs) != 1:
                break
            source = operation.inputs[0]
        return source

    def name(self, source: Source) -> str:
        """Return what a person would call it: the parameter, or the operation and its line."""
        source = self.origin(source)
        if isinstance(source, Constant):
            return "a constant"
        if source in self._names:
            return self._names[source]
        operation = self.producer(source)
        activation = self._activations.get(source)
        if activation is None or operation is None:
            return str(operation)
        return activation if operation.place is None else f"{activation} at {operation.place}"

    def use(self, number: int) -> str:
        """Return what an operation is called that uses a value: of one that only moves it, what reads it then."""
        operation = self.operations[number]
        while operation.name == "move":
            readers = [n for value in operation.outputs for n, _ in self.readers(value)]
            if len(readers) != 1:
                break
            operation = self.operations[readers[0]]
        return str(operation)

    def beside(self, number: int, shape: tuple[int, ...]) -> Iterator[tuple[str, Value]]:
        """Yield values of a shape, axes of length 1 apart, that are computed in the same step as an operation.

        Lines that are carried out m k and n k times, with the largest k, are taken to be so in k steps.
        """
        own = self._calls[_line(self.operations[number])]
        for numbers in self._calls.values():
            steps = math.gcd(len(own), len(numbers))
            count = len(numbers) // steps
            step = own.index(number) // (len(own) // steps)
            for each, other in enumerate(numbers[step * count : (step + 1) * count]):
                for value in self.operations[other].outputs if self.operations[other].name != "move" else ():
                    if value.is_floating and _plain(value.shape) == _plain(shape):
                        yield self.name(value) + (f" (number {each + 1} of {count})" if count > 1 else ""), value
        for value in self.tape.trace.inputs:
            if _plain(value.shape) == _plain(shape):
                yield self.name(value), value

    def repeated_axes(self, number: int) -> tuple[int, ...]:
        """Return the axes along which a move repeats its one input, each element as often; none where it does not."""
        operation = self.operations[number]
        if operation.name != "move" or len(operation.inputs) != 1 or len(operation.outputs) != 1:
            return ()
        (places,), size = self.tape.positions(number), self.tape.given[number][0].size
        axes = tuple(a for a, n in enumerate(places.shape) if n > 1 and (places == places.take([0], a)).all())
        kept = places[tuple(slice(0, 1) if axis in axes else slice(None) for axis in range(places.ndim))]
        return axes if axes and kept.size == size and np.unique(kept).size == size and kept.min() >= 0 else ()

    @cached_property
    def silent(self) -> dict[int, Step]:
        """Steps that hand nothing down where nothing should arrive, as at the maximum that a softmax is taken beside.

        People leave these out, and a mistake elsewhere would make something arrive there.
        """
        found: dict[int, Step] = {}
        for number, operation in enumerate(self.operations):
            if operation.name not in _EXTREMES:
                continue
            arrived = np.abs(self.tape.cotangent(operation.outputs[0])).max(initial=0.0)
            beside = max(np.abs(self.tape.cotangent(value)).max(initial=0.0) for value in self._made_of(operation))
            if arrived <= _SILENT * beside:
                found[number] = self.handing(number, {0: None})
        return found

    def _made_of(self, operation: Operation) -> Iterator[Value]:
        """Yield what an operation writes, and what is made of that in the next steps."""
        ahead = list(operation.outputs)
        for _ in range(_STEPS):
            yield from ahead
            ahead = [value for one in ahead for n, _ in self.readers(one) for value in self.operations[n].outputs]

    def handing(self, number: int, replaced: Mapping[int, Step | None]) -> Step:
        """Return a step that hands other cotangents to some of an operation's inputs, by their place; None for none.

        A replaced cotangent is the only element of what its step returns.
        """

        def step(cotangents: Cotangents) -> Sequence[Array | None]:
            found = list(self.tape.step(number, cotangents))
            for place, other in replaced.items():
                found[place] = None if other is None else other(cotangents)[0]
            return found

        return step


def _line(operation: Operation) -> str:
    return f"{operation.name} {operation} {operation.outputs[0].shape if operation.outputs else ()}"


def _plain(shape: tuple[int, ...]) -> tuple[int, ...]:
    return tuple(length for length in shape if length > 1)
