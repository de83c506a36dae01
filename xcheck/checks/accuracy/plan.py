"""How many components are looked at, and how many at once: what fits the time and the memory.

Both are told from the numbers of elements in a trace, and not from a clock: the same call looks at the same components
on every machine.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.seeds import Stream, generator
from xcheck.trace import Trace
from xcheck.trace.model import Operation

# Seconds for one element of a slope, measured: the predictions for iris, breast_cancer and digits of `xcheck.examples`
# are right to a factor 1.3.
_PER_ELEMENT = 3e-7
# Seconds for one product in a matrix product of balls: measured, 7 to 10 ns.
_PER_PRODUCT = 1e-8
# A loop that ends at a condition is taken for so many rounds: a guess, since the trace does not tell.
_ROUNDS = 100
# Bytes of a ball of 128 bits with the object around it, and of all balls at once: a guess at what any machine has.
_BALL = 128
_MEMORY = 2**28
# Directions that share one evaluation of the value: with more of them its share of the time is below 2 %.
_MOST_AT_ONCE = 64


@dataclass(frozen=True, slots=True)
class Work:
    """What one evaluation takes.

    Attributes:
        elements: results of all operations.
        products: multiplications in matrix products.
    """

    elements: int = 0
    products: int = 0

    def __add__(self, other: "Work") -> "Work":
        return Work(self.elements + other.elements, self.products + other.products)

    def times(self, count: int) -> "Work":
        """Return the work of some rounds."""
        return Work(self.elements * count, self.products * count)


def work_of(trace: Trace) -> Work:
    """Return what evaluating a trace takes, θ included."""
    inputs = sum(int(np.prod(value.shape, dtype=int)) for value in trace.inputs)
    return sum((_work(operation) for operation in trace.operations), Work(inputs))


def _work(operation: Operation) -> Work:
    attributes = operation.attributes
    if operation.name == "scan":
        return work_of(attributes["body"]).times(attributes["length"])
    if operation.name == "while":
        return (work_of(attributes["body"]) + work_of(attributes["condition"])).times(_ROUNDS)
    if operation.name == "cond":
        return max(map(work_of, attributes["branches"]), key=lambda work: work.elements)
    elements = sum(int(np.prod(value.shape, dtype=int)) for value in operation.outputs)
    if operation.name != "dot":
        return Work(elements)
    first = operation.inputs[0]
    shape = getattr(first, "shape", None) or np.shape(getattr(first, "array", ()))
    return Work(elements, elements * int(shape[-1]))


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
    seconds = _PER_ELEMENT * max(1, work.elements) + _PER_PRODUCT * work.products
    count = min(size, most, max(1, int(budget / seconds)))
    if count == size:
        return np.arange(size)
    chosen = generator(seed, Stream.ACCURACY).choice(size, count, replace=False)
    return np.sort(chosen).astype(np.intp)
