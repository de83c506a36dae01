"""Networks with every kind of layer, for the tests of witnesses."""

import numpy as np

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
