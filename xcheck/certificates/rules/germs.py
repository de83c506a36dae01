"""Square roots of 0, and quotients of two zeros, on one side of t = 0: what their arguments are near 0 decides.

Let x(t) = x₀ + x₁ t + x₂ t² + o(t²), and y so.

- The root of x₂ t² + o(t²) with x₂ > 0 is √x₂ |t| + o(t): it has the slopes √x₂ for t > 0 and -√x₂ for t < 0, a kink.
  So is the length of a vector at 0 the length of the direction, times |t|.
- With x₀ = y₀ = 0 and y₁ not 0, x / y is q + (x₂ - q y₂) / y₁ t + o(t) with q = x₁ / y₁. At t = 0 itself a program has
  nan there, or avoids the quotient by a branch, as `sinc` does: whether it has the value q is compared afterwards.

Everything else (x₂ = 0, y₁ = 0) takes more coefficients than three, and is not proved.
"""

from dataclasses import replace
from typing import Any

import numpy as np
from flint import arb
from numpy.typing import NDArray

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Array, Balls, as_array, in_balls, places, second
from xcheck.certificates.decisions import Decisions, KinkError, NotProvedError, SecondOrderError, UnsureError
from xcheck.certificates.rules.functions import of_one
from xcheck.certificates.rules.registry import Surroundings, rule
from xcheck.trace.model import Operation


def _is_zero(array: Array) -> NDArray[np.bool_]:
    """Return where a number is 0 for certain."""
    return np.asarray(array == 0 if array.dtype != object else np.frompyfunc(lambda x: x == 0, 1, 1)(array), bool)


_regular = of_one(arb.sqrt, lambda x, y: 1 / (2 * y), lambda x, y: -1 / (4 * x * y))


@rule("sqrt")
def _square_root(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    """√x, x' / (2 √x), and at 0 the slopes on both sides."""
    found = _regular(x)
    zeros = _is_zero(x.values) & x.where_moving()
    decisions = surroundings.decisions
    if decisions.at_zero or not zeros.any():
        return found
    slopes = [in_balls(slope).copy() for slope in found.slopes or ()]
    for at in places(zeros):
        for number, slope in enumerate(slopes):
            slope[at] = _slope_of_root(decisions, x, number, at)
        decisions.kinks.append(f"{operation}")
    return replace(found, slopes=tuple(slopes))


def _slope_of_root(decisions: Decisions, x: Balls, number: int, at: Any) -> Any:
    """Return the slope of √x at x = 0, on the side that is looked at."""
    first = in_balls((x.slopes or ())[number])[at]
    if not first.contains(0):
        raise NotProvedError(f"{decisions.place} takes the square root of exactly 0, where it has no slope")
    flat = bool(first == 0)  # a ball that holds 0 is neither equal to it nor unequal
    if not flat:
        raise UnsureError(f"{decisions.place} takes the square root of exactly 0, of what may be flat there or not")
    if not decisions.side:
        raise KinkError(f"{decisions.place}")
    if not decisions.seconds:
        raise SecondOrderError(f"{decisions.place}")
    coefficient = in_balls(second(x, number))[at]
    if coefficient > 0:
        return decisions.side * coefficient.sqrt()
    if coefficient == 0 or coefficient < 0 or coefficient.is_nan():
        raise NotProvedError(
            f"{decisions.place} takes the square root of exactly 0, whose slope second derivatives do not tell"
        )
    raise UnsureError(f"{decisions.place} takes the square root of what may be negative near 0")


@rule("div")
def _quotient(surroundings: Surroundings, operation: Operation, a: Balls, b: Balls) -> Balls:
    """a / b, and on one side of t = 0 what two zeros tend to."""
    found = arithmetic.divide(a, b)
    decisions = surroundings.decisions
    if not decisions.side or found.slopes is None:
        return found
    a, b = arithmetic.spread(a, b)
    zeros = _is_zero(a.values) & _is_zero(b.values) & b.where_moving()
    if not zeros.any():
        return found
    if not decisions.seconds:
        raise SecondOrderError(f"{operation}")
    # Along several directions there are several values.
    return _with_limits(found, a, b, zeros) if found.directions == 1 else found


def _with_limits(found: Balls, a: Balls, b: Balls, zeros: NDArray[np.bool_]) -> Balls:
    values = in_balls(found.values).copy()
    slopes = in_balls((found.slopes or ())[0]).copy()
    parts = []
    for one in (a, b):
        first = np.zeros(one.shape) if one.slopes is None else one.slopes[0]
        parts += [in_balls(first), in_balls(second(one, 0))]
    x1, x2, y1, y2 = parts
    for at in places(zeros):
        values[at] = x1[at] / y1[at]
        slopes[at] = (x2[at] - values[at] * y2[at]) / y1[at]
    unknown = as_array(np.where(zeros, as_array(arb.nan()), in_balls(second(found, 0))))
    return replace(found, values=values, slopes=(slopes,), seconds=(unknown,))
