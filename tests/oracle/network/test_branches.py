"""Pieces: which units are dead, so that nothing above them counts."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from xcheck import Dense, Network, Problem
from xcheck.networks.network import ActivationName
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.engines.network import NetworkEngine


def engine(*inputs: float, activation: ActivationName = "relu", kept: Sequence[float] | None = None) -> NetworkEngine:
    """One hidden unit with z = x in each example, and a huge weight above it."""
    layers = (Dense(units=1, activation=activation, keep_prob=0.5 if kept else 1.0), Dense(units=1))
    network = Network(inputs=1, layers=layers, loss="mean_squared_error")
    X = np.array(inputs)[:, None]
    problem = Problem.create(network, X, np.ones_like(X), theta=[1.0, 0.0, 1e20, 0.0])
    if kept:
        problem = replace(problem, masks=(None, np.array(kept)[:, None], None))
    return NetworkLoopEngine(problem)


def dead(one: NetworkEngine) -> bool:
    """Whether its hidden unit is."""
    return bool(one.dead[0][0])


def test_a_relu_unit_is_dead_where_no_example_reaches_it() -> None:
    """One example that does is enough to be alive, and so is one exactly on the kink."""
    assert dead(engine(-1.0, -2.0))
    assert not dead(engine(-1.0, 2.0))
    assert not dead(engine(-1.0, 0.0))


@pytest.mark.parametrize("activation", ["leaky_relu", "elu", "identity", "tanh", "gelu"])
def test_no_other_unit_is_dead(activation: ActivationName) -> None:
    """All of them answer when z moves, however negative it is."""
    assert not dead(engine(-1.0, -2.0, activation=activation))


@pytest.mark.parametrize(("kept", "expected"), [((0.0, 0.0), True), ((0.0, 1.0), True), ((1.0, 0.0), False)])
def test_a_unit_that_is_dropped_is_dead_there(kept: Sequence[float], expected: bool) -> None:
    """In some examples dropped, in the others with z < 0: nobody hears of it."""
    assert dead(engine(1.0, -2.0, kept=kept)) is expected


def test_dead_units_have_a_scale_of_their_own() -> None:
    """The weights above do not shorten the steps below, unless one example lets them."""
    assert engine(-1.0, -2.0).scale[1] == 1.0
    assert engine(-1.0, 2.0).scale[1] < 1e-18
