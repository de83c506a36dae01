"""Probes: what may be asked of a function beside its loss and gradient at θ, to tell causes apart.

Each costs calls of the function, and is asked only where the answer decides.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.oracle.estimate import CERTAIN
from xcheck.seeds import FIXED, Stream, generator
from xcheck.trace import BackwardPass, Trace

# So many components have to show a residual: with fewer it may be alike at both θ by chance. A guess.
_LEAST = 3


@dataclass(frozen=True, slots=True)
class Tightened:
    """What became of a residual when a function was asked to stop later.

    Attributes:
        change: what was given instead of its defaults, in words.
        left: the part of the residual that was left.
    """

    change: str
    left: float


@dataclass(frozen=True, slots=True)
class Jumps:
    """A loss that jumps everywhere by more than rounding, and whose slope over long steps a gradient gives.

    Attributes:
        size: of the jumps, relative to the loss.
        within: how well that slope is known, relative to the gradient.
    """

    size: float
    within: float


@dataclass(frozen=True, slots=True, eq=False)
class Traced:
    """A loss as its trace.

    Attributes:
        trace: its operations.
        arrays: θ, one array for each input of the trace.
        names: of these.
        along: returns a gradient of the size of θ as the evidence has it, shape (n,) -> (c,).
    """

    trace: Trace
    arrays: Sequence[NDArray[np.float64]]
    names: Sequence[str]
    along: Callable[[Vector], Vector]


@dataclass(frozen=True, slots=True)
class Probes:
    """What may be asked of one function.

    Attributes:
        shift: returns by how much of itself the residual changes where θ is moved by a part of itself; None where that
            is not known.
        along_paths: returns the gradient along the oracle's lines, shape (c,), with each sample differentiated along
            its own random numbers; None where there is no sampler with another derivative.
        tightened: returns what becomes of the residual if the function stops later; None where it has no such keyword,
            or the residual does not shrink.
        jumps: returns the jumps of a loss whose slope over long steps is what the gradient says; None where it has
            none, or another slope.
        backward_pass: returns what its backward pass does, operation by operation; None where it has none of a
            framework; raises `UntraceableError` where it cannot be looked into.
        traced: returns the operations of the loss of a gradient that is written by hand; None where there is none, or
            the loss cannot be traced.
    """

    shift: Callable[[float], float | None] = lambda step: None
    along_paths: Callable[[], Vector | None] = lambda: None
    tightened: Callable[[], Tightened | None] = lambda: None
    jumps: Callable[[], Jumps | None] = lambda: None
    backward_pass: Callable[[], BackwardPass | None] = lambda: None
    traced: Callable[[], Traced | None] = lambda: None


def point_beside(theta: Vector, step: float) -> Vector:
    """Return θ with each component moved by `step` of itself, up or down, shape (n,); zeros by `step`."""
    signs = np.where(generator(FIXED, Stream.RESIDUAL).random(theta.size) < 0.5, -1.0, 1.0)
    return np.asarray(theta + step * signs * np.where(theta == 0, 1.0, np.abs(theta)))


def change_of_residual(before: Vector, after: Vector, bar: Vector) -> float | None:
    """Return ‖e' − e‖/‖e‖, by how much of itself a residual changes; None where too little of it is known.

    Args:
        before: e, the residual at θ, shape (k,).
        after: e', that beside θ.
        bar: how well both are known together.
    """
    shown = np.abs(before) > CERTAIN * bar
    if shown.sum() < min(_LEAST, len(before)) or not np.isfinite(after[shown]).all():
        return None
    return float(np.linalg.norm((after - before)[shown]) / np.linalg.norm(before[shown]))
