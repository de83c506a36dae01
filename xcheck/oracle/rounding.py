"""How large the rounding errors of a careful implementation may be: the yardstick for small disagreements.

Backpropagation multiplies and adds numbers that may be much larger than the result: gelu(z) = z (1 + erf(z/√2))/2 is
1e-28 at z = −11, but is computed as −11 times the difference of two numbers close to 1. So the errors of ∂J/∂W⁽ˡ⁾ =
(1/m) Δ⁽ˡ⁾ᵀ A⁽ˡ⁻¹⁾ are measured against what the factors would be if no activation had made them small:

    S⁽⁰⁾ = largest |input|      S⁽ˡ⁾ = max(largest |A⁽ˡ⁾|, root-sum-square of the terms of W⁽ˡ⁾ S⁽ˡ⁻¹⁾ + b⁽ˡ⁾)
    D⁽ᴸ⁾ = what ∂L/∂z subtracts  D⁽ˡ⁾ = max(mean |Δ⁽ˡ⁾|, root-sum-square of the terms of W⁽ˡ⁺¹⁾ᵀ D⁽ˡ⁺¹⁾)

and one rounding of ∂J/∂W⁽ˡ⁾ is a small multiple of u D⁽ˡ⁾ S⁽ˡ⁻¹⁾, of ∂J/∂b⁽ˡ⁾ of u D⁽ˡ⁾.
"""

from dataclasses import dataclass

import numpy as np

from xcheck.oracle.forward import Trace
from xcheck.parameters import Vector
from xcheck.problem import Problem

_ROUNDINGS = 16.0


@dataclass(frozen=True, slots=True, eq=False)
class Rounding:
    """Rounding errors in units of the unit roundoff u.

    Attributes:
        gradient: per component, shape (n,).
        loss: of J.
    """

    gradient: Vector
    loss: float


@np.errstate(all="ignore")  # overflow of an estimate is a result: nothing can be told at such a θ
def rounding_scale(problem: Problem, traced: Trace, magnitude: Vector, loss_magnitude: float) -> Rounding:
    """Estimate the rounding errors of loss and gradient.

    Args:
        problem: the network at θ.
        traced: what it computes there.
        magnitude: per component the mean over the examples of |∂L/∂θᵢ|, shape (n,).
        loss_magnitude: mean |L| plus penalty.
    """
    layout, layers = problem.layout, len(traced.z)
    parameters, slopes = layout.unflatten(problem.theta), layout.unflatten(magnitude)
    reaches = _reaches(parameters, traced)
    # Rounding of z passes through g and the loss, layer by layer: u times what is added up there.
    multiple = _ROUNDINGS * (layers + max(1.0, *reaches))
    gradient = np.zeros(layout.size)
    delta = np.full(problem.network.widths[-1], _output_delta(problem, reaches[-1]))
    for number in range(layers, 0, -1):
        delta = np.maximum(delta, slopes[f"b{number}"])
        largest = float(delta.max())
        weights = max(largest * reaches[number - 1], float(slopes[f"W{number}"].max(initial=0.0)))
        gradient[layout[f"W{number}"].span] = multiple * weights
        gradient[layout[f"b{number}"].span] = multiple * largest
        delta = np.sqrt((parameters[f"W{number}"] ** 2).T @ delta**2)
    loss = loss_magnitude + reaches[-1] * _output_delta(problem, reaches[-1])
    return Rounding(gradient, multiple * loss)


def _output_delta(problem: Problem, reach: float) -> float:
    """Return the size of the two numbers whose difference is ∂L/∂z: probability and target, or output and target."""
    if problem.network.loss == "mean_squared_error":
        return reach + float(np.abs(problem.targets).max(initial=0.0))
    return 1.0


def _reaches(parameters: dict[str, Vector], traced: Trace) -> list[float]:
    """Return S⁽⁰⁾..S⁽ᴸ⁾, largest over the units; an activation passes on what came in, not what it made of it."""
    reach = np.abs(traced.a[0]).max(axis=0)
    largest = [float(reach.max(initial=0.0))]
    for number, a in enumerate(traced.a[1:], start=1):
        W, b = parameters[f"W{number}"], parameters[f"b{number}"]
        reach = np.maximum(np.sqrt(W**2 @ reach**2 + b**2), np.abs(a).max(axis=0))
        largest.append(float(reach.max(initial=0.0)))
    return largest
