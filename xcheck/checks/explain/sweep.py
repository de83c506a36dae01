"""Sweep: one component looked at from all distances, D(h) for h = 10⁻¹ ... 10⁻¹² of its natural scale.

With J the real loss, kinks and all,

    D(h) = (J(θ + h eᵢ) − J(θ − h eᵢ))/2h     D⁺(h) = (J(θ + h eᵢ) − J)/h     D⁻(h) = (J − J(θ − h eᵢ))/h

Far out, D is off by truncation, h² ∂ᵢ³J/6, close in by roundoff, η/h: on logarithmic axes the distance from the
derivative is a V. At a kink it is flat, and D⁺ and D⁻ stay apart at every h.

The natural scale is max(1, |θᵢ|), so that for a parameter of size 1 the steps are those of the lecture notes.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.network import keeps_of, tensors_of
from xcheck.oracle.network.forward import LEFT_SLOPE, trace

# From 10⁻¹, which the lecture calls too long, to 10⁻¹², where roundoff leaves four digits.
DECADES = 12
# Closer to zero than this share of the terms that it is the sum of, a pre-activation has the sign that rounding gives
# it: 2⁻⁵³ for each of some hundred terms.
_TIE = 2.0**-44
# Steps per decade in the search for a kink: two kinks within a factor of 1.8 of each other may be taken for none.
_PER_DECADE = 4
# A bracket of a quarter decade is narrowed to 2⁻⁴⁰ of itself, well below what is printed.
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
        ((right, left),) = engine.both_sides(indices, [h])
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

    The sign says in which direction. Units whose pre-activations are zero to rounding do not count: there the oracle
    knows both slopes.

    Args:
        problem: the network at θ.
        flat: i.
        reach: how far to look.
    """
    units = _KinkedUnits.of(problem, flat)
    distances = [t for side in (1.0, -1.0) if np.isfinite(t := units.first_change(side, reach))]
    weight = float(problem.theta[flat])
    if problem.network.l1 and _is_weight(problem, flat) and 0 < abs(weight) <= reach:
        distances.append(-weight)
    return min(distances, key=abs, default=float("nan"))


def _is_weight(problem: Problem, flat: int) -> bool:
    return any(tensor.role == "weight" and tensor.span.start <= flat < tensor.span.stop for tensor in problem.layout)


@dataclass(frozen=True, slots=True, eq=False)
class _KinkedUnits:
    """The units that have a kink, in all examples, with θᵢ moved.

    Attributes:
        problem: the network at θ.
        flat: i.
        layers: numbers of the layers whose activations have kinks.
        counted: which of their units, in which examples, are neither dropped nor tied at θ.
        signs: which of these are on the right of their kinks at θ.
    """

    problem: Problem
    flat: int
    layers: Sequence[int]
    counted: NDArray[np.bool_]
    signs: NDArray[np.bool_]

    @classmethod
    def of(cls, problem: Problem, flat: int) -> "_KinkedUnits":
        """Find the units at θ."""
        layers = [number for number, layer in enumerate(problem.network.layers) if layer.activation in LEFT_SLOPE]
        here = _pre_activations(problem, problem.theta, layers)
        keeps = keeps_of(problem)
        parts = [
            (np.abs(z) > _TIE * magnitude) & _is_kept(keeps[layer + 1])
            for layer, (z, magnitude) in zip(layers, here, strict=True)
        ]
        counted = np.concatenate([*parts, np.zeros(0, dtype=bool)])
        signs = np.concatenate([*(z > 0 for z, _ in here), np.zeros(0, dtype=bool)])[counted]
        return cls(problem, flat, layers, counted, signs)

    def first_change(self, side: float, reach: float) -> float:
        """Return the first distance on a side at which a sign differs from that at θ, nan if there is none."""
        if not self.layers:
            return float("nan")
        grid = side * reach * 10.0 ** np.linspace(-DECADES, 0, _PER_DECADE * DECADES + 1)
        near = 0.0
        for far in grid:
            if self._differs(float(far)):
                return self._bisect(near, float(far))
            near = float(far)
        return float("nan")

    def _bisect(self, near: float, far: float) -> float:
        for _ in range(_HALVINGS):
            middle = (near + far) / 2
            near, far = (near, middle) if self._differs(middle) else (middle, far)
        return far

    def _differs(self, t: float) -> bool:
        theta = self.problem.theta.copy()
        theta[self.flat] += t
        signs = np.concatenate([z > 0 for z, _ in _pre_activations(self.problem, theta, self.layers)])
        return not np.array_equal(signs[self.counted], self.signs)


def _is_kept(keep: Vector | None) -> NDArray[np.bool_] | bool:
    """Return which units of a layer are not dropped, flat; True where none is."""
    return True if keep is None else np.ravel(keep != 0)


def _pre_activations(problem: Problem, theta: Vector, layers: Sequence[int]) -> list[tuple[Vector, Vector]]:
    """Return z of some layers, flat, with the magnitude Σ|W a| + |b| of the terms that it is the sum of."""
    parameters = tensors_of(problem.layout, theta)
    found = trace(problem.network, parameters, problem.inputs, problem.targets, keeps_of(problem))
    return [(found.z[number].ravel(), found.magnitude_bound[number].ravel()) for number in layers]
