"""Traces with complex arrays, made by hand, and what they give in balls once they are rewritten."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from mpmath import mp, mpc, mpf

from tests.certificates.rules.reference import BITS, DIGITS, STEP, assert_encloses
from xcheck.certificates.balls import Balls, constant, in_balls
from xcheck.certificates.decisions import Decisions
from xcheck.certificates.evaluate import evaluate
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Operation, Trace, Value
from xcheck.trace.model import Array, Source
from xcheck.trace.parts import in_real_parts


def program(
    name: str,
    inputs: Sequence[Source],
    outputs: Sequence[Value],
    run: Callable[..., Sequence[Array]] = lambda *given: (),
    **attributes: Any,
) -> Trace:
    """One operation, rewritten; values among its inputs are those of the trace."""
    operation = Operation(
        name=name, inputs=tuple(inputs), outputs=tuple(outputs), run=run, attributes=attributes, label=name
    )
    values = tuple(source for source in inputs if isinstance(source, Value))
    return in_real_parts(Trace(inputs=values, outputs=tuple(outputs), operations=(operation,)))


def balls_of(trace: Trace, arrays: Sequence[Any], directions: Sequence[Sequence[Any]]) -> list[Balls]:
    """What a rewritten trace gives at complex arrays along complex directions."""

    def parts(given: Sequence[Any]) -> list[Array]:
        every = [np.asarray(one) for one in given]
        return [part for one in every for part in ((one.real, one.imag) if one.dtype.kind == "c" else (one,))]

    along = [parts(direction) for direction in directions]
    given = [
        Balls(constant(values).values, tuple(one[number] for one in along) or None)
        for number, values in enumerate(parts(arrays))
    ]
    found = evaluate(trace, given, Decisions(), {})
    return [one for one in found if isinstance(one, Balls)]


def check_complex(
    name: str,
    function: Callable[..., Any],
    points: Sequence[Sequence[complex]],
    *,
    real: bool = False,
    **attributes: Any,
) -> None:
    """Both parts of a function of complex numbers, and their slopes by both parts of each argument.

    Args:
        name: of the operation.
        function: the same in mpmath.
        points: of each its arguments.
        real: whether the function gives real numbers.
        attributes: of the operation.
    """
    count, shape = len(points[0]), (len(points),)
    inputs = [Value(shape, "complex128") for _ in range(count)]
    trace = program(name, inputs, [Value(shape, "float64" if real else "complex128")], **attributes)
    units = [(number, unit) for number in range(count) for unit in (1.0, 1j)]
    directions = [
        [np.full(shape, unit if place == number else 0, complex) for place in range(count)] for number, unit in units
    ]
    with at_precision(BITS), mp.workdps(DIGITS):
        found = balls_of(trace, list(np.array(points, complex).T), directions)
        for at, point in enumerate(points):
            values = [in_balls(one.values)[at] for one in found]
            _assert_both(values, function(*map(mpc, point)), (name, point))
            for place, (number, unit) in enumerate(units):
                slopes = [in_balls((one.slopes or ())[place])[at] for one in found]
                _assert_both(slopes, _slope(function, point, number, unit), (name, point, number, unit))


def _slope(function: Callable[..., Any], point: Sequence[complex], number: int, unit: complex) -> Any:
    step = mpf(STEP) * (abs(mpc(point[number])) or 1)

    def at(shift: Any) -> Any:
        return mpc(function(*(mpc(z) + (shift * unit if place == number else 0) for place, z in enumerate(point))))

    return (at(step) - at(-step)) / (2 * step)


def _assert_both(balls: Sequence[Any], expected: Any, what: object) -> None:
    size = abs(mpc(expected))
    for ball, reference in zip(balls, (mpc(expected).real, mpc(expected).imag), strict=False):
        if abs(reference) < mpf("1e-25") * size:
            # A part that cancels is known to so many digits of the whole.
            assert abs(mpf(str(float(ball)))) <= mpf("1e-25") * size, what
        else:
            assert_encloses(ball, reference, what)
