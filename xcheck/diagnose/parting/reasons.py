"""Reasons: in what two operations differ that are given the same and give something else, as far as numbers show it."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xcheck.diagnose.parting.formulas import formulas_of
from xcheck.diagnose.parting.frontier import Parted
from xcheck.diagnose.parting.matching import are_close, key_of, scale_of
from xcheck.diagnose.parting.substitution import Place, arrangements
from xcheck.text import join_names
from xcheck.trace.flow import Node
from xcheck.trace.model import Array

# Values behind the first that differs among which a formula, or a multiple, is looked for. A guess: one formula's.
_BEHIND = 24
# What may be counted, such as examples and their places. A guess.
_MOST_COUNTED = 1 << 16
# Factors between equal numbers but for rounding.
_SAME = 1e-9


def reasons_of(names: Sequence[str], sides: Sequence[Parted], place: Place) -> Iterator[str]:
    """Yield what differs between two places.

    Args:
        names: of the implementations.
        sides: their forward passes.
        place: where they part; both sides have a first operation.
    """
    a, b = (side.matched.node(first or 0) for side, first in zip(sides, place.first, strict=True))
    found = [
        *_unread_parameters(names, sides),
        *_other_parameters(names, sides, (a, b)),
        *_other_formula(names, sides, (a, b)),
        *_other_constants(names, sides, (a, b)),
        *_other_data(sides, (a, b)),
        *_factor(names, sides, place),
    ]
    yield from found or [*_parameters_alone(names, sides, (a, b)), *_difference(sides, place)]


def _unread_parameters(names: Sequence[str], sides: Sequence[Parted]) -> Iterator[str]:
    read = [
        _parameters(side.matched.node(n) for n in side.matched.flow.above(side.matched.flow.loss)) for side in sides
    ]
    for own, other in ((0, 1), (1, 0)):
        missing = sorted(read[other] - read[own])
        if missing:
            quoted = join_names([f"`{name}`" for name in missing])
            yield f"the loss of {names[own]} does not depend on {quoted}, that of {names[other]} does"


def _parameters(nodes: Iterator[Node]) -> set[str]:
    return {node.parameter for node in nodes if node.parameter}


def _reads(side: Parted, node: Node) -> list[Node]:
    """Return what an operation reads, before it was moved."""
    found = []
    for number in node.reads:
        read = side.matched.node(number)
        while read.is_move and len(read.reads) == 1:
            read = side.matched.node(read.reads[0])
        found.append(read)
    return found


def _other_parameters(names: Sequence[str], sides: Sequence[Parted], nodes: Sequence[Node]) -> Iterator[str]:
    read = [_parameters(iter(_reads(side, node))) for side, node in zip(sides, nodes, strict=True)]
    if all(read) and not read[0] & read[1]:
        yield f"it reads {', '.join(map(_of_side, names, read))}"


def _parameters_alone(names: Sequence[str], sides: Sequence[Parted], nodes: Sequence[Node]) -> Iterator[str]:
    """Yield the parameters that one side reads and the other one does not, where nothing else says more."""
    read = [_parameters(iter(_reads(side, node))) for side, node in zip(sides, nodes, strict=True)]
    texts = [_of_side(name, own) for name, own in zip(names, read, strict=True) if own]
    if len(texts) == 1:
        yield f"it reads {texts[0]}"


def _of_side(name: str, parameters: set[str]) -> str:
    return f"{join_names([f'`{one}`' for one in sorted(parameters)])} in {name}"


def _line(side: Parted, first: Node) -> list[Node]:
    """Return what differs on the line of the first operation, as far as the program stays there."""
    found = []
    for node in side.matched.flow.nodes[first.number :]:
        if node.run is None or node.place is None:
            continue
        if first.place is None or (node.place.file, node.place.line) != (first.place.file, first.place.line):
            break
        if not side.matched.is_known(node.number):
            found.append(node)
    return found or [first]


def _other_constants(names: Sequence[str], sides: Sequence[Parted], nodes: Sequence[Node]) -> Iterator[str]:
    constants = [
        [(one.kind, read.array) for one in _line(side, node) for read in _reads(side, one) if not read.depends]
        for side, node in zip(sides, nodes, strict=True)
    ]
    single = [{(kind, float(array.flat[0])) for kind, array in own if _is_single(array)} for own in constants]
    # Only what stands at the same kind of operation may stand for each other.
    for kind in dict.fromkeys(kind for kind, _ in constants[0]):
        only = [{number for known, number in own - other if known == kind} for own, other in (single, single[::-1])]
        if all(len(numbers) == 1 for numbers in only):
            yield f"it computes with {min(only[0]):.6g} in {names[0]}, with {min(only[1]):.6g} in {names[1]}"
            break
    masks = [[array for _, array in own if _kind(array) == "b" and not _is_single(array)] for own in constants]
    if all(masks):
        one, other = masks[0][0], masks[1][0]
        counts = [int(mask.sum()) for mask in (one, other)]
        # A mask may also say where a number is left out.
        if one.size == other.size and counts[0] not in (counts[1], one.size - counts[1]):
            yield f"the mask holds for {counts[0]} of {one.size} in {names[0]}, for {counts[1]} in {names[1]}"


def _other_data(sides: Sequence[Parted], nodes: Sequence[Node]) -> Iterator[str]:
    """Yield that both read data, or what is computed of these alone, which the other side has not."""
    others = [
        [read for read in _reads(side, node) if not read.depends and _is_unknown(side, read)]
        for side, node in zip(sides, nodes, strict=True)
    ]
    if all(others):
        yield "what it reads of the data, or computes of them alone, is something else in both"


def _is_unknown(side: Parted, node: Node) -> bool:
    plain = side.matched.says_nothing(node.number) or _is_single(node.array)
    return not plain and not side.matched.is_known(node.number)


def _is_single(array: Array) -> bool:
    """Return whether an array is one number, as often as is needed."""
    return _kind(array) in ("f", "i", "u") and array.size > 0 and bool((array == array.flat[0]).all())


def _kind(array: Any) -> str:
    """Return the kind of an array's dtype; empty for what is no array of NumPy, as random keys are not."""
    return str(array.dtype.kind) if isinstance(array, np.ndarray | np.generic) else ""


def _other_formula(names: Sequence[str], sides: Sequence[Parted], nodes: Sequence[Node]) -> Iterator[str]:
    found = [_formula(side, node) for side, node in zip(sides, nodes, strict=True)]
    if found[0] and found[1] and found[0] != found[1]:
        yield f"it is {found[0]} in {names[0]}, {found[1]} in {names[1]}"


def _formula(side: Parted, node: Node) -> str:
    """Return the formula of what is read that one of the first values behind it is; empty where none is known."""
    for number in node.reads:
        read = side.matched.node(number)
        if not (read.depends and read.is_real):
            continue
        below = side.matched.flow.below(number)
        keys = [side.matched.catalogue.keys[each] for each in side.nodes if each in below][:_BEHIND]
        for name, array in formulas_of(np.asarray(read.array, np.float64)):
            key = key_of(array)
            if key is not None and any(one is not None and one.is_like(key) for one in keys):
                return name
    return ""


def _factor(names: Sequence[str], sides: Sequence[Parted], place: Place) -> Iterator[str]:
    """Yield the multiple that a value of one side is of one of the other."""
    firsts = [first or 0 for first in place.first]
    pairs = [place.value] if place.value is not None else []
    pairs += [(firsts[0], b) for b in _behind(sides[1], firsts[1])]
    pairs += [(a, firsts[1]) for a in _behind(sides[0], firsts[0])]
    for a, b in pairs:
        factor = factor_of(sides[0].matched.node(a).array, sides[1].matched.node(b).array)
        if factor is not None:
            yield f"that of {names[1]} is {factor:.6g} times that of {names[0]}"
            return


def _behind(side: Parted, number: int) -> list[int]:
    below = side.matched.flow.below(number)
    return [number, *(each for each in side.nodes if each in below)][:_BEHIND]


def factor_of(one: Array, other: Array) -> float | None:
    """Return c where other = c one but for the order of numbers and rounding; None where there is none, or it is 1.

    >>> factor_of(np.array([1.0, 3.0]), np.array([6.0, 2.0]))
    2.0
    """
    x, y = (np.sort(np.asarray(array, np.float64), axis=None) for array in (one, other))
    if x.size != y.size or not (np.isfinite(x).all() and np.isfinite(y).all()) or not x.any():
        return None
    for turned in (y, y[::-1]):
        factor = float(x @ turned / (x @ x))
        if factor and abs(factor - 1) > _SAME and are_close(factor * x, turned, scale_of(y)):
            return factor if np.ptp(x) or _is_count(factor) else None
    return None


def _is_count(factor: float) -> bool:
    """Return whether a number or one over it is a whole one: of two numbers one is always a multiple of the other."""
    size = abs(factor) if abs(factor) > 1 else 1 / abs(factor)
    return size <= _MOST_COUNTED and abs(size - round(size)) <= _SAME * size


def _difference(sides: Sequence[Parted], place: Place) -> Iterator[str]:
    """Yield the largest difference between two values that stand for each other."""
    pair = place.value or (place.first[0] or 0, place.first[1] or 0)
    one, other = (side.matched.node(number).array for side, number in zip(sides, pair, strict=True))
    if one.size != other.size:
        yield f"shapes are {one.shape} and {other.shape}"
        return
    with np.errstate(invalid="ignore"):
        apart = [np.abs(one - array).max(initial=0.0) for array in arrangements(other, one.shape)]
    finite = [float(each) for each in apart if np.isfinite(each)]
    if finite:
        what = "the largest difference is" if pair == place.first else "what they lead to differs by up to"
        yield f"{what} {min(finite):.3g}, of numbers up to {np.abs(one).max():.3g}"
