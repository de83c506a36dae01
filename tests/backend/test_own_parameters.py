"""OwnParameters: from θ to a function's own arrays and back, with other names, other axes, and complex numbers."""

from typing import Any

import numpy as np
import pytest

import xcheck
from xcheck.backend.own_parameters import OwnParameters
from xcheck.backend.registry import read
from xcheck.errors import DefinitionError
from xcheck.functions.arguments import read_arguments

PARAMS = {"weight": np.arange(6.0).reshape(2, 3), "c": np.array([1 + 2j]), "steps": np.array(4)}
RENAME = {"kernel": "weight"}


def matched(params: Any = None, *, wide: bool = False, **options: Any) -> OwnParameters:
    """The parameters of a function with `rename`, `layout` or `like`."""
    function = xcheck.objective(lambda p: 0.0, "numpy", **options)
    return OwnParameters.match(function, read_arguments(PARAMS if params is None else params, (), read), wide=wide)


def test_there_and_back() -> None:
    """Own names and axes on the way there; on the way back θ is as it was, the complex parts included."""
    own = matched(rename=RENAME, layout={"kernel": "transpose"})
    theta = own.arguments.theta
    at = own.at(theta)
    assert at["kernel"].tolist() == PARAMS["weight"].T.tolist()
    assert at["c"].tolist() == [1 + 2j]
    assert np.array_equal(own.flatten(at), theta)


def test_many_points_at_once() -> None:
    """What differs from row to row has an axis more, in front; what does not is there once."""
    own = matched(layout={"weight": "transpose"})
    thetas = np.stack([own.arguments.theta] * 3)
    thetas[1, 0] = 9.0
    stacked = own.stack(thetas)
    weight, varied = stacked["weight"]
    assert (weight.shape, varied) == ((3, 3, 2), True)
    for row, theta in zip(weight, thetas, strict=True):
        assert np.array_equal(row, own.at(theta)["weight"])
    assert stacked["c"][0].tolist() == [1 + 2j]
    assert not stacked["c"][1]


def test_many_points_of_a_complex_parameter() -> None:
    """Either part may differ."""
    own = matched({"c": np.array([1 + 2j])})
    values, varied = own.stack(np.array([[1.0, 2.0], [1.0, 5.0]]))["c"]
    assert varied
    assert values.tolist() == [[1 + 2j], [1 + 5j]]


@pytest.mark.parametrize(
    ("options", "tensor", "name"),
    [
        ({}, "weight", "weight"),
        ({"rename": RENAME}, "weight", "kernel"),
        ({"layout": {"weight": "transpose"}}, "weight", None),
        ({}, "c.real", None),
        ({}, "nothing", None),
    ],
    ids=["as it is", "renamed", "transposed", "complex", "unknown"],
)
def test_an_own_array_that_is_a_tensor_of_theta(options: Any, tensor: str, name: str | None) -> None:
    """Only if it is real and has the same axes can one component be written into it."""
    assert matched(**options).own_name(tensor) == name


@pytest.mark.parametrize(("wide", "dtype"), [(False, "float32"), (True, "float64")])
def test_dtypes(wide: bool, dtype: str) -> None:
    """Those of the person's arrays, or 64 bits."""
    assert matched({"w": np.ones(2, np.float32)}, wide=wide).dtype("w") == dtype


def test_the_tree_is_the_persons_own() -> None:
    """With what is no parameter carried along."""
    tree = matched().build_tree({"weight": 1, "c": 2}, lambda: PARAMS)
    assert (tree["weight"], tree["c"], tree["steps"]) == (1, 2, PARAMS["steps"])


def test_other_names_make_nested_dicts() -> None:
    """As flax has them."""
    own = matched({"w": np.ones(2)}, rename={"fc.kernel": "w"})
    assert own.build_tree({"fc.kernel": 1}, lambda: pytest.fail("nothing is carried")) == {"fc": {"kernel": 1}}


def test_a_tree_of_another_structure() -> None:
    """`like` says which."""
    own = matched({"0": np.ones(2), "1": np.ones(3)}, like=[np.zeros(2), np.zeros(3)])
    assert own.build_tree({"0": "a", "1": "b"}, dict) == ["a", "b"]


def test_a_tree_of_another_structure_must_fit() -> None:
    """Its shapes are compared."""
    with pytest.raises(DefinitionError, match="shape"):
        matched({"w": np.ones(2)}, like={"w": np.zeros(3)})


def test_a_gradient_left_out_is_zero_and_a_wrong_shape_is_refused() -> None:
    """With both shapes."""
    own = matched({"w": np.ones(2), "b": np.ones(1)})
    assert own.flatten({"w": np.array([3.0, 4.0]), "b": None}).tolist() == [3.0, 4.0, 0.0]
    with pytest.raises(ValueError, match=r"the gradient of w has shape \(3,\), w itself \(2,\)"):
        own.flatten({"w": np.ones(3)})


@pytest.mark.parametrize("there", ["x", "params"])
@pytest.mark.parametrize("like", [None, {"W": np.zeros((2, 3))}])
def test_one_array_alone_is_renamed_by_either_name(there: str, like: Any) -> None:
    """By that of the argument, which reports show, and by `params`."""
    function = xcheck.objective(lambda p: 0.0, "numpy", rename={"W": there}, like=like)
    own = OwnParameters.match(function, read_arguments(np.ones((2, 3)), (), read, root="x"))
    assert own.naming.canonical == {"W": "x"}
    assert own.build_tree({"W": 1.0}, lambda: None) == {"W": 1.0}


@pytest.mark.parametrize("pattern", ["x", "params"])
def test_one_array_alone_is_arranged_by_either_name(pattern: str) -> None:
    """It is handed over as it is, and not in a dict."""
    function = xcheck.objective(lambda p: 0.0, "numpy", layout={pattern: "transpose"})
    own = OwnParameters.match(function, read_arguments(np.ones((2, 3)), (), read, root="x"))
    assert own.at(own.arguments.theta)["x"].shape == (3, 2)
    assert own.build_tree({"x": 5.0}, lambda: own.arguments.tree) == 5.0
