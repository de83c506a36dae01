"""Trees of people's parameters: every leaf has a name, and comes back where it was."""

import dataclasses
from collections import OrderedDict, defaultdict
from typing import Any, NamedTuple

import jax
import numpy as np
import pytest
import torch

from xcheck.errors import DefinitionError
from xcheck.functions.tree import children, leaves, nest, rebuild, rebuilder


class Pair(NamedTuple):
    """A named tuple of parameters."""

    first: Any
    second: Any


@dataclasses.dataclass(frozen=True)
class Frozen:
    """A dataclass that refuses to be made with what it has."""

    W: Any
    name: str = "mine"

    def __post_init__(self) -> None:
        if not isinstance(self.W, float | list):
            raise TypeError("only once")


class OwnDict(dict[str, Any]):
    """A person's own kind of dict."""


class OwnList(list[Any]):
    """A person's own kind of list."""


class Registered:
    """A person's own container."""

    def __init__(self, inside: Any, label: str) -> None:
        self.inside, self.label = inside, label


jax.tree_util.register_pytree_with_keys(
    Registered,
    lambda node: (((jax.tree_util.GetAttrKey("inside"), node.inside),), node.label),
    lambda label, children: Registered(children[0], label),
)


@pytest.mark.parametrize(
    ("tree", "names"),
    [
        (1.0, ["params"]),
        ({"a": {"b": [1.0, 2.0]}}, ["a.b.0", "a.b.1"]),
        ((1.0, {"x": 2.0}), ["0", "1.x"]),
        (Pair(1.0, 2.0), ["first", "second"]),
        (Frozen(1.0), ["W", "name"]),
        (OrderedDict(z=1.0, a=2.0), ["z", "a"]),
        ({3: 1.0}, ["3"]),
        ({"none": None, "w": 1.0}, ["none", "w"]),
        ({"r": Registered([1.0, 2.0], "mine")}, ["r.inside.0", "r.inside.1"]),
        ({}, []),
        ({"z": 1.0, "a": 2.0}, ["z", "a"]),
        ({1: 1.0, "b": 2.0}, ["1", "b"]),
        (defaultdict(float, z=1.0, a=2.0), ["z", "a"]),
        (OwnDict(w=1.0), ["w"]),
        (OwnList([1.0, 2.0]), ["0", "1"]),
        (torch.Size([2, 3]), ["0", "1"]),
        ({"d": Frozen([Pair(1.0, 2.0)])}, ["d.W.0.first", "d.W.0.second", "d.name"]),
    ],
    ids=[
        "leaf",
        "nested",
        "tuple",
        "named tuple",
        "dataclass",
        "ordered",
        "number",
        "none",
        "registered",
        "empty",
        "order of keys",
        "keys of two types",
        "default",
        "own dict",
        "own list",
        "torch size",
        "all at once",
    ],
)
def test_every_leaf_has_a_name(tree: Any, names: list[str]) -> None:
    """The names that a person would write."""
    assert list(leaves(tree)) == names


def test_a_tree_is_rebuilt_with_other_leaves() -> None:
    """Containers keep their types, what is not named stays, and the original is not touched."""
    tree = {"p": Pair(1.0, [2.0]), "d": Frozen(3.0), "r": Registered(4.0, "mine"), "o": OrderedDict(z=5.0)}
    made = rebuild(tree, {"p.second.0": 20, "d.W": 30, "r.inside": 40, "o.z": 50})
    assert made["p"] == Pair(1.0, [20])
    assert (made["d"].W, made["d"].name) == (30, "mine")
    assert (made["r"].inside, made["r"].label) == (40, "mine")
    assert made["o"] == OrderedDict(z=50)
    assert isinstance(made["o"], OrderedDict)
    assert leaves(tree)["p.second.0"] == 2.0


def test_a_defaultdict_keeps_its_factory() -> None:
    """A function that looks up what is not there finds what it expects."""
    made = rebuild(defaultdict(int, a=1), {"a": 2})
    assert (made["a"], made["missing"]) == (2, 0)


def test_what_jax_takes_for_a_leaf_is_opened_when_it_is_a_dataclass() -> None:
    """Also the second time, when JAX is not asked any more."""
    for _ in range(2):
        assert list(leaves({"d": Frozen(1.0)})) == ["d.W", "d.name"]


def test_two_leaves_of_one_name_are_refused() -> None:
    """A dot in a key may collide with a path."""
    with pytest.raises(DefinitionError, match=r"two parameters are called 'a\.b'"):
        leaves({"a.b": 1.0, "a": {"b": 2.0}})


def test_dotted_names_become_nested_dicts() -> None:
    """As flax has them."""
    assert nest({"fc.kernel": 1, "fc.bias": 2, "scale": 3}) == {"fc": {"kernel": 1, "bias": 2}, "scale": 3}
    assert nest({"params": 1}) == 1


@pytest.mark.parametrize("tree", [{"a": {"b": 1.0, "c": {"d": 2.0}}}, 1.0])
def test_nesting_undoes_leaves(tree: Any) -> None:
    """For dicts of dicts, and for a single leaf."""
    assert nest(leaves(tree)) == tree


def test_arrays_are_leaves() -> None:
    """Of every framework."""
    assert list(leaves({"n": np.zeros(3), "j": jax.numpy.zeros(3)})) == ["n", "j"]


def test_what_a_container_holds() -> None:
    """One level deep, by name; a leaf holds nothing."""
    assert children({"a": 1, "b": (2, 3)}) == [("a", 1), ("b", (2, 3))]
    assert children(()) == []
    assert children(1.0) is None


def test_a_container_that_holds_itself_is_refused() -> None:
    """It has no end."""
    endless: list[object] = [1.0]
    endless.append(endless)
    with pytest.raises(DefinitionError, match="the tree never ends: one of its containers holds itself"):
        leaves(endless)


def test_a_tree_that_is_walked_once_is_rebuilt_again_and_again() -> None:
    """Each time with containers of its own, whatever they are."""
    tree: Any = {"a": Pair(1.0, [2.0, "x"]), "b": Registered(Frozen(3.0), "mine"), "c": OrderedDict(z=None)}
    rebuild_it = rebuilder(tree)
    for values in ({"a.first": 5.0, "b.inside.W": 7.0}, {"a.second.0": 6.0}, {}):
        once, twice = rebuild_it(values), rebuild_it(values)
        assert leaves(once) == leaves(rebuild(tree, values))
        assert once is not twice
        assert once["a"].second is not tree["a"].second
        assert type(once["c"]) is OrderedDict


def test_what_is_walked_once_is_no_container() -> None:
    """JAX warns of a generator, and will fail."""
    generator = (number for number in (1.0, 2.0))
    assert leaves(generator) == {"params": generator}
