"""What the backward pass of one loss does, call by call: what comes in at each operation, and what goes out.

Reverse mode hands to the backward rule of an operation y = f(x) the cotangent ȳ = ∂J/∂y, and takes x̄ from it, which is
to be Dfᵀ ȳ whatever ȳ is. So for any move u of x

    x̄·u = d/dt ⟨ȳ, f(x + t u)⟩ at t = 0,

and the right side is a difference of f alone: the rest of the program is not run for it, and an operation upstream of a
wrong one, which is handed a wrong ȳ, is right if it does the right thing with that. Several faults are told apart at
once, and where the gradient is right nothing of this is computed.

Source: the adjoint of a composition is that of its parts, Griewank & Walther, "Evaluating Derivatives", 2008, chapter
3.2.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.layout import Vector
from xcheck.trace.model import Array, Place

# Numbers that a call is given at once, for several steps: a guess, 32 MiB.
_AT_ONCE = 1 << 22


@dataclass(frozen=True, slots=True, eq=False)
class Read:
    """An array that an operation reads, and that depends on θ.

    Attributes:
        name: of the argument, such as "weight" or "0"; empty where there is only one.
        array: x, float64.
        cotangent: x̄ that the operation's backward pass has handed down for this use of it, shape of x.
    """

    name: str
    array: Array
    cotangent: Array


@dataclass(frozen=True, slots=True, eq=False)
class Written:
    """A floating array that an operation returns.

    Attributes:
        array: y, as the loss computes it, float64.
        cotangent: ȳ that has arrived at it, shape of y; zeros where nothing reads it.
        differentiated: y as it is where the loss is differentiated: a rule for derivatives may compute another.
    """

    array: Array
    cotangent: Array
    differentiated: Array


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Call:
    """One operation of a loss, as a person's program calls it.

    Attributes:
        name: what it is called: of a function with a rule of its own that function's name.
        rule: whose backward pass it has: empty for the framework's own, else such as "custom_vjp" or
            "autograd.Function".
        place: the person's line; None where it is not known.
        reads: the floating arrays that depend on θ.
        writes: the floating arrays that it returns.
        step: which iteration of a loop it belongs to, counted from 1; 0 outside of loops.
        note: what else is known of its backward pass, a clause such as "a hook on its output changes the gradient";
            empty where nothing is.
        roundoff: the largest unit roundoff of what it computes in fewer than 64 bits; 0 if that is nothing.
    """

    name: str
    rule: str = ""
    place: Place | None = None
    reads: tuple[Read, ...]
    writes: tuple[Written, ...]
    step: int = 0
    note: str = ""
    roundoff: float = 0.0

    def __str__(self) -> str:
        return f"`{self.name}`" if self.place is None else f"`{self.name}` at {self.place}"


def weighted(cotangent: Array, array: Array) -> Array:
    """Return the product, 0 where the cotangent is: of an infinite number, such as a mask, that counts for nothing."""
    return np.multiply(cotangent, array, out=np.zeros(np.shape(array)), where=cotangent != 0)


class BackwardPass(ABC):
    """The calls of one loss at θ, with what its backward pass did at each.

    Attributes:
        calls: in the order of the forward pass.
    """

    calls: Sequence[Call]

    @abstractmethod
    def run(self, number: int, inputs: Sequence[Array]) -> list[Array]:
        """Return what a call writes where it reads other arrays; everything else is as it was.

        Args:
            number: of the call.
            inputs: one array for each of its reads, with the same shapes.

        Raises:
            Exception: whatever the operation raises there.
        """

    def responses(self, moves: Sequence[Sequence[Array]], steps: Vector) -> Vector:
        """Return ⟨ȳ, f(x + t u) − f(x)⟩ of every call for every t of `steps`, shape (k, calls); nan where f raises.

        Args:
            moves: u by calls and their reads.
            steps: t, shape (k,).
        """
        columns = [self.response(number, move, steps) for number, move in enumerate(moves)]
        return np.array(columns).reshape(-1, len(steps)).T

    def response(self, number: int, move: Sequence[Array], steps: Vector) -> Vector:
        """Return the same of one call, shape (k,)."""
        reads = self.calls[number].reads
        at_once = max(1, _AT_ONCE // max(1, sum(read.array.size for read in reads)))
        found = []
        for some in np.split(steps, range(at_once, len(steps), at_once)):
            along = [read.array + np.multiply.outer(some, u) for read, u in zip(reads, move, strict=True)]
            found.append(self.responses_at(number, along))
        return np.concatenate(found)

    def responses_at(self, number: int, inputs: Sequence[Array]) -> Vector:
        """Return ⟨ȳ, f(x') − f(x)⟩ of one call at k points x', shape (k,); nan where f raises.

        Args:
            number: of the call.
            inputs: of each of its reads k arrays, shape (k, ...).
        """
        return np.array([self._response_at(number, point) for point in zip(*inputs, strict=True)])

    def _response_at(self, number: int, point: Sequence[Array]) -> float:
        try:
            outputs = self.run(number, point)
        except Exception:  # noqa: BLE001 - a move may lead out of the operation's domain
            return float("nan")
        written = zip(self.calls[number].writes, outputs, strict=True)
        with np.errstate(invalid="ignore"):  # the difference of two infinities, at which nothing arrives
            return sum(float(weighted(one.cotangent, output - one.array).sum()) for one, output in written)

    def inside(self, number: int) -> "BackwardPass | None":
        """Return the calls that a call is made of, between what it reads and the cotangents of what it writes.

        None where it is one operation, or cannot be opened.
        """
        return None
