"""Order: the right numbers are in the wrong places, or are missing there.

To find an order of rows, the rows of g and those of r are projected on one random direction, and both are sorted by
their projections: rows that are equal come to the same place. That takes n log n steps and not n!.
"""

from collections.abc import Callable, Iterator
from itertools import permutations, product

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis, fit
from xcheck.diagnose.rules.factors import format_factor
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
from xcheck.oracle.estimate import CERTAIN
from xcheck.seeds import FIXED, Stream, generator
from xcheck.text import joined

Order = NDArray[np.intp]

# How far a tensor may be rolled as one long row: off by one, two or three. A guess: people count wrongly by one.
_MOST_SHIFTS = 3
# Up to so many wrong components are described one by one, if three times as many are right. A guess: an accident.
_FEW = 3
# How close a factor must come to a whole number to be taken for it. A guess, ten times the default tolerance.
_WHOLE = 1e-6
# Rows that are named by number. A guess: what fits into a line.
_MOST_ROWS = 4


def detachment(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that no gradient of the loss arrives: g is zero, or the penalty's share."""
    for tensor in evidence.wrong_tensors:
        g, share = evidence.gradient[tensor.span], evidence.penalty[tensor.span]
        if not g.any():
            text = (
                "the gradient is zero, and the loss changes with it: it is detached; if that is meant (detach, "
                "stop_gradient), hand it over as data"
            )
            yield Hypothesis(DETACHED, text, {tensor.name: np.zeros_like(g)}, value=0.0)
        elif share.any():
            # Automatic differentiation that is cut off in the network still differentiates the penalty of its weights.
            text = "the gradient is that of the penalty alone: the share of the examples is missing"
            yield Hypothesis(DETACHED, text, {tensor.name: share}, value=0.0)


def transposition(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g is r with its last two axes swapped, or laid out in memory in the order of the other axis."""
    for tensor, parts in _shares(evidence, 2):
        for g_like, uncertainty, rest in parts:
            # Where a matrix is not square, a transposed gradient has another shape and passes only if it is reshaped.
            if tensor.shape[-1] == tensor.shape[-2]:
                text = "transposed"
            else:
                text = f"transposed, then taken for shape {tensor.shape} in memory order"
            swapped, image = (np.swapaxes(each, -1, -2).reshape(-1) for each in (g_like, uncertainty))
            yield Hypothesis(TRANSPOSED, text, {tensor.name: swapped + rest}, {tensor.name: image})


def reordering(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g has the rows, columns, components, or slices along any axis of r in another order."""
    for tensor, parts in _shares(evidence, 1):
        for data, uncertainty, rest in parts:
            for axis in range(data.ndim):
                yield from _reorder_rows(evidence, tensor, data, uncertainty, rest, axis)
            if data.ndim > 1:
                yield from _roll_all(tensor, data, uncertainty, rest)


def swapped_tensors(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that two tensors of one shape have each other's gradient, or one has another's."""
    for tensor in evidence.wrong_tensors:
        for other in evidence.layout:
            if other.name == tensor.name or other.shape != tensor.shape or other.places != tensor.places:
                continue
            gradients = {tensor.name: evidence.trusted[other.span], other.name: evidence.trusted[tensor.span]}
            uncertainties = {
                tensor.name: evidence.uncertainty[other.span],
                other.name: evidence.uncertainty[tensor.span],
            }
            # One hypothesis for each pair of tensors.
            if other.name < tensor.name and other in evidence.wrong_tensors:
                yield Hypothesis(SWAPPED_TENSORS, "each has the other's gradient", gradients, uncertainties)
            text, name = f"the gradient of {other.name} stands here", tensor.name
            yield Hypothesis(SWAPPED_TENSORS, text, {name: gradients[name]}, {name: uncertainties[name]})


def missing_part(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that some rows, columns or slices are zero, or hold the penalty alone, and all others are right."""
    for tensor in evidence.wrong_tensors:
        penalty = evidence.penalty[tensor.span]
        bases = {"zero": np.zeros(tensor.size)} | ({"the penalty alone": penalty} if penalty.any() else {})
        for (what, base), axis in product(bases.items(), range(len(_shape(tensor)))):
            rows = _wrong_rows(evidence, tensor, axis)
            # If all rows are missing, the whole tensor is detached; in a vector a row is a component.
            if not rows.any() or rows.all() or len(_shape(tensor)) == 1:
                continue
            predicted = np.where(_components_of(rows, tensor, axis), base, evidence.trusted[tensor.span])
            verb, pronoun = ("is", "it is") if rows.sum() == 1 else ("are", "they are")
            text = f"{_name_rows(rows, tensor, axis)} {verb} missing: {pronoun} {what}"
            yield Hypothesis(MISSING_PART, text, {tensor.name: predicted}, value=float(rows.sum()))


def scaled_part(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that one row, column or slice is a multiple of what it should be, and all others are right."""
    for tensor in evidence.wrong_tensors:
        if len(_shape(tensor)) < 2:
            continue
        for axis in range(len(_shape(tensor))):
            rows = _wrong_rows(evidence, tensor, axis)
            # Several rows with one factor each would be explained by anything.
            if rows.sum() != 1 or rows.all():
                continue
            mask = _components_of(rows, tensor, axis)
            g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
            factor = fit(g[mask], r[mask], weight=(evidence.uncertainty[tensor.span] + evidence.fine * np.abs(g))[mask])
            if factor is None or factor[0] == 0:
                continue
            c = _round_to_whole(float(factor[0]))
            sign = " (the opposite sign)" if c == -1 else ""
            row = _name_rows(rows, tensor, axis)
            text = f"{row} is {format_factor(c)} x what it should be{sign}, and all else of it is right"
            free = 0 if c == round(c) else 1
            yield Hypothesis(SCALED_PART, text, {tensor.name: np.where(mask, c * r, r)}, value=c, free=free)


def _round_to_whole(c: float) -> float:
    """Return the whole number that a fitted factor stands for, or the factor where it stands for none."""
    return round(c) if round(c) and abs(c - round(c)) <= _WHOLE * abs(c) else c


def few_components(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that a few components are wrong and all others right: a description, and no explanation."""
    # A component that is zero to the noise is not shown to be right.
    right = (np.abs(evidence.trusted) > CERTAIN * evidence.uncertainty) & ~evidence.wrong
    if evidence.wrong.sum() > _FEW or evidence.wrong.sum() > right.sum() / 3:
        return  # too many for an accident, or too little that is right beside them
    for tensor in evidence.wrong_tensors:
        wrong = np.flatnonzero(evidence.wrong[tensor.span])
        if not right[tensor.span].any() or tensor.places is not None:
            continue  # what the rest of a sampled tensor is like is not known
        g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
        predicted = r.copy()
        predicted[wrong] = g[wrong]
        where = ", ".join(str(evidence.layout.locate(tensor.offset + int(place))) for place in wrong)
        sizes = ", ".join(
            f"{format_factor(float(g[i] / r[i]) + 0.0)} x" if r[i] else f"{g[i]:.4g} for 0" for i in wrong
        )
        text = f"only {where} {'is' if len(wrong) == 1 else 'are'} wrong ({sizes}), all else of it is right"
        yield Hypothesis(FEW_COMPONENTS, text, {tensor.name: predicted}, value=float(len(wrong)))


# --- orders ---------------------------------------------------------------------------------------------------------


def _shape(tensor: Tensor) -> tuple[int, ...]:
    """Return the shape of a tensor; of a sample of it, the number of its components."""
    return tensor.shape if tensor.places is None else (tensor.size,)


def _shares(evidence: Evidence, axes: int) -> Iterator[tuple[Tensor, list[tuple[Vector, Vector, Vector]]]]:
    """Yield each whole wrong tensor with the ways to split r into (what may have moved, its β, the rest)."""
    for tensor in evidence.wrong_tensors:
        # A sample has no rows, and an order that moves components out of it would not show.
        if tensor.places is not None or len(tensor.shape) < axes or tensor.size < 2:
            continue
        r, uncertainty = evidence.trusted[tensor.span], evidence.uncertainty[tensor.span].reshape(tensor.shape)
        share = evidence.penalty[tensor.span]
        # Data and penalty may be added before or after the mistake.
        parts = [(r.reshape(tensor.shape), uncertainty, np.zeros_like(r))]
        if share.any():
            parts.append(((r - share).reshape(tensor.shape), uncertainty, share))
        yield tensor, parts


def _reorder_rows(
    evidence: Evidence, tensor: Tensor, data: Vector, uncertainty: Vector, rest: Vector, axis: int
) -> Iterator[Hypothesis]:
    """Propose the order of rows (axis 0), columns (axis 1) or other slices that brings the data closest to g."""
    g = np.moveaxis((evidence.gradient[tensor.span] - rest).reshape(tensor.shape), axis, 0)
    rows = np.moveaxis(data, axis, 0)
    order = _match_rows(g.reshape(len(g), -1), rows.reshape(len(g), -1))
    if (order == np.arange(len(order))).all():
        return
    moved, image = (np.moveaxis(np.moveaxis(each, axis, 0)[order], 0, axis).reshape(-1) for each in (data, uncertainty))
    names = {1: ("components",), 2: ("rows", "columns")}
    what, along = names.get(len(tensor.shape), ("slices",) * len(tensor.shape))[axis], ""
    if len(tensor.shape) > 2:
        along = f" along axis {axis}"
    yield Hypothesis(REORDERED, _describe_order(order, what, along), {tensor.name: moved + rest}, {tensor.name: image})


def _match_rows(g: Vector, rows: Vector) -> Order:
    """Return the order in which `rows` are closest to those of `g`: that of their projections on one direction."""
    # Rows that differ have different projections with probability 1; the seed makes the report repeatable.
    direction = generator(FIXED, Stream.ROW_PROJECTION).standard_normal(g.shape[1])
    order = np.empty(len(g), dtype=np.intp)
    order[np.argsort(g @ direction, kind="stable")] = np.argsort(rows @ direction, kind="stable")
    return order


def _describe_order(order: Order, what: str, along: str) -> str:
    places, count = np.arange(len(order)), int((order != np.arange(len(order))).sum())
    if count == 2:
        first, second = np.flatnonzero(order != places)
        return f"{what} {first} and {second}{along} are swapped"
    if (order == places[::-1]).all():
        return f"its {what}{along} are in reverse order"
    # Where all rows moved by the same number of places, one row shows by how many.
    shift = int((places - order)[0]) % len(order)
    if (np.roll(places, shift) == order).all():
        return f"its {what}{along} are rolled by {shift if 2 * shift <= len(order) else shift - len(order)}"
    blocks = _swapped_blocks(order)
    if blocks:
        ranges = [f"{start} to {start + blocks[2] - 1}" for start in blocks[:2]]
        return f"{what} {ranges[0]} and {ranges[1]}{along} are swapped"
    return f"its {what}{along} are in another order ({count} of {len(order)} moved)"


def _swapped_blocks(order: Order) -> tuple[int, int, int] | None:
    """Return where the two blocks begin that have changed places, and how long they are; None where it is not that."""
    moved = np.flatnonzero(order != np.arange(len(order)))
    length = len(moved) // 2
    first, second = int(moved[0]), int(moved[length])
    blocks = np.arange(len(order))
    if len(moved) % 2 or second + length > len(order) or second < first + length:
        return None
    blocks[first : first + length], blocks[second : second + length] = (
        np.arange(second, second + length),
        np.arange(first, first + length),
    )
    return (first, second, length) if (blocks == order).all() else None


def _roll_all(tensor: Tensor, data: Vector, uncertainty: Vector, rest: Vector) -> Iterator[Hypothesis]:
    """Propose that all components, as one long row, are rolled or reversed, or that the axes are in another order."""
    flat, flat_uncertainty = data.reshape(-1), uncertainty.reshape(-1)
    changes: list[tuple[str, Callable[[Vector], Vector]]] = [
        (f"rolled by {shift} as one long row", _rolling(shift))
        for size in range(1, _MOST_SHIFTS + 1)
        for shift in (size, -size)
    ]
    changes.append(("reversed as one long row", lambda row: row[::-1]))
    # Two axes in another order are a transposition, which has a rule of its own.
    if data.ndim > 2:
        orders = permutations(range(data.ndim))
        changes += [(f"its axes are in the order {axes}", _with_axes(data.shape, axes)) for axes in orders]
    for text, change in changes:
        yield Hypothesis(REORDERED, text, {tensor.name: change(flat) + rest}, {tensor.name: change(flat_uncertainty)})


def _rolling(shift: int) -> Callable[[Vector], Vector]:
    return lambda row: np.roll(row, shift)


def _with_axes(shape: tuple[int, ...], axes: tuple[int, ...]) -> Callable[[Vector], Vector]:
    return lambda row: np.transpose(row.reshape(shape), axes).reshape(-1)


# --- rows and columns -----------------------------------------------------------------------------------------------


def _wrong_rows(evidence: Evidence, tensor: Tensor, axis: int) -> Flags:
    """Return which rows (axis 0) or columns (axis 1) have wrong components."""
    wrong = evidence.wrong[tensor.span].reshape(_shape(tensor))
    other_axes = tuple(other for other in range(wrong.ndim) if other != axis)
    return np.asarray(wrong.any(axis=other_axes))


def _components_of(rows: Flags, tensor: Tensor, axis: int) -> Flags:
    """Return the components of these rows or columns, flat."""
    shape = _shape(tensor)
    along_axis = [1] * len(shape)
    along_axis[axis] = shape[axis]
    return np.asarray(np.broadcast_to(rows.reshape(along_axis), shape).reshape(-1))


def _name_rows(rows: Flags, tensor: Tensor, axis: int) -> str:
    """Return "row 3" or "columns 0, 2" of a matrix; of a tensor with more axes "[:, 4, :]", as in an index."""
    numbers = np.flatnonzero(rows).tolist()
    if len(_shape(tensor)) < 3:
        return f"{('row', 'column')[axis]}{'s' * (len(numbers) > 1)} {joined(numbers, _MOST_ROWS)}"
    places = []
    for place in numbers:
        index = [":"] * len(_shape(tensor))
        index[axis] = str(place)
        places.append(f"{tensor.name}[{', '.join(index)}]")
    return joined(places, _MOST_ROWS)
