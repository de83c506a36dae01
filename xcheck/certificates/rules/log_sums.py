"""log Σ exp along axes, in one piece: without subtracting the largest, at whose ties there would seem to be a kink."""

import numpy as np

from xcheck.certificates import arithmetic
from xcheck.certificates.balls import Array, Balls, constant, midpoints
from xcheck.certificates.rules.registry import RULES, Surroundings, rule
from xcheck.certificates.rules.structure import last_axis
from xcheck.trace.model import Operation


@rule("logsumexp")
def _log_of_sum(surroundings: Surroundings, operation: Operation, x: Balls) -> Balls:
    """log Σ exp(x - c) + c, with a constant c near the largest x: whatever it is, the result is the same."""
    whole = last_axis(x, operation.attributes["axes"])
    shift = _near_the_largest(whole)
    terms = RULES["exp"](surroundings, operation, arithmetic.subtract(whole, constant(shift[..., None])))
    total = arithmetic.total(terms, [whole.ndim - 1])
    found: Balls = RULES["log"](surroundings, operation, total)
    return arithmetic.add(found, constant(shift))


def _near_the_largest(x: Balls) -> Array:
    """Return float64 numbers near the largest along the last axis; 0 where that is infinite."""
    largest = np.max(midpoints(x.values), axis=-1, initial=-np.inf)
    return np.where(np.isfinite(largest), largest, 0.0)
