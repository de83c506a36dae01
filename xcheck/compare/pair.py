"""Pair: two gradients compared, as a whole, per tensor and at the components that tell most.

The lecture's difference ‖g − g'‖/(‖g‖ + ‖g'‖) and its band are always shown, and never decide.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from xcheck.compare.bounds import Reason
from xcheck.layout import Location, Vector
from xcheck.verdict import Verdict

# The name of the oracle where a pair names its two sides.
ORACLE = "oracle"
# The lecture's bounds of its three words: up to 1e-7 "great", from 1e-3 on "worry", between them a second look.
_GREAT, _LOOK = 1e-7, 1e-3


def norm_relative_difference(a: Vector, b: Vector) -> float:
    """Return ‖a − b‖/(‖a‖ + ‖b‖), 0 when both are zero, nan when either is not finite.

    Source: lecture notes, gradient checking, equation (2).

    >>> norm_relative_difference(np.array([3.0, 4.0]), np.array([3.0, 4.0]))
    0.0
    >>> norm_relative_difference(np.array([2.0]), np.array([1.0]))
    0.3333333333333333
    """
    scale = max(np.abs(a).max(initial=0.0), np.abs(b).max(initial=0.0))
    if scale == 0:
        return 0.0
    if not np.isfinite(scale):
        return float("nan")
    a, b = a / scale, b / scale
    return _norm(a - b) / (_norm(a) + _norm(b))


def _norm(values: Vector) -> float:
    return math.sqrt(values @ values)


def band(difference: float) -> str:
    """Return the lecture's word for a difference: great ≤ 1e-7 < look ≤ 1e-3 < worry.

    >>> [band(difference) for difference in (1e-7, 1e-5, 1e-2, float("nan"))]
    ['great', 'look', 'worry', 'worry']
    """
    if difference <= _GREAT:
        return "great"
    return "look" if difference <= _LOOK else "worry"


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """The values of one component in both gradients of a pair.

    Attributes:
        location: name, index and flat index.
        a: value of the first side.
        b: value of the second side.
        error_bar: the oracle's bar; 0 between witnesses.
        lower: least slope of the loss there, `b` unless at a kink.
        upper: largest slope of the loss there.
        excess: how far `a` is outside them.
        allowed: how far it might be: error bar, tolerance and rounding.
    """

    location: Location
    a: float
    b: float
    error_bar: float
    lower: float
    upper: float
    excess: float
    allowed: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TensorComparison:
    """Two gradients compared in one tensor.

    Attributes:
        name: of the tensor.
        difference: the lecture's norm-relative difference.
        wrong: number of wrong components.
        undecided: number of components that could not be decided.
        of: number of components.
    """

    name: str
    difference: float
    wrong: int
    undecided: int
    of: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two gradients compared.

    Attributes:
        a: name of a witness.
        b: name of another, or "oracle".
        verdict: of this pair.
        losses: both losses; of a Jacobian the two of that output in which they differ most, their sums if in none.
        output: name of that output, such as "y[2]"; empty where the losses are those of no single one.
        losses_agree: whether they are the same; if not, the gradients are those of different functions.
        spread: by how much the loss of one of them differs between two calls at θ; then nothing is decided.
        difference: the lecture's norm-relative difference.
        wrong: number of wrong components.
        undecided: number of components that could not be decided.
        of: number of components.
        tensors: the same per tensor.
        apart: the largest distance of two components in units of error bar and rounding, the tolerance left aside.
        worst: components furthest out of bounds, worst first; in a pair that agrees, the tightest.
        overflows: whether numbers overflow at this θ, so that there is nothing to judge.
        reasons: how many components are undecided for which reason: "noise", "kink", "jump",
            "not finite" or "random"; see `xcheck.compare.bounds`.
    """

    a: str
    b: str
    verdict: Verdict
    losses: tuple[float, float]
    losses_agree: bool
    spread: float
    difference: float
    wrong: int
    undecided: int
    of: int
    tensors: tuple[TensorComparison, ...]
    apart: float
    worst: tuple[Component, ...]
    overflows: bool = False
    output: str = ""
    reasons: Mapping[Reason, int] = field(default_factory=dict)

    @property
    def band(self) -> str:
        """The lecture's word for the difference."""
        return band(self.difference)
