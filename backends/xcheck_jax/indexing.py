"""Indexing of JAX in NumPy: `gather` and `scatter-add`.

What their dimension numbers mean is written in https://openxla.org/xla/operation_semantics#gather.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from jax.lax import GatherScatterMode
from numpy.typing import NDArray

Values = NDArray[Any]


def gather(parameters: Mapping[str, Any], x: Values, starts: Values) -> Values:
    """Return slices of x.

    Args:
        parameters: of the operation, as JAX has them.
        x: what is indexed.
        starts: where slices start, shape (..., indexed axes of x).
    """
    order, sizes = parameters["dimension_numbers"], parameters["slice_sizes"]
    index, inside = _places(
        x.shape,
        starts,
        sizes,
        order.start_index_map,
        (order.operand_batching_dims, order.start_indices_batching_dims),
    )
    found = x[index]
    if _mode(parameters) is GatherScatterMode.FILL_OR_DROP:
        found = np.where(inside, found, _filler(parameters["fill_value"], x.dtype))
    first = starts.ndim - 1
    gone = {*order.collapsed_slice_dims, *order.operand_batching_dims}
    found = np.squeeze(found, tuple(first + axis for axis in gone))
    return np.moveaxis(found, range(first, found.ndim), order.offset_dims)


def scatter_add(parameters: Mapping[str, Any], x: Values, starts: Values, updates: Values) -> Values:
    """Return x with updates added to slices of it; the arguments are as in `gather`."""
    order = parameters["dimension_numbers"]
    gone = {*order.inserted_window_dims, *order.operand_batching_dims}
    first = starts.ndim - 1
    window = np.moveaxis(updates, order.update_window_dims, range(first, updates.ndim))
    window = np.expand_dims(window, tuple(first + axis for axis in gone))
    index, inside = _places(
        x.shape,
        starts,
        window.shape[first:],
        order.scatter_dims_to_operand_dims,
        (order.operand_batching_dims, order.scatter_indices_batching_dims),
    )
    if _mode(parameters) is not GatherScatterMode.CLIP:
        # XLA leaves out what does not lie inside, also where JAX was promised that there is nothing of that.
        window = np.where(inside, window, 0)
    added = x.copy()
    np.add.at(added, index, window)
    return added


def _mode(parameters: Mapping[str, Any]) -> GatherScatterMode:
    return GatherScatterMode.from_any(parameters["mode"])


def _places(
    shape: Sequence[int],
    starts: Values,
    sizes: Sequence[int],
    indexed: Sequence[int],
    batching: tuple[Sequence[int], Sequence[int]],
) -> tuple[tuple[Values, ...], Values]:
    """Return an index for each axis of x, of slices that are moved inside of x, and which have been there before.

    Args:
        shape: of x.
        starts: where slices start, shape (..., indexed axes).
        sizes: of a slice, by axes of x.
        indexed: the axes of x that the last axis of `starts` stands for.
        batching: axes of x, and those of `starts` that they go along with.
    """
    ones = (1,) * len(shape)
    last = np.array([shape[axis] - sizes[axis] for axis in indexed], dtype=np.int64)
    inside = ((starts >= 0) & (starts <= last)).all(-1).reshape(*starts.shape[:-1], *ones)
    clipped = np.clip(starts, 0, last)
    index = []
    for axis, size in enumerate(sizes):
        place = np.arange(size).reshape([size if other == axis else 1 for other in range(len(shape))])
        if axis in indexed:
            place = place + clipped[..., indexed.index(axis)].reshape(*starts.shape[:-1], *ones)
        elif axis in batching[0]:
            along = batching[1][batching[0].index(axis)]
            lengths = [shape[axis] if other == along else 1 for other in range(starts.ndim - 1)]
            place = np.arange(shape[axis]).reshape(*lengths, *ones)
        index.append(place)
    return tuple(index), inside


def _filler(value: Any, dtype: Any) -> Any:
    """Return what stands for elements that are not there."""
    if value is not None:
        return value
    if dtype.kind == "f":
        return np.nan
    return True if dtype.kind == "b" else np.iinfo(dtype).min
