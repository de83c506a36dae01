"""Rules against mpmath: what a rule encloses has to contain what 150 digits give."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import mpmath
import numpy as np
from flint import arb
from mpmath import mp, mpf

from xcheck.certificates.balls import Balls, as_array, in_balls
from xcheck.certificates.decisions import Decisions
from xcheck.certificates.rules import RULES
from xcheck.certificates.rules.registry import Known, Surroundings
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Operation, Value

# Of a function at x the difference of two values h apart, with h = 1e-35 |x|, has an error of about h² and 115 digits.
DIGITS, STEP = 150, "1e-35"
# What a reference may be wrong by.
SLACK = mpf("1e-35")
BITS = 256


def operation(name: str, outputs: Sequence[Value] = (), run: Any = None, **attributes: Any) -> Operation:
    """An operation of that name, whose framework is not asked unless `run` is given."""
    return Operation(name=name, inputs=(), outputs=tuple(outputs), run=run or (lambda: ()), attributes=attributes)


def apply(
    name: str,
    *given: Known,
    decisions: Decisions | None = None,
    outputs: Sequence[Value] = (),
    run: Any = None,
    attributes: Mapping[str, Any] | None = None,
) -> Any:
    """What a rule returns."""
    surroundings = Surroundings(decisions or Decisions(), lambda trace, inputs: [], {})
    return RULES[name](surroundings, operation(name, outputs, run, **(attributes or {})), *given)


def ball_number(x: Any) -> mpf:
    """A midpoint or a radius, exactly."""
    mantissa, exponent = x.man_exp()
    return mpf(int(mantissa)) * mpf(2) ** int(exponent)


def assert_encloses(ball: Any, reference: Any, what: object = "") -> None:
    """The reference lies in the ball, but for its own error, and the ball is narrow: a wide one would say nothing."""
    assert isinstance(ball, arb), what
    assert ball.is_finite(), (what, ball)
    middle, radius = ball_number(ball.mid()), ball_number(ball.rad())
    assert abs(middle - reference) <= radius + SLACK * abs(reference), (what, ball, mpmath.nstr(reference, 40))
    assert radius <= mpf("1e-20") * abs(middle) or radius <= mpf("1e-45"), (what, ball)


def derivative(function: Callable[..., Any], point: Sequence[float], number: int) -> Any:
    """The derivative of a function by one argument, by a central difference."""
    step = mpf(STEP) * abs(mpf(point[number]) or 1)

    def at(shift: Any) -> Any:
        return function(*(mpf(x) + (shift if place == number else 0) for place, x in enumerate(point)))

    return (at(step) - at(-step)) / (2 * step)


def check_formula(
    name: str, reference: Callable[..., Any], points: Sequence[Sequence[float]], **attributes: Any
) -> None:
    """A rule that works element by element: values, and slopes by every argument and by all of them together."""
    columns = [np.array(column) for column in zip(*points, strict=True)]
    count = len(columns)
    directions = [np.eye(count)[number] for number in range(count)] + [np.arange(1.0, count + 1.0)]
    given = [
        Balls(column, tuple(np.full(column.shape, direction[number]) for direction in directions))
        for number, column in enumerate(columns)
    ]
    with at_precision(BITS), mp.workdps(DIGITS):
        found = apply(name, *given, attributes=attributes)
        for place, point in enumerate(points):
            assert_encloses(in_balls(found.values)[place], reference(*map(mpf, point)), (name, point))
            partials = [derivative(reference, point, number) for number in range(count)]
            for number, direction in enumerate(directions):
                expected = sum((mpf(weight) * one for weight, one in zip(direction, partials, strict=True)), mpf(0))
                assert_encloses(in_balls(found.slopes[number])[place], expected, (name, point, direction))


def along(values: Any, *slopes: Any) -> Balls:
    """Balls of exact numbers with slopes."""
    array = np.asarray(values, np.float64)
    return Balls(array, tuple(np.broadcast_to(np.asarray(one, np.float64), array.shape) for one in slopes))


def single(ball: Any) -> Any:
    """The one ball of an array of one."""
    return in_balls(as_array(ball)).reshape(-1)[0]
