"""Networks with every kind of layer, for the tests of witnesses."""

from collections.abc import Callable

import numpy as np

from xcheck.backend import registry
from xcheck.functions.arguments import read_arguments
from xcheck.functions.function import Function
from xcheck.networks.layers import (
    AveragePool,
    BatchNorm,
    Convolution,
    DenseLayer,
    Flatten,
    LayeredNetwork,
    LayeredProblem,
    LayerNorm,
    MaxPool,
    Reshape,
    Residual,
    RmsNorm,
)
from xcheck_numpy.layers.network import LayeredFunction

CONV = Convolution(channels=2, kernel=(3, 2), stride=(2, 1), padding=(1, 0), activation="relu", keep_prob=0.8)
SAME = Convolution(channels=2, kernel=(3, 3), stride=(1, 1), padding=(1, 1), activation="gelu")
SIGNAL = Convolution(channels=3, kernel=(4,), stride=(2,), padding=(1,))
EPSILON = 1e-5

NETWORKS = {
    "images": LayeredNetwork(
        input_shape=(2, 6, 6),
        layers=(
            CONV,
            MaxPool(size=(2, 2), stride=(1, 1)),
            BatchNorm(epsilon=EPSILON),
            Residual(layers=(SAME, LayerNorm(epsilon=EPSILON)), activation="tanh"),
            AveragePool(size=(2, 2), stride=(1, 2)),
            RmsNorm(epsilon=EPSILON),
            Flatten(),
            DenseLayer(units=3),
        ),
        loss="softmax_cross_entropy",
        l2=0.1,
        l1=0.05,
        input_keep_prob=0.9,
    ),
    "signals": LayeredNetwork(
        input_shape=(12,),
        layers=(
            Reshape(shape=(1, 12)),
            SIGNAL,
            MaxPool(size=(2,), stride=(1,)),
            LayerNorm(epsilon=EPSILON, axes=1),
            AveragePool(size=(2,), stride=(2,)),
            RmsNorm(epsilon=EPSILON, axes=1),
            Flatten(),
            DenseLayer(units=3),
            BatchNorm(epsilon=EPSILON),
        ),
        loss="mean_squared_error",
    ),
}


def drawn(network: LayeredNetwork) -> LayeredProblem:
    """Six examples; tensors that begin at 0 or 1 are drawn, too."""
    rng = np.random.default_rng(0)
    targets = np.eye(network.outputs)[rng.integers(0, network.outputs, 6)]
    size = sum(int(np.prod(shape)) for shape in network.shapes.values())
    inputs = rng.normal(size=(6, *network.input_shape))
    return LayeredProblem.create(network, inputs, targets, theta=rng.normal(size=size))


def assert_as_in_numpy(name: str, backend: str, layered_function: Callable[[LayeredNetwork], Function]) -> None:
    """Assert that loss and gradient of a witness are those of NumPy, with penalties and dropout."""
    problem = drawn(NETWORKS[name])
    data = (problem.inputs, problem.targets, dict(problem.masks))
    arguments = read_arguments(problem.theta, data, registry.read)
    objective = registry.get(backend).function_objective(layered_function(problem.network), arguments)
    loss, gradient = objective.loss_and_gradient(arguments.theta)
    value, expected = LayeredFunction(problem.network).value_and_gradient(problem.theta, *data)
    np.testing.assert_allclose(loss, value, rtol=1e-12)
    np.testing.assert_allclose(gradient, arguments.flatten(expected), rtol=1e-9, atol=1e-12)
