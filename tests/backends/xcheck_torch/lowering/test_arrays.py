"""Arrays of NumPy as tensors, and back."""

import numpy as np
import pytest
import torch

from xcheck.trace import Constant, Value
from xcheck_torch.lowering.arrays import (
    dtype_of,
    is_floating,
    name_of,
    number,
    shape_of,
    to_array,
    to_tensor,
    torch_dtype,
)


@pytest.mark.parametrize("name", ["float64", "float32", "float16", "bfloat16", "int64", "bool"])
def test_dtypes_have_one_name(name: str) -> None:
    """There and back."""
    assert name_of(torch_dtype(name)) == name
    assert is_floating(name) == ("float" in name)


def test_tensors_are_copied() -> None:
    """Whatever writes into the one leaves the other as it was."""
    array = np.arange(3.0)
    tensor = to_tensor(array, "float64")
    tensor[0] = 7
    assert array[0] == 0
    back = to_array(tensor)
    tensor[1] = 7
    assert back.tolist() == [7, 1, 2]


def test_arrays_that_cannot_be_written_to() -> None:
    """Broadcast, or read backwards."""
    assert to_tensor(np.broadcast_to(np.arange(2), (2, 2)), "int64").tolist() == [[0, 1], [0, 1]]
    assert to_tensor(np.arange(3)[::-1], "int64").tolist() == [2, 1, 0]


def test_bfloat16_stands_in_float32() -> None:
    """With the numbers that bfloat16 has."""
    assert to_array(torch.tensor([0.1], dtype=torch.bfloat16)).tolist() == [0.10009765625]
    assert to_tensor(np.array([0.1], np.float32), "bfloat16").dtype is torch.bfloat16
    assert float(number(0.1, "bfloat16")) == 0.10009765625


def test_numbers_of_elements_stay_integers() -> None:
    """What a move is asked where elements go."""
    assert to_tensor(np.arange(3), "float64").dtype is torch.int64


def test_sources_have_shapes_and_dtypes() -> None:
    """Constants those of their arrays."""
    assert (shape_of(Value((2, 3), "float32")), dtype_of(Value((), "bool"))) == ((2, 3), "bool")
    assert (shape_of(Constant(np.zeros(4))), dtype_of(Constant(np.zeros(4, np.int64)))) == ((4,), "int64")
