"""Whether rounding makes a staircase of a loss that is computed in 64 bits, beside numbers that are huge.

x + c rounds x to multiples of spacing(c): with c = 1e9 a loss of it is a staircase, whose treads are 1e-7 wide. The
results of all operations at θ and beside it tell: a result that moves by few of its own roundings has treads.
"""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.layout import Vector
from xcheck.trace.model import Array, Operation, Trace
from xcheck.trace.replay import replay

# How far beside θ, in units of max(1, |θᵢ|): the first step of differences.
_BESIDE = 2.0**-10
# Treads that are narrower than 2⁻³⁶, in the same units, no search for treads sees: of wider ones there are 2²⁶ over
# that distance. Four times as many are on the safe side.
_TREADS = 2.0**28
# What is flat from one jump to the next, whatever it is computed in.
_FLAT = {"round", "rint", "floor", "ceil", "trunc", "sign", "to_integer", "floor_divide", "remainder", "fmod", "exact"}
_FLAT |= {"lt", "le", "gt", "ge", "eq", "ne", "argmax", "argmin"}


def roundoff_of_stairs(
    trace: Callable[[], Trace], arrays: Callable[[Vector], Sequence[Array]], theta: Vector
) -> float | None:
    """Return the unit roundoff of float64 where huge numbers make a staircase of a loss, 0 where they do not.

    None where nobody knows whether they do, or something else. Of a loss that cannot be traced no huge numbers are
    known.

    Args:
        trace: returns the trace of the loss.
        arrays: returns a vector like θ as what the trace takes.
        theta: θ, shape (n,).
    """
    try:
        found = has_stairs(trace(), arrays(theta), arrays(move_beside(theta)))
    except Exception:  # noqa: BLE001 - a person's operations may fail beside θ, whatever the reason
        return 0.0
    return None if found is None else float(np.finfo(np.float64).eps) / 2 * found


def has_stairs(trace: Trace, here: Sequence[Array], beside: Sequence[Array]) -> bool | None:
    """Return whether huge numbers make a staircase of a loss.

    None where they may, and something that is flat by itself does as well.

    Args:
        trace: of the loss.
        here: θ, one array for each input.
        beside: θ moved a little.
    """
    if not _is_absorbed(trace, here, beside):
        return False
    return None if any(operation.name in _FLAT for operation in trace.operations) else True


def move_beside(theta: Vector) -> Vector:
    """Return θ moved by different steps along all components: equal ones leave differences where they are."""
    odd = 0.5 + np.arange(theta.size) * 0.618 % 0.5
    return np.asarray(theta + _BESIDE * odd * np.maximum(1.0, np.abs(theta)) * (-1.0) ** np.arange(theta.size))


@np.errstate(all="ignore")
def _is_absorbed(trace: Trace, here: Sequence[Array], beside: Sequence[Array]) -> bool:
    """Whether a result moves by so few of its own roundings that it is a staircase."""
    before = iter(_results(trace, here))
    absorbed = False
    for after in _results(trace, beside):
        value = next(before)
        moved = np.abs(after - value)
        absorbed |= bool(((moved > 0) & (moved < _TREADS * np.spacing(np.abs(value)))).any())
    return absorbed


def _results(trace: Trace, arrays: Sequence[Array]) -> list[Array]:
    """Return all results in floating point."""
    found: list[Array] = []

    def carry_out(operation: Operation, given: Sequence[Array]) -> Sequence[Array]:
        # Beside θ a program may go on in another way: it is followed along the way that it takes at θ.
        results = () if operation.name == "guard" else operation.run(*given)
        found.extend(np.asarray(result) for result in results if np.asarray(result).dtype.kind == "f")
        return results

    replay(trace, arrays, carry_out)
    return found
