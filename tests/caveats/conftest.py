"""What the caveats are about: small networks with two outputs, 20 examples of 4 inputs."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xcheck import Dense, Network, Problem, Report, verify
from xcheck.findings import Finding
from xcheck.layout import Vector
from xcheck.networks.network import LossName

rng = np.random.default_rng(0)
X, Y = rng.standard_normal((20, 4)), rng.standard_normal((20, 2))
CLASSES = np.eye(2)[rng.integers(0, 2, 20)]


def problem(
    *hidden: Dense,
    inputs: Vector = X,
    targets: Vector = Y,
    theta: ArrayLike | None = None,
    loss: LossName = "mean_squared_error",
    l2: float = 0.0,
) -> Problem:
    """A network with these hidden layers and two outputs."""
    layers = (*hidden, Dense(units=targets.shape[1]))
    network = Network(inputs=inputs.shape[1], layers=layers, loss=loss, l2=l2)
    return Problem.create(network, inputs, targets, theta=theta)


def check(point: Problem, **settings: Any) -> Report:
    """The report on it, by two witnesses."""
    return verify(point, backends=["numpy", "jax"], **settings)


def warned(report: Report, code: str) -> Finding:
    """The one warning with this code; one kind is told once."""
    (warning,) = [warning for warning in report.warnings if warning.code == code]
    return warning


def codes(report: Report) -> list[str]:
    """The codes of all warnings, in order."""
    return [warning.code for warning in report.warnings]
