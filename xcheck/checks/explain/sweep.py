"""Sweep: one component looked at from all distances, D(h) for h = 10⁻¹ ... 10⁻¹² of its natural scale.

With J the real loss, kinks and all,

    D(h) = (J(θ + h eᵢ) − J(θ − h eᵢ))/2h     D⁺(h) = (J(θ + h eᵢ) − J)/h     D⁻(h) = (J − J(θ − h eᵢ))/h

Far out, D is off by truncation, h² ∂ᵢ³J/6, close in by roundoff, η/h: on logarithmic axes the distance from the
derivative is a V. At a kink it is flat, and D⁺ and D⁻ stay apart at every h.

The natural scale is max(1, |θᵢ|), so that for a parameter of size 1 the steps are those of the lecture notes.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.network import keeps_of, tensors_of
from xcheck.oracle.network.forward import LEFT_SLOPE, trace

DECADES = 12
# Closer to zero than this share of its reach, a pre-activation has the sign that rounding gives it.
_TIE = 2.0**-44
_HALVINGS = 40


@dataclass(frozen=True, slots=True)
class Step:
    """The slopes with one step.

    Attributes:
        h: the step, as it could be taken: θᵢ + h is rounded.
        central: D(h).
        right: D⁺(h).
        left: D⁻(h).
    """

    h: float
    central: float
    right: float
    left: float


def sweep_steps(engine: FunctionEngine, line: int, scale: float) -> tuple[Step, ...]:
    """Return the slopes along one line, from the longest step to the shortest.

    A step that vanishes beside θᵢ has slopes nan.

    Args:
        engine: differences of the real loss.
        line: its number.
        scale: natural scale.

    >>> from xcheck.oracle.engines.function import LoopEngine
    >>> from xcheck.layout import Layout
    >>> cube = LoopEngine(lambda theta: float(theta[0] ** 3), np.array([1.0]), Layout.of({"theta": ()}))
    >>> [round(step.central, 6) for step in sweep_steps(cube, 0, 1.0)[:3]]
    [3.01, 3.0001, 3.000001]
    """
    h = scale * 10.0 ** -np.arange(1.0, DECADES + 1)
    indices = np.full(DECADES, line)
    with np.errstate(all="ignore"):  # a loss that overflows far from θ is a result
        right, left = engine.both_sides(indices, h)
        plus, minus = engine.attainable(indices, h), -engine.attainable(indices, -h)
        central = (right.slope * plus + left.slope * minus) / (plus + minus)
        # Where one side cannot be moved to at all, there is no difference to speak of.
        central = np.where((plus > 0) & (minus > 0), central, np.nan)
    numbers = np.stack([h, central, right.slope, left.slope], axis=1)
    return tuple(Step(*(float(number) for number in row)) for row in numbers)


def best_pair(steps: tuple[Step, ...], scale: float) -> Step | None:
    """Return the step that shows the one-sided slopes best: about √u, where truncation and roundoff balance."""
    finite = [step for step in steps if np.isfinite(step.right) and np.isfinite(step.left)]
    return min(finite, key=lambda step: abs(np.log(step.h / (1e-7 * scale))), default=None)


# --- kinks of a network ---------------------------------------------------------------------------------------------


def nearest_kink(problem: Problem, flat: int, reach: float) -> float:
    """Return how far θᵢ may be moved until a unit, or a penalised weight, crosses its kink; nan beyond `reach`.

    The sign says in which direction. Units whose pre-activations are zero to rounding are none of it: there the oracle
    knows both slopes.

    Args:
        problem: the network at θ.
        flat: i.
        reach: how far to look.
    """
    signs = _Signs(problem, flat)
    distances = [t for side in (1.0, -1.0) if np.isfinite(t := signs.first_change(side, reach))]
    weight = float(problem.theta[flat])
    if problem.network.l1 and problem.layout.locate(flat).name.startswith("W") and 0 < abs(weight) <= reach:
        distances.append(-weight)
    return min(distances, key=abs, default=float("nan"))


class _Signs:
    """Which units of which examples are on the right of their kink, with θᵢ moved."""

    def __init__(self, problem: Problem, flat: int) -> None:
        self._problem, self._flat = problem, flat
        self._keeps = keeps_of(problem)
        layers = enumerate(problem.network.layers)
        self._layers = [number for number, layer in layers if layer.activation in LEFT_SLOPE]
        self._counted = self._that_count()
        self._here = self._at(0.0) if self._layers else self._counted

    def first_change(self, side: float, reach: float) -> float:
        """Return the first distance on a side at which a sign differs from that at θ, nan if there is none."""
        if not self._layers:
            return float("nan")
        grid = side * reach * 10.0 ** np.linspace(-DECADES, 0, 4 * DECADES + 1)
        near = 0.0
        for far in grid:
            if self._differs(float(far)):
                return self._halved(near, float(far))
            near = float(far)
        return float("nan")

    def _halved(self, near: float, far: float) -> float:
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            near, far = (near, middle) if self._differs(middle) else (middle, far)
        return far

    def _differs(self, t: float) -> bool:
        return not np.array_equal(self._at(t), self._here)

    def _at(self, t: float) -> NDArray[np.bool_]:
        return np.asarray(np.concatenate([z > 0 for z, _ in self._pre_activations(t)])[self._counted])

    def _that_count(self) -> NDArray[np.bool_]:
        """Return the units that are not tied, and not dropped."""
        parts = [np.abs(z) > _TIE * reach for z, reach in self._pre_activations(0.0)]
        for number, layer in enumerate(self._layers):
            keep = self._keeps[layer + 1]
            if keep is not None:
                parts[number] &= np.ravel(keep != 0)
        return np.concatenate(parts or [np.zeros(0, dtype=bool)])

    def _pre_activations(self, t: float) -> list[tuple[Vector, Vector]]:
        """Return z and its reach of every layer that has kinks, flat."""
        problem, theta = self._problem, self._problem.theta.copy()
        theta[self._flat] += t
        parameters = tensors_of(problem.layout, theta)
        found = trace(problem.network, parameters, problem.inputs, problem.targets, self._keeps)
        return [(found.z[number].ravel(), found.reach[number].ravel()) for number in self._layers]
