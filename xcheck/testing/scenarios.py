"""Scenarios: random networks over all activations, losses, penalties and dropout, from a seed.

The same scenarios feed the tests of the checker, the contract of a backend, and the benchmarks.
"""

from collections.abc import Iterator

import numpy as np

from xcheck.layout import Vector
from xcheck.networks.initializers import initialize
from xcheck.networks.network import ACTIVATIONS, LOSSES, ActivationName, Dense, LossName, Network
from xcheck.networks.problem import Problem

# Values that scenarios draw from: none, an ordinary one, and for l2 one that drowns the data.
_L2 = (0.0, 0.7, 1000.0)
_L1 = (0.0, 0.0, 0.3)
# Nothing dropped, half of it, and a fifth.
_KEEP = (1.0, 0.5, 0.8)


def scenario(number: int, *, widest: int = 12) -> Problem:
    """Return random network number `number`.

    Activations and losses go round in cycles of 9 and 27, so that 27 successive scenarios meet every combination of
    the two. Every seventh has an example of zeros, which puts relu units exactly on their kink.

    Args:
        number: which one; the same number gives the same problem.
        widest: most units in a layer.
    """
    # Seeds of its own, no stream of `xcheck.seeds`: published figures name problems by their number, so a number has to
    # give the same problem in every version.
    rng = np.random.default_rng([number, 7])
    activation = ACTIVATIONS[number % len(ACTIVATIONS)]
    loss = LOSSES[number // len(ACTIVATIONS) % len(LOSSES)]
    outputs = 1 + int(loss == "softmax_cross_entropy") + int(rng.integers(0, 4))
    inputs, examples = int(rng.integers(1, widest)), int(rng.choice([1, 2, 7, 32]))
    least = 0 if activation == "identity" else 1  # one layer only: logistic, softmax or linear regression
    others = [ACTIVATIONS[i] for i in rng.integers(0, len(ACTIVATIONS), rng.integers(least, 4))]
    hidden = [_hidden(name, widest, rng) for name in [activation, *others[1:]][: len(others)]]
    network = Network(
        inputs=inputs,
        layers=(*hidden, Dense(units=outputs)),
        loss=loss,
        l2=float(rng.choice(_L2)),
        l1=float(rng.choice(_L1)),
        input_keep_prob=float(rng.choice(_KEEP)),
    )
    X = _inputs(examples, inputs, rng, with_zeros=number % 7 == 0)
    Y = _targets(loss, examples, outputs, rng)
    return Problem.create(network, X, Y, seed=number, name=f"scenario {number}")


def _inputs(examples: int, inputs: int, rng: np.random.Generator, *, with_zeros: bool) -> Vector:
    X = rng.standard_normal((examples, inputs))
    if with_zeros:
        X[rng.integers(0, examples)] = 0.0
    return X


def scenarios(count: int, *, start: int = 0) -> Iterator[Problem]:
    """Yield `count` successive scenarios."""
    return (scenario(number) for number in range(start, start + count))


def large_scenario(number: int, draw: int = 0) -> Problem:
    """Return network number `number` of a family that goes to extremes, up to 12,000 parameters.

    One to four hidden layers, each of another activation; nine successive numbers meet all of them. l2 is 0, 0.7 or
    1000, there are 1 to 256 examples, and the weights are a tenth to three times as large as initializers draw them.
    Draws of one number differ in everything but the shapes.

    Args:
        number: which network.
        draw: which θ and data.
    """
    # A stream of their own for shapes: all draws of one network share them, and compiled code with them.
    shapes = np.random.default_rng([number, 8])
    loss = LOSSES[number % len(LOSSES)]
    depth, widest = 1 + number % 4, int(shapes.choice([8, 30, 70]))
    outputs, examples = int(shapes.integers(2, 11)), int(shapes.choice([1, 8, 64, 256]))
    names = [ACTIVATIONS[(number + layer) % len(ACTIVATIONS)] for layer in range(depth)]
    hidden = [Dense(units=int(shapes.integers(2, widest)), activation=name) for name in names]
    inputs = int(shapes.integers(1, 100))
    rng = np.random.default_rng([number, draw, 9])
    network = Network(inputs=inputs, layers=(*hidden, Dense(units=outputs)), loss=loss, l2=float(rng.choice(_L2)))
    scale = float(rng.choice([0.1, 1.0, 1.0, 3.0]))
    X, Y = rng.standard_normal((examples, inputs)), _targets(loss, examples, outputs, rng)
    theta = scale * initialize(network, rng)
    return Problem.create(network, X, Y, theta=theta, seed=draw, name=f"large scenario {number}.{draw}")


def _hidden(activation: ActivationName, widest: int, rng: np.random.Generator) -> Dense:
    return Dense(
        units=int(rng.integers(1, widest)),
        activation=activation,
        initializer=(None, None, None, "he", "xavier", "normal")[rng.integers(0, 6)],
        keep_prob=float(rng.choice(_KEEP)),
    )


def _targets(loss: LossName, examples: int, outputs: int, rng: np.random.Generator) -> Vector:
    match loss:
        case "binary_cross_entropy":
            return rng.integers(0, 2, (examples, outputs)).astype(np.float64)
        case "softmax_cross_entropy":
            return np.eye(outputs)[rng.integers(0, outputs, examples)]
        case "mean_squared_error":
            return rng.standard_normal((examples, outputs))
