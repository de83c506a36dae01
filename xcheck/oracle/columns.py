"""Columns: arrays with one column per component that are selected, replaced and joined together."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Indices = NDArray[np.intp]
Flags = NDArray[np.bool_]

# Metadata of a field that adds up where several are joined, such as the number of losses.
TOTAL = {"total": True}


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """A dataclass whose arrays have the components in their last axis.

    Fields that are `Columns` themselves are treated likewise. Other fields stay as they are; in a concatenation they
    are those of the first part, or add up if they are marked `TOTAL`.
    """

    def take(self, rows: Indices | Flags | slice) -> Self:
        """Return some of the components."""
        return replace(self, **{name: _taken(value, rows) for name, value in _columns(self)})

    def put(self, rows: Indices, other: Self) -> Self:
        """Return all components, with `rows` of them as in `other`."""
        return replace(self, **{name: _put(value, rows, getattr(other, name)) for name, value in _columns(self)})

    @classmethod
    def concatenate(cls, parts: Sequence[Self]) -> Self:
        """Return the components of all parts, one part after the other; of one at least."""
        first = parts[0]
        joined = {name: _joined([getattr(part, name) for part in parts]) for name, _ in _columns(first)}
        totals = [each.name for each in fields(first) if each.metadata.get("total")]
        joined |= {name: sum(getattr(part, name) for part in parts) for name in totals}
        return replace(first, **joined)


def finite_numbers(values: NDArray[np.float64], infinite: float | None = None) -> NDArray[np.float64]:
    """Return numbers with 0 for nan, and another for infinity: the largest, or `infinite`; not to be written into."""
    # To look for them takes a sixth of the time that it takes to replace them, in small arrays.
    return values if np.isfinite(values).all() else np.asarray(np.nan_to_num(values, posinf=infinite))


def _columns(whole: Columns) -> Iterator[tuple[str, Any]]:
    """Yield names and values of the fields that have the components in their last axis."""
    for each in fields(whole):
        value = getattr(whole, each.name)
        if isinstance(value, np.ndarray | Columns):
            yield each.name, value


def _taken(value: Any, rows: Any) -> Any:
    return value.take(rows) if isinstance(value, Columns) else value[..., rows]


def _put(value: Any, rows: Indices, other: Any) -> Any:
    if isinstance(value, Columns):
        return value.put(rows, other)
    # Values are never written to: the caller may still hold the old array.
    changed = value.copy()
    changed[..., rows] = other
    return changed


def _joined(values: Sequence[Any]) -> Any:
    first = values[0]
    return first.concatenate(values) if isinstance(first, Columns) else np.concatenate(values, axis=-1)
