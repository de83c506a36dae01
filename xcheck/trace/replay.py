"""Replay: carry a trace out with the framework's own operations, one by one."""

from collections.abc import Callable, Sequence

from xcheck.trace.model import Array, Constant, Operation, Source, Trace, Value

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
