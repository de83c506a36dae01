"""CotangentFault: what a person's own backward pass does wrong with a cotangent (`grad_output`) that arrives otherwise.

A loss sends its backward pass cotangents of one kind, such as contiguous ones. The next loss sends others: with gaps,
in another order of axes, one number expanded over a whole array, or none for an output that it does not use.
"""

from dataclasses import dataclass
from typing import Literal, TypeAlias

# What arrives at a person's backward pass: one that is not linear in it shows when that is not 1, and powers of 2 round
# nothing.
WEIGHT = -2.0
# What a vjp that is written by hand is called in a fault.
WRITTEN = "the vjp"
Kind: TypeAlias = Literal["wrong", "nonlinear", "fails", "writes"]


@dataclass(frozen=True, slots=True)
class CotangentFault:
    """One fault.

    Attributes:
        kind: "wrong": another gradient for the same numbers; "nonlinear": not the one that linearity demands; "fails":
            it raises; "writes": into the cotangent.
        where: name of the backward pass.
        text: what the cotangent was like, and what was raised.
    """

    kind: Kind
    where: str
    text: str
