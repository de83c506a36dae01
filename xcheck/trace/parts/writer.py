"""Writer: real operations that stand for one on complex numbers, one after the other, with NumPy behind each."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from xcheck.trace.in_numpy import ELEMENTWISE
from xcheck.trace.model import Array, Constant, Operation, Source, Value

# Of two arrays; those that the trace carries out by the framework itself.
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {**ELEMENTWISE, "div": np.divide, "hypot": np.hypot}
_PARTS = {"complex128": "float64", "complex64": "float32", "complex32": "float16"}


class Parts(NamedTuple):
    """A complex array, as two real ones of its shape.

    Attributes:
        re: the real part.
        im: the imaginary part.
    """

    re: Source
    im: Source


def is_complex(source: Source) -> bool:
    """Return whether a value or a constant holds complex numbers."""
    return dtype_of(source) in _PARTS


def part_of(dtype: str) -> str:
    """Return the dtype of both parts of a complex one; every other dtype itself."""
    return _PARTS.get(dtype, dtype)


def dtype_of(source: Source) -> str:
    """Return the name of the dtype of what an operation reads."""
    return str(source.array.dtype) if isinstance(source, Constant) else source.dtype


def shape_of(source: Source) -> tuple[int, ...]:
    """Return the shape of what an operation reads."""
    return tuple(source.array.shape) if isinstance(source, Constant) else source.shape


class Writer:
    """Appends real operations.

    Attributes:
        operations: in order.
        origin: the operation that is being rewritten: its label and its line stand at what it becomes.
    """

    def __init__(self) -> None:
        self.operations: list[Operation] = []
        self.origin: Operation | None = None

    def emit(
        self,
        name: str,
        run: Callable[..., Sequence[Array]],
        inputs: Sequence[Source],
        outputs: Sequence[Value],
        **attributes: Any,
    ) -> list[Source]:
        """Append an operation, and return its outputs."""
        origin = self.origin
        self.operations.append(
            Operation(
                name=name,
                inputs=tuple(inputs),
                outputs=tuple(outputs),
                run=run,
                attributes=attributes,
                label="" if origin is None else origin.label,
                place=None if origin is None else origin.place,
            )
        )
        return list(outputs)

    def one(
        self, name: str, function: Callable[..., Any], inputs: Sequence[Source], output: Value, **attributes: Any
    ) -> Source:
        """Append an operation of one output, and return it; the function works on arrays."""
        (found,) = self.emit(name, lambda *given: (np.asarray(function(*given)),), inputs, [output], **attributes)
        return found

    def apply(self, name: str, *given: Source | float) -> Source:
        """Append an operation on elements; numbers among its arguments are constants."""
        first = next(one for one in given if isinstance(one, Value | Constant))
        sources = [one if isinstance(one, Value | Constant) else number(one, first) for one in given]
        shape = np.broadcast_shapes(*map(shape_of, sources))
        return self.one(name, _FUNCTIONS[name], sources, Value(shape, dtype_of(first)))

    def compare(self, name: str, x: Source, y: Source) -> Source:
        """Append a comparison."""
        shape = np.broadcast_shapes(shape_of(x), shape_of(y))
        return self.one(name, _FUNCTIONS[name], [x, y], Value(shape, "bool"))

    def select(self, which: Source, no: Source, yes: Source) -> Source:
        """Append a choice, element by element."""
        output = Value(shape_of(no), dtype_of(no))
        return self.one("select", lambda where, a, b: np.where(where, b, a), [which, no, yes], output)

    def both(self, combine: Callable[..., Any], x: Source, y: Source) -> Source:
        """Append what is made of two truth values."""
        return self.one("exact", combine, [x, y], Value(shape_of(x), "bool"))

    def power(self, x: Source, exponent: int) -> Source:
        """Append a power by an integer."""
        return self.one("integer_pow", lambda a: a ** float(exponent), [x], Value(shape_of(x), dtype_of(x)), y=exponent)

    def move(self, function: Callable[..., Any], inputs: Sequence[Source], shape: Sequence[int]) -> Source:
        """Append a move of elements; the function works on arrays of any dtype."""
        return self.one("move", function, inputs, Value(tuple(shape), dtype_of(inputs[0])))


def number(value: float, like: Source) -> Constant:
    """Return a constant of the shape and the dtype of something."""
    return Constant(np.full(shape_of(like), value, dtype_of(like)))
