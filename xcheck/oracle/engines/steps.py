"""Steps of differences along lines: odd multiples of a natural size, and short numbers."""

from functools import lru_cache

import numpy as np

from xcheck.layout import Vector
from xcheck.seeds import FIXED, Stream, generator

# Functions are called small up to so many components: a guess. A generator takes longer to make than their losses.
_SMALL = 1024


def step_factors(size: int) -> Vector:
    """Return random factors from 0.7 to 1, shape (size,), the same for each size; not to be written into."""
    return _known(size) if size <= _SMALL else _drawn(size)


def _drawn(size: int) -> Vector:
    return np.asarray(0.7 + 0.3 * generator(FIXED, Stream.STEP_FACTORS, size).random(size))


@lru_cache(maxsize=64)
def _known(size: int) -> Vector:
    return _drawn(size)


def short_numbers(values: Vector) -> Vector:
    """Return positive numbers rounded to seven binary digits, as many as the shortest useful step has above θ's last.

    >>> short_numbers(np.array([0.7, 1.0, 300.3])).tolist()
    [0.703125, 1.0, 300.0]
    """
    mantissa, exponent = np.frexp(values)
    return np.asarray(np.ldexp(np.round(128 * mantissa) / 128, exponent))
