"""Traces: what is read last is known, places are said."""

import numpy as np

from tests.trace.made import cubes, operation, value
from xcheck.trace import Place
from xcheck.trace.model import array_of


def test_last_uses_are_known() -> None:
    """Memory is freed after them; what is returned is kept."""
    trace = cubes()
    first, second, third = trace.last_uses()
    assert first == [trace.inputs[0]]
    assert second == [trace.operations[0].outputs[0]]
    assert third == [trace.operations[1].outputs[0]]


def test_what_is_never_read_is_freed_at_once() -> None:
    """Outputs, too."""
    trace = cubes()
    unread = operation("neg", [trace.inputs[0]], value(3), np.negative)
    longer = type(trace)(inputs=trace.inputs, outputs=trace.outputs, operations=(unread, *trace.operations))
    assert longer.last_uses()[0] == [unread.outputs[0]]


def test_an_operation_says_where_it_is() -> None:
    """As an editor opens it."""
    here = operation("exp", [value()], value(), np.exp)
    assert str(here) == "`exp`"
    placed = type(here)(
        name="exp", inputs=(), outputs=(), run=here.run, label="exponential", place=Place("model.py", 3, "loss")
    )
    assert str(placed) == "`exponential` at model.py:3"


def test_floating_dtypes_are_told_from_others() -> None:
    """The narrow ones, too."""
    assert [value(dtype=name).is_floating for name in ("float64", "bfloat16", "float8_e5m2", "int64", "bool")] == [
        *(True, True, True),
        *(False, False),
    ]


def test_bare_numbers_become_arrays() -> None:
    """What a framework returns may be one."""
    assert array_of(2.0).shape == ()
