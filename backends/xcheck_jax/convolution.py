"""Convolutions of JAX in NumPy: every window of the input is a row of a matrix, and a matrix product does the rest.

Source: Chellapilla, Puri & Simard, "High performance convolutional neural networks for document processing", 2006.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

Values = NDArray[Any]


def convolve(parameters: Mapping[str, Any], x: Values, kernel: Values) -> Values:
    """Return what `conv_general_dilated` does.

    Args:
        parameters: of the operation, as JAX has them.
        x: examples, channels and places, in the order that the parameters say.
        kernel: outputs, channels of a group and places, likewise.
    """
    order, groups = parameters["dimension_numbers"], parameters["feature_group_count"]
    x, kernel = x.transpose(order.lhs_spec), kernel.transpose(order.rhs_spec)
    if parameters["batch_group_count"] > 1:
        # Groups of examples, each with outputs of its own, are groups of channels of fewer examples.
        groups = parameters["batch_group_count"]
        parts = x.reshape(groups, len(x) // groups, *x.shape[1:])
        x = parts.swapaxes(0, 1).reshape(len(x) // groups, groups * x.shape[1], *x.shape[2:])
    windows = _windows(parameters, x, kernel.shape[2:])
    found = _products(windows, kernel, groups)
    return found.transpose(np.argsort(order.out_spec))


def _windows(parameters: Mapping[str, Any], x: Values, size: Sequence[int]) -> Values:
    """Return what the kernel sees of x at each place, shape (examples, channels, places..., size...); it is a view."""
    x = _padded(x, parameters["padding"], parameters["lhs_dilation"])
    steps, dilation = parameters["window_strides"], parameters["rhs_dilation"]
    spans = [(length - 1) * apart + 1 for length, apart in zip(size, dilation, strict=True)]
    places = [max(0, (length - span) // step + 1) for length, span, step in zip(x.shape[2:], spans, steps, strict=True)]
    along = x.strides[2:]
    strides = (
        *x.strides[:2],
        *(stride * step for stride, step in zip(along, steps, strict=True)),
        *(stride * apart for stride, apart in zip(along, dilation, strict=True)),
    )
    return as_strided(x, (*x.shape[:2], *places, *size), strides, writeable=False)


def _padded(x: Values, padding: Sequence[tuple[int, int]], dilation: Sequence[int]) -> Values:
    """Return x with zeros between its places, and around them; where the padding is negative, x is cut."""
    lengths = [(length - 1) * apart + 1 if length else 0 for length, apart in zip(x.shape[2:], dilation, strict=True)]
    around = [(max(0, low), max(0, high)) for low, high in padding]
    whole = np.zeros((*x.shape[:2], *(low + n + high for n, (low, high) in zip(lengths, around, strict=True))), x.dtype)
    between = zip(lengths, around, dilation, strict=True)
    whole[slice(None), slice(None), *(slice(low, low + n, apart) for n, (low, _), apart in between)] = x
    rest = zip(whole.shape[2:], padding, strict=True)
    return whole[slice(None), slice(None), *(slice(max(0, -low), n - max(0, -high)) for n, (low, high) in rest)]


def _products(windows: Values, kernel: Values, groups: int) -> Values:
    """Return the products, shape (examples, outputs, places...)."""
    examples, channels = windows.shape[0], kernel.shape[1]
    places = windows.shape[2 : windows.ndim - (kernel.ndim - 2)]
    count, inner = math.prod(places), math.prod(kernel.shape[1:])
    rows = windows.reshape(examples, groups, channels, count, math.prod(kernel.shape[2:]))
    rows = rows.transpose(1, 0, 3, 2, 4).reshape(groups, examples * count, inner)
    columns = kernel.reshape(groups, len(kernel) // groups, inner)
    found = (rows @ columns.transpose(0, 2, 1)).reshape(groups, examples, count, len(kernel) // groups)
    return np.asarray(found.transpose(1, 0, 3, 2).reshape(examples, len(kernel), *places))
