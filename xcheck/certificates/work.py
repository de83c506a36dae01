"""What it takes to evaluate a trace in balls, told from the numbers of elements in it.

No clock is asked: the same call proves the same on every machine.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.trace import Trace
from xcheck.trace.model import Operation

# Seconds for one element of a slope, measured: the predictions for iris, breast_cancer and digits of `xcheck.examples`
# are right to a factor 1.3.
_PER_ELEMENT = 3e-7
# Seconds for one product in a matrix product of balls: measured, 7 to 10 ns.
_PER_PRODUCT = 1e-8
# So many times as long takes one of a Fourier transform: measured, 3 µs for both parts of one of 4,096 points.
_TRANSFORM = 5
# A loop that ends at a condition is taken for so many rounds: a guess, since the trace does not tell.
_ROUNDS = 100


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

    @property
    def seconds(self) -> float:
        """What one slope is predicted to take, or the value."""
        return _PER_ELEMENT * max(1, self.elements) + _PER_PRODUCT * self.products

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
    if operation.name == "dft":
        return Work(_TRANSFORM * elements)
    if operation.name != "dot":
        return Work(elements)
    first = operation.inputs[0]
    shape = getattr(first, "shape", None) or np.shape(getattr(first, "array", ()))
    return Work(elements, elements * int(shape[-1]))
