"""CallArguments: what a function is called with is its own, and what it writes into is noticed."""

from typing import Any

import numpy as np
import pytest
import torch

import xcheck
from xcheck.backend import registry
from xcheck.backend.call_arguments import CallArguments
from xcheck.errors import BackendError
from xcheck.functions.arguments import read_arguments

W, X = np.array([1.0, 2.0, 3.0]), np.array([0.5, -1.0, 2.0])


def made(function: Any, params: Any = W, data: tuple[Any, ...] = (X,)) -> Any:
    """The objective of a function."""
    objective = registry.get(function.backend).function_objective(function, read_arguments(params, data, registry.read))
    assert isinstance(objective, CallArguments)
    return objective


def test_the_person_s_arrays_are_not_touched_and_writing_is_noticed() -> None:
    """Parameters and data, each by name."""

    def vandal(p: Any, x: Any) -> Any:
        p["w"] += 1
        x[0] = 7
        return p["w"].sum()

    params, data = {"w": W.copy(), "b": np.ones(1)}, X.copy()
    objective = made(xcheck.objective(vandal, "numpy", gradient=lambda p, x: {"w": np.ones(3)}), params, (data,))
    objective.loss_and_gradient(objective.arguments.theta)
    assert objective.overwritten == {"w", "data[0]"}
    assert objective.unused == {"b"}
    assert np.array_equal(params["w"], W)
    assert np.array_equal(data, X)


def test_a_vandal_gets_new_data_for_every_call() -> None:
    """Once it is known, the copy that is shared between calls is not used any more."""
    objective = made(xcheck.objective(lambda p, x: p @ x, "numpy", gradient=lambda p, x: x))
    assert objective.shared_data()[0] is objective.shared_data()[0]
    objective.overwritten.add("data[0]")
    assert objective.shared_data()[0] is not objective.shared_data()[0]


def test_narrow_arrays_are_rounded_before_they_are_compared() -> None:
    """A θ between two numbers of float32 is no sign of writing."""
    function = xcheck.objective(lambda p: (p * p).sum(), "torch")
    objective = made(function, torch.tensor([1.0, 2.0]), ())
    objective.loss_and_gradient(np.array([1 + 1e-12, 2.0]))
    assert objective.overwritten == set()


def test_what_is_no_parameter_is_copied_into_the_tree() -> None:
    """An array of integers among the parameters is a new one in each call."""
    params = {"w": W.copy(), "index": np.array([2, 0])}
    objective = made(xcheck.objective(lambda p: p["w"][p["index"]].sum(), "numpy", gradient=lambda p: {}), params, ())
    trees = [objective.build_tree(objective.own(W)) for _ in range(2)]
    assert all(tree["index"].tolist() == [2, 0] for tree in trees)
    assert trees[0]["index"] is not trees[1]["index"]
    assert trees[0]["index"] is not params["index"]


def test_gradients_of_several_outputs_become_rows() -> None:
    """What has none is zero; own axes are turned back; a wrong shape is said."""
    params, rng = {"w": np.ones((2, 3)), "b": np.ones(2)}, np.random.default_rng(0)
    function = xcheck.objective(lambda p: p["w"].sum(), "numpy", gradient=lambda p: p)
    turned = xcheck.objective(lambda p: p["w"].sum(), "numpy", gradient=lambda p: p, layout={"w": (1, 0)})
    gradients = rng.standard_normal((4, 2, 3))
    rows = np.concatenate([gradients.reshape(4, 6), np.zeros((4, 2))], axis=1)
    plain, axes = made(function, params, ()), made(turned, params, ())
    np.testing.assert_array_equal(plain.flat_rows({"w": gradients, "b": None}, 4), rows)
    np.testing.assert_array_equal(axes.flat_rows({"w": gradients.transpose(0, 2, 1), "b": None}, 4), rows)
    for objective in (plain, axes):
        with pytest.raises(BackendError, match=r"of w ha(s|ve) shape"):
            objective.flat_rows({"w": gradients[..., :2], "b": None}, 4)
