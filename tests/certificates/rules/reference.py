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


def bent(values: Any, slopes: Any, seconds: Any) -> Balls:
    """Balls of exact numbers with slopes and second coefficients along one direction."""
    array = np.asarray(values, np.float64)
    parts = [np.broadcast_to(np.asarray(one, np.float64), array.shape) for one in (slopes, seconds)]
    return Balls(array, (parts[0],), None, (parts[1],))


def bend_of(function: Callable[[Any], Any], path: Sequence[float]) -> Any:
    """The coefficient of t² of f(x₀ + x₁ t + x₂ t²), by a central difference."""
    x0, x1, x2 = map(mpf, path)
    step = mpf(STEP)
    ahead, here, behind = (function(x0 + x1 * t + x2 * t * t) for t in (step, mpf(0), -step))
    return (ahead - 2 * here + behind) / (2 * step**2)


def single(ball: Any) -> Any:
    """The one ball of an array of one."""
    return in_balls(as_array(ball)).reshape(-1)[0]


# --- matrices -------------------------------------------------------------------------------------------------------


def mp_matrix(array: Any) -> Any:
    """A matrix of mpmath."""
    return mp.matrix(array.tolist())


def elements(matrix: Any) -> list[Any]:
    """What mpmath gives, row by row: of a matrix its elements, of a number the number."""
    return list(matrix) if isinstance(matrix, mp.matrix) else [mpf(matrix)]


def check_matrices(
    name: str,
    reference: Callable[..., Sequence[Any]],
    arrays: Sequence[Any],
    *,
    run: Any = None,
    outputs: Sequence[Value] = (),
    **attributes: Any,
) -> list[Any]:
    """A rule for matrices: every element of every output, and its slope along two directions.

    Args:
        name: of the rule.
        reference: matrices of mpmath -> matrices of mpmath, one for each output that is floating.
        arrays: one for each input, all with one batch axis in front.
        run: what the framework returns.
        outputs: of the operation.
        attributes: of the operation.
    """
    rng = np.random.default_rng(1)
    directions = [[rng.normal(size=array.shape) for array in arrays] for _ in range(2)]
    given = [Balls(array, tuple(one[number] for one in directions)) for number, array in enumerate(arrays)]
    with at_precision(BITS), mp.workdps(DIGITS):
        found = apply(name, *given, outputs=outputs, run=run, attributes=attributes)
        listed = found if isinstance(found, list) else [found]
        balls = [one for one in listed if isinstance(one, Balls)]
        for at in range(len(arrays[0])):
            base = [mp_matrix(array[at]) for array in arrays]
            values = reference(*base)
            for one, value in zip(balls, values, strict=True):
                _assert_all(in_balls(as_array(one.values[at])), elements(value), (name, at))
            for number, direction in enumerate(directions):
                step = [mp_matrix(array[at]) * mpf(STEP) for array in direction]
                ahead = reference(*(x + h for x, h in zip(base, step, strict=True)))
                behind = reference(*(x - h for x, h in zip(base, step, strict=True)))
                for one, high, low in zip(balls, ahead, behind, strict=True):
                    assert one.slopes is not None
                    pairs = zip(elements(high), elements(low), strict=True)
                    expected = [(upper - lower) / (2 * mpf(STEP)) for upper, lower in pairs]
                    _assert_all(in_balls(as_array(one.slopes[number][at])), expected, (name, at, number))
    return listed


def _assert_all(balls: Any, expected: Sequence[Any], what: object) -> None:
    for ball, reference in zip(balls.reshape(-1).tolist(), expected, strict=True):
        assert_encloses(ball, reference, what)


def flags(*moving: bool) -> Balls:
    """Zeros with slope 0, some of which move."""
    zeros = np.zeros(len(moving))
    return Balls(zeros, (zeros,), np.array(moving))


def floats(array: Any) -> Any:
    """Midpoints as a list."""
    return np.asarray(array).astype(float).tolist()
