"""Layers in torch: the losses are those of NumPy."""

import numpy as np
import pytest

from tests.backends.layered import NETWORKS, drawn
from xcheck.backend import registry
from xcheck.functions.arguments import read_arguments
from xcheck_numpy.layers.network import LayeredFunction
from xcheck_torch.layers import layered_function


@pytest.mark.parametrize("name", NETWORKS)
def test_the_loss_is_that_of_numpy(name: str) -> None:
    """Of every layer, with penalties and dropout."""
    problem = drawn(NETWORKS[name])
    data = (problem.inputs, problem.targets, dict(problem.masks))
    function = layered_function(problem.network)
    arguments = read_arguments(problem.theta, data, registry.read)
    loss, gradient = registry.get("torch").function_objective(function, arguments).loss_and_gradient(arguments.theta)
    value, expected = LayeredFunction(problem.network).value_and_gradient(problem.theta, *data)
    np.testing.assert_allclose(loss, value, rtol=1e-12)
    np.testing.assert_allclose(gradient, arguments.flatten(expected), rtol=1e-9, atol=1e-12)
