"""Trees: dicts, lists, tuples, dataclasses and registered pytrees of anything, walked by name.

The names are those a person would write: `encoder.0.W` for `params["encoder"][0].W`. A tree that is a single leaf is
called `params`. Nothing here knows arrays: what is no container is a leaf.
"""

import dataclasses
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from xcheck.errors import Complaint, DefinitionError

ROOT = "params"
# Types that JAX has been found not to open: it is asked once for each.
_LEAVES: set[type] = set()
Path: TypeAlias = tuple[str, ...]


def leaves(tree: Any) -> dict[str, Any]:
    """Return the leaves of a tree by name, in the order in which they stand.

    >>> leaves({"encoder": [{"W": 1.0}, {"W": 2.0}], "b": 3.0})
    {'encoder.0.W': 1.0, 'encoder.1.W': 2.0, 'b': 3.0}
    >>> leaves(1.0)
    {'params': 1.0}

    Raises:
        DefinitionError: two leaves have the same name, as in `{"a.b": 1, "a": {"b": 2}}`.
    """
    found = list(_walk(tree, ()))
    twice = [name for name, count in Counter(name for name, _ in found).items() if count > 1]
    if twice:
        text = f"two parameters are called {twice[0]!r}: rename a key, so that names can tell them apart"
        raise DefinitionError(Complaint(text))
    return dict(found)


def rebuild(tree: Any, values: Mapping[str, Any]) -> Any:
    """Return the tree with the leaves in `values` exchanged, and all containers new.

    >>> rebuild({"W": 1.0, "name": "mine"}, {"W": 5.0})
    {'W': 5.0, 'name': 'mine'}
    """
    return _rebuilt(tree, (), values)


def nest(values: Mapping[str, Any]) -> Any:
    """Return a tree of dicts for dotted names; what `leaves` takes apart.

    >>> nest({"fc1.kernel": 1.0, "fc1.bias": 2.0})
    {'fc1': {'kernel': 1.0, 'bias': 2.0}}
    """
    if set(values) == {ROOT}:
        return values[ROOT]
    tree: dict[str, Any] = {}
    for name, value in values.items():
        *above, last = name.split(".")
        branch = tree
        for part in above:
            branch = branch.setdefault(part, {})
        branch[last] = value
    return tree


@dataclasses.dataclass(frozen=True, slots=True)
class _Node:
    """One container: its children by name, and how to make another of it."""

    children: list[tuple[str, Any]]
    make: Callable[[Sequence[Any]], Any]


def _walk(tree: Any, path: Path) -> Iterator[tuple[str, Any]]:
    node = _opened(tree)
    if node is None:
        yield _name(path), tree
        return
    for part, child in node.children:
        yield from _walk(child, (*path, part))


def _rebuilt(tree: Any, path: Path, values: Mapping[str, Any]) -> Any:
    node = _opened(tree)
    if node is None:
        return values.get(_name(path), tree)
    return node.make([_rebuilt(child, (*path, part), values) for part, child in node.children])


def _name(path: Path) -> str:
    return ".".join(path) or ROOT


def _opened(tree: Any) -> _Node | None:
    """Return the children of a container, None for a leaf."""
    if isinstance(tree, dict):
        keys = list(tree)
        return _Node([(str(key), tree[key]) for key in keys], lambda new: _same_dict(tree, keys, new))
    if isinstance(tree, tuple) and isinstance(names := getattr(tree, "_fields", None), tuple):
        return _Node(list(zip(names, tree, strict=True)), lambda new: type(tree)(*new))
    if isinstance(tree, list | tuple):
        kind = list if isinstance(tree, list) else tuple
        return _Node([(str(number), child) for number, child in enumerate(tree)], kind)
    if tree is None:
        return None
    return _registered(tree) or _dataclass(tree)


def _same_dict(tree: dict[Any, Any], keys: Sequence[Any], new: Sequence[Any]) -> dict[Any, Any]:
    """An OrderedDict stays one, a defaultdict keeps its factory."""
    copy = tree.copy()
    copy.update(zip(keys, new, strict=True))
    return copy


def _dataclass(tree: Any) -> _Node | None:
    if not dataclasses.is_dataclass(tree) or isinstance(tree, type):
        return None
    names = [field.name for field in dataclasses.fields(tree)]

    def make(new: Sequence[Any]) -> Any:
        # Neither __init__ nor __post_init__ runs: they may check, convert or draw.
        copy = object.__new__(type(tree))
        for name, value in zip(names, new, strict=True):
            object.__setattr__(copy, name, value)
        return copy

    return _Node([(name, getattr(tree, name)) for name in names], make)


def _registered(tree: Any) -> _Node | None:
    """Open what is registered with jax.tree_util: equinox and flax modules, people's own classes."""
    jax = sys.modules.get("jax")
    if jax is None or type(tree) in _LEAVES:
        return None
    util = jax.tree_util
    found, structure = util.tree_flatten_with_path(tree, is_leaf=lambda node: node is not tree)
    if util.treedef_is_leaf(structure):
        _LEAVES.add(type(tree))
        return None
    children = [(str(util.keystr(path, simple=True, separator=".")), child) for path, child in found]
    return _Node(children, structure.unflatten)
