"""Evaluation of a trace in balls: every operation by its rule, and what has none is named."""

from typing import Any

import numpy as np
import pytest
from mpmath import mp, mpf

from tests.certificates.programs import Program
from tests.certificates.rules.reference import STEP, along, assert_encloses
from xcheck.certificates.balls import Balls, constant
from xcheck.certificates.decisions import Decisions, NotProvedError
from xcheck.certificates.evaluate import evaluate
from xcheck.certificates.slopes import at_precision
from xcheck.trace import Constant, Place, Trace
from xcheck.trace.model import Operation, Value


def outputs_of(program: Program, *outputs: Any, given: Any) -> list[Any]:
    """What a program gives."""
    return evaluate(program.trace(*outputs), given, Decisions(), {})


def test_a_program_against_differences_of_150_digits() -> None:
    """tanh(x y) log(1 + exp(x)) / y, in one direction."""
    program = Program((), ())
    x, y = program.inputs
    tanh = program.do("tanh", program.do("mul", x, y))
    loss = program.do("div", program.do("mul", tanh, program.do("log1p", program.do("exp", x))), y)

    def reference(t: Any) -> Any:
        a, b = mpf(0.3) + t * mpf(-0.7), mpf(1.9) + t * mpf(0.2)
        return mp.tanh(a * b) * mp.log1p(mp.exp(a)) / b

    with at_precision(256), mp.workdps(150):
        [found] = outputs_of(program, loss, given=[along(0.3, -0.7), along(1.9, 0.2)])
        assert_encloses(found.values[()], reference(mpf(0)))
        h = mpf(STEP)
        assert_encloses(found.slopes[0][()], (reference(h) - reference(-h)) / (2 * h))


def test_an_operation_without_a_rule_is_named_with_its_line() -> None:
    """The person sees where it stands."""
    x = Value((), "float64")
    operation = Operation(
        name="jax fft", inputs=(x,), outputs=(x,), run=lambda a: (a,), label="fft", place=Place("loss.py", 12)
    )
    trace = Trace(inputs=(x,), outputs=(x,), operations=(operation,))
    with pytest.raises(NotProvedError, match=r"`fft` at loss\.py:12 has no rule"):
        evaluate(trace, [along(1.0, 1.0)], Decisions(), {})


def test_integers_are_the_frameworks_own() -> None:
    """Whatever the operation is called."""
    program = Program((2,), dtype="int32")
    count = program.do("anything", *program.inputs, dtype="int64", run=lambda a: (a.sum(),))
    [found] = outputs_of(program, count, given=[np.array([1, 2])])
    assert found == 3


def test_what_has_no_floating_input() -> None:
    """A framework's float of integers, or of nothing, is a constant."""
    program = Program((2,), dtype="int32")
    converted = program.do("exact", *program.inputs, shape=(2,), run=lambda a: (a / 2,))
    counted = program.do("count", shape=(2,), run=lambda: (np.array([0.0, 1.0]),))
    found = outputs_of(program, converted, counted, given=[np.array([1, 2])])
    assert [one.values.tolist() for one in found] == [[0.5, 1.0], [0.0, 1.0]]
    assert all(isinstance(one, Balls) and one.slopes is None for one in found)


def test_constants_are_what_they_are() -> None:
    """A float32 is no float64 that was rounded; integers stay integers."""
    program = Program()
    floating, integer = Constant(np.asarray(0.1, np.float32)), Constant(np.array([1, 2]))
    found = outputs_of(program, floating, integer, given=[])
    assert found[0].values == float(np.float32(0.1))
    assert found[1].tolist() == [1, 2]


@pytest.mark.skipif(np.finfo(np.longdouble).eps == np.finfo(np.float64).eps, reason="longdouble is float64 here")
def test_constants_with_more_digits_than_float64_are_refused() -> None:
    """Rounded, they would be those of another function; what float64 has as well is welcome."""
    program = Program()
    [found] = outputs_of(program, Constant(np.asarray([0.5, np.nan], np.longdouble)), given=[])
    assert found.values.dtype == np.float64
    with pytest.raises(NotProvedError, match="more digits than float64"):
        outputs_of(program, Constant(np.asarray(1, np.longdouble) / 3), given=[])


def test_complex_constants_are_refused() -> None:
    """In whatever operation."""
    program = Program(())
    product = program.do("mul", program.inputs[0], 1j)
    with pytest.raises(NotProvedError, match="complex"):
        outputs_of(program, product, given=[constant(1.0)])


def test_what_rounds_is_remarked() -> None:
    """The derivative is that without the rounding."""
    program, remarks = Program(()), dict[str, None]()
    rounded = program.do("cast", program.inputs[0], dtype="float32")
    evaluate(program.trace(rounded), [along(0.1, 1.0)], Decisions(), remarks)
    [remark] = remarks
    assert "rounds" in remark
