"""One call of an operation of torch."""

from typing import Any

import numpy as np
import pytest
import torch

from xcheck.trace import Constant, Value
from xcheck_torch.lowering.builder import Builder
from xcheck_torch.lowering.call import LOWERINGS, Call, NotLoweredError, exact, floating, lower, lowering_of, lowers

X = Value((2, 3), "float64")


def call(name: str, function: Any, arguments: dict[str, Any], *outputs: Value) -> Call:
    """A call that returns X unless something else is said."""
    return Call(name, function, arguments, outputs or (X,))


def test_arguments_are_found_by_name() -> None:
    """Sources in lists, too; axes from the end are counted from the beginning."""
    made = call("cat", torch.ops.aten.cat.default, {"tensors": [X, Constant(np.zeros(3))], "self": X, "dim": -1})
    assert made.sources[0] is X
    assert len(made.sources) == 3
    assert (made.axes(), made.get("missing", "dim"), made.get("missing")) == ((1,), -1, None)
    assert (made.shape, made.dtype) == ((2, 3), "float64")
    assert call("sum", None, {"self": X, "dim": []}).axes() == (0, 1)


def test_a_call_is_made_with_tensors_for_sources() -> None:
    """By the order of the schema; a keyword may be another one."""
    made = call("add", torch.ops.aten.add.Tensor, {"self": X, "other": X, "alpha": 2})
    one = torch.ones(2)
    assert made.invoke([one, one]).tolist() == [3, 3]
    assert made.invoke([one, one], alpha=3).tolist() == [4, 4]


def test_what_nothing_is_known_of_is_no_word_of_a_trace() -> None:
    """Also where a lowering says that it does not know this kind: `sort` means something else there."""
    b = Builder()
    b.label = "lstm_of_tomorrow"
    lower(b, call("lstm_of_tomorrow", torch.ops.aten.relu.default, {"self": X}))
    assert b.operations[0].name == "torch lstm_of_tomorrow"
    b.label = "sort"
    lower(b, call("sort", torch.ops.aten.relu.default, {"self": Value((), "float64")}, Value((), "float64")))
    assert b.operations[1].name == "torch sort"


def test_complex_numbers_have_lowerings_of_their_own() -> None:
    """What is written for real ones alone is not asked: a norm of complex ones is no root of a sum of squares."""
    b = Builder()
    b.label = "add"
    lower(b, call("add", torch.ops.aten.add.Tensor, {"self": X, "other": 1j, "alpha": 1}, Value((2, 3), "complex128")))
    assert [one.name for one in b.operations] == ["move", "add"]
    assert b.operations[1].outputs[0].dtype == "complex128"
    b = Builder()
    b.label = "maximum"
    given = {"self": Value((2, 3), "complex128"), "other": X}
    lower(b, call("maximum", torch.ops.aten.maximum.default, given, Value((2, 3), "complex128")))
    assert b.operations[0].name == "torch maximum"
    assert lowering_of("maximum", among_complex=False) is not None


def test_what_reads_no_floating_number_is_exact() -> None:
    """Constants are part of it."""
    b = Builder()
    mask, ones = Value((2,), "bool"), Constant(np.array([1.5, 2.5]))
    made = call("mul", torch.ops.aten.mul.Tensor, {"self": mask, "other": ones}, Value((2,), "float64"))
    assert lower(b, made) == list(b.operations[0].outputs)
    assert (b.operations[0].name, len(b.operations[0].inputs)) == ("exact", 1)
    assert b.operations[0].run(np.array([True, False]))[0].tolist() == [1.5, 0.0]
    assert len(exact(b, made)) == 1


def test_one_lowering_for_each_name() -> None:
    """A second one would be lost."""
    assert "relu" in LOWERINGS
    with pytest.raises(ValueError, match="relu is taken apart already"):
        lowers("relu")(lambda b, made: X)


def test_operands_are_read_in_the_dtype_of_the_result() -> None:
    """Integers have no lowering as floating numbers."""
    with pytest.raises(NotLoweredError):
        floating(Builder(), call("add", None, {"self": X}, Value((), "int64")), "self")
    (found,) = floating(Builder(), call("add", None, {"self": 2}), "self")
    assert isinstance(found, Constant)
    assert found.array.tolist() == [[2.0] * 3] * 2
