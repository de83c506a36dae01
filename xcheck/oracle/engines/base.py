"""Engines: they evaluate perturbed losses, many at once. Estimators choose the steps.

An engine returns difference quotients for many components i at a time:

    (J(θ + p eᵢ) − J(θ + q eᵢ)) / (p − q)

`p = h, q = −h` is the central difference, `p = h, q = 0` the forward one.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import jax
import numpy as np

from xcheck.dtypes import FLOAT64
from xcheck.layout import Layout, Vector
from xcheck.oracle.columns import Columns, Indices

Progress = Callable[[int], Any]
EngineName = Literal["auto", "loop", "batched", "structured", "node"]


@dataclass(frozen=True, slots=True)
class Differences:
    """k difference quotients of J.

    At a kink (a relu whose input is zero) J has several slopes: `lower` and `upper` enclose all of them, `slope` is
    their middle, and `conventions` are those that frameworks choose from. Everywhere else all are equal.

    Attributes:
        slope: shape (k,).
        lower: shape (k,).
        upper: shape (k,).
        conventions: shape (variants, k).
        magnitude: mean over the examples of |slope of the example's loss| plus |slope of the penalty|, shape (k,):
            how much cancels when the slope is summed, the yardstick of rounding errors.
        level: mean |loss| of the larger of the two that were subtracted, shape (k,): far from θ the loss, and with it
            its noise, may be much larger than at θ.
    """

    slope: Vector
    lower: Vector
    upper: Vector
    conventions: Vector
    magnitude: Vector
    level: Vector


@dataclass(frozen=True, slots=True, eq=False)
class Spans(Columns):
    """k differences of the mean loss of the examples, not yet divided by their steps.

    Attributes:
        lower: shape (k,); below `upper` only at a kink.
        upper: shape (k,).
        conventions: shape (variants, k).
        magnitude: mean over the examples of |difference|, shape (k,).
        level: mean over the examples of the larger of the two numbers that were subtracted, shape (k,): losses, or
            how far they moved from θ.
    """

    lower: Any
    upper: Any
    conventions: Any
    magnitude: Any
    level: Any

    @classmethod
    def none(cls, variants: int = 1) -> "Spans":
        """Return zero differences: the start of a concatenation."""
        nothing = np.zeros(0)
        return cls(nothing, nothing, np.zeros((variants, 0)), nothing, nothing)

    @classmethod
    def summarized(cls, spans: Any, level: Any, xp: Any = np) -> "Spans":
        """Sum up differences per variant, perturbation and example, shape (variants, k, m).

        Differences are formed per example before they are summed: the sum of the losses is never formed, so its
        rounding does not matter. At a kink each example may be on either side, independently of the others.

        Args:
            spans: the differences.
            level: the larger |loss| that was subtracted, shape (k, m).
            xp: numpy or jax.numpy.
        """
        return cls(
            spans.min(0).mean(1), spans.max(0).mean(1), spans.mean(2), xp.abs(spans).max(0).mean(1), level.mean(1)
        )


# Compiled functions return spans, so JAX must know their arrays.
jax.tree_util.register_dataclass(Spans, ["lower", "upper", "conventions", "magnitude", "level"], [])


class Engine(ABC):
    """Evaluates difference quotients of one J around one θ.

    Attributes:
        name: as in reports.
        theta: θ, shape (n,).
        layout: names of its components.
        progress: called with the number of differences after each batch.
        subtracts: whether losses are subtracted, so that their rounding is divided by the step; some engines compute
            the increment itself.
        first_step: the first step of the automatic estimator, in units of `scale`.
        roundoff: unit roundoff of the arithmetic that losses are computed in.
    """

    name: str
    subtracts: bool = True
    first_step: float = 2.0**-10
    roundoff: float = FLOAT64

    def __init__(self, theta: Vector, layout: Layout, *, progress: Progress | None = None) -> None:
        self.theta = theta
        self.layout = layout
        self.progress: Progress = progress or (lambda done: None)

    @property
    @abstractmethod
    def scale(self) -> Vector:
        """Distance over which J bends along each component, shape (n,): natural steps are fractions of it."""

    @property
    @abstractmethod
    def losses(self) -> Vector:
        """Loss of each example (or J alone) at θ, shape (m,): their rounding is the least noise there can be."""

    @property
    def size_of_losses(self) -> Vector:
        """Mean |loss| at θ, shape (1,); of several functions at once, shape (outputs, 1)."""
        return np.asarray(np.abs(self.losses).mean(axis=-1, keepdims=True))

    @abstractmethod
    def spans(self, indices: Indices, plus: Vector, minus: Vector) -> Spans:
        """Return the loss with θᵢ + `plus` minus the loss with θᵢ + `minus`; all of shape (k,)."""

    def attainable(self, indices: Indices, step: Vector) -> Vector:
        """Return the steps that are really taken: θᵢ + h is rounded, so it is rarely exactly h away from θᵢ."""
        # The subtraction is exact for short steps (Sterbenz), so it recovers the step that the rounded sum stands for.
        return np.asarray((self.theta[indices] + step) - self.theta[indices])

    def exact(self, indices: Indices, plus: Vector, minus: Vector) -> Differences:
        """Return the difference quotients of the penalty, which are exact; zero where there is none."""
        zero = np.zeros(len(indices))
        return Differences(zero, zero, zero, zero[None], zero, zero)

    def differences(self, indices: Indices, plus: Vector, minus: Vector) -> Differences:
        """Return k difference quotients along components `indices`, steps `plus` and `minus`, all of shape (k,)."""
        plus, minus = self.attainable(indices, plus), self.attainable(indices, minus)
        distance = plus - minus
        spans, exact = self.spans(indices, plus, minus), self.exact(indices, plus, minus)
        # A step so small that it vanishes beside θᵢ gives 0/0: nan, which is undecided, never a disagreement.
        with np.errstate(all="ignore"):
            # A negative distance exchanges the ends of the interval.
            one, other = spans.lower / distance, spans.upper / distance
            lower, upper = np.minimum(one, other), np.maximum(one, other)
            conventions = spans.conventions / distance
            magnitude = spans.magnitude / np.abs(distance)
        return Differences(
            (lower + upper) / 2 + exact.slope,
            lower + exact.lower,
            upper + exact.upper,
            conventions + exact.slope,
            magnitude + exact.magnitude,
            spans.level,
        )
