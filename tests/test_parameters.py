"""θ and its names."""

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


@pytest.mark.parametrize(("flat", "name"), [(0, "W1[0, 0]"), (11, "W1[2, 3]"), (12, "b1[0]"), (22, "b2[1]")])
def test_components_have_names(flat: int, name: str) -> None:
    """A flat index becomes tensor and index, in C-order."""
    assert str(network_layout(NETWORK).locate(flat)) == name


@pytest.mark.parametrize("flat", [-1, 23])
def test_a_component_that_does_not_exist_is_an_error(flat: int) -> None:
    """There is nothing before the first component and nothing behind the last."""
    with pytest.raises(IndexError, match="of 23"):
        network_layout(NETWORK).locate(flat)


def test_flatten_undoes_unflatten() -> None:
    """θ survives the way to named tensors and back."""
    layout, theta = network_layout(NETWORK), np.arange(23.0)
    assert np.array_equal(layout.flatten(layout.unflatten(theta)), theta)


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
