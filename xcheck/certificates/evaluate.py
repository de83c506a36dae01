"""Evaluate a trace in balls."""

from collections.abc import Sequence

import numpy as np

from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, NotProvedError
from xcheck.certificates.rules import RULES
from xcheck.certificates.rules.registry import Known, Surroundings
from xcheck.trace.model import COMPLEX, Array, Constant, Operation, Source, Trace, Value, array_of, is_floating


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
        decisions.go_to(operation)
        found = _apply(surroundings, operation, [_read(source, known) for source in operation.inputs])
        known.update(zip(operation.outputs, found, strict=True))
        for value in unused:
            known.pop(value, None)
    return [_read(source, known) for source in trace.outputs]


def _read(source: Source, known: dict[Value, Known]) -> Known:
    return _known(source.array) if isinstance(source, Constant) else known[source]


def _known(array: Array) -> Known:
    if not is_floating(array):
        return array
    found = constant(array)
    # Balls begin with float64; NumPy's longdouble has more digits.
    if array.dtype.itemsize > found.values.dtype.itemsize and not np.array_equal(found.values, array, equal_nan=True):
        raise NotProvedError(f"a constant in {array.dtype} has more digits than float64")
    return found


def _is_complex(operation: Operation) -> bool:
    dtypes = [source.array.dtype.name if isinstance(source, Constant) else source.dtype for source in operation.inputs]
    return any(dtype.startswith("complex") for dtype in (*dtypes, *(output.dtype for output in operation.outputs)))


def _apply(surroundings: Surroundings, operation: Operation, given: list[Known]) -> Sequence[Known]:
    if _is_complex(operation):
        raise NotProvedError(f"{operation} works on complex numbers, which are no pairs of real ones")
    # Numbers are given to the program by what reads no floating number: counting, casts of integers, random draws.
    # A guard gives nothing, and is there for its rule.
    if operation.outputs and not any(isinstance(one, Balls) for one in given):
        return [_known(array_of(found)) for found in operation.run(*given)]
    if operation.name not in RULES:
        of_what = " for complex numbers" if operation.name.startswith(COMPLEX) else ""
        raise NotProvedError(f"{operation} has no rule{of_what}")
    found = RULES[operation.name](surroundings, operation, *given)
    return found if isinstance(found, list) else [found]
