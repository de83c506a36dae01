"""Windows: the places that a kernel or a pool slides over, along one axis or two, and the way back from them."""

from collections.abc import Iterator
from itertools import product

import numpy as np

from xcheck_numpy.activations import Array

Lengths = tuple[int, ...]


def slide(x: Array, size: Lengths, stride: Lengths) -> Array:
    """Return the windows of x, shape (m, c, *n), as a view of shape (m, c, *places, *size)."""
    axes = tuple(range(2, x.ndim))
    views = np.lib.stride_tricks.sliding_window_view(x, size, axis=axes)
    return views[(slice(None), slice(None), *(slice(None, None, step) for step in stride))]


def parts(size: Lengths, stride: Lengths, places: Lengths) -> Iterator[tuple[Lengths, tuple[slice, ...]]]:
    """Yield every place inside a window, and which numbers of x stand there, over all windows; an index of (m, c, *n).

    The number at `inside` of the window at i is x[s i + inside], so these are every s-th number from `inside` on.
    """
    for inside in product(*map(range, size)):
        index = (
            slice(first, first + step * count, step) for first, step, count in zip(inside, stride, places, strict=True)
        )
        yield inside, (slice(None), slice(None), *index)


def pad(x: Array, padding: Lengths) -> Array:
    """Return x with zeros at both ends of each axis behind the channels."""
    return np.pad(x, [(0, 0), (0, 0), *((zeros, zeros) for zeros in padding)])


def crop(x: Array, padding: Lengths) -> Array:
    """Return x without its ends: what `pad` has added."""
    index = (slice(zeros, length - zeros) for zeros, length in zip(padding, x.shape[2:], strict=True))
    return x[(slice(None), slice(None), *index)]
