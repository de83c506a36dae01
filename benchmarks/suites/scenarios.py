"""Scenarios: named networks of growing size, each a `Problem` drawn from a seed.

Inputs are standard normal, targets one-hot at random, weights from the initializers, and biases are not zero, so that
mistakes with them show. All have a softmax, an L2 penalty, and no dropout (masks are pinned anyway, and change nothing
in the cost).
"""

from dataclasses import dataclass

import numpy as np

from xcheck import Dense, Network, Problem
from xcheck.layout import Vector
from xcheck.networks.initializers import initialize, network_layout
from xcheck.networks.network import ActivationName
from xcheck_numpy.network import NetworkObjective

L2 = 0.7
SEED = 0
_DATA_STREAM = 17


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One network with its data.

    Attributes:
        name: as in rows and on the command line.
        widths: units per layer, the inputs first.
        activation: of the hidden layers.
        examples: m.
        faults: whether faults are planted.
        command: whether `python -m xcheck` is timed on it as a whole.
        quick: whether it is part of a quick run.
    """

    name: str
    widths: tuple[int, ...]
    activation: ActivationName = "tanh"
    examples: int = 64
    faults: bool = True
    command: bool = False
    quick: bool = False

    @property
    def network(self) -> Network:
        """The network as declared."""
        hidden = (Dense(units=units, activation=self.activation) for units in self.widths[1:-1])
        layers = (*hidden, Dense(units=self.widths[-1]))
        return Network(inputs=self.widths[0], layers=layers, loss="softmax_cross_entropy", l2=L2)

    @property
    def parameters(self) -> int:
        """Number of components n of θ."""
        return network_layout(self.network).size

    @property
    def shape(self) -> str:
        """The widths in one word."""
        return "-".join(str(width) for width in self.widths)

    def problem(self) -> Problem:
        """Draw the data and θ."""
        network = self.network
        rng = np.random.default_rng([SEED, _DATA_STREAM])
        X = rng.standard_normal((self.examples, self.widths[0]))
        Y = np.eye(self.widths[-1])[rng.integers(0, self.widths[-1], self.examples)]
        theta = initialize(network, rng)
        for tensor in network_layout(network):
            if tensor.name.startswith("b"):
                theta[tensor.span] = 0.1 * rng.standard_normal(tensor.size)
        return Problem.create(network, X, Y, theta=theta, seed=SEED, name=self.name)

    def definition(self, device: str) -> str:
        """Return the same network as a TOML definition, with synthetic data of its own."""
        hidden = [f'{{ units = {units}, activation = "{self.activation}" }}' for units in self.widths[1:-1]]
        layers = ", ".join([*hidden, f"{{ units = {self.widths[-1]} }}"])
        return (
            f"[data]\nsynthetic = {{ inputs = {self.widths[0]}, examples = {self.examples} }}\n"
            f'[network]\nlayers = [{layers}]\nloss = "softmax_cross_entropy"\nl2 = {L2}\n'
            f'[check]\ndevice = "{device}"\nseed = {SEED}\n'
        )


def exact_gradient(problem: Problem) -> Vector:
    """Return ∂J/∂θ computed in extended precision and rounded to float64: what errors are measured against."""
    _, gradient = NetworkObjective(problem, np.longdouble).compute(problem.theta)
    return gradient.astype(np.float64)


SCENARIOS: tuple[Scenario, ...] = (
    Scenario(name="tiny", widths=(3, 4, 3), examples=16),
    Scenario(name="small", widths=(5, 6, 6, 6, 2), command=True, quick=True),
    Scenario(name="small-relu", widths=(5, 6, 6, 6, 2), activation="relu"),
    Scenario(name="medium", widths=(30, 32, 10)),
    Scenario(name="wide-relu", widths=(64, 128, 32, 10), activation="relu"),
    Scenario(name="mnist", widths=(784, 128, 10), quick=True),
    Scenario(name="mnist-deep-relu", widths=(784, 128, 128, 10), activation="relu"),
    Scenario(name="million", widths=(784, 1024, 256, 10), faults=False, command=True),
)
