"""Copies: what a function is given, and what it has written into."""

from typing import Any

import numpy as np
import pytest

from xcheck.backend.copies import changed_data, changed_names, copy_arrays
from xcheck.backend.registry import read
from xcheck.functions.arguments import Leaf, Numbers


def view(value: Any) -> Numbers | None:
    """The numbers of any array."""
    leaf = read(value)
    return None if leaf is None else leaf.values


def make(values: Numbers, leaf: Leaf, dtype: str) -> Numbers:
    """Make a NumPy array."""
    return values.astype(dtype)


def test_every_array_is_copied_and_the_rest_is_handed_on() -> None:
    """Also integers; what is no array is the person's own object."""
    mark = object()
    tree: dict[str, Any] = {"w": np.ones(2), "n": np.arange(3), "mark": mark}
    made = copy_arrays(tree, read, make, wide=False)
    made["w"][0], made["n"][0] = 7.0, 7
    assert (tree["w"].tolist(), tree["n"].tolist()) == ([1.0, 1.0], [0, 1, 2])
    assert made["mark"] is mark


@pytest.mark.parametrize(("wide", "dtype"), [(False, "float32"), (True, "float64")])
def test_narrow_arrays_are_widened_where_that_is_asked_for(wide: bool, dtype: str) -> None:
    """Integers stay what they are."""
    made = copy_arrays({"w": np.ones(2, np.float32), "n": np.arange(3, dtype=np.int8)}, read, make, wide=wide)
    assert (made["w"].dtype, made["n"].dtype) == (np.dtype(dtype), np.dtype(np.int8))


def test_what_others_replace_is_not_copied() -> None:
    """A large array is not copied in vain."""
    tree = {"w": np.ones(2), "b": np.ones(2)}
    made = copy_arrays(tree, read, make, wide=False, without=["w"])
    assert made["w"] is tree["w"]
    assert made["b"] is not tree["b"]


@pytest.mark.parametrize(
    ("after", "names"),
    [
        ({"w": np.array([1.0, np.nan]), "n": np.array([1, 2])}, []),
        ({"w": np.array([1.0, 2.0]), "n": np.array([1, 2])}, ["w"]),
        ({"w": np.array([1.0, np.nan]), "n": np.array([1, 3])}, ["n"]),
    ],
    ids=["nothing", "nan overwritten", "an integer"],
)
def test_what_was_written_into_is_named(after: Any, names: list[str]) -> None:
    """A nan that stays is no change."""
    before = {"w": np.array([1.0, np.nan]), "n": np.array([1, 2])}
    assert changed_names(before, after, view) == names


def test_data_are_named_by_their_place() -> None:
    """As a person would write them; what is no array cannot be compared."""
    before = (np.zeros(2), {"mask": np.zeros(2), "key": "a"})
    after = (np.ones(2), {"mask": np.ones(2), "key": "b"})
    assert changed_data(before, after, view) == ["data[0]", "data[1].mask"]
