"""Layer tables: kinds of layers in a definition, their mistakes, and the layers that they stand for."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.networks.definition.conftest import BACKENDS, complaints, defined, edit, npz, table
from xcheck.errors import DefinitionError
from xcheck.networks.definition import LoadedLayers, load, load_definition
from xcheck.networks.definition.layer_tables import Conv2dTable, MaxPool2dTable, both, kind_of
from xcheck.networks.layers import Convolution, MaxPool

pytestmark = pytest.mark.usefixtures("here")

IMAGE = '{ kind = "reshape", shape = [1, 1, 2] }'
KINDS = (
    "dense, conv1d, conv2d, max_pool1d, max_pool2d, average_pool1d, average_pool2d, layer_norm, rms_norm, batch_norm, "
    "flatten, reshape"
)


def with_layers(layers: str) -> str:
    """The good definition with these layers."""
    return edit(5, f"layers = [{layers}]")


MISTAKES = {
    "a misspelt kind": (
        with_layers('{ kind = "conv2", channels = 1, kernel = 1 }'),
        ["model.toml:5:13: network.layers[0].kind: unknown kind 'conv2'; did you mean 'conv2d'?"],
    ),
    "another library's kind": (
        with_layers('{ kind = "avg_pool", size = 2 }'),
        ["model.toml:5:13: network.layers[0].kind: unknown kind 'avg_pool'; did you mean 'average_pool2d'?"],
    ),
    "a kind that is a number": (
        with_layers("{ kind = 3 }"),
        [f"model.toml:5:13: network.layers[0].kind: expected a string, got 3; known: {KINDS}, residual"],
    ),
    "a key of another kind": (
        with_layers('{ kind = "max_pool2d", size = 2, units = 3 }'),
        ["model.toml:5:44: network.layers[0].units: unknown key; known: kind, size, stride"],
    ),
    "a key that is missing": (
        with_layers('{ kind = "conv2d", channels = 1 }'),
        ["model.toml:5:11: network.layers[0].kernel: missing"],
    ),
    "a length that is a word": (
        with_layers('{ kind = "conv2d", channels = 1, kernel = "3" }'),
        ["model.toml:5:44: network.layers[0].kernel: expected a whole number, or a list of two, got the string '3'"],
    ),
    "three lengths": (
        with_layers('{ kind = "max_pool2d", size = [1, 2, 3] }'),
        ["model.toml:5:34: network.layers[0].size: at most 2 entries, got 3"],
    ),
    "a mistake inside a residual": (
        with_layers('{ kind = "residual", layers = [{ kind = "layer_norm", eps = 1 }] }'),
        ["model.toml:5:65: network.layers[0].layers[0].eps: unknown key; did you mean 'epsilon'?"],
    ),
    "a residual inside a residual": (
        with_layers('{ kind = "residual", layers = [{ kind = "residual" }] }'),
        [f"model.toml:5:44: network.layers[0].layers[0].kind: unknown kind 'residual'; known: {KINDS}"],
    ),
    "shapes that do not fit": (
        with_layers(f'{IMAGE}, {{ kind = "conv2d", channels = 1, kernel = 2 }}, {{ units = 1 }}'),
        ["model.toml:5:52: network.layers[1]: a window of 2 x 2 does not fit into 1 x 2"],
    ),
    "outputs that are no vector": (
        with_layers(IMAGE),
        ["model.toml:5:11: network.layers[0]: the outputs are a vector, not 1 x 1 x 2: end with { units = ... }"],
    ),
}


@table(MISTAKES)
def test_mistakes(text: str, expected: list[str]) -> None:
    """Each at its place, in words of the definition."""
    assert complaints(text) == expected


def loaded(layers: list[dict[str, Any]], **others: Any) -> LoadedLayers:
    """A definition of 6 synthetic examples of 12 inputs."""
    definition = {
        "data": {"synthetic": {"inputs": 12, "examples": 6}, **others.pop("data", {})},
        "network": {"layers": layers, "loss": "mean_squared_error"},
        **others,
    }
    found = load_definition(definition, backends=BACKENDS)
    assert isinstance(found, LoadedLayers)
    return found


CONV: dict[str, Any] = {"kind": "conv2d", "channels": 2, "kernel": [1, 2], "padding": 1}
LAST: list[dict[str, Any]] = [{"kind": "flatten"}, {"units": 1}]


def test_a_length_is_that_of_both_axes() -> None:
    """Unless there are two."""
    layer = Conv2dTable.model_validate(CONV).layer()
    assert layer == Convolution(channels=2, kernel=(1, 2), stride=(1, 1), padding=(1, 1))
    assert both([4]) == (4, 4)


def test_a_pool_steps_by_its_size() -> None:
    """So that its windows do not overlap."""
    assert MaxPool2dTable.model_validate({"kind": "max_pool2d", "size": 3}).layer() == MaxPool(
        size=(3, 3), stride=(3, 3)
    )
    assert kind_of(MaxPool2dTable) == "max_pool2d"


def test_channels_of_an_image_come_first() -> None:
    """In a file they stand side by side, behind height and width."""
    found = loaded([CONV, *LAST], data={"image": [2, 3, 2]}).problem
    rows = loaded([{"kind": "flatten"}, {"units": 1}]).problem.inputs
    assert found.network.input_shape == (2, 2, 3)
    assert np.array_equal(found.inputs[:, 1, 0, 2], rows[:, 2 * 2 + 1])


def test_an_image_of_another_size() -> None:
    """At the shape."""
    with pytest.raises(DefinitionError, match=r"data.image: the shape \[2, 2\] has 4 numbers, a row has 12"):
        loaded([CONV, *LAST], data={"image": [2, 2]})


def test_what_only_fully_connected_networks_have() -> None:
    """All of it at once."""
    with pytest.raises(DefinitionError) as caught:
        loaded(
            [*LAST],
            check={"engine": "structured", "difference": "forward", "dtype": "bfloat16"},
            training={"steps": 1, "learning_rate": 0.1},
        )
    assert [complaint.key for complaint in caught.value.complaints] == [
        ("training",),
        ("check", "engine"),
        ("check", "difference"),
        ("check", "dtype"),
    ]


def test_where_only_a_fully_connected_network_will_do() -> None:
    """As in a training: the layers are named."""
    definition = {
        "data": {"synthetic": {"inputs": 2}},
        "network": {"layers": LAST, "loss": "mean_squared_error"},
    }
    with pytest.raises(
        DefinitionError, match="a fully connected network is needed here, and this one has flatten, dense 1"
    ):
        load(definition, backends=BACKENDS)


def test_dense_is_the_kind_without_a_kind() -> None:
    """Said or not, the network is the same fully connected one."""
    said = defined(network={"layers": [{"kind": "dense", "units": 1}]})
    assert np.array_equal(said.problem.theta, defined().problem.theta)
    assert said.problem.network == defined().problem.network


def test_weights_from_a_file() -> None:
    """By the names of the tensors."""
    Path("w.npz").write_bytes(npz(W2=np.full((1, 12), 2.0), b2=np.ones(1)))
    definition = {
        "data": {"synthetic": {"inputs": 12}},
        "network": {"layers": LAST, "loss": "mean_squared_error", "weights": "w.npz"},
    }
    found = load_definition(definition, backends=BACKENDS)
    assert isinstance(found, LoadedLayers)
    assert found.problem.theta["W2"].tolist() == [[2.0] * 12]
