"""Places: the right numbers stand in the wrong places, or are missing there.

An order is looked for by what stands in the rows, not by trying orders: rows are projected on a random direction and
sorted, so that equal rows meet.
"""

from collections.abc import Callable, Iterator
from itertools import permutations

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis, fit
from xcheck.diagnose.rules.factors import number
from xcheck.findings import (
    DETACHED,
    FEW_COMPONENTS,
    MISSING_PART,
    REORDERED,
    SCALED_PART,
    SWAPPED_TENSORS,
    TRANSPOSED,
)
from xcheck.layout import Tensor, Vector

Order = NDArray[np.intp]

_MOST_SHIFTS = 3
_FEW = 3


def detachment(evidence: Evidence) -> Iterator[Hypothesis]:
    """Nothing of the loss arrives: g is zero, or the penalty alone."""
    for tensor in evidence.wrong_tensors:
        g, share = evidence.gradient[tensor.span], evidence.penalty[tensor.span]
        if not g.any():
            text = "zero: the loss does not reach it; a stop_gradient that is meant looks the same to differences"
            yield Hypothesis(DETACHED, text, {tensor.name: np.zeros_like(g)}, value=0.0)
        elif share.any():
            text = "the penalty alone: what the examples contribute does not reach it"
            yield Hypothesis(DETACHED, text, {tensor.name: share}, value=0.0)


def transposition(evidence: Evidence) -> Iterator[Hypothesis]:
    """g is r with two axes swapped, or laid out in the order of the other axis."""
    for tensor, parts in _shares(evidence, 2):
        for g_like, blur, rest in parts:
            if tensor.shape[-1] == tensor.shape[-2]:
                text = "transposed"
            else:
                text = f"transposed, then taken for shape {tensor.shape} in memory order"
            swapped, image = (np.swapaxes(each, -1, -2).reshape(-1) for each in (g_like, blur))
            yield Hypothesis(TRANSPOSED, text, {tensor.name: swapped + rest}, {tensor.name: image})


def reordering(evidence: Evidence) -> Iterator[Hypothesis]:
    """Rows, columns, or all components of r in another order."""
    for tensor, parts in _shares(evidence, 1):
        for data, blur, rest in parts:
            for axis in range(min(data.ndim, 2)):
                yield from _rows(evidence, tensor, data, blur, rest, axis)
            if data.ndim > 1:
                yield from _rolled(tensor, data, blur, rest)


def swapped_tensors(evidence: Evidence) -> Iterator[Hypothesis]:
    """Two tensors of one shape have each other's gradient, or one has another's."""
    found = evidence.wrong_tensors
    for tensor in found:
        for other in evidence.layout:
            if other.name == tensor.name or other.shape != tensor.shape or other.places != tensor.places:
                continue
            there = evidence.trusted[other.span], evidence.blur[other.span]
            if other.name < tensor.name and other in found:
                here = evidence.trusted[tensor.span], evidence.blur[tensor.span]
                both = {tensor.name: there[0], other.name: here[0]}
                blur = {tensor.name: there[1], other.name: here[1]}
                yield Hypothesis(SWAPPED_TENSORS, "each has the other's gradient", both, blur)
            text = f"the gradient of {other.name} stands here"
            yield Hypothesis(SWAPPED_TENSORS, text, {tensor.name: there[0]}, {tensor.name: there[1]})


def missing_part(evidence: Evidence) -> Iterator[Hypothesis]:
    """Some rows or columns are zero, or hold the penalty alone; all the others are right."""
    for tensor in evidence.wrong_tensors:
        for base in (np.zeros(tensor.size), evidence.penalty[tensor.span]):
            for axis in range(min(len(_shape(tensor)), 2)):
                lines = _wrong_lines(evidence, tensor, axis)
                if not lines.any() or lines.all() or len(_shape(tensor)) == 1:
                    continue
                mask = _spread(lines, tensor, axis)
                predicted = np.where(mask, base, evidence.trusted[tensor.span])
                text = f"{_named(lines, axis)} {_are(lines)} missing: zero, or the penalty alone"
                yield Hypothesis(MISSING_PART, text, {tensor.name: predicted}, value=float(lines.sum()))


def scaled_part(evidence: Evidence) -> Iterator[Hypothesis]:
    """One row or column is a multiple of what it should be; all the others are right."""
    for tensor in evidence.wrong_tensors:
        if len(_shape(tensor)) < 2:
            continue
        for axis in range(2):
            lines = _wrong_lines(evidence, tensor, axis)
            if lines.sum() != 1 or lines.all():
                continue
            mask = _spread(lines, tensor, axis)
            g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
            found = fit(g[mask], r[mask], weight=(evidence.blur[tensor.span] + evidence.fine * np.abs(g))[mask])
            if found is None or found[0] == 0:
                continue
            c = float(found[0])
            c = round(c) if abs(c - round(c)) <= 1e-6 * abs(c) and round(c) else c
            sign = " (the opposite sign)" if c == -1 else ""
            text = f"{_named(lines, axis)} is {number(c)} x what it should be{sign}, and all else of it is right"
            free = 0 if c == round(c) else 1
            yield Hypothesis(SCALED_PART, text, {tensor.name: np.where(mask, c * r, r)}, value=c, free=free)


def few_components(evidence: Evidence) -> Iterator[Hypothesis]:
    """A few components are wrong and all others right: described, not fits."""
    told = np.abs(evidence.trusted) > 4 * evidence.blur
    right = told & ~evidence.wrong
    if evidence.wrong.sum() > _FEW or evidence.wrong.sum() > right.sum() / 3:
        return  # too many for an accident, or too little that is right beside them
    for tensor in evidence.wrong_tensors:
        wrong = np.flatnonzero(evidence.wrong[tensor.span])
        if not right[tensor.span].any() or tensor.places is not None:
            continue  # of a sample nobody knows what the rest is like
        g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
        predicted = r.copy()
        predicted[wrong] = g[wrong]
        where = ", ".join(str(evidence.layout.locate(tensor.offset + int(place))) for place in wrong)
        sizes = ", ".join(f"{number(float(g[i] / r[i]) + 0.0)} x" if r[i] else f"{g[i]:.4g} for 0" for i in wrong)
        text = f"only {where} {'is' if len(wrong) == 1 else 'are'} wrong ({sizes}), all else of it is right"
        yield Hypothesis(FEW_COMPONENTS, text, {tensor.name: predicted}, value=float(len(wrong)))


# --- orders ---------------------------------------------------------------------------------------------------------


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of what is laid out: a sample has none of its own."""
    return tensor.shape if tensor.places is None else (tensor.size,)


def _shares(evidence: Evidence, axes: int) -> Iterator[tuple[Tensor, list[tuple[Vector, Vector, Vector]]]]:
    """Yield each whole suspect with what may have been moved, its β, and the rest: all of r, or the examples' share."""
    for tensor in evidence.wrong_tensors:
        if tensor.places is not None or len(tensor.shape) < axes or tensor.size < 2:
            continue
        r, blur = evidence.trusted[tensor.span], evidence.blur[tensor.span].reshape(tensor.shape)
        share = evidence.penalty[tensor.span]
        parts = [(r.reshape(tensor.shape), blur, np.zeros_like(r))]
        if share.any():
            parts.append(((r - share).reshape(tensor.shape), blur, share))
        yield tensor, parts


def _rows(
    evidence: Evidence, tensor: Tensor, data: Vector, blur: Vector, rest: Vector, axis: int
) -> Iterator[Hypothesis]:
    """Match the rows of g with those of the data by what is in them."""
    g = np.moveaxis((evidence.gradient[tensor.span] - rest).reshape(tensor.shape), axis, 0)
    rows = np.moveaxis(data, axis, 0)
    order = _matched(g.reshape(len(g), -1), rows.reshape(len(g), -1))
    if (order == np.arange(len(order))).all():
        return
    moved, image = (np.moveaxis(np.moveaxis(each, axis, 0)[order], 0, axis).reshape(-1) for each in (data, blur))
    what = "components" if len(tensor.shape) == 1 else ("rows", "columns")[axis]
    yield Hypothesis(REORDERED, _told(order, what), {tensor.name: moved + rest}, {tensor.name: image})


def _matched(g: Vector, rows: Vector) -> Order:
    """Return the order of `rows` that is closest to `g`, by the order of their projections."""
    direction = np.random.default_rng(len(g)).standard_normal(g.shape[1])
    order = np.empty(len(g), dtype=np.intp)
    order[np.argsort(g @ direction, kind="stable")] = np.argsort(rows @ direction, kind="stable")
    return order


def _told(order: Order, what: str) -> str:
    places, count = np.arange(len(order)), int((order != np.arange(len(order))).sum())
    if count == 2:
        first, second = np.flatnonzero(order != places)
        return f"{what} {first} and {second} are swapped"
    if (order == places[::-1]).all():
        return f"its {what} are in reverse order"
    shift = int((places - order)[0]) % len(order)
    if (np.roll(places, shift) == order).all():
        return f"its {what} are rolled by {shift if 2 * shift <= len(order) else shift - len(order)}"
    return f"its {what} are in another order ({count} of {len(order)} moved)"


def _rolled(tensor: Tensor, data: Vector, blur: Vector, rest: Vector) -> Iterator[Hypothesis]:
    """All components, taken as one long row, rolled by a few; reversed; or the axes reversed together."""
    flat, own = data.reshape(-1), blur.reshape(-1)
    changes: list[tuple[str, Callable[[Vector], Vector]]] = [
        (f"rolled by {shift} as one long row", _rolling(shift))
        for size in range(1, _MOST_SHIFTS + 1)
        for shift in (size, -size)
    ]
    changes.append(("reversed as one long row", lambda row: row[::-1]))
    if data.ndim > 2:
        orders = permutations(range(data.ndim))
        changes += [(f"its axes are in the order {axes}", _with_axes(data.shape, axes)) for axes in orders]
    for text, change in changes:
        yield Hypothesis(REORDERED, text, {tensor.name: change(flat) + rest}, {tensor.name: change(own)})


def _rolling(shift: int) -> Callable[[Vector], Vector]:
    return lambda row: np.roll(row, shift)


def _with_axes(shape: tuple[int, ...], axes: tuple[int, ...]) -> Callable[[Vector], Vector]:
    return lambda row: np.transpose(row.reshape(shape), axes).reshape(-1)


# --- rows and columns -----------------------------------------------------------------------------------------------


def _wrong_lines(evidence: Evidence, tensor: Tensor, axis: int) -> Flags:
    """Return which rows (axis 0) or columns (axis 1) have wrong components."""
    wrong = evidence.wrong[tensor.span].reshape(_shape(tensor))
    others = tuple(other for other in range(wrong.ndim) if other != axis)
    return np.asarray(wrong.any(axis=others))


def _spread(lines: Flags, tensor: Tensor, axis: int) -> Flags:
    """Return the components of these rows or columns, flat."""
    shape = _shape(tensor)
    fitting = [1] * len(shape)
    fitting[axis] = shape[axis]
    return np.asarray(np.broadcast_to(lines.reshape(fitting), shape).reshape(-1))


def _named(lines: Flags, axis: int) -> str:
    numbers = np.flatnonzero(lines)
    what = ("row", "column")[axis] + "s" * (len(numbers) > 1)
    shown = ", ".join(str(place) for place in numbers[:4])
    return f"{what} {shown}" + (f" and {len(numbers) - 4} more" if len(numbers) > 4 else "")


def _are(lines: Flags) -> str:
    return "is" if lines.sum() == 1 else "are"
