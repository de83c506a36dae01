"""Hand-written gradients: whatever a person returns is read, and what cannot be read is said."""

from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend.by_hand.gradients import call_by_hand, name_gradient
from xcheck.backend.registry import read

ONE = {"w": np.zeros(2)}
TWO = {"w": np.zeros(2), "b": np.zeros(())}


def as_lists(named: Any) -> dict[str, Any]:
    """Arrays as lists, to be compared."""
    return {name: None if part is None else part.tolist() for name, part in named.items()}


@pytest.mark.parametrize(
    ("returned", "given", "expected"),
    [
        ({"w": np.array([1.0, 2.0]), "b": np.array(3.0)}, TWO, {"w": [1.0, 2.0], "b": 3.0}),
        ({"w": np.array([1.0, 2.0])}, TWO, {"w": [1.0, 2.0], "b": None}),
        ({"w": np.array([1.0, 2.0]), "b": None}, TWO, {"w": [1.0, 2.0], "b": None}),
        (np.array([1.0, 2.0]), ONE, {"w": [1.0, 2.0]}),
        ([1.0, 2.0], ONE, {"w": [1.0, 2.0]}),
        ({"other": np.array([1.0, 2.0])}, ONE, {"w": [1.0, 2.0]}),
        (np.array([1.0, 2.0]), {"0": np.zeros(()), "1": np.zeros(())}, {"0": 1.0, "1": 2.0}),
    ],
    ids=[
        "a tree",
        "one left out",
        "one None",
        "the array alone",
        "a list of numbers",
        "any name for the only one",
        "an array for numbers",
    ],
)
def test_a_gradient_is_read(returned: Any, given: Any, expected: dict[str, Any]) -> None:
    """In every form that people return it."""
    assert as_lists(name_gradient(returned, given, read, ())) == expected


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (None, "the gradient returned None: is a return missing?"),
        ({"w": np.ones(2), "bias": np.ones(1)}, "the gradient has bias, the parameters are w, b"),
        ({"w": "oops"}, "the gradient of w is a str, not an array"),
        ({"w": torch.ones(2).to_sparse()}, "the gradient of w is stored as sparse_coo: return a dense array"),
    ],
)
def test_a_gradient_that_cannot_be_read_is_refused(returned: Any, said: str) -> None:
    """With what came."""
    with pytest.raises(ValueError, match="gradient") as caught:
        name_gradient(returned, TWO, read, ())
    assert str(caught.value) == said


def test_a_list_of_arrays_is_no_list_of_numbers() -> None:
    """Its length may be the parameter's all the same."""
    with pytest.raises(ValueError, match="the gradient has 0, 1, the parameters are w"):
        name_gradient([np.ones(2), np.ones(3)], {"w": np.ones(2)}, read, ())


def test_leaves_that_are_no_parameters_are_passed_over() -> None:
    """A gradient of the same structure as the parameters has integers where they have them."""
    returned = {"w": np.ones(2), "b": np.ones(()), "steps": np.array(3)}
    assert as_lists(name_gradient(returned, TWO, read, ("w", "b", "steps"))) == {"w": [1.0, 1.0], "b": 1.0}


def test_the_loss_is_called_before_its_gradient() -> None:
    """A backward pass may use what the forward pass has left behind."""
    calls: list[str] = []
    function = xcheck.objective(lambda p: None, "numpy", gradient=lambda p, x: calls.append(f"gradient {p} {x}"))
    call_by_hand(function, lambda: calls.append("loss"), "p", ("x",))
    assert calls == ["loss", "gradient p x"]


def test_both_at_once_need_no_call_of_the_loss() -> None:
    """One call gives value and gradient."""
    function = xcheck.objective(lambda p: None, "numpy", value_and_gradient=lambda p: (p, 2 * p))
    assert call_by_hand(function, lambda: pytest.fail("the loss was called"), 3.0, ()) == (3.0, 6.0)
