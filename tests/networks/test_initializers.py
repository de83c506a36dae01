"""Initializers: how θ of a declared network is laid out and drawn."""

import numpy as np
import pytest

from xcheck.networks.initializers import initialize, network_layout
from xcheck.networks.network import Dense, InitializerName, Network

NETWORK = Network(inputs=4, layers=(Dense(units=3), Dense(units=2)), loss="mean_squared_error")


def test_a_network_is_laid_out_layer_by_layer_weights_first() -> None:
    """W1, b1, W2, b2, each with its shape, one after the other."""
    layout = network_layout(NETWORK)
    tensors = [(tensor.name, tensor.shape, tensor.offset) for tensor in layout]
    assert tensors == [("W1", (3, 4), 0), ("b1", (3,), 12), ("W2", (2, 3), 15), ("b2", (2,), 21)]
    assert layout.size == 23


def test_tensors_know_their_layer_and_role() -> None:
    """Nobody needs to read a letter and a number out of a name."""
    layout = network_layout(NETWORK)
    assert [(tensor.layer, tensor.role) for tensor in layout] == [
        (1, "weight"),
        (1, "bias"),
        (2, "weight"),
        (2, "bias"),
    ]
    assert layout.tensor(2, "bias").name == "b2"


@pytest.mark.parametrize(
    ("initializer", "deviation"),
    [("he", np.sqrt(2 / 400)), ("xavier", np.sqrt(1 / 400)), ("normal", 0.01), ("zeros", 0.0)],
)
def test_initializers_have_the_variance_of_the_notes(initializer: InitializerName, deviation: float) -> None:
    """he 2/n, xavier 1/n, normal 0.01², zeros; within sampling error of 40,000 draws."""
    network = Network(inputs=400, layers=(Dense(units=100, initializer=initializer),), loss="mean_squared_error")
    theta = initialize(network, np.random.default_rng(0))
    assert np.std(theta[:40_000]) == pytest.approx(deviation, rel=0.02)
    assert not theta[40_000:].any()


def test_every_layer_has_its_own_initializer() -> None:
    """The default is that of its activation."""
    layers = (Dense(units=300, activation="relu"), Dense(units=300, activation="tanh"))
    network = Network(inputs=300, layers=layers, loss="mean_squared_error")
    arrays = network_layout(network).by_role(initialize(network, np.random.default_rng(0)))
    assert np.var(arrays[1, "weight"]) == pytest.approx(2 / 300, rel=0.02)
    assert np.var(arrays[2, "weight"]) == pytest.approx(1 / 300, rel=0.02)
