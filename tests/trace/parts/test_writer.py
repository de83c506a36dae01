"""Operations are appended with the label and the line of what they stand for."""

import numpy as np

from xcheck.trace import Constant, Operation, Place, Value
from xcheck.trace.parts.writer import Writer, is_complex, number, part_of


def test_operations_are_labelled_as_their_origin() -> None:
    """So a sentence names what the person has called."""
    w, x = Writer(), Value((2, 1), "float32")
    w.origin = Operation(
        name="log", inputs=(), outputs=(), run=lambda: (), label="log", place=Place("model.py", 3, "loss")
    )
    found = w.apply("mul", x, w.move(lambda a: np.reshape(a, (3,)), [Constant(np.ones((3, 1)))], (3,)))
    assert [str(one) for one in w.operations] == ["`log` at model.py:3"] * 2
    assert isinstance(found, Value)
    assert (found.shape, found.dtype) == ((2, 3), "float32")


def test_numbers_are_constants() -> None:
    """In the shape and the dtype of what they meet."""
    w, x = Writer(), Value((2,), "float32")
    w.apply("div", x, 2.0)
    divisor = w.operations[0].inputs[1]
    assert isinstance(divisor, Constant)
    assert (divisor.array.tolist(), str(divisor.array.dtype)) == ([2.0, 2.0], "float32")
    np.testing.assert_array_equal(w.operations[0].run(np.array([3.0, 5.0]), divisor.array)[0], [1.5, 2.5])
    assert number(1.0, x).array.shape == (2,)


def test_dtypes_of_parts() -> None:
    """Half of the bits; what is real is its own part."""
    assert (part_of("complex64"), part_of("complex128"), part_of("int32")) == ("float32", "float64", "int32")
    assert is_complex(Constant(np.zeros(1, complex)))
    assert not is_complex(Value((), "float64"))
