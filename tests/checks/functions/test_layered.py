"""Networks of any layers: the three witnesses agree with differences, and faults planted in the layers are found."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import xcheck
from tests.fakes import Wrapped
from xcheck.checks.completed import CompletedCheck
from xcheck.checks.functions.layered import prepare_layers
from xcheck.checks.selftest.plant import run_selftest
from xcheck.checks.selftest.score import FaultOutcome
from xcheck.errors import BackendError
from xcheck.networks.definition import LoadedLayers, load_definition
from xcheck.networks.layers import BatchNorm, Convolution, Layer, LayerNorm, MaxPool, RmsNorm
from xcheck.verdict import Verdict
from xcheck_numpy.layers.network import OPERATIONS, LayeredFunction
from xcheck_numpy.layers.normalisation import BATCH_NORM, LAYER_NORM, RMS_NORM
from xcheck_numpy.layers.operation import Operation

CONV: dict[str, Any] = {"kind": "conv2d", "channels": 2, "kernel": 3, "padding": 1}
LAST: list[dict[str, Any]] = [{"kind": "flatten"}, {"units": 2}]
NETWORKS: dict[str, list[dict[str, Any]]] = {
    "convolution and pools": [
        {**CONV, "stride": [1, 2], "activation": "relu", "keep_prob": 0.9},
        {"kind": "max_pool2d", "size": [2, 1]},
        {"kind": "average_pool2d", "size": 2, "stride": 1},
        *LAST,
    ],
    "norms": [
        CONV,
        {"kind": "batch_norm", "activation": "gelu"},
        {"kind": "layer_norm", "axes": 2},
        {"kind": "rms_norm"},
        *LAST,
    ],
    "residual": [
        {**CONV, "activation": "tanh"},
        {"kind": "residual", "activation": "relu", "layers": [{"kind": "layer_norm"}, CONV]},
        *LAST,
    ],
    "signal": [
        {"kind": "reshape", "shape": [2, 18]},
        {"kind": "conv1d", "channels": 3, "kernel": 4, "stride": 2, "activation": "elu"},
        {"kind": "max_pool1d", "size": 2},
        {"kind": "average_pool1d", "size": 2, "stride": 1},
        *LAST,
    ],
}


def defined(layers: list[dict[str, Any]], **check: Any) -> dict[str, Any]:
    """A definition of 4 images of 6 x 6 pixels."""
    return {
        "data": {"synthetic": {"inputs": 36, "examples": 4}, "image": [6, 6]},
        "network": {"layers": layers, "loss": "softmax_cross_entropy", "l2": 0.1},
        "check": check,
    }


def loaded(layers: list[dict[str, Any]], **check: Any) -> LoadedLayers:
    """The same, read."""
    found = load_definition(defined(layers, **check))
    assert isinstance(found, LoadedLayers)
    return found


@pytest.mark.parametrize("name", NETWORKS)
def test_all_agree(name: str) -> None:
    """NumPy by hand, PyTorch and JAX, with the oracle and with each other, on every component."""
    report = xcheck.verify(defined(NETWORKS[name]))
    assert report.verdict is Verdict.AGREE, str(report)
    assert [pair.b for pair in report.pairs].count("oracle") == 3
    assert report.oracle is not None
    assert report.oracle.scope == "all"
    assert "the structured ones know fully connected layers only" in report.summary


# --- planted faults -------------------------------------------------------------------------------------------------

Backward = Callable[[Any, Any, Any, Any], tuple[Any, dict[str, Any]]]


def convolution_fault(change: Callable[[Any], Any]) -> Operation:
    """A convolution whose kernel gradient is changed."""
    right = OPERATIONS[Convolution]

    def backward(layer: Any, tensors: Any, kept: Any, delta: Any) -> tuple[Any, dict[str, Any]]:
        dx, own = right.backward(layer, tensors, kept, delta)
        return dx, {**own, "W": change(own["W"])}

    return replace(right, backward=backward)


def unflipped(layer: Any, tensors: Any, kept: Any, delta: Any) -> tuple[Any, dict[str, Any]]:
    """Back through a convolution with the kernel the wrong way round; its own gradient is right."""
    flipped = {**tensors, "W": tensors["W"][..., ::-1, ::-1]}
    return OPERATIONS[Convolution].backward(layer, flipped, kept, delta)


def to_all_in_the_window(layer: Any, tensors: Any, kept: Any, delta: Any) -> tuple[Any, dict[str, Any]]:
    """The slope of a largest number, shared by the whole window: that of a mean."""
    dx = np.zeros(kept[0])
    for i, j in np.ndindex(*layer.size):
        dx[:, :, i :: layer.stride[0], j :: layer.stride[1]][:, :, : delta.shape[2], : delta.shape[3]] += (
            delta / np.prod(layer.size)
        )
    return dx, {}


def frozen_statistics(scale_of: Callable[[Any], Any]) -> Backward:
    """A norm whose mean and variance are taken for constants on the way back."""

    def backward(layer: Any, tensors: Any, kept: Any, delta: Any) -> tuple[Any, dict[str, Any]]:
        right = OPERATIONS[type(layer)]
        _, own = right.backward(layer, tensors, kept, delta)
        gain = tensors["gamma"].reshape(-1, 1, 1) if isinstance(layer, BatchNorm) else tensors["gamma"]
        return gain * delta / scale_of(kept), own

    return backward


def without_normal(layer: Any, tensors: Any, kept: Any, delta: Any) -> tuple[Any, dict[str, Any]]:
    """The gradient of the gain without x̂: that of the bias."""
    dx, own = LAYER_NORM.backward(layer, tensors, kept, delta)
    return dx, {**own, "gamma": own["beta"]}


FAULTS: dict[str, tuple[str, type[Layer], Operation, set[str]]] = {
    "kernel gradient flipped": (
        "convolution and pools",
        Convolution,
        convolution_fault(lambda W: W[..., ::-1, ::-1]),
        {"W1"},
    ),
    "kernel gradient averaged over places": (
        "convolution and pools",
        Convolution,
        convolution_fault(lambda W: W / 18),
        {"W1"},
    ),
    "kernel not turned on the way down": (
        "residual",
        Convolution,
        replace(OPERATIONS[Convolution], backward=unflipped),
        {"W1", "b1", "gamma2.1", "beta2.1"},
    ),
    "max pool spreads its slope": (
        "convolution and pools",
        MaxPool,
        replace(OPERATIONS[MaxPool], backward=to_all_in_the_window),
        {"W1", "b1"},
    ),
    "batch norm with constant statistics": (
        "norms",
        BatchNorm,
        replace(BATCH_NORM, backward=frozen_statistics(lambda kept: kept[1])),
        {"W1", "b1"},
    ),
    "layer norm with constant statistics": (
        "norms",
        LayerNorm,
        replace(LAYER_NORM, backward=frozen_statistics(lambda kept: kept[1])),
        {"W1", "gamma2", "beta2"},
    ),
    "rms norm with a constant root": (
        "norms",
        RmsNorm,
        replace(RMS_NORM, backward=frozen_statistics(lambda kept: kept[1])),
        {"W1", "gamma2", "beta2", "gamma3", "beta3"},
    ),
    "gain without x̂": ("norms", LayerNorm, replace(LAYER_NORM, backward=without_normal), {"gamma3"}),
}


@pytest.fixture(scope="module")
def checks() -> Mapping[str, CompletedCheck]:
    """The checks of all networks, made when they are asked for."""

    class Made(dict[str, CompletedCheck]):
        def __missing__(self, name: str) -> CompletedCheck:
            self[name] = prepare_layers(loaded(NETWORKS[name]), ["numpy", "jax"]).run()
            return self[name]

    return Made()


@pytest.mark.parametrize("fault", FAULTS)
def test_planted_faults_are_found_and_named(fault: str, checks: Mapping[str, CompletedCheck]) -> None:
    """A mistake in one operation shows in its own tensors, or in all below it, and in no other."""
    name, kind, operation, expected = FAULTS[fault]
    problem, done = loaded(NETWORKS[name]).problem, checks[name]
    spoiled = LayeredFunction(problem.network, {**OPERATIONS, kind: operation})
    _, gradient = spoiled.value_and_gradient(problem.theta, problem.inputs, problem.targets, problem.masks)
    wrong = done.witnesses[0].comparer.bounds(done.layout.flatten(gradient)).wrong
    assert {tensor.name for tensor in done.layout if wrong[tensor.span].any()} == expected


@pytest.mark.parametrize("name", ["residual", "signal"])
def test_a_selftest_plants_faults_of_the_layers(name: str, checks: Mapping[str, CompletedCheck]) -> None:
    """Beside those of any gradient; all that apply are found, and located."""
    found = run_selftest(checks[name], 0.0)
    of_layers = {result.name: result for result in found.results if result.kind == "layers"}
    assert "kernels turned" in of_layers
    applied = [result for result in of_layers.values() if result.outcome is not FaultOutcome.INAPPLICABLE]
    assert applied
    assert all(result.outcome is FaultOutcome.KILLED and result.named for result in applied)


# --- witnesses and settings -----------------------------------------------------------------------------------------


def test_float32_is_checked_in_float32() -> None:
    """The witnesses compute in it, the oracle at the same point in float64."""
    report = xcheck.verify(defined(NETWORKS["residual"], dtype="float32"), backends=["numpy", "torch"])
    assert (report.verdict, report.dtype) == (Verdict.AGREE, "float32")


def test_a_backend_of_fully_connected_networks_says_so() -> None:
    """Plug-ins that know no other layers keep working, and are not asked for what they cannot do."""
    with pytest.raises(BackendError, match="this backend knows fully connected layers only"):
        prepare_layers(loaded(NETWORKS["signal"]), [Wrapped("plain", lambda says: says)])


def test_ties_of_a_max_pool_are_right_either_way() -> None:
    """All images blank: every window has four equal numbers, which move together."""
    found = loaded(NETWORKS["convolution and pools"])
    blank = replace(found, problem=replace(found.problem, inputs=np.zeros_like(found.problem.inputs)))
    report = prepare_layers(blank).run().report
    assert report.verdict is not Verdict.DISAGREE, str(report)
