"""Arguments: a person's parameters as θ, and θ as named arrays again."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

from xcheck.backend.registry import read
from xcheck.dtypes import BFLOAT16, FLOAT32, FLOAT64
from xcheck.errors import DefinitionError
from xcheck.functions.arguments import place_inputs, read_arguments


def test_floating_and_complex_leaves_make_up_theta() -> None:
    """In the order of the tree, a complex one as two tensors; integers, booleans and words are no part of it."""
    tree = {"w": np.ones((2, 2)), "n": np.arange(3), "c": np.array([1 + 2j]), "mask": np.array([True]), "name": "mine"}
    arguments = read_arguments(tree, (), read)
    assert [(tensor.name, tensor.shape) for tensor in arguments.layout] == [
        ("w", (2, 2)),
        ("c.real", (1,)),
        ("c.imag", (1,)),
    ]
    assert arguments.theta.tolist() == [1.0, 1.0, 1.0, 1.0, 1.0, 2.0]


def test_there_and_back() -> None:
    """θ becomes named arrays, complex ones included, and these become θ."""
    arguments = read_arguments({"w": np.ones(2), "c": np.array([[1 + 2j]])}, (), read)
    theta = np.arange(4.0)
    named = arguments.unflatten(theta)
    assert {name: array.tolist() for name, array in named.items()} == {"w": [0.0, 1.0], "c": [[2 + 3j]]}
    assert np.array_equal(arguments.flatten(named), theta)


def test_named_arrays_are_copies() -> None:
    """A function may write into them without changing θ."""
    arguments = read_arguments(np.ones(2), (), read)
    theta = np.zeros(2)
    arguments.unflatten(theta)["params"][:] = 7.0
    assert theta.tolist() == [0.0, 0.0]


@pytest.mark.parametrize(
    ("tree", "roundoff", "narrow"),
    [
        (np.ones(2), FLOAT64, False),
        ({"a": np.ones(2), "b": torch.ones(2)}, FLOAT32, True),
        ({"a": np.ones(2, np.float32), "b": jnp.ones(2, "bfloat16")}, BFLOAT16, True),
        (np.ones(2, np.complex64), FLOAT32, True),
    ],
    ids=["float64", "float32 beside it", "bfloat16 beside float32", "complex64"],
)
def test_the_coarsest_dtype_counts(tree: Any, roundoff: float, narrow: bool) -> None:
    """It bounds what a gradient can be."""
    arguments = read_arguments(tree, (), read)
    assert (arguments.roundoff, arguments.is_narrow) == (roundoff, narrow)


def test_narrow_data_make_a_check_narrow() -> None:
    """But integers are exact."""
    assert read_arguments(np.ones(2), (np.ones(3, np.float32),), read).is_narrow
    assert not read_arguments(np.ones(2), (np.ones(3, np.int8), "mine"), read).is_narrow


def test_the_size_of_the_data() -> None:
    """All arrays in all of them."""
    assert read_arguments(1.0, (np.ones((2, 3)), {"x": np.arange(4), "name": "mine"}), read).data_size == 10


def test_one_array_under_two_names() -> None:
    """It is told; equal numbers in two arrays are not the same, and neither are two equal scalars."""
    shared, scalar = np.ones(2), 1.0
    tree = {"a": shared, "b": shared, "c": np.ones(2), "d": scalar, "e": scalar}
    assert read_arguments(tree, (), read).shared == (("a", "b"),)


@pytest.mark.parametrize(
    ("tree", "said"),
    [
        ({"n": np.arange(3)}, "params holds no floating-point array (n is int64)"),
        ({"name": "mine"}, "params holds no array of an installed framework (found str)"),
        ({}, "params holds no array of an installed framework (it is empty)"),
        ({"w": np.ones((0, 2))}, "the parameters have no components (w): there is nothing to differentiate"),
        ({"w": np.array([1.0, np.nan, np.inf]), "b": np.array([np.nan])}, "w: 2 of 3 numbers are not finite"),
    ],
    ids=["integers", "words", "empty", "no components", "not finite"],
)
def test_what_cannot_be_differentiated_is_refused(tree: Any, said: str) -> None:
    """With what came."""
    with pytest.raises(DefinitionError) as caught:
        read_arguments(tree, (), read)
    assert said in str(caught.value)


def test_everything_that_is_not_finite_is_said_at_once() -> None:
    """One complaint for each parameter."""
    with pytest.raises(DefinitionError) as caught:
        read_arguments({"w": np.array([np.nan]), "b": np.array([np.inf]), "c": np.ones(1)}, (), read)
    assert [complaint.text.partition(":")[0] for complaint in caught.value.complaints] == ["w", "b"]


SPARSE = torch.eye(3, dtype=torch.float64)


# torch says once in a process that its compressed layouts are in beta.
@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")
@pytest.mark.parametrize("stored", ["sparse_coo", "sparse_csr", "sparse_csc", "sparse_bsr"])
def test_a_sparse_parameter_is_refused(stored: str) -> None:
    """Filled with its zeros it would be another parameter, and a backward pass for sparse tensors would not run."""
    sparse = SPARSE.to_sparse(layout=getattr(torch, stored), blocksize=(1, 1) if stored == "sparse_bsr" else None)
    with pytest.raises(DefinitionError, match=f"W is stored as {stored}, and only its stored numbers could be moved"):
        read_arguments({"W": sparse}, (), read)
    assert read_arguments(1.0, (sparse,), read).data_size == 3


def test_narrow_floats_of_8_bits_are_parameters() -> None:
    """Of every framework; their numbers are exact in float64, and their roundoff is known."""
    name = "float8_e4m3fn"
    for array in (torch.ones(2).to(torch.float8_e4m3fn), jnp.ones(2, name), np.asarray(jnp.ones(2, name))):
        arguments = read_arguments(array, (), read)
        assert (arguments.theta.tolist(), arguments.roundoff) == ([1.0, 1.0], 2.0**-4)


def test_a_random_key_is_no_array_of_numbers() -> None:
    """It is handed on as it is."""
    assert list(read_arguments({"w": 1.0, "key": jax.random.key(0)}, (), read).leaves) == ["w"]


@pytest.mark.parametrize(
    ("tensor", "said"),
    [
        (torch.ones(2, device="meta"), "a Tensor cannot be read: NotImplementedError: Cannot copy out of meta tensor"),
        (
            torch.nested.nested_tensor([torch.ones(1), torch.ones(2)], layout=torch.jagged),
            "a nested tensor has no shape",
        ),
    ],
    ids=["meta", "nested"],
)
def test_an_array_without_numbers_is_refused(tensor: Any, said: str) -> None:
    """With a sentence, whatever the framework raises."""
    with pytest.raises(DefinitionError, match=said):
        read_arguments(tensor, (), read)


def test_data_may_be_parameters_too() -> None:
    """The floating arrays of the first so many, by the name of their place; others can be put there."""
    data = (np.ones(2), {"x": np.ones(3), "n": np.arange(2)}, np.ones(4))
    arguments = read_arguments({"w": 1.0}, data, read, inputs=2)
    assert list(arguments.leaves) == ["w", "data[0]", "data[1].x"]
    assert arguments.inputs == {"data[0]", "data[1].x"}
    assert arguments.floating_data(3) == ["data[2]"]
    placed = place_inputs(data, {"w": 0.0, "data[0]": "first", "data[1].x": "second"})
    assert placed[0] == "first"
    assert placed[1]["x"] == "second"
    assert placed[2] is data[2]


def test_one_array_alone_has_the_name_that_is_given() -> None:
    """A tree has names of its own."""
    assert list(read_arguments(1.0, (), read, root="x").leaves) == ["x"]
    assert list(read_arguments({"w": 1.0}, (), read, root="x").leaves) == ["w"]
