"""What a vjp written by hand does with cotangents that arrive otherwise: other numbers, other memory, zeros.

A vjp is linear in its cotangent: vjp(2 a − 3 b) = 2 vjp(a) − 3 vjp(b) and vjp(0) = 0, and where the numbers lie in
memory makes no difference. The loss that it is checked with sends one cotangent; the next loss sends others.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from xcheck.backend.cotangents import WRITTEN, CotangentFault, Kind
from xcheck.dtypes import roundoff_of
from xcheck.errors import quote
from xcheck.layout import Vector

if TYPE_CHECKING:
    from xcheck.backend.function_objective import FunctionObjective

# Two gradients are the same if they differ by less than so many roundings of the largest number, in the coarsest dtype:
# a guess. What is not linear in the cotangent differs by the size of the gradient itself.
_ROUNDINGS = 2.0**12


class _Failed(Exception):  # noqa: N818 - not an error of ours: what a vjp raises, in its words
    """The vjp raises."""


class _VjpAt:
    """The vjp at one θ as a function of its cotangent.

    Attributes:
        leaf: the value at θ, which cotangents are made like.
        largest: the largest number that was returned so far.
        writes: whether it has written into a cotangent.
    """

    def __init__(self, objective: "FunctionObjective", theta: Vector) -> None:
        self._objective, self._theta = objective, theta
        self.leaf = objective.leaf_of(objective.value(objective.own(theta), objective.copy_data()))
        self.largest = 0.0
        self.writes = False

    def numbers(self, start: int = 1) -> Vector:
        """Return numbers that are all different, in place of a cotangent."""
        shape = self.leaf.values.shape
        return np.sin(np.arange(start, start + int(np.prod(shape)), dtype=np.float64)).reshape(shape)

    def array(self, numbers: Vector) -> Any:
        """Return a cotangent of the framework."""
        return self._objective.array(numbers, self.leaf, self.leaf.dtype)

    def __call__(self, cotangent: Any) -> Vector:
        """Return the gradient, shape (n,).

        Raises:
            _Failed: it raises, or returns what cannot be read.
        """
        objective, function = self._objective, self._objective.function
        before = np.array(objective.numbers(cotangent))
        data, tree = objective.copy_data(), objective.build_tree(objective.own(self._theta))
        try:
            with objective.modes():
                found = objective.flat(objective.read_gradient(function.forms["vjp"](tree, *data, cotangent)))
        except Exception as error:  # a person's code may raise anything
            raise _Failed(quote(error)) from error
        self.writes |= not np.array_equal(before, objective.numbers(cotangent), equal_nan=True)
        self.largest = max(self.largest, float(np.abs(found[np.isfinite(found)]).max(initial=0.0)))
        return found


def faults_of_vjp(objective: "FunctionObjective", theta: Vector) -> list[CotangentFault]:
    """Return what the objective's vjp does wrong with other cotangents than the one that it was checked with.

    Args:
        objective: with a `vjp`.
        theta: shape (n,).
    """
    vjp = _VjpAt(objective, theta)
    if vjp.leaf.values.dtype.kind != "f":
        return []
    a, b = vjp.numbers(), vjp.numbers(start=7)
    try:
        plain, other = vjp(vjp.array(a)), vjp(vjp.array(b))
    except _Failed:
        return []  # what it is called with need not suit it: the check has said so where it never works
    if vjp.writes:
        return [CotangentFault("writes", WRITTEN, "")]
    trials: list[tuple[Kind, str, Vector, Any]] = [
        ("nonlinear", "is zero", 0.0 * plain, vjp.array(0.0 * a)),
        *(("wrong", text, plain, arranged) for text, arranged in objective.arrangements(vjp.array(a))),
        ("nonlinear", "is 2 a − 3 b", 2 * plain - 3 * other, vjp.array(2 * a - 3 * b)),
    ]
    roundoff = max(objective.arguments.roundoff, roundoff_of(vjp.leaf.dtype))
    for kind, text, expected, cotangent in trials:
        try:
            found = vjp(cotangent)
        except _Failed as error:
            return [CotangentFault("fails", WRITTEN, f"{text}: {error}")]
        if not np.allclose(found, expected, rtol=0.0, atol=_ROUNDINGS * roundoff * vjp.largest, equal_nan=True):
            return [CotangentFault(kind, WRITTEN, text)]
    return []
