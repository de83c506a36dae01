"""Function: what a person may hand over for one framework."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import numpy as np
import pytest
import torch

from xcheck.errors import DefinitionError
from xcheck.functions.function import first_argument, objective


def square(p: Any) -> Any:
    """Some loss."""
    return (p**2).sum()


def test_a_loss_with_a_gradient() -> None:
    """It is kept as it is."""
    function = objective(square, "numpy", gradient=square)
    assert (function.loss, function.backend, function.module, function.hand_written) == (square, "numpy", None, True)


def test_a_module_is_told_from_a_loss() -> None:
    """Its outputs are checked themselves where no loss is given."""
    module = torch.nn.Linear(2, 1)
    assert (objective(module, "torch").module, objective(module, "torch").loss) == (module, None)
    assert objective(module, "torch", loss=square).loss is square


def test_a_callable_of_any_kind_is_a_module_where_that_is_said() -> None:
    """By the loss of its outputs, or by the number of its inputs."""
    function = objective(square, "jax", loss=square, inputs=2)
    assert (function.module, function.loss, function.inputs) == (square, square, 2)


def test_names_and_axes_are_copied() -> None:
    """What the caller does with the dicts afterwards does not matter."""
    rename = {"kernel": "weight"}
    function = objective(square, "jax", rename=rename)
    rename.clear()
    assert function.rename == {"kernel": "weight"}


@pytest.mark.parametrize(
    ("function", "options", "said"),
    [
        (3, {}, "an objective needs a function or a module, int came"),
        (square, {"gradient": square, "value_and_gradient": square}, "give one of gradient, value_and_gradient"),
        (square, {"loss": square, "gradient": square}, "a module is differentiated by its framework"),
        (square, {"inputs": True}, "inputs: True is not how many of data a module takes; check"),
        (square, {"inputs": -1}, "inputs: -1 is not how many"),
        (square, {"inputs": "a"}, "inputs: 'a' is not how many"),
        (square, {"rename": 3}, 'rename: expected a dict such as {"fc1.kernel": "0.weight"}, int came'),
        (square, {"rename": {0: "w"}}, "rename: names are strings"),
        (square, {"rename": {"w": 0}}, "rename: names in params are strings"),
        (square, {"layout": "transpose"}, "layout: expected a dict such as"),
        (square, {"layout": {"w": 3}}, "layout.w: 3 is neither 'transpose' nor a permutation"),
        (square, {"layout": {"w": ("0", "1")}}, "is neither 'transpose' nor a permutation"),
    ],
)
def test_contradictions_are_refused(function: Any, options: dict[str, Any], said: str) -> None:
    """With what to do."""
    with pytest.raises(DefinitionError, match=said):
        objective(function, "numpy", **options)


class Model:
    """A loss that is a method."""

    def loss(self, weights: Any) -> Any:
        """Some loss."""
        return square(weights)


@pytest.mark.parametrize(
    ("function", "name"),
    [
        (square, "p"),
        (lambda w, b: w + b, "w"),
        (Model().loss, "weights"),
        (partial(lambda scale, w: scale * w, 2.0), "w"),
        (jax.jit(square), "p"),
        (lambda *args: args[0], None),
        (lambda **named: named, None),
        (lambda: 1.0, None),
        (torch.relu, None),
        (np.array(1.0), None),
    ],
)
def test_the_first_argument_has_a_name(function: Callable[..., Any], name: str | None) -> None:
    """Unless the signature has none, or cannot be read."""
    assert first_argument(function) == name
