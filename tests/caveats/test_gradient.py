"""Gradients that are zero, lost in noise, or hidden behind the penalty."""

import numpy as np

from tests.caveats.conftest import X, Y, check, codes, problem, rng, warned
from xcheck import Dense, Problem, verify
from xcheck.backend import registry
from xcheck.layout import Vector
from xcheck.testing import Fault, Planted

RELU, TANH = Dense(units=5, activation="relu"), Dense(units=5, activation="tanh")


def theta(**changes: Vector | float) -> Vector:
    """θ of a 4-5-2 network, drawn, with whole tensors replaced."""
    shapes = {"W1": (5, 4), "b1": (5,), "W2": (2, 5), "b2": (2,)}
    drawn = np.random.default_rng(1)
    tensors = {name: drawn.standard_normal(shape) for name, shape in shapes.items()}
    for name, value in changes.items():
        tensors[name][...] = value
    return np.concatenate([tensor.ravel() for tensor in tensors.values()])


def test_dead_units_are_counted_and_named() -> None:
    """Units 1 and 3 see only z < 0; their weights and biases are not verified, and nothing else is lost."""
    report = check(problem(RELU, theta=theta(b1=np.array([0.1, -99, 0.2, -99, 0.1]))))
    warning = warned(report, "XC406")
    assert codes(report) == ["XC406"]
    assert warning.text.startswith("dead units: 2 of 5 in layer 1 (1, 3): no gradient passes through them in all 20")
    assert warning.value == 2.0
    assert (report.verdict, report.verified) == ("AGREE", 37 - 2 * 5 - 2 * 2)
    assert report.headline == "numpy, jax agree with the oracle on 23 of 37 parameters; no loss depends on the other 14"


def test_dead_units_of_several_layers_are_one_warning() -> None:
    """With the first few of many by number."""
    bias = np.full(5, -99.0)
    first = np.concatenate([rng.standard_normal(20), bias, np.zeros(25), [-1, 1, 1, 1, 1], np.ones(12)])
    report = check(problem(RELU, RELU, theta=first))
    assert "5 of 5 in layer 1 (0, 1, 2, 3 and 1 more), 1 of 5 in layer 2 (0): no" in warned(report, "XC406").text


def test_blank_inputs_are_counted_and_named() -> None:
    """Their weights have no gradient; with a penalty it is the penalty's alone, and still said."""
    blank = X * [1, 0, 1, 0]
    for l2, verified in ((0.0, 27), (0.7, 37)):
        report = check(problem(TANH, inputs=blank, l2=l2))
        assert codes(report) == ["XC407"]
        assert warned(report, "XC407").text.startswith(
            "blank inputs: 2 of 4 (1, 3): zero, or dropped, in all 20 examples"
        )
        assert (warned(report, "XC407").value, report.verified) == (2.0, verified)


def test_one_example_is_spoken_of_in_the_singular() -> None:
    """All examples are one."""
    report = check(problem(TANH, inputs=X[:1] * [1, 0, 1, 1], targets=Y[:1]))
    assert "(1): zero, or dropped, in the only example, so" in warned(report, "XC407").text


def test_features_that_were_called_constant_are_not_called_blank_again() -> None:
    """One warning is enough, whether it names the column of the file or the input of the network."""
    definition = {
        "data": {"file": "xcheck/examples/digits.csv", "target": "digit", "examples": 20},
        "network": {"layers": [{"units": 10}], "loss": "softmax_cross_entropy"},
    }
    report = verify(definition, backends=["numpy"])
    assert codes(report) == ["XC401"]
    assert warned(report, "XC401").value == report.tensors[0].zero / 10 == 3


def test_tensors_of_zeros_are_named_together() -> None:
    """Behind W2 = 0 neither W1 nor b1 moves any loss: one warning, and none of it verified."""
    report = check(problem(TANH, theta=theta(W2=0.0)))
    assert codes(report) == ["XC408"]
    warning = warned(report, "XC408")
    assert warning.text.startswith(
        "zero gradient: the loss does not change with any component of W1, b1, and a wrong backward pass"
    )
    assert (warning.tensor, warning.value) == ("W1", 2.0)
    assert report.headline.endswith("on 12 of 37 parameters; W1, b1 prove nothing: their gradients are zero")


def test_a_gradient_that_cancels_is_told_with_the_size_of_its_terms() -> None:
    """The examples cancel in b1: zero, known to about 1e-15."""
    report = check(problem(inputs=np.vstack([X, -X]), targets=np.vstack([Y, -Y]), theta=[*np.ones(8), 0, 0]))
    warning = warned(report, "XC433")
    assert warning.text.startswith("stationary: the gradient cancels in b1 (zero to ")
    assert "a factor on the whole gradient would not" in warning.text
    assert (warning.tensor, report.verified) == ("b1", 10)


def test_a_penalty_that_hides_the_data_is_told() -> None:
    """With λ = 1e7 the data are a millionth of the gradient: a fault of 1 % in them is 1e-8 of it, and passes."""
    report = check(problem(TANH, l2=1e7))
    warning = warned(report, "XC413")
    assert codes(report) == ["XC413"]
    assert warning.text.startswith(
        "the penalty hides the data in W1 (16 of 20), W2 (10 of 10): there the data contribute less than"
    )
    assert (warning.tensor, warning.value) == ("W1", 2.0)
    assert report.verified == report.parameters


def data_share_too_large(point: Problem) -> Planted:
    """The NumPy witness, in whose gradient of W1 the data's share is 1 % too large."""

    def enlarge(gradient: dict[str, Vector], point: Problem) -> None:
        penalty = point.network.l2 / point.examples * point.layout.unflatten(point.theta)["W1"]
        gradient["W1"][:] += 0.01 * (gradient["W1"] - penalty)

    return Planted(registry.get("numpy"), Fault("data x 1.01", "mean and sum", enlarge))


def test_a_heavy_penalty_that_hides_nothing_is_no_cause() -> None:
    """With λ = 1000 the data are a hundredth of the gradient, and a fault of 1 % in them is found."""
    heavy = problem(TANH, l2=1000.0)
    assert codes(check(heavy)) == []
    assert verify(heavy, backends=[data_share_too_large(heavy), "jax"]).odd_one_out == ("numpy",)


def test_a_fault_behind_the_penalty_does_pass() -> None:
    """In most components; which is what the warning is for."""
    hidden = problem(TANH, l2=1e7)
    report = verify(hidden, backends=[data_share_too_large(hidden), "jax"])
    assert report.pairs[0].tensors[0].wrong < hidden.layout["W1"].size / 2
    assert "XC413" in codes(report)
