"""Networks made in Python are validated like those in a definition."""

from typing import Any

import numpy as np
import pytest

from xcheck import Dense, Network, Problem


def network(**changes: Any) -> Network:
    """A linear network, with changes."""
    arguments: dict[str, Any] = {"inputs": 2, "layers": (Dense(units=1),), "loss": "mean_squared_error"}
    return Network(**(arguments | changes))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"loss": "bce"}, "unknown loss 'bce'"),
        ({"layers": ()}, "at least one layer"),
        ({"l2": -1.0}, "l2 is -1.0"),
        ({"l1": float("nan")}, "l1 is nan"),
        ({"inputs": 0}, "inputs is 0"),
        ({"input_keep_prob": 0.0}, "input_keep_prob is 0.0"),
    ],
)
def test_a_network_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    """With the name and the value."""
    with pytest.raises(ValueError, match=message):
        network(**changes)


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        ({"units": 0}, "at least 1 unit"),
        ({"units": 1, "activation": "rleu"}, "unknown activation 'rleu'"),
        ({"units": 1, "initializer": "hee"}, "unknown initializer 'hee'"),
        ({"units": 1, "keep_prob": 1.5}, "keep_prob"),
    ],
)
def test_a_layer_that_cannot_be_is_refused(layer: dict[str, Any], message: str) -> None:
    """With the name and the value."""
    with pytest.raises(ValueError, match=message):
        Dense(**layer)


def test_layers_may_be_a_list() -> None:
    """They become a tuple, so that networks can be compared and hashed."""
    assert hash(network(layers=[Dense(units=1)])) == hash(network())


def test_widths_and_keep_probs_begin_with_the_inputs() -> None:
    """n₀, n₁, ... and p₀, p₁, ..."""
    one = network(layers=(Dense(units=3, keep_prob=0.5), Dense(units=1)), input_keep_prob=0.9)
    assert (one.widths, one.keep_probs) == ((2, 3, 1), (0.9, 0.5, 1.0))


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_problem_holds_finite_numbers(bad: float) -> None:
    """nan in the data is refused where it enters."""
    with pytest.raises(ValueError, match="must be finite"):
        Problem.create(network(), np.full((3, 2), bad), np.ones((3, 1)))


def test_a_problem_has_an_example() -> None:
    """A mean over nothing is no loss."""
    with pytest.raises(ValueError, match="at least one example"):
        Problem.create(network(), np.ones((0, 2)), np.ones((0, 1)))
