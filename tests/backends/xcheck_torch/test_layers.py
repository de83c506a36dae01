"""Layers in torch: the losses are those of NumPy."""

import pytest

from tests.backends.layered import NETWORKS, assert_as_in_numpy
from xcheck_torch.layers import layered_function


@pytest.mark.parametrize("name", NETWORKS)
def test_loss_and_gradient_are_those_of_numpy(name: str) -> None:
    """Of every layer, with penalties and dropout."""
    assert_as_in_numpy(name, "torch", layered_function)
