"""One stream of random numbers per purpose, so that a draw for one purpose never changes a draw for another.

Every draw comes from `generator(seed, Stream.PURPOSE, ...)`, NumPy's default generator seeded with [seed, purpose,
...].
"""

from enum import IntEnum, unique

import numpy as np


@unique
class Stream(IntEnum):
    """What random numbers are drawn for; the numbers are part of what a seed means and stay as they are."""

    THETA = 1
    MASKS = 2
    NETWORK_NOISE = 3
    EXAMPLES = 4
    SYNTHETIC = 5
    COTANGENT = 6
    SPLIT = 7
    DIRECTIONS = 8
    NUDGES = 9
    AUGMENT = 10
    PLANTED_FAULTS = 11
    INPUT_NUDGES = 12
    SAMPLE = 13
    SECOND_ORDER = 14
    BATCHES = 15
    FUNCTION_NOISE = 16
    AUDIT = 17
    STEP_FACTORS = 18
    TWO_STEP_SAMPLE = 19
    DENSE_SAMPLE = 20
    ELSEWHERE = 21
    PARTING = 22
    ROW_PROJECTION = 23
    TIES = 24
    NEARBY = 25
    RESIDUAL = 26
    LONG_STEPS = 27
    ROUNDING = 28
    PROOF = 29
    NAMING = 30
    FIT = 31
    ACCURACY = 32
    TRACE = 33
    SLICE_SAMPLE = 34
    BACKWARD = 36
    NODE_SIGNS = 37
    NODE_NOISE = 38
    NODE_AUDIT = 39


# The seed where a person's shall not matter: places to probe at, which are the same in every run.
FIXED = 0


def generator(seed: int, stream: Stream, *more: int) -> np.random.Generator:
    """Return the generator of a stream; `more` numbers tell draws of one purpose apart, such as steps of a training.

    A last number of 0 is the same as none: NumPy fills up a short seed with zeros.

    >>> bool(generator(0, Stream.THETA).random() == generator(0, Stream.MASKS).random())
    False
    """
    return np.random.default_rng([seed, stream, *more])
