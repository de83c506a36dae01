"""Dtypes by name: roundoff, last place, largest number, rounding to them, and their 64-bit kinds.

A dtype with p significant bits stores a real number x as x(1 + δ) with |δ| ≤ u = 2⁻ᵖ. This u is its unit roundoff: half
of the gap between 1 and the next larger number, that is half of what NumPy calls `eps`. A complex number is two real
ones, so its dtype has the u of its parts.

Source: Higham, "Accuracy and Stability of Numerical Algorithms", 2nd edition, section 2.1.
"""

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector

# What declared networks are computed in.
DtypeName = Literal["bfloat16", "float32", "float64"]

# Unit roundoffs: 53, 24, 11 and 8 significant bits, the leading one counted.
FLOAT64 = 2.0**-53
FLOAT32 = 2.0**-24
FLOAT16 = 2.0**-11
BFLOAT16 = 2.0**-8
# The formats of 8 bits: 4 significant bits, or 3, whatever their bias and their special numbers.
FLOAT8_E4M3 = 2.0**-4
FLOAT8_E5M2 = 2.0**-3

# The dtypes that people differentiate in.
ROUNDOFF: Mapping[str, float] = {
    "float64": FLOAT64,
    "complex128": FLOAT64,
    "float32": FLOAT32,
    "complex64": FLOAT32,
    "float16": FLOAT16,
    "bfloat16": BFLOAT16,
    "float8_e4m3": FLOAT8_E4M3,
    "float8_e4m3fn": FLOAT8_E4M3,
    "float8_e4m3fnuz": FLOAT8_E4M3,
    "float8_e4m3b11fnuz": FLOAT8_E4M3,
    "float8_e5m2": FLOAT8_E5M2,
    "float8_e5m2fnuz": FLOAT8_E5M2,
}

# The smallest positive number of each is 2 to this: the last place of its subnormal numbers, and of 0.
_LAST_EXPONENT: Mapping[str, int] = {
    "float64": -1074,
    "float32": -149,
    "float16": -24,
    "bfloat16": -133,
    "float8_e4m3": -9,
    "float8_e4m3fn": -9,
    "float8_e4m3fnuz": -10,
    "float8_e4m3b11fnuz": -13,
    "float8_e5m2": -16,
    "float8_e5m2fnuz": -17,
}
# Numbers of an array whose bytes are copied to compare them: a guess, of which 8 KB fit any cache.
_FEW = 1024
# A complex number is two real ones.
_PARTS = {"complex128": "float64", "complex64": "float32"}

# bfloat16 has the exponents of float32, up to 2¹²⁷, and 8 significant bits: all of them ones make 2 − 2⁻⁷.
_LARGEST: Mapping[DtypeName, float] = {
    "bfloat16": (2 - 2.0**-7) * 2.0**127,
    "float32": float(np.finfo(np.float32).max),
    "float64": float(np.finfo(np.float64).max),
}


def roundoff_of(dtype: str) -> float:
    """Return the unit roundoff of a dtype; for one that is not in the table that of float64, as which it is read.

    >>> roundoff_of("float32") == 2.0**-24, roundoff_of("int8") == 2.0**-53
    (True, True)
    """
    return ROUNDOFF.get(dtype, FLOAT64)


def ulp_exponent(exponent: int | None, dtype: str) -> int:
    """Return e, where 2ᵉ is the unit in the last place (ulp) of x in a dtype.

    For x with 2^E <= |x| < 2^(E + 1), in a dtype with p significant bits whose smallest positive number is 2^s,

        ulp(x) = 2^max(E - p + 1, s):

    there, numbers of the dtype lie so far apart, and a real x that is rounded to nearest moves by at most ulp(x)/2. Of
    0 it is 2^s, as of subnormal numbers.

    Source: Muller et al., "Handbook of Floating-Point Arithmetic", 2nd edition, 2018, section 2.3.2: Goldberg's
    definition, for real numbers.

    Args:
        exponent: E, the exponent of the leading bit of x; None for x = 0.
        dtype: its name; one that is not known is read as float64.

    >>> ulp_exponent(0, "float64"), ulp_exponent(0, "bfloat16"), ulp_exponent(None, "float32")
    (-52, -7, -149)
    """
    name = _PARTS.get(dtype, dtype)
    name = name if name in _LAST_EXPONENT else "float64"
    bits = 1 - int(np.frexp(ROUNDOFF[name])[1])
    return _LAST_EXPONENT[name] if exponent is None else max(exponent - bits + 1, _LAST_EXPONENT[name])


def largest_of(dtype: DtypeName) -> float:
    """Return the largest number of a dtype."""
    return _LARGEST[dtype]


def same_numbers(one: NDArray[Any], other: NDArray[Any]) -> bool:
    """Return whether two arrays have the same shape and the same numbers; nan is the same as nan.

    >>> nan = float("nan")
    >>> same_numbers(np.array([1.0, nan]), np.array([1.0, nan])), same_numbers(np.array([1.0]), np.array([nan]))
    (True, False)
    """
    if one.shape != other.shape:
        return False
    # Bytes of small arrays are compared in a tenth of the time that it takes NumPy; what differs in them may be a zero
    # with another sign.
    if one.size <= _FEW and one.dtype == other.dtype and one.tobytes() == other.tobytes():
        return True
    if np.array_equal(one, other):
        return True
    # Only floating numbers can be nan, and NumPy refuses to look for it in others.
    return other.dtype.kind in "fc" and np.array_equal(one, other, equal_nan=True)


def round_to(values: Vector, dtype: DtypeName) -> Vector:
    """Round to the nearest numbers of a dtype, ties to even, and return them as float64.

    For bfloat16, the upper half of float32, the numbers are rounded to float32 first, as torch and JAX do it: a number
    within 2⁻²⁵ of a tie may so go to the farther of its two neighbours.

    >>> round_to(np.array([1.0, 1.00390625, 1.01171875, -3.14159]), "bfloat16").tolist()
    [1.0, 1.0, 1.015625, -3.140625]
    """
    if dtype == "float64":
        return values
    single = np.asarray(values, dtype=np.float32)
    if dtype == "float32":
        return single.astype(np.float64)
    bits = single.view(np.uint32)
    # Adding one less than half of the last place kept, and one more where that place is odd, carries ties to even.
    odd = (bits >> np.uint32(16)) & np.uint32(1)
    upper = (bits + np.uint32(0x7FFF) + odd) & np.uint32(0xFFFF0000)
    return upper.view(np.float32).astype(np.float64)


def widen(dtype: str) -> str:
    """Return the 64-bit dtype of the same kind; integers, booleans and unknown dtypes stay as they are.

    >>> widen("bfloat16"), widen("complex64"), widen("int32")
    ('float64', 'complex128', 'int32')
    """
    if dtype not in ROUNDOFF:
        return dtype
    return "complex128" if dtype.startswith("complex") else "float64"
