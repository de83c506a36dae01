"""Every class of fault, planted one at a time in one witness, is found and named; the others are not blamed."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.diagnose.faults import network
from tests.diagnose.rules.conftest import renamed
from tests.fakes import Fake
from xcheck import Report, verify
from xcheck.backend import registry
from xcheck.backend.contract import Objective
from xcheck.dtypes import DtypeName
from xcheck.layout import Vector
from xcheck.networks.network import ActivationName, LossName
from xcheck.networks.problem import Problem
from xcheck.testing import FAULTS, Fault, Planted
from xcheck_numpy.activations import ACTIVATIONS, Activation, Array, sigmoid
from xcheck_numpy.losses import LOSSES, Loss
from xcheck_numpy.network import NetworkObjective

WITNESSES = registry.DEFAULTS


def wrong_tensors(report: Report, name: str) -> set[str]:
    """Names of the tensors in which a witness has wrong components."""
    pair = next(pair for pair in report.pairs if (pair.a, pair.b) == (name, "oracle"))
    return {tensor.name for tensor in pair.tensors if tensor.wrong}


def blamed(report: Report) -> set[str]:
    """Names of the witnesses that disagree with the oracle."""
    return {pair.a for pair in report.pairs if pair.b == "oracle" and pair.verdict != "AGREE"}


@pytest.mark.parametrize("number", range(len(FAULTS)), ids=[fault.name for fault in FAULTS])
def test_a_fault_in_a_gradient_is_found_and_named(number: int, problem: Problem) -> None:
    """The witness is the odd one out, its wrong tensors are among those touched, and the worst component is too."""
    fault, victim = FAULTS[number], WITNESSES[number % 3]
    backends = [Planted(registry.get(name), fault) if name == victim else name for name in WITNESSES]
    report = verify(problem, backends=backends)
    _, gradient = registry.get(victim).network_objective(problem).loss_and_gradient(problem.theta)
    touched = fault.touched(problem, gradient)
    assert touched, "the fault does not apply to this network"
    assert report.verdict == "DISAGREE"
    assert report.odd_one_out == (victim,)
    assert blamed(report) == {victim}
    assert wrong_tensors(report, victim)
    assert wrong_tensors(report, victim) <= touched
    assert report.pairs[WITNESSES.index(victim)].worst[0].location.name in touched


# --- faults inside the backward pass --------------------------------------------------------------------------------


class Backward(Fake):
    """The NumPy witness with another backward pass."""

    name = "numpy"

    def __init__(self, make: Callable[[Problem, DtypeName], Objective]) -> None:
        self._make = make

    def network_objective(self, problem: Problem, *, device: str = "cpu", dtype: DtypeName = "float64") -> Objective:
        return self._make(problem, dtype)


def with_slope(name: ActivationName, derivative: Callable[[Array, Array], Array]) -> Backward:
    """Another g' for one activation."""
    activations = {**ACTIVATIONS, name: Activation(ACTIVATIONS[name].value, derivative)}
    return Backward(lambda problem, dtype: NetworkObjective(problem, dtype, activations=activations))


def with_loss_slope(name: LossName, derivative: Callable[[Array, Array], Array]) -> Backward:
    """Another ∂L/∂z."""
    losses = {**LOSSES, name: Loss(LOSSES[name].value, derivative)}
    return Backward(lambda problem, dtype: NetworkObjective(problem, dtype, losses=losses))


def with_methods(**methods: Any) -> Backward:
    """Other methods in the backward pass."""
    spoiled = type("Spoiled", (NetworkObjective,), methods)
    return Backward(spoiled)


def softmax_diagonal(z: Array, y: Array) -> Array:
    """Chain rule through softmax with its Jacobian's diagonal only: (p − y)/(p (1 − p)) · p (1 − p) of one class."""
    p = np.exp(z - z.max(axis=1, keepdims=True))
    p = p / p.sum(axis=1, keepdims=True)
    return -y / p * p * (1 - p)


def redrawn(self: NetworkObjective, upstream: Array, number: int) -> Array:
    """A mask drawn anew in the backward pass."""
    keep = self.network.keep_probs[number]
    mask = np.random.default_rng(99).random(upstream.shape) < keep
    return upstream * mask / keep


def unscaled(self: NetworkObjective, upstream: Array, number: int) -> Array:
    """1/keep_prob is missing."""
    mask = self.problem.masks[number]
    return upstream if mask is None else upstream * mask


def one_third_detached(self: NetworkObjective, delta: Array, W: Array) -> Array:
    """stop_gradient on some of the units below."""
    below = delta @ W
    below[:, : below.shape[1] // 3] = 0
    return below


# Name, spoiled witness, tensors below the fault: nothing outside them may be blamed.
BELOW_TANH = {"W1", "b1"}
BELOW_RELU = {"W1", "b1", "W2", "b2"}
ALL = {"W1", "b1", "W2", "b2", "W3", "b3"}
BACKWARD: dict[str, tuple[Backward, set[str]]] = {
    "tanh'(z) for 1 − a²": (with_slope("tanh", lambda z, a: 1 - np.tanh(a) ** 2), BELOW_TANH),
    "no tanh' at all": (with_slope("tanh", lambda z, a: np.ones_like(z)), BELOW_TANH),
    "tanh' as 1 + a²": (with_slope("tanh", lambda z, a: 1 + a**2), BELOW_TANH),
    "relu' of the neighbouring unit": (with_slope("relu", lambda z, a: np.roll(z > 0, 1, axis=1) * 1.0), BELOW_RELU),
    "relu' with a shifted threshold": (with_slope("relu", lambda z, a: (z > 0.5) * 1.0), BELOW_RELU),
    "no relu' at all": (with_slope("relu", lambda z, a: np.ones_like(z)), BELOW_RELU),
    "softmax Jacobian's diagonal only": (with_loss_slope("softmax_cross_entropy", softmax_diagonal), ALL),
    "softmax gradient divided twice": (
        with_loss_slope("softmax_cross_entropy", lambda z, y: LOSSES["softmax_cross_entropy"].derivative(z, y) / 20),
        ALL,
    ),
    "bias gradient of one example": (with_methods(bias_gradient=lambda s, d: d[0] / s.examples), {"b1", "b2", "b3"}),
    "bias gradient not averaged": (with_methods(bias_gradient=lambda s, d: d.sum(axis=0)), {"b1", "b2", "b3"}),
    "mask not applied in backward": (with_methods(drop_backward=lambda s, u, n: u), BELOW_TANH),
    "1/keep_prob missing in backward": (with_methods(drop_backward=unscaled), BELOW_TANH),
    "mask drawn anew in backward": (with_methods(drop_backward=redrawn), BELOW_TANH),
    "transposed backward matrix on a square layer": (
        with_methods(pass_down=lambda s, d, W: d @ (W.T if W.shape[0] == W.shape[1] else W)),
        BELOW_TANH,
    ),
    "stop_gradient on one branch": (with_methods(pass_down=one_third_detached), BELOW_RELU),
    "float32 inside": (
        with_methods(pass_down=lambda s, d, W: (d.astype(np.float32) @ W.astype(np.float32)).astype(d.dtype)),
        BELOW_RELU,
    ),
    "last example not counted": (with_methods(weight_gradient=lambda s, d, a: d[:-1].T @ a[:-1] / 20), ALL),
}


@pytest.mark.parametrize("name", BACKWARD)
def test_a_fault_in_the_backward_pass_is_found_and_named(name: str, problem: Problem) -> None:
    """The hand-written witness is blamed alone, and only for tensors that the fault can reach."""
    witness, reach = BACKWARD[name]
    report = verify(problem, backends=[witness, "torch", "jax"])
    assert report.odd_one_out == ("numpy",)
    assert blamed(report) == {"numpy"}
    assert wrong_tensors(report, "numpy")
    assert wrong_tensors(report, "numpy") <= reach


def binary(activation: ActivationName) -> Problem:
    """A 4-5-1 network with binary cross-entropy."""
    from xcheck.networks.network import Dense, Network

    layers = (Dense(units=5, activation=activation), Dense(units=1))
    network = Network(inputs=4, layers=layers, loss="binary_cross_entropy")
    rng = np.random.default_rng(5)
    return Problem.create(network, rng.standard_normal((12, 4)), rng.integers(0, 2, (12, 1)))


def test_sigmoid_derivative_with_the_wrong_sign() -> None:
    """σ' as a (1 + a)."""
    report = verify(binary("sigmoid"), backends=[with_slope("sigmoid", lambda z, a: a * (1 + a)), "torch", "jax"])
    assert (report.odd_one_out, wrong_tensors(report, "numpy")) == (("numpy",), {"W1", "b1"})


def test_binary_cross_entropy_without_its_second_term() -> None:
    """∂L/∂z without (1 − y): −y (1 − σ)."""
    spoiled = with_loss_slope("binary_cross_entropy", lambda z, y: -y * (1 - sigmoid(z)))
    report = verify(binary("tanh"), backends=[spoiled, "torch", "jax"])
    assert (report.odd_one_out, wrong_tensors(report, "numpy")) == (("numpy",), {"W1", "b1", "W2", "b2"})


@pytest.mark.parametrize("fault", [FAULTS[0], FAULTS[10], FAULTS[26]], ids=lambda fault: fault.name)
def test_the_same_fault_in_two_of_three_is_blamed_on_both(fault: Fault, problem: Problem) -> None:
    """The majority is wrong and says so to each other; the oracle decides."""
    report = verify(problem, backends=[*(Planted(registry.get(name), fault) for name in ("numpy", "torch")), "jax"])
    assert report.odd_one_out == ("numpy", "torch")
    assert blamed(report) == {"numpy", "torch"}


def test_the_same_fault_in_all_puts_everyone_against_the_oracle(problem: Problem) -> None:
    """United witnesses against the oracle: it is named, and nothing passes."""
    report = verify(problem, backends=[Planted(registry.get(name), FAULTS[0]) for name in WITNESSES])
    assert (report.verdict, report.odd_one_out) == ("DISAGREE", ("oracle",))
    assert [finding.code for finding in report.findings] == ["XC106", "XC201", "XC201", "XC201"]


def zeros(gradient: dict[str, Vector], problem: Problem) -> None:
    """No gradient at all."""
    for array in gradient.values():
        array[...] = 0.0


def rounded(gradient: dict[str, Vector], problem: Problem) -> None:
    """The right gradient, rounded to float32."""
    for array in gradient.values():
        array[...] = array.astype(np.float32)


def test_a_trivial_gradient_of_zeros_is_found(problem: Problem) -> None:
    """The checker is not fooled by a witness that answers nothing."""
    report = verify(problem, backends=[Planted(registry.get("numpy"), Fault("zeros", "graph", zeros)), "torch"])
    assert report.odd_one_out == ("numpy",)
    assert report.pairs[0].difference == 1.0


def test_float32_rounding_alone_is_within_the_default_tolerance(problem: Problem) -> None:
    """A gradient that is only rounded to float32 is off by at most 6e-8: found at a tolerance of 1e-8, not at 1e-7."""
    planted = Planted(registry.get("numpy"), Fault("float32", "numbers", rounded))
    verdicts = [verify(problem, backends=[planted, "torch"], tolerance=t).verdict for t in (1e-7, 1e-8)]
    assert verdicts == ["AGREE", "DISAGREE"]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_planted_in_the_same_components_whatever_the_names(fault: Fault) -> None:
    """The faulty gradient is the same to the last bit."""
    problem = network(3, depth=2)
    gradient = np.random.default_rng(0).standard_normal(problem.layout.size)
    assert np.array_equal(fault.plant(renamed(problem), gradient), fault.plant(problem, gradient), equal_nan=True)
