"""Faults of layers: each changes what it is about, and nothing where there is no such layer."""

import numpy as np
import pytest

from xcheck.networks.layers import Convolution, DenseLayer, Flatten, LayeredNetwork, LayerNorm, Residual
from xcheck.testing.layer_faults import layer_faults

CONV = Convolution(channels=2, kernel=(3, 3), stride=(1, 1), padding=(1, 1))
NETWORK = LayeredNetwork(
    input_shape=(2, 4, 4),
    layers=(CONV, LayerNorm(epsilon=1e-5), Residual(layers=(CONV,)), Flatten(), DenseLayer(units=3)),
    loss="mean_squared_error",
)
CHANGED = {
    "kernels turned": {"W1", "W3.1"},
    "height and width of kernels swapped": {"W1", "W3.1"},
    "input and output channels swapped": {"W1", "W3.1"},
    "mean over the places of a kernel": {"W1", "b1", "W3.1", "b3.1"},
    "gain without x̂": {"gamma2"},
    "gain taken for a constant": {"gamma2"},
    "residual not entered": {"W3.1", "b3.1"},
}


def test_all_of_them_are_here() -> None:
    """The table above has every fault."""
    assert [fault.name for fault in layer_faults(NETWORK)] == list(CHANGED)


@pytest.mark.parametrize("name", CHANGED)
def test_what_a_fault_changes(name: str) -> None:
    """The tensors of its layers, and no others; what it is given stays as it is."""
    rng = np.random.default_rng(0)
    gradient = {key: rng.normal(size=shape) for key, shape in NETWORK.shapes.items()}
    before = {key: array.copy() for key, array in gradient.items()}
    (fault,) = [fault for fault in layer_faults(NETWORK) if fault.name == name]
    after = fault(gradient, {}, rng)
    assert after is not None
    assert {key for key in after if not np.array_equal(after[key], before[key])} == CHANGED[name]
    assert all(np.array_equal(gradient[key], before[key]) for key in before)


def test_without_such_layers_none_applies() -> None:
    """A single dense layer has none of them."""
    network = LayeredNetwork(input_shape=(2,), layers=(DenseLayer(units=3),), loss="mean_squared_error")
    gradient = {key: np.ones(shape) for key, shape in network.shapes.items()}
    assert [fault(gradient, {}, np.random.default_rng(0)) for fault in layer_faults(network)] == [None] * len(CHANGED)
