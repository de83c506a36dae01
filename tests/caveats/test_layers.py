"""Sizes of activations and gradients in each layer, and the units that take no part."""

import numpy as np
import pytest

from xcheck import Dense, Network, Problem
from xcheck.caveats.layers import LayerState, layers_of
from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, LossName
from xcheck.oracle import numerical_gradient

rng = np.random.default_rng(0)


def state(problem: Problem) -> tuple[LayerState, ...]:
    """The layers of a problem at its θ."""
    return layers_of(problem, numerical_gradient(problem))


def one_layer(z: Vector, activation: ActivationName, loss: LossName = "mean_squared_error") -> LayerState:
    """A hidden layer that sees `z`, or with a loss of logits the output layer: weights of one, inputs of z."""
    units = z.shape[1]
    hidden = () if loss != "mean_squared_error" else (Dense(units=units, activation=activation),)
    layers = (*hidden, Dense(units=units))
    network = Network(inputs=units, layers=layers, loss=loss)
    theta = np.concatenate([part for _ in layers for part in (np.eye(units).ravel(), np.zeros(units))])
    targets = np.eye(units)[np.zeros(len(z), dtype=int)]
    return state(Problem.create(network, z, targets, theta=theta))[0]


def test_a_diagonal_network_has_the_sizes_of_its_powers() -> None:
    """The lecture's network: ten linear layers with 1.5 on the diagonal; output 1.5¹⁰ x, gradient 1.5⁹ ∂L/∂y."""
    network = Network(inputs=2, layers=(Dense(units=2),) * 10, loss="mean_squared_error")
    theta = np.tile([1.5, 0, 0, 1.5, 0, 0], 10)
    X = rng.standard_normal((5, 2))
    layers = state(Problem.create(network, X, np.zeros((5, 2)), theta=theta))
    assert [layer.number for layer in layers] == list(range(1, 11))
    assert layers[9].activation_rms == pytest.approx(1.5**10 * np.sqrt(np.mean(X**2)))
    assert layers[9].activation_rms / layers[0].activation_rms == pytest.approx(38.443359375)
    assert layers[0].gradient_rms / layers[9].gradient_rms == pytest.approx(38.443359375)
    assert [layer.gain for layer in layers] == [2.25] * 10
    assert layers[9].gradient_rms == pytest.approx(np.sqrt(np.mean(np.mean(np.abs(1.5**10 * X), axis=0) ** 2)))


@pytest.mark.parametrize(("activation", "gain"), [("relu", 2.0), ("gelu", 2.0), ("tanh", 1.0), ("identity", 1.0)])
def test_weights_are_drawn_with_the_variance_of_the_notes(activation: ActivationName, gain: float) -> None:
    """var W = 2/n for the relu family and 1/n otherwise, layer by layer, whatever n; to 4 of its standard errors."""
    hidden = tuple(Dense(units=units, activation=activation) for units in (300, 40, 170))
    network = Network(inputs=60, layers=(*hidden, Dense(units=100)), loss="mean_squared_error")
    problem = Problem.create(network, rng.standard_normal((2, 60)), np.zeros((2, 100)))
    *measured, last = state(problem)
    sizes = [array.size for name, array in problem.layout.unflatten(problem.theta).items() if name.startswith("W")]
    for layer, size in zip(measured, sizes, strict=False):
        assert layer.gain == pytest.approx(gain, rel=4 * np.sqrt(2 / size))
    assert last.gain == pytest.approx(1.0, rel=4 * np.sqrt(2 / sizes[-1]))


def test_relu_units_that_no_example_wakes_are_dead() -> None:
    """z ≤ 0 everywhere; one example is enough to be alive, and a leaky slope is, too."""
    z = np.array([[1.0, -1.0, -3.0], [2.0, -2.0, 1e-3]])
    assert one_layer(z, "relu").dead == (1,)
    assert one_layer(z, "leaky_relu").dead == ()


def test_units_that_are_always_dropped_are_dead() -> None:
    """With one example, a mask is as good as no unit."""
    layers = (Dense(units=9, activation="tanh", keep_prob=0.5), Dense(units=1))
    network = Network(inputs=2, layers=layers, loss="mean_squared_error")
    problem = Problem.create(network, [[1.0, 2.0]], [[0.5]])
    mask = problem.masks[1]
    assert mask is not None
    assert 0 < len(state(problem)[0].dead) == (~mask).sum()


@pytest.mark.parametrize(("activation", "edge"), [("tanh", 4.146), ("sigmoid", 8.292)])
def test_units_with_next_to_no_slope_are_saturated(activation: ActivationName, edge: float) -> None:
    """In most examples: beyond the point where the slope is a thousandth of its largest."""
    z = np.array([[edge, edge + 0.01, -edge - 0.01], [-9, -9, 9], [0, 0, 0]])
    assert one_layer(z, activation).saturated == (1, 2)
    assert one_layer(z, "softplus").saturated == ()


def test_certain_probabilities_are_saturated() -> None:
    """Each output for binary cross-entropy, all of them together for softmax."""
    z = np.array([[9.0, 1.0], [-9.0, 1.0], [12.0, 1.0]])
    assert one_layer(z, "identity", "binary_cross_entropy").saturated == (0,)
    assert one_layer(z, "identity", "softmax_cross_entropy").saturated == (0, 1)
    assert one_layer(z / 3, "identity", "softmax_cross_entropy").saturated == ()


def test_sizes_beyond_squares_are_numbers() -> None:
    """1e200 and 1e-200 have a root mean square; what is not finite is told as such."""
    network = Network(inputs=1, layers=(Dense(units=1), Dense(units=1)), loss="mean_squared_error")
    for size in (1e-200, 1e200):
        layers = state(Problem.create(network, [[1.0]], [[0.0]], theta=[size, 0, 1e-3, 0]))
        assert layers[0].activation_rms == pytest.approx(size)
    with np.errstate(all="raise", under="ignore"):
        layers = state(Problem.create(network, [[1.0]], [[0.0]], theta=[1e200, 0, 1e200, 0]))
    assert (layers[1].activation_rms, layers[1].saturated) == (np.inf, ())
