"""Flow: every value of one forward pass, with the operation that has made it and what that has read.

A trace is carried out once and nothing is thrown away. Loops and branches are entered, so that each iteration has
values of its own. What follows from another value in the place of one can be computed without the rest.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from xcheck.trace.in_numpy import carry_out
from xcheck.trace.loops import Loops
from xcheck.trace.model import Array, Constant, Operation, Place, Source, Trace, UntraceableError, Value, is_floating

# Numbers that are kept of one forward pass: a guess, half a gigabyte in float64.
_MOST_NUMBERS = 1 << 26
# What only says where numbers stand, or in which format.
_MOVES = frozenset({"move", "cast", "stop_gradient"})


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Node:
    """One value of a forward pass.

    Attributes:
        number: counted in the order of the program.
        name: what the framework calls the operation that has made it; empty for constants and parameters.
        kind: the same in the words of `xcheck.trace.model`.
        place: the person's line.
        reads: the numbers of what that operation has read.
        array: the value.
        run: makes the value of what is read; None for constants and parameters.
        parameter: the name of the parameter that it is; empty for other values.
        depends: whether it depends on parameters.
    """

    number: int
    name: str = ""
    kind: str = ""
    place: Place | None = None
    reads: tuple[int, ...] = ()
    array: Array
    run: Callable[..., Array] | None = None
    parameter: str = ""
    depends: bool

    @property
    def is_move(self) -> bool:
        """Whether the operation computes nothing."""
        return self.kind in _MOVES

    @property
    def is_real(self) -> bool:
        """Whether it holds floating numbers, and any at all."""
        return is_floating(self.array) and self.array.size > 0

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.array, dtype)


@dataclass(frozen=True, slots=True, eq=False)
class Flow:
    """The values of one forward pass.

    Attributes:
        nodes: in order; each reads what stands before it.
        loss: the number of the loss.
    """

    nodes: Sequence[Node]
    loss: int

    def readers(self) -> list[list[int]]:
        """Return for each node the numbers of those that read it, in order."""
        found: list[list[int]] = [[] for _ in self.nodes]
        for node in self.nodes:
            for number in dict.fromkeys(node.reads):
                found[number].append(node.number)
        return found

    def below(self, number: int) -> set[int]:
        """Return the numbers of all that depends on a node."""
        found = {number}
        for node in self.nodes[number + 1 :]:
            if not found.isdisjoint(node.reads):
                found.add(node.number)
        return found - {number}

    def above(self, number: int) -> set[int]:
        """Return the numbers of all that a node depends on, and its own."""
        found = {number}
        for node in reversed(self.nodes[: number + 1]):
            if node.number in found:
                found.update(node.reads)
        return found


def flow_of(trace: Trace, arrays: Sequence[Array], names: Sequence[str]) -> Flow:
    """Carry a trace out and return all its values.

    Args:
        trace: the operations of a loss.
        arrays: one for each input.
        names: of these inputs.

    Raises:
        UntraceableError: there are too many numbers to be kept.
    """
    writer = _Writer()
    inputs = [
        writer.add(Node(number=0, array=np.asarray(array), parameter=name, depends=True))
        for array, name in zip(arrays, names, strict=True)
    ]
    with np.errstate(all="ignore"):  # masks are infinite, and what a program does with them is its own business
        [loss] = writer.follow(trace, inputs)
    return Flow(tuple(writer.nodes), loss.number)


@dataclass(slots=True)
class _Writer:
    """Appends nodes."""

    nodes: list[Node] = field(default_factory=list)
    _constants: dict[int, tuple[Source, Node]] = field(default_factory=dict)
    _numbers: int = 0

    def add(self, node: Node) -> Node:
        """Append a node, and return it with its number."""
        self._numbers += getattr(node.array, "size", 0)
        if self._numbers > _MOST_NUMBERS:
            raise UntraceableError(f"its forward pass has more than {_MOST_NUMBERS:,} numbers")
        numbered = replace(node, number=len(self.nodes))
        self.nodes.append(numbered)
        return numbered

    def follow(self, trace: Trace, inputs: Sequence[Node]) -> list[Node]:
        """Carry operations out, and return what they give in the end."""
        known: dict[Value, Node] = dict(zip(trace.inputs, inputs, strict=True))

        def read(source: Source) -> Node:
            return self._constant(source) if isinstance(source, Constant) else known[source]

        for operation in trace.operations:
            found = self._carry(operation, [read(source) for source in operation.inputs])
            known.update(zip(operation.outputs, found, strict=True))
        return [read(source) for source in trace.outputs]

    def _constant(self, constant: Constant) -> Node:
        # The constant is kept, so that no other gets its number in Python.
        if id(constant) not in self._constants:
            self._constants[id(constant)] = (constant, self.add(Node(number=0, array=constant.array, depends=False)))
        return self._constants[id(constant)][1]

    def _carry(self, operation: Operation, given: Sequence[Node]) -> list[Node]:
        """Carry one operation out; loops and branches by their bodies."""
        loops: Loops[Node] = Loops(
            run=self.follow,
            item=lambda stacked, number: self._move(lambda array: array[number], [stacked], operation.place),
            stack=lambda rows: self._move(lambda *arrays: np.stack(arrays), rows, operation.place),
            nothing=lambda output: self.add(Node(number=0, array=np.zeros(output.shape), depends=False)),
            where=lambda holds, new, old: self._move(lambda a, b: _where(holds, a, b), [new, old], operation.place),
        )
        if operation.name == "scan":
            return loops.scan(operation, given)
        if operation.name == "while":
            return loops.repeat(operation.attributes, given)
        if operation.name == "cond":
            return loops.branch(operation.attributes, given[0].array, given[1:])
        if not operation.outputs:
            return []
        return self._plain(operation, given)

    def _plain(self, operation: Operation, given: Sequence[Node]) -> list[Node]:
        arrays = carry_out(operation, [node.array for node in given])
        return [
            self.add(
                Node(
                    number=0,
                    name=operation.label or operation.name,
                    kind=operation.name,
                    place=operation.place,
                    reads=tuple(node.number for node in given),
                    array=array,
                    run=lambda *others, which=which: carry_out(operation, others)[which],
                    depends=any(node.depends for node in given),
                )
            )
            for which, array in enumerate(arrays)
        ]

    def _move(self, function: Callable[..., Array], given: Sequence[Node], place: Place | None) -> Node:
        """Append what only takes numbers from somewhere, or puts them there."""
        return self.add(
            Node(
                number=0,
                name="move",
                kind="move",
                place=place,
                reads=tuple(node.number for node in given),
                array=np.asarray(function(*[node.array for node in given])),
                run=function,
                depends=any(node.depends for node in given),
            )
        )


def _where(holds: Any, new: Array, old: Array) -> Array:
    truth = np.asarray(holds)
    return np.where(truth.reshape(*truth.shape, *[1] * (np.ndim(new) - truth.ndim)), new, old)


def recompute(flow: Flow, changed: Mapping[int, Array], numbers: Sequence[int]) -> dict[int, Array]:
    """Return what some nodes are where others have other values.

    Args:
        flow: the forward pass.
        changed: the new values, by number.
        numbers: the nodes that are wanted, in order; what they read is taken from these, the changed ones, or `flow`.
    """
    found = dict(changed)
    with np.errstate(all="ignore"):
        for number in numbers:
            node = flow.nodes[number]
            if node.run is not None:
                found[number] = np.asarray(node.run(*[found.get(read, flow.nodes[read].array) for read in node.reads]))
    return found
