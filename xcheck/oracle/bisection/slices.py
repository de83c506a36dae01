"""A wrong row or column as a whole: told by ratios whose digit is that of a tensor, and then that of an index.

All components with one index along one axis of a tensor share a digit: whatever their errors are, along v they show
r₀ = Σ eᵢ vᵢ, and with the digit d of their index r₀ d. The ratio is the index, and the slice by itself shows r₀ again.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.decoding import Residuals, Row
from xcheck.layout import Layout, Tensor, Vector
from xcheck.oracle.columns import Indices

# How far from a whole number a ratio may be: less than chance would leave it in one of four cases.
_OFF = 0.125


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """All components of a tensor with one index along an axis.

    Attributes:
        name: such as W[3] or W[:, 17].
        places: their flat indices, ascending.
        tensor: which it is a part of.
    """

    name: str
    places: Indices
    tensor: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What a part of a direction shows."""

    row: Row
    seen: float
    allowed: float


def find_slice(residuals: Residuals, layout: Layout) -> Slice | None:
    """Return the slice that holds all of an error, None where there is none.

    Args:
        residuals: measure the error.
        layout: names of the components.
    """
    known = residuals.whole(np.ones(layout.size))
    whole = _Seen(Row(np.arange(layout.size), known.values), known.seen, known.allowed)
    tensors = [tensor for tensor in layout if tensor.size]
    labels = np.repeat(np.arange(len(tensors)), [tensor.size for tensor in tensors])
    inside = _part_of(residuals, whole, labels)
    if inside is None:
        return None
    tensor = tensors[labels[inside.row.at[0]]]
    for axis, length in enumerate(tensor.shape if len(tensor.shape) > 1 else ()):
        labels = np.broadcast_to(_along(axis, len(tensor.shape), np.arange(length)), tensor.shape).ravel()
        part = _part_of(residuals, inside, labels) if length > 1 else None
        if part is not None:
            index = int(labels[part.row.at[0] - tensor.offset])
            return Slice(_name(tensor, axis, index), part.row.at, tensor)
    return None


def _along(axis: int, axes: int, values: NDArray[np.intp]) -> NDArray[np.intp]:
    return values.reshape([-1 if number == axis else 1 for number in range(axes)])


def _part_of(residuals: Residuals, whole: _Seen, labels: NDArray[np.intp]) -> _Seen | None:
    """Return the part with one label that shows all that the whole shows, None where there is none.

    Args:
        residuals: measure the error.
        whole: what is known.
        labels: of each component of it, from 0 on.
    """
    last = int(labels.max())
    if last == 0:
        return whole
    values: Vector = whole.row.values * labels / last
    (seen,), (allowed,) = residuals.along([Row(whole.row.at, values)], [whole.allowed])
    ratio, off = float(seen) / whole.seen * last, (float(allowed) + whole.allowed) / abs(whole.seen) * last
    label = round(ratio)
    if off > _OFF or abs(ratio - label) > off or not 0 <= label <= last:
        return None
    own = labels == label
    row = Row(whole.row.at[own], whole.row.values[own])
    (seen,), (allowed,) = residuals.along([row], [whole.allowed])
    same = abs(float(seen) - whole.seen) <= float(allowed) + whole.allowed
    return _Seen(row, float(seen), float(allowed)) if same else None


def _name(tensor: Tensor, axis: int, index: int) -> str:
    """Return what a slice is called: of the first axis as rows are, else with all axes.

    >>> _name(Tensor("k", (3, 4, 5), 0), 0, 2), _name(Tensor("k", (3, 4, 5), 0), 1, 2)
    ('k[2]', 'k[:, 2, :]')
    """
    if axis == 0:
        return f"{tensor.name}[{index}]"
    return f"{tensor.name}[{', '.join(str(index) if one == axis else ':' for one in range(len(tensor.shape)))}]"
