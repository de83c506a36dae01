"""The network of any layers in NumPy: forward, backward, penalties and dropout."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from xcheck import Network, Problem
from xcheck.networks.layers import Convolution, DenseLayer, Flatten, LayeredNetwork, LayeredProblem, LayerNorm, Residual
from xcheck.networks.layers.problem import layered_layout
from xcheck.networks.network import Dense
from xcheck_numpy.layers.network import LayeredFunction
from xcheck_numpy.network import NetworkObjective

CONV = Convolution(channels=2, kernel=(3, 3), stride=(1, 1), padding=(1, 1), activation="tanh", keep_prob=0.8)
NETWORK = LayeredNetwork(
    input_shape=(2, 4, 4),
    layers=(CONV, Residual(layers=(LayerNorm(epsilon=1e-5), CONV), activation="silu"), Flatten(), DenseLayer(units=3)),
    loss="mean_squared_error",
    l2=0.3,
    l1=0.1,
    input_keep_prob=0.9,
)
# As in halves.py: an error of about its square, and of rounding.
STEP = 1e-5


def drawn() -> LayeredProblem:
    """Five examples."""
    rng = np.random.default_rng(0)
    return LayeredProblem.create(NETWORK, rng.normal(size=(5, 2, 4, 4)), rng.normal(size=(5, 3)))


def test_backward_is_the_slope_of_forward() -> None:
    """Along random directions through all tensors, with dropout, penalties and a residual."""
    problem, rng = drawn(), np.random.default_rng(1)
    function, data = LayeredFunction(NETWORK), (problem.inputs, problem.targets, problem.masks)
    value, gradient = function.value_and_gradient(problem.theta, *data)
    assert value == function.loss(problem.theta, *data)
    assert list(gradient) == list(NETWORK.shapes)
    for _ in range(3):
        along = {name: rng.normal(size=shape) for name, shape in NETWORK.shapes.items()}
        ahead, behind = (
            function.loss({name: array + step * along[name] for name, array in problem.theta.items()}, *data)
            for step in (STEP, -STEP)
        )
        slope = sum((gradient[name] * along[name]).sum() for name in along)
        np.testing.assert_allclose(slope, (ahead - behind) / (2 * STEP), rtol=1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.longdouble])
def test_everything_is_computed_in_the_dtype_of_the_parameters(dtype: type) -> None:
    """No constant widens it, and none narrows it."""
    problem = drawn()
    theta: dict[str, Any] = {name: array.astype(dtype) for name, array in problem.theta.items()}
    value, gradient = LayeredFunction(NETWORK).value_and_gradient(
        theta, problem.inputs.astype(dtype), problem.targets.astype(dtype), problem.masks
    )
    assert {value.dtype, *(array.dtype for array in gradient.values())} == {np.dtype(dtype)}


def test_a_network_of_dense_layers_is_the_fully_connected_one() -> None:
    """The same loss and the same gradient, but for rounding."""
    layers = (Dense(units=4, activation="gelu"), Dense(units=2))
    network = Network(inputs=3, layers=layers, loss="softmax_cross_entropy", l2=0.5)
    rng = np.random.default_rng(0)
    problem = Problem.create(network, rng.normal(size=(6, 3)), np.eye(2)[rng.integers(0, 2, 6)])
    layered = LayeredNetwork(
        input_shape=(3,),
        layers=(DenseLayer(units=4, activation="gelu"), DenseLayer(units=2)),
        loss="softmax_cross_entropy",
        l2=0.5,
    )
    value, gradient = LayeredFunction(layered).value_and_gradient(
        layered_layout(layered).unflatten(problem.theta), problem.inputs, problem.targets, {}
    )
    expected, slopes = NetworkObjective(problem, np.float64).compute(problem.theta)
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    np.testing.assert_allclose(layered_layout(layered).flatten(gradient), slopes, rtol=1e-10, atol=1e-14)


def test_without_penalties_there_is_none() -> None:
    """Squares of huge weights that overflow are of no account."""
    problem = drawn()
    free = replace(NETWORK, l2=0.0, l1=0.0)
    huge = {**problem.theta, "W4": problem.theta["W4"] * 0 + 1e200}
    data = (problem.inputs * 0, problem.targets, problem.masks)
    assert np.isfinite(LayeredFunction(free).loss({**huge, "W4": huge["W4"] * 1e-200}, *data))
