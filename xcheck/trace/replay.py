"""Replay: carry a trace out with the framework's own operations, one by one."""

from collections.abc import Callable, Sequence

import numpy as np

from xcheck.trace.model import Array, Constant, Operation, Source, Trace, UntraceableError, Value

# A replay rounds operation by operation, the compiled loss rounds as its compiler likes: so many roundings of the
# loss's dtype may lie between them. Far above what is met, far below any mistake in a trace.
_ROUNDINGS = 2.0**20

Carry = Callable[[Operation, Sequence[Array]], Sequence[Array]]


def replay(trace: Trace, arrays: Sequence[Array], carry_out: Carry | None = None) -> list[Array]:
    """Return the outputs of a trace.

    Args:
        trace: the operations.
        arrays: one for each input.
        carry_out: called with each operation and its inputs, returns its outputs; by default `Operation.run`.
    """
    known: dict[Value, Array] = dict(zip(trace.inputs, arrays, strict=True))

    def read(source: Source) -> Array:
        return source.array if isinstance(source, Constant) else known[source]

    for operation, unused in zip(trace.operations, trace.last_uses(), strict=True):
        given = [read(source) for source in operation.inputs]
        found = operation.run(*given) if carry_out is None else carry_out(operation, given)
        known.update(zip(operation.outputs, found, strict=True))
        for value in unused:
            known.pop(value, None)
    return [read(source) for source in trace.outputs]


def confirm(trace: Trace, arrays: Sequence[Array], loss: float, roundoff: float) -> None:
    """Check that a trace computes the loss that the function does.

    Args:
        trace: of the loss.
        arrays: one for each input.
        loss: what the function returns at the same θ.
        roundoff: unit roundoff of what it is computed in.

    Raises:
        UntraceableError: the trace gives another loss.
    """
    (found,) = replay(trace, arrays)
    value = float(np.asarray(found, np.float64).reshape(()))
    if not (value == loss or abs(value - loss) <= _ROUNDINGS * roundoff * max(1.0, abs(loss))):
        raise UntraceableError(f"the operations that were traced give the loss {value:.17g}, the function {loss:.17g}")
