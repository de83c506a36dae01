"""Proved slopes component by component, and how far gradients are from them in units of the last place (ulp).

A unit direction costs what any direction costs, and several share the value part of an evaluation: so components are
proved in chunks, whose number bounds the memory. One component of which nothing can be proved is found by halving its
chunk, and costs the others nothing but time.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from flint import arb

from xcheck.certificates.decisions import NotProvedError
from xcheck.certificates.slopes import PRECISIONS, at_precision, prove_slopes
from xcheck.dtypes import ulp_exponent
from xcheck.layout import Vector
from xcheck.trace import Trace
from xcheck.trace.model import Array

# So many components in a row of which nothing can be proved, and nothing is tried of the others. A guess: where an
# operation has no rule, none of them can be proved; a tie of equal slopes takes a few.
_PATIENCE = 4


@dataclass(slots=True, eq=False)
class ComponentSlopes:
    """What is proved of the components of a gradient.

    Attributes:
        slopes: by number of the component, each a ball.
        kinks: the components whose slopes on both sides differ.
        operations: that have these kinks.
        unproved: why nothing is proved, by number of the component.
    """

    slopes: dict[int, Any] = field(default_factory=dict)
    kinks: list[int] = field(default_factory=list)
    operations: dict[str, None] = field(default_factory=dict)
    unproved: dict[int, str] = field(default_factory=dict)


def prove_components(
    trace: Trace,
    arrays: Sequence[Array],
    components: Sequence[int],
    unit: Callable[[int], Sequence[Array]],
    chunk: int,
) -> ComponentSlopes:
    """Return the slopes of a loss along unit directions.

    Args:
        trace: of the loss.
        arrays: θ, one array for each input.
        components: their numbers.
        unit: number -> the unit direction, like `arrays`.
        chunk: how many directions are proved at once, from 1.

    Raises:
        NotProvedError: nothing can be proved of the first ones; the text says why.
    """
    found = ComponentSlopes()
    waiting = [list(components[start : start + chunk]) for start in range(0, len(components), chunk)]
    waiting.reverse()
    while waiting:
        some = waiting.pop()
        try:
            _prove(trace, arrays, some, unit, found)
        except NotProvedError as error:
            if len(some) > 1:
                middle = len(some) // 2
                waiting += [some[middle:], some[:middle]]
                continue
            found.unproved[some[0]] = str(error)
            if not (found.slopes or found.kinks) and len(found.unproved) >= min(_PATIENCE, len(components)):
                raise
    return found


def _prove(
    trace: Trace,
    arrays: Sequence[Array],
    components: Sequence[int],
    unit: Callable[[int], Sequence[Array]],
    found: ComponentSlopes,
) -> None:
    slopes = prove_slopes(trace, arrays, [unit(number) for number in components])
    for place, number in enumerate(components):
        right = slopes.slopes[place]
        # Where nothing along this component meets the kink, both sides are the same operations on the same balls.
        if slopes.left is None or right.overlaps(slopes.left[place]):
            found.slopes[number] = right
        else:
            found.kinks.append(number)
            found.operations.update(dict.fromkeys(slopes.kinks))


def errors_in_ulps(slopes: Sequence[Any], claimed: Vector, dtype: str) -> tuple[Vector, Vector]:
    """Return how far numbers are from slopes: in ulps of each slope, and in ulps of the largest of them.

    What is returned is a proved lower bound of the error. Of a slope that is not 0 it is the error itself to 2⁻²² ulp
    of float64, since its enclosure is that narrow. A slope whose enclosure holds 0 is taken for the largest number in
    it: its last place is then no smaller than that of the slope.

    Args:
        slopes: balls, k of them, finite.
        claimed: shape (k,); what is not finite is infinitely far.
        dtype: whose last place it is.

    Returns:
        Twice the shape (k,).
    """
    exponents = [_leading_bit(slope) for slope in slopes]
    known = [exponent for exponent in exponents if exponent is not None]
    largest = ulp_exponent(max(known, default=None), dtype)
    own, of_largest = np.full(len(slopes), np.inf), np.full(len(slopes), np.inf)
    with at_precision(PRECISIONS[-1]):
        for place, (slope, value) in enumerate(zip(slopes, claimed.tolist(), strict=True)):
            if np.isfinite(value):
                error = (arb(value) - slope).abs_lower()
                own[place] = float(error * arb((1, -ulp_exponent(exponents[place], dtype))))
                of_largest[place] = float(error * arb((1, -largest)))
    return own, of_largest


def _leading_bit(slope: Any) -> int | None:
    """Return E with 2^E <= |x| < 2^(E + 1); None for 0."""
    point = slope.abs_upper() if slope.contains(0) else slope.mid()
    mantissa, exponent = point.mid().man_exp()
    return int(abs(mantissa)).bit_length() - 1 + int(exponent) if mantissa else None
