"""How large the rounding errors of a careful witness may be: a first-order error analysis, layer by layer.

With u the unit roundoff, root-sum-squares √(Σ x²) for sums of independent roundings, and all sizes taken as the mean
or the largest over the examples:

    error of Z⁽ˡ⁾     F  = √(W² f²) + u √(1 + n/32) √(W² a² + b²)  f = error of A⁽ˡ⁻¹⁾, 0 for the inputs
    error of A⁽ˡ⁾     f  = F + u max(|a|, |z|)                    gelu multiplies z with 1 + erf: u |z|, however small a
    error of ∂L/∂z    E⁽ᴸ⁾ = u s + F                              s = the size of the two numbers it subtracts
    error of Δ⁽ˡ⁾     E⁽ˡ⁾ = (c u + F/2) √((Wᵀ)² δ²) + r √((Wᵀ)² E²)   δ = mean |Δ⁽ˡ⁺¹⁾|, r = mean |g'|, |g''| ≤ ½

Dropout divides f, and what is passed down, by keep_prob. n is the number of inputs: libraries sum in at least 32 parts
at a time, and the roundings of successive partial sums add up like √(n/32). A unit that is dead in all examples answers
and passes down an exact zero: its f and E are zero, however large the weights above it.

    error of ∂J/∂bᵢ = Eᵢ        error of ∂J/∂Wᵢⱼ = Eᵢ (aⱼ + fⱼ) + δᵢ fⱼ + u δᵢ aⱼ

Source: the method is Wilkinson's, "Rounding Errors in Algebraic Processes", 1963; Higham, "Accuracy and Stability of
Numerical Algorithms", 2002, chapter 3.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from xcheck.layout import LayerRole, Vector
from xcheck.networks.network import ActivationName
from xcheck.networks.problem import Problem
from xcheck.oracle.columns import TOTAL, Columns, Flags
from xcheck.oracle.network.forward import NATURAL, NUMPY, STEEPEST, Trace

# The largest size over the examples stands for all of them, so the estimate is generous already.
_SAFETY = 2.0
# An activation's derivative takes about four operations on a: subtract, square, multiply, and the product with δ.
_PER_DERIVATIVE = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class Rounding(Columns):
    """What rounding may do to a witness.

    Attributes:
        gradient: to each component, shape (n,).
        loss: to J.
    """

    gradient: Vector
    loss: float = field(metadata=TOTAL)


@dataclass(frozen=True, slots=True)
class _Forward:
    """Per layer: largest |A| and errors of A (from the inputs on), errors of Z (from layer 1 on)."""

    sizes: list[Vector]
    errors: list[Vector]
    sums: list[Vector]


@np.errstate(all="ignore")  # overflow of an estimate is a result: nothing can be told at such a θ
def rounding_errors(
    problem: Problem,
    traced: Trace,
    dead: Sequence[Flags],
    magnitude: Vector,
    loss_magnitude: float,
    roundoff: float,
) -> Rounding:
    """Estimate the rounding errors of loss and gradient.

    Args:
        problem: the network at θ.
        traced: what it computes there.
        dead: per layer the units that are dead in all examples.
        magnitude: per component the mean over the examples of |∂L/∂θᵢ|, shape (n,).
        loss_magnitude: mean |L| plus penalty.
        roundoff: u of the dtype that the witnesses compute in.
    """
    layout, layers = problem.layout, len(traced.z)
    parameters, slopes = _among_the_living(problem, dead), layout.by_role(magnitude)
    forward = _forward(problem, traced, parameters, dead, roundoff)
    gradient = np.zeros(layout.size)
    # At the top δ is a difference of two numbers, each rounded: probability and target, or output and target.
    size = _subtracted(problem, forward.sizes[-1])
    error = roundoff * size + forward.sums[-1]
    for number in range(layers, 0, -1):
        delta = slopes[number, "bias"]
        if number < layers:
            keep = problem.network.keep_probs[number]
            error = _passed_down(
                parameters[number + 1, "weight"],
                slopes[number + 1, "bias"],
                error,
                delta,
                (_PER_DERIVATIVE * roundoff + forward.sums[number - 1] / 2) / keep,
                _steepness(problem.network.layers[number - 1].activation, traced.z[number - 1]) / keep,
                STEEPEST / keep,
            )
        # ∂J/∂W is the outer product of δ and a: each brings its own error.
        a, f = forward.sizes[number - 1], forward.errors[number - 1]
        own = roundoff * slopes[number, "weight"]  # with the penalty's share
        weights = np.outer(error, a + f) + np.outer(delta, f + roundoff * a) + own
        gradient[layout.tensor(number, "weight").span] = _SAFETY * weights.ravel()
        gradient[layout.tensor(number, "bias").span] = _SAFETY * (error + roundoff * delta)
    # The sum over the examples, and what an error of the outputs does to the loss, whose slope is below `size`.
    loss = roundoff * loss_magnitude * np.sqrt(layers) + float(np.max(size * forward.sums[-1] + roundoff * size))
    return Rounding(gradient, float(_SAFETY * loss))


def _among_the_living(problem: Problem, dead: Sequence[Flags]) -> dict[LayerRole, Vector]:
    """Return W and b of all layers with zeros wherever a unit is dead, at either end of a weight."""
    parameters = {place: array.copy() for place, array in problem.layout.by_role(problem.theta).items()}
    for number, idle in enumerate(dead, start=1):
        parameters[number, "weight"][idle] = 0.0
        parameters[number, "bias"][idle] = 0.0
        if number < len(dead):
            parameters[number + 1, "weight"][:, idle] = 0.0
    return parameters


def _forward(
    problem: Problem, traced: Trace, parameters: Mapping[LayerRole, Vector], dead: Sequence[Flags], u: float
) -> _Forward:
    sizes = [np.abs(a).max(axis=0) for a in traced.a]
    errors, sums = [np.zeros_like(sizes[0])], []
    for number, (below, above) in enumerate(pairwise(sizes), start=1):
        W, b = parameters[number, "weight"], parameters[number, "bias"]
        summing = u * np.sqrt(1 + W.shape[1] / 32)
        sums.append(np.sqrt(W**2 @ errors[-1] ** 2) + summing * np.sqrt(W**2 @ below**2 + b**2))
        z = np.abs(traced.z[number - 1]).max(axis=0)
        own = (sums[-1] + u * np.maximum(above, z)) / problem.network.keep_probs[number]
        errors.append(np.where(dead[number - 1], 0.0, own))  # the zero is exact, whatever z
    return _Forward(sizes, errors, sums)


def _steepness(name: ActivationName, z: Vector) -> Vector:
    """Return mean |g'| over the examples, by differences, shape (nₗ,)."""
    g, step = NATURAL[name], 2.0**-10
    right, left = g(NUMPY, z + step) - g(NUMPY, z), g(NUMPY, z) - g(NUMPY, z - step)
    return np.asarray(np.maximum(np.abs(right), np.abs(left)).mean(axis=0) / step)


def _passed_down(
    W: Vector, above: Vector, error: Vector, delta: Vector, derivative: Vector, steepness: Vector, steepest: float
) -> Vector:
    """Return E⁽ˡ⁾ from E⁽ˡ⁺¹⁾ = `error`, mean |Δ⁽ˡ⁺¹⁾| = `above` and mean |Δ⁽ˡ⁾| = `delta`."""
    arriving = np.sqrt((W**2).T @ above**2)
    # δ/arriving tells more than the mean where few examples matter, and less where they cancel.
    told = 2 * delta / np.where(arriving > 0, arriving, 1.0)
    passed = np.where(arriving > 0, np.minimum(steepest, np.maximum(told, steepness)), steepest)
    return np.asarray(derivative * arriving + passed * np.sqrt((W**2).T @ error**2))


def _subtracted(problem: Problem, outputs: Vector) -> Vector:
    """Return the size of the two numbers whose difference is ∂L/∂z: probability and target, or output and target."""
    if problem.network.loss == "mean_squared_error":
        return np.asarray(outputs + np.abs(problem.targets).max(axis=0))
    return np.ones_like(outputs)
