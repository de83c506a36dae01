"""What is handed over to `check`, as labelled functions with a framework each."""

from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import B
from xcheck.checks.functions.implementations import arguments_for, framework_of, implementations_from
from xcheck.errors import DefinitionError


def outputs(p: Any) -> Any:
    """Two numbers."""
    return torch.stack([p.sum(), (p**2).sum()])


def test_each_cotangent_keeps_its_own_function() -> None:
    """Once a function that was asked for again changed the one that was asked for first."""
    arguments = arguments_for(torch.tensor(B), ())
    (implementation,) = implementations_from(outputs, torch.tensor(B))
    first = implementation.objective(arguments, device="cpu", cotangent=np.array([1.0, 0.0]))
    second = implementation.objective(arguments, device="cpu", cotangent=np.array([0.0, 1.0]))
    assert first.loss_and_gradient(arguments.theta)[0] == pytest.approx(B.sum())
    assert second.loss_and_gradient(arguments.theta)[0] == pytest.approx((B**2).sum())
    assert first.loss_and_gradient(arguments.theta)[0] == pytest.approx(B.sum())


@pytest.mark.parametrize(
    ("losses", "name"),
    [
        ([lambda x: x.sum()], "x"),
        ([lambda w, b: (w * b).sum()], "w"),
        ([lambda w: w.sum(), lambda w, b: w.sum()], "w"),
        ([lambda w: w.sum(), lambda *args: args[0].sum()], "w"),
        ([lambda w: w.sum(), lambda v: v.sum()], "params"),
        ([lambda *args: args[0].sum()], "params"),
        ([torch.relu], "params"),
        ([lambda _: _.sum()], "params"),
        # An output is called y, a piece of the data is called data.
        ([lambda y: y.sum()], "params"),
        ([lambda data: data.sum()], "params"),
    ],
)
def test_one_array_is_called_after_the_argument(losses: list[Any], name: str) -> None:
    """Where the functions that tell a name agree on it."""
    made = implementations_from({str(number): loss for number, loss in enumerate(losses)}, torch.tensor(B))
    arguments = arguments_for(torch.tensor(B), (), made)
    assert [tensor.name for tensor in arguments.layout] == [name]


def test_a_function_with_names_of_its_own_names_no_array() -> None:
    """What it is given is a tree."""
    renamed = xcheck.objective(lambda p: p["w"].sum(), "torch", rename={"w": "x"})
    made = implementations_from({"a": renamed, "b": lambda x: x.sum()}, torch.tensor(B))
    assert [tensor.name for tensor in arguments_for(torch.tensor(B), (), made).layout] == ["x"]


def test_a_backend_that_is_not_there_is_proposed() -> None:
    """By its name, if it is close to one."""
    with pytest.raises(DefinitionError, match="there is no backend 'pytorch'; did you mean 'torch'"):
        implementations_from(outputs, B, backend="pytorch")


def test_a_tree_keeps_its_names() -> None:
    """Keys are names already."""
    params = {"params": torch.tensor(B)}
    arguments = arguments_for(params, (), implementations_from(lambda x: x["params"].sum(), params))
    assert [tensor.name for tensor in arguments.layout] == ["params"]


def test_labels_and_frameworks() -> None:
    """A dict has labels of its own; a bare function is called after its framework."""
    (bare,) = implementations_from(outputs, torch.tensor(B))
    assert (bare.label, bare.backend.name) == ("torch", "torch")
    mine, yours = implementations_from({"mine": outputs, "yours": outputs}, torch.tensor(B))
    assert (mine.label, yours.label) == ("mine", "yours")


def test_the_framework_of_parameters() -> None:
    """Of one framework its name, of several None; NumPy numbers among others are nothing special."""
    assert framework_of(torch.ones(2)) == "torch"
    assert framework_of({"a": torch.ones(2), "b": np.ones(2)}) == "torch"
    assert framework_of({"a": "no array"}) is None


def test_nothing_to_check() -> None:
    """An empty dict is a mistake, and so is a gradient for several functions."""
    with pytest.raises(DefinitionError, match="there is nothing to check"):
        implementations_from({}, B)
    with pytest.raises(DefinitionError, match="gradient= belongs to a single function"):
        implementations_from({"a": outputs}, B, forms={"gradient": outputs})
