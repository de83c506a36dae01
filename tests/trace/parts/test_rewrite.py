"""A trace is rewritten without complex numbers; what has none stays as it is."""

import numpy as np
import pytest

from tests.trace.made import cubes
from tests.trace.parts.complex_programs import balls_of, program
from xcheck.certificates.decisions import NotProvedError
from xcheck.trace import Constant, Operation, Trace, Value, replay
from xcheck.trace.in_numpy import carry_out, entering_loops
from xcheck.trace.parts import in_real_parts


def operation(name: str, inputs: list[Value | Constant], outputs: list[Value], **attributes: object) -> Operation:
    """An operation that its framework is not asked for."""
    return Operation(
        name=name,
        inputs=tuple(inputs),
        outputs=tuple(outputs),
        run=lambda *given: given,
        attributes=attributes,
    )


def test_a_real_trace_is_returned() -> None:
    """The same object."""
    trace = cubes()
    assert in_real_parts(trace) is trace


def test_inputs_and_outputs_are_pairs() -> None:
    """The real part first; constants, too."""
    z = Value((2,), "complex64")
    trace = in_real_parts(Trace(inputs=(z,), outputs=(z, Constant(np.array(1 + 2j))), operations=()))
    assert [(one.shape, one.dtype) for one in trace.inputs] == [((2,), "float32")] * 2
    assert [one.array.item() for one in trace.outputs if isinstance(one, Constant)] == [1.0, 2.0]
    assert trace.outputs[:2] == trace.inputs


def test_what_is_not_known_is_named_and_still_carried_out() -> None:
    """An operation without real ones for it has a name of its own, and its own way to compute."""
    z = Value((2, 2), "complex128")
    trace = program("eigh", [z], [Value((2,), "float64"), Value((2, 2), "complex128")], np.linalg.eigh)
    matrix = np.array([[2, 1j], [-1j, 3]])
    values, re, im = replay(trace, [matrix.real, matrix.imag])
    np.testing.assert_allclose(values, np.linalg.eigvalsh(matrix))
    np.testing.assert_allclose(np.abs(re + 1j * im), np.abs(np.linalg.eigh(matrix)[1]))
    with pytest.raises(NotProvedError, match="`eigh` has no rule for complex numbers"):
        balls_of(trace, [matrix], [[matrix]])


def test_loops_carry_both_parts_on() -> None:
    """Constants and what is carried on are counted anew."""
    factor, carry, item = (Value((), "complex128") for _ in range(3))
    real = Value((), "float64")
    product, moved = Value((), "complex128"), Value((), "complex128")
    body = in_real_parts(
        Trace(
            inputs=(factor, real, carry, item),
            outputs=(moved, product),
            operations=(
                operation("mul", [carry, factor], [product]),
                operation("add", [product, item], [moved]),
            ),
        )
    )
    inputs = [Value((), "complex128"), Value((), "float64"), Value((), "complex128"), Value((3,), "complex128")]
    outputs = [Value((), "complex128"), Value((3,), "complex128")]
    scan = operation("scan", [*inputs], outputs, body=body, constants=2, carry=1, length=3, reverse=False)
    trace = in_real_parts(Trace(inputs=tuple(inputs), outputs=tuple(outputs), operations=(scan,)))
    assert (trace.operations[0].attributes["constants"], trace.operations[0].attributes["carry"]) == (3, 2)
    f, x = 0.5 + 1j, np.array([1 + 1j, 2, 3j])
    arrays = [np.asarray(one) for one in (f.real, f.imag, 7.0, 1.0, 0.0, x.real, x.imag)]
    found = replay(trace, arrays, entering_loops(carry_out))
    state, rows = 1 + 0j, []
    for one in x:
        rows.append(state * f)
        state = state * f + one
    np.testing.assert_allclose(found[0] + 1j * found[1], state)
    np.testing.assert_allclose(found[2] + 1j * found[3], rows)


def test_a_loop_that_ends_at_a_condition() -> None:
    """Constants of the condition and of the body are counted anew, each by itself."""
    z = Value((), "complex128")
    loop = operation("while", [z, z, z, z], [Value((), "complex128")], constants=(1, 2))
    trace = in_real_parts(Trace(inputs=(z,), outputs=loop.outputs, operations=(loop,)))
    assert trace.operations[0].attributes["constants"] == (2, 4)


def test_integers_that_become_complex() -> None:
    """What depends on no floating number is carried out as it is, and read apart."""
    counted = Value((2,), "int64")
    trace = program("exact", [counted], [Value((2,), "complex128")], lambda a: (a.astype(complex),))
    assert [one.tolist() for one in replay(trace, [np.array([1, 2])])] == [[1.0, 2.0], [0.0, 0.0]]
