"""Trees: dicts, lists, tuples, dataclasses and registered pytrees of anything, walked by name.

Each leaf has the name that a person would write: `encoder.0.W` for `params["encoder"][0].W`. A tree that is a single
leaf is called `params`, unless another name is given. Whatever is no container is a leaf; this module knows nothing of
arrays.

It is written by hand because the libraries open fewer things. `jax.tree_util` sorts the keys of dicts, refuses
keys of several types, and takes dataclasses, torch.Size and subclasses of dict and list for leaves; `optree` does the
last of these, and does not see what is registered with JAX. Each is a case of tests/functions/test_tree.py.
"""

import dataclasses
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from xcheck.errors import Complaint, DefinitionError

# What a tree is called that is itself a leaf: the name of the argument in `loss(params, *data)`.
ROOT = "params"
# Types that are no containers. It is found out once for each type, because JAX, which is asked, takes longer than all
# else here.
_LEAF_TYPES: set[type] = {float, int, bool, str, type(None)}
Path: TypeAlias = tuple[str, ...]


def leaves(tree: Any, root: str = ROOT) -> dict[str, Any]:
    """Return the leaves of a tree by name, in the order in which they stand; `root` names a tree that is a leaf.

    >>> leaves({"encoder": [{"W": 1.0}, {"W": 2.0}], "b": 3.0})
    {'encoder.0.W': 1.0, 'encoder.1.W': 2.0, 'b': 3.0}
    >>> leaves(1.0)
    {'params': 1.0}
    >>> leaves(1.0, "x")
    {'x': 1.0}

    Raises:
        DefinitionError: two leaves have the same name, as in `{"a.b": 1, "a": {"b": 2}}`, or a container holds itself.
    """
    # The usual case, tens of times in a check.
    if type(tree) in _LEAF_TYPES:
        return {root: tree}
    try:
        walked = [(".".join(path) or root, value) for path, value in _walk(tree, ())]
    except RecursionError as error:
        raise DefinitionError(Complaint("the tree never ends: one of its containers holds itself")) from error
    named = dict(walked)
    if len(named) < len(walked):
        twice, _ = Counter(name for name, _ in walked).most_common(1)[0]
        text = f"two parameters are called {twice!r}: rename a key, so that names can tell them apart"
        raise DefinitionError(Complaint(text))
    return named


def rebuild(tree: Any, values: Mapping[str, Any], root: str = ROOT) -> Any:
    """Return a new tree with the leaves named in `values` exchanged; the other leaves are those of `tree`.

    A tree that is a leaf is named `root`.

    >>> rebuild({"W": 1.0, "name": "mine"}, {"W": 5.0})
    {'W': 5.0, 'name': 'mine'}
    """
    return _rebuild(tree, (), values, root)


def children(tree: Any) -> list[tuple[str, Any]] | None:
    """Return what a container holds, one level deep, by name; None for a leaf.

    >>> children((1.0, {"accuracy": 0.5}))
    [('0', 1.0), ('1', {'accuracy': 0.5})]
    """
    container = _open(tree)
    return None if container is None else container.children


def rebuilder(tree: Any, root: str = ROOT) -> Callable[[Mapping[str, Any]], Any]:
    """Return `values -> rebuild(tree, values)`, which walks the tree no more: for what is rebuilt for every loss.

    >>> rebuilder({"W": 1.0, "name": "mine"})({"W": 5.0})
    {'W': 5.0, 'name': 'mine'}
    """
    return _plan_rebuilding(tree, (), root)


def nest(values: Mapping[str, Any]) -> Any:
    """Return nested dicts whose leaves have these dotted names, such that `leaves` gives `values` again.

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
class _Container:
    """A container: its children by name, and a function that makes another such container of other children."""

    children: list[tuple[str, Any]]
    make: Callable[[Sequence[Any]], Any]


def _walk(tree: Any, path: Path) -> Iterator[tuple[Path, Any]]:
    """Yield path and value of each leaf below `path`."""
    container = _open(tree)
    if container is None:
        yield path, tree
        return
    for part, child in container.children:
        yield from _walk(child, (*path, part))


def _rebuild(tree: Any, path: Path, values: Mapping[str, Any], root: str) -> Any:
    """Return the part of the new tree that stands at `path`."""
    container = _open(tree)
    if container is None:
        return values.get(".".join(path) or root, tree)
    return container.make([_rebuild(child, (*path, part), values, root) for part, child in container.children])


def _plan_rebuilding(tree: Any, path: Path, root: str) -> Callable[[Mapping[str, Any]], Any]:
    """Return what makes the part of a new tree that stands at `path`."""
    container = _open(tree)
    if container is None:
        name = ".".join(path) or root
        return lambda values: values.get(name, tree)
    make = container.make
    children = [_plan_rebuilding(child, (*path, part), root) for part, child in container.children]
    # The usual case, which a small function meets with every loss: a dict of leaves.
    if type(tree) is dict and all(_open(child) is None for child in tree.values()):
        named = [
            (key, ".".join((*path, part)), child) for key, (part, child) in zip(tree, container.children, strict=True)
        ]
        return lambda values: {key: values.get(name, child) for key, name, child in named}
    return lambda values: make([child(values) for child in children])


def _open(tree: Any) -> _Container | None:
    """Return a container with its children; None if `tree` is a leaf."""
    if type(tree) in _LEAF_TYPES:
        return None
    if isinstance(tree, dict):
        keys = list(tree)
        return _Container([(str(key), tree[key]) for key in keys], lambda new: _copy_dict(tree, keys, new))
    # A named tuple is known by its fields; a person who writes `params.W` wants that name, not a number.
    if isinstance(tree, tuple) and isinstance(names := getattr(tree, "_fields", None), tuple):
        return _Container(list(zip(names, tree, strict=True)), lambda new: type(tree)(*new))
    if isinstance(tree, list | tuple):
        # Subclasses become plain: what their constructors take is not known.
        kind = list if isinstance(tree, list) else tuple
        return _Container([(str(number), child) for number, child in enumerate(tree)], kind)
    # What can be walked through only once, such as a generator, is no container; JAX would warn of it.
    if isinstance(tree, Iterator):
        return None
    return _open_registered(tree) or _open_dataclass(tree)


def _copy_dict(tree: dict[Any, Any], keys: Sequence[Any], new: Sequence[Any]) -> dict[Any, Any]:
    # Its own method, so that an OrderedDict stays one and a defaultdict keeps its factory.
    copy = tree.copy()
    copy.update(zip(keys, new, strict=True))
    return copy


def _open_dataclass(tree: Any) -> _Container | None:
    if not dataclasses.is_dataclass(tree) or isinstance(tree, type):
        return None
    names = [field.name for field in dataclasses.fields(tree)]

    def make(new: Sequence[Any]) -> Any:
        # Neither __init__ nor __post_init__ runs: they may check, convert or draw.
        copy = object.__new__(type(tree))
        for name, value in zip(names, new, strict=True):
            object.__setattr__(copy, name, value)
        return copy

    return _Container([(name, getattr(tree, name)) for name in names], make)


def _open_registered(tree: Any) -> _Container | None:
    """Open a container registered with jax.tree_util, such as a module of equinox or flax."""
    # Before anybody has imported jax, nothing can be registered with it.
    jax = sys.modules.get("jax")
    if jax is None:
        return None
    util = jax.tree_util
    # One level: what is inside may be a container that only this module opens.
    paths, structure = util.tree_flatten_with_path(tree, is_leaf=lambda node: node is not tree)
    if util.treedef_is_leaf(structure):
        if not dataclasses.is_dataclass(tree):
            _LEAF_TYPES.add(type(tree))
        return None
    children = [(str(util.keystr(path, simple=True, separator=".")), child) for path, child in paths]
    return _Container(children, structure.unflatten)
