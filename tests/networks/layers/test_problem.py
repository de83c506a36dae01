"""LayeredProblem: what is random is drawn from the seed."""

import numpy as np

from xcheck import Network, Problem
from xcheck.layout import Vector
from xcheck.networks.layers import Convolution, DenseLayer, Flatten, LayeredNetwork, LayeredProblem, LayerNorm
from xcheck.networks.layers.problem import initialize_layers, layered_layout
from xcheck.networks.network import Dense

LAYERS = (
    Convolution(channels=40, kernel=(3, 3), stride=(1, 1), padding=(0, 0), activation="relu", keep_prob=0.5),
    LayerNorm(epsilon=1e-5),
    Flatten(),
    DenseLayer(units=3),
)
NETWORK = LayeredNetwork(input_shape=(5, 6, 6), layers=LAYERS, loss="mean_squared_error", input_keep_prob=0.9)


def drawn(seed: int = 0, theta: Vector | None = None) -> LayeredProblem:
    """The network with two examples."""
    return LayeredProblem.create(NETWORK, np.ones((2, 5, 6, 6)), np.zeros((2, 3)), theta=theta, seed=seed)


def test_weights_have_the_variance_of_their_initializer() -> None:
    """he: 2/n with the n numbers that one place of the kernel looks at; gains begin at 1, biases at 0."""
    theta = initialize_layers(NETWORK, 0)
    assert abs(theta["W1"].var() * 45 / 2 - 1) < 0.1  # 1,800 draws: the variance is known to about 3 %
    assert set(theta["gamma2"].ravel()) == {1.0}
    assert set(theta["beta2"].ravel()) == {0.0}


def test_equal_seeds_draw_the_same() -> None:
    """And others do not."""
    one, same, other = drawn(), drawn(), drawn(seed=1)
    assert np.array_equal(one.theta["W1"], same.theta["W1"])
    assert not np.array_equal(one.theta["W1"], other.theta["W1"])
    assert np.array_equal(one.masks["1"], same.masks["1"])


def test_masks_are_drawn_where_something_is_dropped() -> None:
    """By the number of the layer, 0 for the inputs."""
    assert {number: mask.shape for number, mask in drawn().masks.items()} == {"0": (2, 5, 6, 6), "1": (2, 40, 4, 4)}


def test_theta_may_be_given() -> None:
    """As one vector, such as a file holds."""
    theta = np.arange(layered_layout(NETWORK).size, dtype=np.float64)
    assert layered_layout(NETWORK).flatten(drawn(theta=theta).theta).tolist() == theta.tolist()


def test_fully_connected_layers_begin_alike() -> None:
    """A network of dense layers is drawn as the fully connected one is."""
    layered = LayeredNetwork(
        input_shape=(4,), layers=(DenseLayer(units=3), DenseLayer(units=2)), loss="mean_squared_error"
    )
    dense = Network(inputs=4, layers=(Dense(units=3), Dense(units=2)), loss="mean_squared_error")
    theta = Problem.create(dense, np.zeros((1, 4)), np.zeros((1, 2))).theta
    assert np.array_equal(layered_layout(layered).flatten(initialize_layers(layered, 0)), theta)
