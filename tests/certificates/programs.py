"""Traces written by hand: small programs that no framework has made."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from xcheck.certificates.slopes import Slopes, prove_slopes
from xcheck.trace import Constant, Operation, Trace, Value
from xcheck.trace.model import Source

Build = Callable[..., Source]


class Program:
    """Operations, one after the other, on inputs of given shapes."""

    def __init__(self, *shapes: tuple[int, ...], dtype: str = "float64") -> None:
        self.inputs = tuple(Value(shape, dtype) for shape in shapes)
        self.operations: list[Operation] = []

    def do(
        self, name: str, *inputs: Any, shape: tuple[int, ...] = (), dtype: str = "float64", run: Any = None, **more: Any
    ) -> Value:
        """Append an operation and return what it gives; numbers among its inputs are constants."""
        sources = [one if isinstance(one, Value | Constant) else Constant(np.asarray(one)) for one in inputs]
        output = Value(shape, dtype)
        self.operations.append(
            Operation(
                name=name,
                inputs=tuple(sources),
                outputs=(output,),
                run=run or (lambda *given: ()),
                attributes=more,
                label=name,
            )
        )
        return output

    def test(self, name: str, *inputs: Any, shape: tuple[int, ...] = ()) -> Value:
        """Append a comparison."""
        return self.do(name, *inputs, shape=shape, dtype="bool")

    def trace(self, *outputs: Source) -> Trace:
        """The trace that ends in these outputs."""
        return Trace(inputs=self.inputs, outputs=outputs, operations=tuple(self.operations))


def prove(build: Callable[..., Source], *at: float, directions: Sequence[Sequence[float]] | None = None) -> Slopes:
    """Prove the slopes of a program of numbers, along every axis unless directions are given.

    Args:
        build: a Program and its inputs -> the loss.
        at: the numbers.
        directions: each of as many numbers.
    """
    program = Program(*[()] * len(at))
    loss = build(program, *program.inputs)
    along = np.eye(len(at)).tolist() if directions is None else directions
    arrays = [np.asarray(x) for x in at]
    return prove_slopes(program.trace(loss), arrays, [[np.asarray(x) for x in one] for one in along])


def floats(balls: Sequence[Any]) -> list[float]:
    """Midpoints."""
    return [float(ball) for ball in balls]


def relu(p: Program, x: Source) -> Value:
    """max(x, 0)."""
    return p.do("max", x, 0.0)


def square(p: Program, x: Source) -> Value:
    """x², which has no slope at 0 and yet moves."""
    return p.do("mul", x, x)


def chosen(p: Program, x: Source, test: str, tested: Source) -> Value:
    """x where a number passes a test against 0, and 0 elsewhere."""
    return p.do("select", p.test(test, tested, 0.0), 0.0, x)


def quotient(p: Program, x: Source, above: Source, below: Source, value: float) -> Value:
    """A quotient of zeros, with its value by a branch."""
    return p.do("select", p.test("eq", x, 0.0), p.do("div", above, below), value)


def of_two(p: Program, *parts: Any) -> Value:
    """Both numbers as one array."""
    return p.do("move", *parts, shape=(2,), run=lambda *given: (np.stack(given),))


def element(p: Program, pair: Source, number: int) -> Value:
    """One of the numbers of an array."""
    return p.do("move", pair, run=lambda given: (given[number],))
