"""Matching: which values two forward passes have in common, by their numbers alone.

Numbers are compared in order of their size, so that neither transposed axes nor other shapes matter; how often a
number occurs counts in proportion only, so that what is broadcast is what it was before.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector
from xcheck.trace.flow import Flow, Node
from xcheck.trace.model import Array

# How far numbers may be apart that are the same but for rounding, relative to their own size and to what is usual in
# their array: far above the roundings of a deep network in float64, far below the tolerance of losses.
_CLOSE = 1e-9
# The least numbers are minus infinity if they are so many times larger than all others: masks are -1e4, -1e9 or the
# least number that there is, and of all of them the exponential is zero. A guess.
_MASKED = 100.0
# Whole numbers up to this size are zeros, ones, counts and signs, which are alike by chance. A guess.
_SMALL = 16


@dataclass(frozen=True, slots=True, eq=False)
class Key:
    """The numbers of a value, in order of their size.

    Attributes:
        numbers: each as often as in the shortest array of the same proportions, shape (n,).
        scale: the usual size of those that are neither zero nor infinite.
        sums: of powers of them, by which most others are told apart, shape (3,).
    """

    numbers: Vector
    scale: float
    sums: Vector

    def is_like(self, other: "Key") -> bool:
        """Return whether the numbers are the same but for rounding."""
        if self.numbers.size != other.numbers.size or np.abs(self.sums - other.sums).max() > 1e3 * _CLOSE:
            return False
        return are_close(self.numbers, other.numbers, max(self.scale, other.scale))


def are_close(one: Array, other: Array, scale: float) -> bool:
    """Return whether two arrays of one shape are the same but for rounding.

    >>> are_close(np.array([1.0, np.inf]), np.array([1.0 + 1e-15, np.inf]), 1.0)
    True
    """
    with np.errstate(invalid="ignore"):
        near = np.abs(one - other) <= _CLOSE * (scale + np.abs(other))
    return bool((near | (one == other) | (np.isnan(one) & np.isnan(other))).all())


def scale_of(array: Array) -> float:
    """Return the usual size of the numbers of an array that are neither zero nor infinite; 0 where there are none."""
    size = np.abs(array[np.isfinite(array) & (array != 0)])
    return float(np.median(size)) if size.size else 0.0


def key_of(array: Array) -> Key | None:
    """Return the key of an array; None where its numbers say nothing, as zeros and ones do."""
    numbers = np.sort(np.asarray(array, dtype=np.float64), axis=None)
    if not numbers.size or _says_nothing(numbers):
        return None
    numbers = _reduced(_with_masks(numbers))
    scale = scale_of(numbers)
    finite = numbers[np.isfinite(numbers)] / (scale or 1.0)
    # Large numbers, such as masks, count for little more than others.
    squeezed = np.arctan(finite)
    places = np.linspace(0.0, 1.0, len(squeezed)) if len(squeezed) else squeezed
    sums = [squeezed.sum(), (squeezed**2).sum(), (squeezed * places).sum()]
    return Key(numbers, scale, np.array(sums) / numbers.size)


def _says_nothing(numbers: Vector) -> bool:
    finite = numbers[np.isfinite(numbers)]
    return bool((np.abs(finite) <= _SMALL).all() and (finite == np.round(finite)).all())


def _with_masks(numbers: Vector) -> Vector:
    """Return sorted numbers with minus infinity for those that are masks."""
    least = float(np.min(numbers[np.isfinite(numbers)], initial=0.0))
    masked = numbers < least / 10
    largest = np.abs(numbers[~masked]).max(initial=0.0)
    # Beside zeros alone every number would be one: the largest score less itself, or a log probability that is picked.
    is_mask = bool(-least > _MASKED * largest > 0)
    return np.where(masked, -np.inf, numbers) if is_mask else numbers


def _reduced(numbers: Vector) -> Vector:
    """Return the shortest sorted array in which each number occurs in the same proportion."""
    new = np.concatenate([[True], ~np.isclose(numbers[1:], numbers[:-1], rtol=1e-12, atol=0.0)])
    counts = np.diff(np.append(np.flatnonzero(new), numbers.size))
    return numbers[:: int(np.gcd.reduce(counts))]


class Catalogue:
    """The values of a forward pass, to be found by their numbers.

    Args:
        flow: the forward pass.
    """

    def __init__(self, flow: Flow) -> None:
        self.keys = [key_of(node.array) if node.is_real else None for node in flow.nodes]
        by_size: dict[int, list[int]] = {}
        for node, key in zip(flow.nodes, self.keys, strict=True):
            if key is not None:
                by_size.setdefault(key.numbers.size, []).append(node.number)
        self._groups = {
            size: (np.array(numbers), np.array([_sums(self.keys[number]) for number in numbers]))
            for size, numbers in by_size.items()
        }

    def matches(self, key: Key) -> list[int]:
        """Return the numbers of the nodes with the numbers of a key."""
        if key.numbers.size not in self._groups:
            return []
        numbers, sums = self._groups[key.numbers.size]
        near = numbers[np.abs(sums - key.sums).max(axis=1) <= 1e3 * _CLOSE]
        return [int(number) for number in near if _is_like(key, self.keys[number])]


def _sums(key: Key | None) -> Vector:
    return np.zeros(3) if key is None else key.sums


def _is_like(key: Key, other: Key | None) -> bool:
    return other is not None and key.is_like(other)


@dataclass(frozen=True, slots=True, eq=False)
class Matched:
    """One forward pass beside another.

    Attributes:
        flow: the forward pass.
        catalogue: its values.
        partners: by node the nodes of the other one that have the same numbers.
    """

    flow: Flow
    catalogue: Catalogue
    partners: list[list[int]]

    def is_known(self, number: int) -> bool:
        """Return whether the other forward pass has this value, too."""
        return bool(self.partners[number])

    def says_nothing(self, number: int) -> bool:
        """Return whether a value has no numbers that could be found again: integers, zeros and ones."""
        return self.catalogue.keys[number] is None

    def node(self, number: int) -> Node:
        """Return a node."""
        return self.flow.nodes[number]


def match_flows(one: Flow, other: Flow) -> tuple[Matched, Matched]:
    """Return two forward passes, each beside the other; parameters are matched by their names."""
    catalogues = Catalogue(one), Catalogue(other)
    return (
        Matched(one, catalogues[0], _partners(one, catalogues[0], other, catalogues[1])),
        Matched(other, catalogues[1], _partners(other, catalogues[1], one, catalogues[0])),
    )


def _partners(flow: Flow, own: Catalogue, other: Flow, theirs: Catalogue) -> list[list[int]]:
    names = {node.parameter: node.number for node in other.nodes if node.parameter}
    return [
        list(_with(names.get(node.parameter), [] if key is None else theirs.matches(key)))
        for node, key in zip(flow.nodes, own.keys, strict=True)
    ]


def _with(named: int | None, found: list[int]) -> Iterable[int]:
    return found if named is None else dict.fromkeys([named, *found])
