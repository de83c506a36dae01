"""Sizes of W and z, and what penalties do to them."""

import numpy as np
import pytest

from tests.training.trainings import definition
from xcheck.api import train
from xcheck.networks.data import Dataset
from xcheck.networks.network import Dense, Network
from xcheck.training.weight_sizes import measure_sizes


def test_larger_penalties_make_smaller_weights_and_smaller_z() -> None:
    """What λ does: "your model weights will be smaller, and consequently z will be relatively smaller"."""
    sizes = []
    for l2 in (0.0, 20.0):
        model = definition(steps=300, learning_rate=0.5)
        model["network"]["l2"] = l2
        last = train(model, backends=["numpy"]).checkpoints[-1]
        sizes.append(last)
    free, held = sizes
    assert all(small < large for small, large in zip(held.sizes.weights, free.sizes.weights, strict=True))
    assert all(small < large for small, large in zip(held.sizes.inputs, free.sizes.inputs, strict=True))
    assert free.unpenalised is None
    assert held.unpenalised == free.sizes


def test_sizes_are_root_mean_squares_and_shares() -> None:
    """Of one layer by hand: W = (3, 4, 0.01), b = 1, on two examples."""
    network = Network(inputs=3, layers=(Dense(units=1),), loss="mean_squared_error")
    data = Dataset(inputs=np.array([[1.0, 0, 0], [0, 1, 0]]), targets=np.zeros((2, 1)), features=("a", "b", "c"))
    sizes = measure_sizes(network, np.array([3.0, 4.0, 0.01, 1.0]), data)
    assert sizes.weights == pytest.approx([np.sqrt((9 + 16 + 1e-4) / 3)])
    assert sizes.inputs == pytest.approx([np.sqrt((16 + 25) / 2)])
    assert sizes.small == pytest.approx([1 / 3])
