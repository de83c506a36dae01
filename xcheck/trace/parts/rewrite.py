"""A trace without complex numbers: each of them is two real ones, and each operation on them real operations.

So whatever reads a trace needs no rule for complex numbers. What has no real operations here stays one operation, whose
name says that it works on complex numbers, with both parts of each array among its inputs and outputs.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xcheck.trace.model import COMPLEX, Array, Constant, Operation, Source, Trace, Value
from xcheck.trace.parts.structure import EXPANSIONS, Given
from xcheck.trace.parts.writer import Parts, Writer, is_complex, part_of

# Loops and branches work on whatever their bodies do.
_LOOPS = frozenset({"scan", "while", "cond"})


def in_real_parts(trace: Trace) -> Trace:
    """Return a trace that computes the same with real numbers alone.

    Args:
        trace: bodies in it have no complex numbers any more. Each complex input and output of it becomes two: its real
            and its imaginary part.
    """
    if not any(map(is_complex, _sources(trace))):
        return trace
    rewriting = _Rewriting()
    inputs = tuple(part for value in trace.inputs for part in rewriting.new(value))
    for operation in trace.operations:
        rewriting.follow(operation)
    outputs = tuple(part for source in trace.outputs for part in rewriting.flat(source))
    return Trace(inputs=inputs, outputs=outputs, operations=tuple(rewriting.writer.operations))


def _sources(trace: Trace) -> list[Source]:
    found: list[Source] = [*trace.inputs, *trace.outputs]
    for operation in trace.operations:
        found += [*operation.inputs, *operation.outputs]
    return [source for source in found if isinstance(source, Value) or _is_of_numpy(source.array)]


def _is_of_numpy(array: Any) -> bool:
    """Return whether it is an array of NumPy: a random key of JAX is none."""
    return isinstance(array.dtype, np.dtype)


class _Rewriting:
    """Rewrites the operations of one trace.

    Attributes:
        writer: takes what they become.
        known: what stands for a value by now; nothing else for most real ones.
    """

    def __init__(self) -> None:
        self.writer = Writer()
        self.known: dict[Value, Given] = {}

    def new(self, value: Value) -> tuple[Value, ...]:
        """Return the values that are to stand for one: both parts of a complex one."""
        if not is_complex(value):
            return (value,)
        re, im = (Value(value.shape, part_of(value.dtype)) for _ in range(2))
        self.known[value] = Parts(re, im)
        return re, im

    def read(self, source: Source) -> Given:
        """Return what stands for a source."""
        if isinstance(source, Value):
            return self.known.get(source, source)
        array = source.array
        if not (_is_of_numpy(array) and array.dtype.kind == "c"):
            return source
        return Parts(Constant(array.real.copy()), Constant(array.imag.copy()))

    def flat(self, source: Source) -> tuple[Source, ...]:
        """Return the real sources that stand for one."""
        found = self.read(source)
        return tuple(found) if isinstance(found, Parts) else (found,)

    def follow(self, operation: Operation) -> None:
        """Append what an operation becomes."""
        given = [self.read(source) for source in operation.inputs]
        real = tuple(one for one in given if not isinstance(one, Parts))
        if len(real) == len(given) and not any(map(is_complex, operation.outputs)):
            self.writer.operations.append(replace(operation, inputs=real))
        elif operation.name in EXPANSIONS and not _fills_with_a_number(operation):
            self.writer.origin = operation
            found = EXPANSIONS[operation.name](self.writer, operation, given)
            self.known.update(zip(operation.outputs, found, strict=True))
        else:
            self._keep(operation)

    def _keep(self, operation: Operation) -> None:
        """Append the operation itself, with both parts of what it reads and writes."""
        inputs = [self.flat(source) for source in operation.inputs]
        outputs = tuple(part for value in operation.outputs for part in self.new(value))
        is_loop = operation.name in _LOOPS
        is_exact = operation.name == "exact"
        self.writer.operations.append(
            replace(
                operation,
                name=operation.name if is_loop or is_exact else f"{COMPLEX}{operation.name}",
                inputs=tuple(part for parts in inputs for part in parts),
                outputs=outputs,
                run=_on_parts(operation.run, [len(parts) for parts in inputs]),
                attributes=_counted(operation, inputs) if is_loop else operation.attributes,
            )
        )


def _fills_with_a_number(operation: Operation) -> bool:
    """Return whether it fills in what would be another number in the imaginary part than in the real one."""
    fill = operation.attributes.get("fill", 0.0)
    return fill != 0 and not np.isnan(fill)


def _counted(operation: Operation, inputs: Sequence[tuple[Source, ...]]) -> dict[str, Any]:
    """Return the attributes of a loop, in which constants and what is carried on are counted."""
    attributes = dict(operation.attributes)

    def count(start: int, number: int) -> int:
        return sum(len(parts) for parts in inputs[start : start + number])

    if operation.name == "scan":
        constants = attributes["constants"]
        attributes |= {"constants": count(0, constants), "carry": count(constants, attributes["carry"])}
    elif operation.name == "while":
        first, second = attributes["constants"]
        attributes["constants"] = (count(0, first), count(first, second))
    return attributes


def _on_parts(run: Callable[..., Sequence[Array]], widths: Sequence[int]) -> Callable[..., Sequence[Array]]:
    """Return an operation on complex arrays as one on their parts.

    Args:
        run: the operation.
        widths: of each of its inputs, how many arrays stand for it.
    """

    def apart(*given: Array) -> Sequence[Array]:
        left = iter(given)
        joined = [next(left) if width == 1 else next(left) + 1j * np.asarray(next(left)) for width in widths]
        found = []
        for one in run(*joined):
            # A random key stays as it is.
            array = np.asarray(one) if _is_of_numpy(one) else one
            found += [array.real, array.imag] if np.iscomplexobj(array) else [array]
        return found

    return apart


__all__ = ["in_real_parts"]
