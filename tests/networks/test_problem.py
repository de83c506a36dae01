"""Problem: what is random is drawn once and pinned."""

import numpy as np
import pytest

from xcheck.networks.network import Dense, Network
from xcheck.networks.problem import Mask, Problem, draw_masks

NETWORK = Network(
    inputs=5,
    layers=(Dense(units=200, activation="relu", keep_prob=0.8), Dense(units=1)),
    loss="mean_squared_error",
    input_keep_prob=0.5,
)
X, Y = np.ones((100, 5)), np.zeros((100, 1))


def hidden_mask(problem: Problem) -> Mask:
    """The mask of the hidden layer, which has dropout."""
    mask = problem.masks[1]
    assert mask is not None
    return mask


def test_the_same_seed_gives_the_same_problem() -> None:
    """θ and masks are functions of the seed."""
    one, other = Problem.create(NETWORK, X, Y, seed=3), Problem.create(NETWORK, X, Y, seed=3)
    assert np.array_equal(one.theta, other.theta)
    assert np.array_equal(hidden_mask(one), hidden_mask(other))


def test_another_seed_gives_another_problem() -> None:
    """Nothing is drawn from a hidden generator."""
    one, other = Problem.create(NETWORK, X, Y, seed=3), Problem.create(NETWORK, X, Y, seed=4)
    assert not np.array_equal(one.theta, other.theta)
    assert not np.array_equal(hidden_mask(one), hidden_mask(other))


def test_masks_keep_units_with_the_declared_probability() -> None:
    """0.8 of 20,000 units and half of 500 inputs, within sampling error; none where keep_prob is 1."""
    inputs, hidden, output = draw_masks(NETWORK, 100, seed=0)
    assert inputs is not None
    assert hidden is not None
    assert output is None
    assert hidden.mean() == pytest.approx(0.8, abs=0.02)
    assert inputs.mean() == pytest.approx(0.5, abs=0.1)


def test_dropout_off_keeps_theta() -> None:
    """Switching dropout off changes the masks and nothing else."""
    pinned, off = Problem.create(NETWORK, X, Y), Problem.create(NETWORK, X, Y, dropout="off")
    assert off.masks == (None, None, None)
    assert off.network.keep_probs == (1.0, 1.0, 1.0)
    assert np.array_equal(pinned.theta, off.theta)


def test_arrays_cannot_be_written_to() -> None:
    """A witness that writes into its inputs is stopped."""
    problem = Problem.create(NETWORK, X, Y)
    with pytest.raises(ValueError, match="read-only"):
        problem.theta[0] = 1.0


def test_the_data_handed_in_is_copied() -> None:
    """What the caller does with the arrays afterwards does not matter."""
    inputs = X.copy()
    problem = Problem.create(NETWORK, inputs, Y)
    inputs[:] = 7
    assert np.array_equal(problem.inputs, X)


def test_rounding_makes_numbers_of_the_dtype() -> None:
    """X, Y and θ become float32 numbers, stored as float64."""
    rounded = Problem.create(NETWORK, X / 3, Y).rounded("float32")
    for array in (rounded.theta, rounded.inputs):
        assert array.dtype == np.float64
        assert np.array_equal(array, array.astype(np.float32))


@pytest.mark.parametrize(
    ("inputs", "targets", "message"),
    [
        (np.ones((3, 4)), np.ones((3, 1)), r"inputs has shape \(3, 4\), the network needs \(3, 5\)"),
        (np.ones((3, 5)), np.ones((2, 1)), r"targets has shape \(2, 1\), the network needs \(3, 1\)"),
    ],
)
def test_shapes_must_fit(inputs: np.ndarray, targets: np.ndarray, message: str) -> None:
    """What does not fit is said with both shapes."""
    with pytest.raises(ValueError, match=message):
        Problem.create(NETWORK, inputs, targets)


def test_theta_must_fit() -> None:
    """A θ of another network is refused."""
    with pytest.raises(ValueError, match="theta has shape"):
        Problem.create(NETWORK, X, Y, theta=np.zeros(3))
