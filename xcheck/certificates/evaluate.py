"""Evaluate a trace in balls."""

from collections.abc import Sequence

import numpy as np

from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, NotProvedError
from xcheck.certificates.rules import RULES
from xcheck.certificates.rules.registry import Known, Surroundings
from xcheck.trace.model import Constant, Operation, Source, Trace, Value


def evaluate(trace: Trace, given: Sequence[Known], decisions: Decisions, remarks: dict[str, None]) -> list[Known]:
    """Return the outputs of a trace.

    Args:
        trace: the operations.
        given: one for each input: balls where it is floating.
        decisions: how comparisons are decided.
        remarks: takes what is to be said of the result.

    Raises:
        NotProvedError: an operation has no rule, or its rule can prove nothing here.
        UnsureError: more digits are needed.
        KinkError: there is a kink, and no side was chosen.
    """

    def run(body: Trace, inputs: Sequence[Known]) -> list[Known]:
        return evaluate(body, inputs, decisions, remarks)

    surroundings = Surroundings(decisions, run, remarks)
    known: dict[Value, Known] = dict(zip(trace.inputs, given, strict=True))
    for operation, unused in zip(trace.operations, trace.last_uses(), strict=True):
        # A loop has operations of its own: while one of them is evaluated, it is the place.
        decisions.place = operation
        found = _apply(surroundings, operation, [_read(source, known) for source in operation.inputs])
        known.update(zip(operation.outputs, found, strict=True))
        for value in unused:
            known.pop(value, None)
    return [_read(source, known) for source in trace.outputs]


def _read(source: Source, known: dict[Value, Known]) -> Known:
    if not isinstance(source, Constant):
        return known[source]
    # The narrow floats of other packages are of no kind that NumPy knows.
    floating = source.array.dtype.kind == "f" or "float" in source.array.dtype.name
    return constant(source.array) if floating else source.array


def _apply(surroundings: Surroundings, operation: Operation, given: list[Known]) -> Sequence[Known]:
    balls = [one for one in given if isinstance(one, Balls)]
    # Counting and choosing among integers is exact in any framework.
    if not balls and not any(output.is_floating for output in operation.outputs):
        return [np.asarray(found) for found in operation.run(*given)]
    if operation.name == "exact" and not balls:
        return [
            constant(found) if out.is_floating else np.asarray(found)
            for found, out in zip(operation.run(*given), operation.outputs, strict=True)
        ]
    if operation.name not in RULES:
        raise NotProvedError(f"{operation} has no rule")
    found = RULES[operation.name](surroundings, operation, *given)
    return found if isinstance(found, list) else [found]
