"""Operations, put one after the other."""

import numpy as np
import pytest
import torch

from xcheck.trace import Constant, Place, Value
from xcheck_torch.lowering.builder import Builder, function_of


def test_what_depends_on_nothing_is_computed_at_once() -> None:
    """It stands in the trace as a constant."""
    b = Builder()
    found = b.add(Constant(np.array([1.0, 2.0])), 3.0)
    assert isinstance(found, Constant)
    assert found.array.tolist() == [4.0, 5.0]
    assert b.operations == []


def test_operations_carry_labels_and_places() -> None:
    """Those of what is being taken apart."""
    b = Builder()
    b.label, b.place = "gelu", Place("loss.py", 3)
    b.mul(Value((2,), "float64"), 0.5)
    (operation,) = b.operations
    assert (operation.name, operation.label, str(operation)) == ("mul", "gelu", "`gelu` at loss.py:3")
    assert operation.run(np.array([1.0, 2.0]), np.full(2, 0.5))[0].tolist() == [0.5, 1.0]


def test_operands_get_one_shape_by_a_move() -> None:
    """A number, a row and a matrix; the wider dtype of two."""
    b = Builder()
    found = b.add(Value((3,), "float32"), Value((2, 3), "float64"))
    assert [operation.name for operation in b.operations] == ["move", "move", "add"]
    assert (found.shape, found.dtype) == ((2, 3), "float64") if isinstance(found, Value) else None
    one, other = b.alike(1.5, Value((2,), "float32"))
    assert isinstance(one, Constant)
    assert (str(one.array.dtype), one.array.shape) == ("float32", (2,))
    assert isinstance(other, Value)


def test_a_factor_of_1_is_none() -> None:
    """x itself."""
    b, x = Builder(), Value((2,), "float64")
    assert b.mul(1, x) is x
    assert b.mul(x, 1.0) is x


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("float64", "float32", "cast"),
        ("float32", "float64", "move"),
        ("float16", "bfloat16", "cast"),
        ("bfloat16", "float16", "cast"),
        ("float64", "int64", "to_integer"),
        ("float64", "bool", "is_nonzero"),
        ("int64", "float64", "exact"),
    ],
)
def test_casts(old: str, new: str, name: str) -> None:
    """From floating to floating they round where a bit is lost, of the significand or of the range."""
    b = Builder()
    found = b.cast(Value((), old), new)
    assert isinstance(found, Value)
    assert (found.dtype, [operation.name for operation in b.operations]) == (new, [name])


def test_a_move_works_on_numbers_of_elements() -> None:
    """Integers go the same way."""
    b = Builder()
    b.permute(Value((2, 3), "float64"), (1, 0))
    (found,) = b.operations[0].run(np.arange(1, 7).reshape(2, 3))
    assert found.tolist() == [[1, 4], [2, 5], [3, 6]]
    assert found.dtype == np.int64


def test_reductions_keep_axes_where_asked() -> None:
    """By a reshape."""
    b = Builder()
    found = b.mean(Value((2, 3), "float64"), [1], keep=True)
    assert isinstance(found, Value)
    assert found.shape == (2, 1)
    assert b.operations[0].attributes == {"axes": (1,)}


def test_a_product_over_two_axes() -> None:
    """One after the other."""
    b = Builder()
    b.reduce("prod", Value((2, 3), "float64"), [0, 1])
    assert float(b.operations[0].run(np.arange(1.0, 7).reshape(2, 3))[0]) == 720


def test_updates_are_added_where_they_belong() -> None:
    """Twice in one place, and nowhere for -1."""
    b = Builder()
    b.scatter_add(Value((3,), "float64"), Constant(np.array([1, 1, -1])), Value((3,), "float64"))
    (operation,) = b.operations
    (found,) = operation.run(np.ones(3), np.array([1, 1, -1]), np.array([2.0, 3.0, 9.0]))
    assert found.tolist() == [1, 6, 1]
    assert operation.attributes["positions"](np.array([4])).tolist() == [4]


def test_functions_are_those_of_torch() -> None:
    """By their name in a trace."""
    assert function_of("logistic") is torch.sigmoid
    assert function_of("erfcx") is torch.special.erfcx
    assert function_of("cbrt")(torch.tensor([-8.0])).tolist() == pytest.approx([-2.0])
