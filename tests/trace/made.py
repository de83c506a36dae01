"""Traces made by hand, for tests of what reads them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from xcheck.trace import Constant, Operation, Trace, Value
from xcheck.trace.model import Source


def value(*shape: int, dtype: str = "float64") -> Value:
    """A value of a shape."""
    return Value(shape, dtype)


def operation(name: str, inputs: Sequence[Source], output: Value, run: Any = None, **attributes: Any) -> Operation:
    """An operation with one output."""
    return Operation(
        name=name,
        inputs=tuple(inputs),
        outputs=(output,),
        run=lambda *given: (run(*given),),
        attributes=attributes,
    )


def cubes() -> Trace:
    """x -> Σ 2 x³."""
    x, cubed, doubled, summed = value(3), value(3), value(3), value()
    return Trace(
        inputs=(x,),
        outputs=(summed,),
        operations=(
            operation("integer_pow", [x], cubed, lambda a: a**3, y=3),
            operation("mul", [cubed, Constant(np.full(3, 2.0))], doubled, np.multiply),
            operation("sum", [doubled], summed, np.sum, axes=(0,)),
        ),
    )


def powers(length: int) -> Trace:
    """x -> x^(2^length), by a loop that squares."""
    x, squared, found, row = value(), value(), value(), value(length)
    body = Trace(inputs=(x,), outputs=(squared, squared), operations=(operation("square", [x], squared, np.square),))
    start = value()
    loop = Operation(
        name="scan",
        inputs=(start,),
        outputs=(found, row),
        run=lambda x: (x ** (2.0**length), np.empty(length)),
        attributes={"body": body, "constants": 0, "carry": 1, "length": length, "reverse": False},
    )
    return Trace(inputs=(start,), outputs=(found,), operations=(loop,))
