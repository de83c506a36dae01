"""Exact difference quotients of the penalties: however large λ is, it must not drown the data term."""

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.networks.network import Network
from xcheck.oracle.engines.base import Differences, Indices


class Penalty:
    """l2/(2m) Σ‖W‖² + l1/(2m) Σ|W| of the weights in θ.

    Attributes:
        value: the penalty at θ.
        spread: l1/2m where w = 0, else 0: frameworks take −1, 0 or 1 for the slope of |w| there; shape (n,).
    """

    def __init__(self, network: Network, layout: Layout, theta: Vector, examples: int) -> None:
        weights = np.zeros(layout.size, dtype=bool)
        for tensor in layout:
            weights[tensor.span] = tensor.name.startswith("W")
        self._l2 = np.where(weights, network.l2 / (2 * examples), 0.0)
        l1 = np.where(weights, network.l1 / (2 * examples), 0.0)
        self.spread = np.where(theta == 0, l1, 0.0)
        # Only weights that are penalised: elsewhere an overflow of w² must not turn 0 · w² into nan.
        squared, absolute = self._l2 > 0, l1 > 0
        with np.errstate(all="ignore"):  # a penalty that overflows is a result
            squares = np.sum(self._l2[squared] * theta[squared] ** 2)
            self.value = float(squares + np.sum(l1[absolute] * np.abs(theta[absolute])))
            smooth, bent = 2 * self._l2 * theta, l1 * np.sign(theta)
            self._slope, self._size = smooth + bent, np.abs(smooth) + l1

    def differences(self, indices: Indices | slice, plus: Vector | float, minus: Vector | float) -> Differences:
        """Return the quotients between θᵢ + `plus` and θᵢ + `minus`, all of shape (k,).

        ((w + p)² − (w + q)²)/(p − q) = 2w + p + q: no subtraction is left, and w is not lost beside a large step.
        Central ones are exact whatever the step. |w| is continued past its kink like any other piece; at w = 0 its
        slopes are −1 and 1.
        """
        slope, size, spread = self._slope[indices], self._size[indices], self.spread[indices]
        if np.any(plus + minus):
            with np.errstate(all="ignore"):
                shift = self._l2[indices] * (plus + minus)
                slope, size = slope + shift, size + np.abs(shift)
        return Differences(slope, slope - spread, slope + spread, slope[None], size, np.zeros(1))
