"""What the engines of a network share: the device, and the caller's precision."""

import jax
import numpy as np
import pytest

from xcheck.errors import DeviceError
from xcheck.networks.initializers import network_layout
from xcheck.networks.network import ActivationName, Dense, Network
from xcheck.networks.problem import Problem
from xcheck.oracle import OracleOptions, numerical_gradient


def network(activation: ActivationName, **changes: float) -> Problem:
    """A network of 4-5-3 units with `activation`, at a random θ with biases."""
    layers = (Dense(units=5, activation=activation), Dense(units=3))
    declared = Network(inputs=4, layers=layers, loss="softmax_cross_entropy", **changes)
    rng = np.random.default_rng(0)
    X, Y = rng.standard_normal((16, 4)), np.eye(3)[rng.integers(0, 3, 16)]
    return Problem.create(declared, X, Y, theta=rng.standard_normal(network_layout(declared).size))


def test_a_device_that_is_not_there_is_an_error() -> None:
    """The message says what to type instead."""
    if any(device.platform == "gpu" for device in jax.devices()):
        pytest.skip("this machine has a GPU")
    with pytest.raises(DeviceError, match="JAX finds no gpu on this machine; use device = 'cpu'"):
        numerical_gradient(network("tanh"), OracleOptions(device="gpu"))
