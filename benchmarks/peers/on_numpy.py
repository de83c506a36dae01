"""Peers that take a NumPy function: the lecture notes' own loop, SciPy, numdifftools.

The function is the NumPy witness's forward pass in float64. Where all n components would take too long, they see J as
a function of k random components, the others held: each loss costs what it costs anyway.
"""

import numpy as np

from benchmarks.peers.method import Differences
from xcheck import Problem
from xcheck.layout import Vector
from xcheck_numpy.network import NetworkObjective

_EPSILON = 1e-7
_WORRY = 1e-3


class NumpyDifferences(Differences):
    """Differences of the NumPy loss."""

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        self._objective = NetworkObjective(problem, np.float64)
        self.theta = problem.theta.copy()
        if device != "cpu":
            self.note = "on the CPU: NumPy knows no GPU"

    def loss(self) -> float:
        """Return J at `theta` as it is now: the forward pass alone."""
        self.evaluations += 1
        parameters = self.problem.layout.by_role(self.theta)
        return float(self._objective.loss(parameters, self._objective.forward(parameters)))

    def loss_of(self, some: Vector) -> float:
        """Return J where the components in `indices` have these values, shape (k,)."""
        self.theta[self.indices] = some
        return self.loss()

    @property
    def start(self) -> Vector:
        """The components in `indices` at θ, shape (k,)."""
        return self.problem.theta[self.indices]


class NotesLoop(NumpyDifferences):
    """The lecture notes' gradient check: (J(θ + ε eᵢ) − J(θ − ε eᵢ))/2ε for one i after the other, ε = 1e-7.

    It moves θᵢ in place, which is kinder to the clock than the copies of θ that are often made. Its verdict is the
    norm-relative difference, and "worry" (above 1e-3) is what it rejects: "look" (above 1e-7) is met by right
    gradients too.
    """

    def estimate(self) -> Vector:
        """Return the differences."""
        value = np.empty(len(self.indices))
        for k, i in enumerate(self.indices):
            middle = self.theta[i]
            self.theta[i] = middle + _EPSILON
            above = self.loss()
            self.theta[i] = middle - _EPSILON
            value[k] = (above - self.loss()) / (2 * _EPSILON)
            self.theta[i] = middle
        return value

    def accepts(self, gradient: Vector, value: Vector) -> bool:
        """Compare by ‖g − g'‖/(‖g‖ + ‖g'‖), as the notes do; one that is not a number worries."""
        with np.errstate(invalid="ignore"):
            difference = np.linalg.norm(gradient - value) / (np.linalg.norm(gradient) + np.linalg.norm(value))
        return bool(difference <= _WORRY)


class Scipy(NumpyDifferences):
    """`scipy.optimize._numdiff.approx_derivative`, 3-point, at its defaults: what SciPy's optimizers use."""

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        from scipy.optimize._numdiff import approx_derivative

        self._differentiate = approx_derivative

    def estimate(self) -> Vector:
        """Return the differences."""
        return np.asarray(self._differentiate(self.loss_of, self.start, method="3-point"), dtype=np.float64)


class Numdifftools(NumpyDifferences):
    """`numdifftools.Gradient` at its defaults: central differences, extrapolated over a sequence of steps."""

    losses_per_component = 36

    def __init__(self, problem: Problem, gradient: Vector, device: str) -> None:
        super().__init__(problem, gradient, device)
        import numdifftools

        self._differentiate = numdifftools.Gradient(self.loss_of)

    def estimate(self) -> Vector:
        """Return the extrapolated differences."""
        return np.atleast_1d(np.asarray(self._differentiate(self.start), dtype=np.float64))
