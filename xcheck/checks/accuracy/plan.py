"""How many components are looked at, and how many at once: what fits the time and the memory.

Both are told from the numbers of elements in a trace, and not from a clock: the same call looks at the same components
on every machine.
"""

import numpy as np
from numpy.typing import NDArray

from xcheck.certificates.work import Work
from xcheck.seeds import Stream, generator

# Bytes of a ball of 128 bits with the object around it, and of all balls at once: a guess at what any machine has.
_BALL = 128
_MEMORY = 2**28
# Directions that share one evaluation of the value: with more of them its share of the time is below 2 %.
_MOST_AT_ONCE = 64


def at_once(work: Work) -> int:
    """Return how many directions fit the memory."""
    return max(1, min(_MOST_AT_ONCE, _MEMORY // (_BALL * max(1, work.elements))))


def choose_components(size: int, most: int, work: Work, budget: float, seed: int) -> NDArray[np.intp]:
    """Return the numbers of the components to look at, ascending: all of them, or as many at random as fit.

    Args:
        size: n.
        most: no more than these.
        work: for one component.
        budget: seconds; at least one component is looked at.
        seed: of the draw.

    >>> choose_components(4, 100, Work(10), 10.0, 0).tolist()
    [0, 1, 2, 3]
    >>> len(choose_components(1000, 100, Work(10), 10.0, 0)), len(choose_components(9, 100, Work(10**9), 10.0, 0))
    (100, 1)
    """
    count = min(size, most, max(1, int(budget / work.seconds)))
    if count == size:
        return np.arange(size)
    chosen = generator(seed, Stream.ACCURACY).choice(size, count, replace=False)
    return np.sort(chosen).astype(np.intp)
