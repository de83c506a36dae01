"""Dtypes by name: their unit roundoff u, their largest number, rounding to them, and their 64-bit kind."""

from typing import Literal

import numpy as np

from xcheck.layout import Vector

DtypeName = Literal["bfloat16", "float32", "float64"]


# Unit roundoff, and the largest number.
_ROUNDOFFS: dict[DtypeName, float] = {"bfloat16": 2.0**-8, "float32": 2.0**-24, "float64": 2.0**-53}


_LARGEST: dict[DtypeName, float] = {
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
}


def roundoff_of(dtype: DtypeName) -> float:
    """Return the unit roundoff of a dtype."""
    return _ROUNDOFFS[dtype]


def largest_of(dtype: DtypeName) -> float:
    """Return the largest number of a dtype."""
    return _LARGEST[dtype]


def as_bfloat16(values: Vector) -> Vector:
    """Round to the nearest numbers of bfloat16, the upper half of float32, ties to even.

    >>> as_bfloat16(np.array([1.0, 1.00390625, 1.01171875, -3.14159])).tolist()
    [1.0, 1.0, 1.015625, -3.140625]
    """
    bits = np.asarray(values, dtype=np.float32).view(np.uint32)
    even = (bits >> np.uint32(16)) & np.uint32(1)
    upper = (bits + np.uint32(0x7FFF) + even) & np.uint32(0xFFFF0000)
    return upper.view(np.float32).astype(np.float64)


def _as_float32(values: Vector) -> Vector:
    return values.astype(np.float32).astype(np.float64)


FLOAT64 = 2.0**-53


# Unit roundoff of the dtypes that people differentiate in.
ROUNDOFF = {
    "float64": 2.0**-53,
    "complex128": 2.0**-53,
    "float32": 2.0**-24,
    "complex64": 2.0**-24,
    "float16": 2.0**-11,
    "bfloat16": 2.0**-8,
}


WIDE = {"float": "float64", "complex": "complex128", "bfloat": "float64"}


def widened(dtype: str) -> str:
    """Return the 64-bit kind of a floating dtype, and others as they are.

    >>> widened("bfloat16"), widened("complex64"), widened("int32")
    ('float64', 'complex128', 'int32')
    """
    return WIDE.get(dtype.rstrip("0123456789"), dtype) if dtype in ROUNDOFF else dtype
