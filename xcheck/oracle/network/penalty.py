"""Exact difference quotients of the penalties: however large λ is, it must not drown the data term."""

from dataclasses import dataclass

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.networks.network import Network
from xcheck.oracle.columns import Indices


@dataclass(frozen=True, slots=True, eq=False)
class Penalty:
    """l2/(2m) Σ‖W‖² + l1/(2m) Σ|W| of the weights in θ.

    Attributes:
        value: the penalty at θ.
        slope: its slope, 0 for |w| where w = 0, shape (n,).
        spread: l1/2m where w = 0, else 0: frameworks take −1, 0 or 1 for the slope of |w| there; shape (n,).
        magnitude: |slope| of the quadratic part plus l1/2m, shape (n,).
        curvature: l2/2m, shape (n,).
    """

    value: float
    slope: Vector
    spread: Vector
    magnitude: Vector
    curvature: Vector

    @classmethod
    def at(cls, network: Network, layout: Layout, theta: Vector, examples: int) -> "Penalty":
        """Return the penalty of a network at θ, shape (n,), with m examples."""
        weights = np.zeros(layout.size, dtype=bool)
        for tensor in layout:
            weights[tensor.span] = tensor.role == "weight"
        # Biases are not penalised.
        l2 = np.where(weights, network.l2 / (2 * examples), 0.0)
        l1 = np.where(weights, network.l1 / (2 * examples), 0.0)
        # Only weights that are penalised: elsewhere an overflow of w² must not turn 0 · w² into nan.
        squared, absolute = l2 > 0, l1 > 0
        with np.errstate(all="ignore"):  # a penalty that overflows is a result
            squares = np.sum(l2[squared] * theta[squared] ** 2)
            value = float(squares + np.sum(l1[absolute] * np.abs(theta[absolute])))
            smooth, bent = 2 * l2 * theta, l1 * np.sign(theta)
            return cls(value, smooth + bent, np.where(theta == 0, l1, 0.0), np.abs(smooth) + l1, l2)

    def quotients(self, indices: Indices, plus: Vector, minus: Vector) -> tuple[Vector, Vector, Vector]:
        """Return slope, spread and magnitude of the quotients between θᵢ + `plus` and θᵢ + `minus`, shape (k,) each.

        ((w + p)² − (w + q)²)/(p − q) = 2w + p + q: no subtraction is left, and w is not lost beside a large step.
        Central ones are exact whatever the step. |w| is continued past its kink as an activation is; at w = 0 its
        slopes are −1 and 1.
        """
        slope, magnitude = self.slope[indices], self.magnitude[indices]
        # Steps of equal size on both sides leave the quotient at 2w, exactly.
        if np.any(plus + minus):
            with np.errstate(all="ignore"):
                shift = self.curvature[indices] * (plus + minus)
                slope, magnitude = slope + shift, magnitude + np.abs(shift)
        return slope, self.spread[indices], magnitude
