"""Copies: a function is given arrays of its own, so that nothing it writes reaches the person's arrays.

What it writes into its copies is found afterwards, by comparing them with what they were made of.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeAlias

from xcheck.dtypes import same_numbers, widen
from xcheck.functions.arguments import Leaf, Numbers, Reader
from xcheck.functions.tree import ROOT, children, leaves, rebuild

# Returns the numbers of an array, maybe where they lie; None for what is no array.
View: TypeAlias = Callable[[Any], Numbers | None]
# Makes an array of a framework: of these numbers, laid out like the leaf's source, in this dtype.
Maker: TypeAlias = Callable[[Numbers, Leaf, str], Any]


def copy_arrays(
    tree: Any, read: Reader, make: Maker, *, wide: bool, without: Collection[str] = (), root: str = ROOT
) -> Any:
    """Return the tree with a copy in place of each array.

    Args:
        tree: holds arrays of any framework; what is no array is handed on as it is.
        read: returns the numbers of an array, None for what is none.
        make: makes the copies.
        wide: whether narrow arrays get 64 bits.
        without: names of arrays that are not copied, because others will take their places.
        root: name of a tree that is one array alone.
    """
    # The usual case, tens of times in a check: an array, and no tree.
    if root not in without and children(tree) is None:
        leaf = read(tree)
        return tree if leaf is None else make(leaf.values, leaf, widen(leaf.dtype) if wide else leaf.dtype)
    copies = {}
    # Integers and masks too: a function that shuffles its indices in place is found as well.
    for name, value in leaves(tree, root).items():
        leaf = None if name in without else read(value)
        if leaf is not None:
            copies[name] = make(leaf.values, leaf, widen(leaf.dtype) if wide else leaf.dtype)
    return rebuild(tree, copies, root)


def changed_names(before: Any, after: Any, view: View) -> list[str]:
    """Return the names of the arrays that have other numbers in one tree than in another of the same structure."""
    return changed_arrays(leaves(before), leaves(after), view)


def changed_arrays(before: Mapping[str, Any], after: Mapping[str, Any], view: View) -> list[str]:
    """Return the names of those arrays `after` that have other numbers than the array of the same name `before`."""
    changed = []
    for name, value in after.items():
        was, is_now = view(before[name]), view(value)
        if was is not None and is_now is not None and not same_numbers(was, is_now):
            changed.append(name)
    return changed


def changed_data(before: tuple[Any, ...], after: tuple[Any, ...], view: View) -> list[str]:
    """Return which arrays of the data have changed: `data[0]`, or `data[1].mask` inside a tree."""
    return [
        f"data[{number}]" if name == ROOT else f"data[{number}].{name}"
        for number, (was, is_now) in enumerate(zip(before, after, strict=True))
        for name in changed_names(was, is_now, view)
    ]
