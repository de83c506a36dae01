"""Signals that vanish or explode, units that are saturated or all alike."""

import numpy as np
import pytest

from tests.caveats.conftest import CLASSES, X, Y, check, codes, problem, warned
from xcheck import Dense

LINEAR = Dense(units=2)


def diagonal(factor: float, depth: int) -> np.ndarray:
    """θ of square layers with `factor` on the diagonal and no biases."""
    return np.tile([factor, 0, 0, factor, 0, 0], depth)


@pytest.mark.parametrize(("factor", "code", "fold"), [(0.5, "XC410", 0.5**9), (1.5, "XC411", 1.5**9)])
def test_the_networks_of_the_lecture_vanish_and_explode(factor: float, code: str, fold: float) -> None:
    """Ten layers with 0.5 or 1.5 on the diagonal: 0.00195 and 38.44, forwards and backwards."""
    report = check(problem(*[LINEAR] * 9, inputs=X[:, :2], theta=diagonal(factor, 10)))
    assert report.verdict == "AGREE"
    warning = warned(report, code)
    assert codes(report) == [code]
    assert warning.value == pytest.approx(fold)
    assert f"∂L/∂z changes {fold:.4g}-fold from " in warning.text
    assert f"in layer 1, {factor}-fold per layer, and a changes {fold:.4g}-fold from " in warning.text
    assert f"variance is {factor**2:.3g}/n: draw them with 2/n (he, for relu) or 1/n (xavier)" in warning.text
    assert f"in layer 10, {factor}-fold per layer; " in warning.text


@pytest.mark.parametrize(("factor", "depth"), [(0.5, 6), (1.5, 6), (0.7, 12), (1.3, 12)])
def test_a_gentle_change_is_no_cause(factor: float, depth: int) -> None:
    """Fewer layers at the lecture's rate, or more at a slower one."""
    assert codes(check(problem(*[LINEAR] * (depth - 1), inputs=X[:, :2], theta=diagonal(factor, depth)))) == []


@pytest.mark.parametrize(("factor", "code"), [(0.02, "XC410"), (50.0, "XC411")])
def test_a_thousandfold_change_is_told_at_any_depth(factor: float, code: str) -> None:
    """In three layers already."""
    report = check(problem(LINEAR, LINEAR, inputs=X[:, :2], theta=diagonal(factor, 3)))
    assert codes(report) == [code]
    assert warned(report, code).value == pytest.approx(factor**2)


def test_deep_sigmoids_vanish() -> None:
    """Their slope is at most a quarter: six layers are enough."""
    report = check(problem(*[Dense(units=8, activation="sigmoid")] * 6))
    assert codes(report) == ["XC410"]
    text = warned(report, "XC410").text
    assert "∂L/∂z changes" in text
    assert "is not to blame: take relu or tanh in hidden layers" in text


def test_saturated_layers_are_told() -> None:
    """Inputs of a hundred times their size saturate tanh; the second layer is not among them."""
    tanh = Dense(units=8, activation="tanh")
    report = check(problem(tanh, Dense(units=8, activation="softplus"), inputs=100 * X))
    warning = warned(report, "XC412")
    assert warning.text.startswith(
        "saturated: 8 of 8 units of layer 1 have less than 1e-03 of their largest slope in most"
    )
    assert warning.value == 8.0


def test_what_saturates_does_not_vanish() -> None:
    """Activations of ten thousand before a tanh are one after it: that has a warning of its own."""
    report = check(problem(LINEAR, Dense(units=2, activation="tanh"), inputs=1e4 * X[:, :2], theta=diagonal(1.0, 3)))
    assert "XC412" in codes(report)
    assert "XC410" not in codes(report)


def test_certain_outputs_are_told() -> None:
    """Probabilities of 1 to four digits, right or wrong, bend no longer."""
    theta = np.repeat([99.0, -99.0, 0.0], [4, 4, 2])
    point = problem(targets=CLASSES, loss="softmax_cross_entropy", theta=theta)
    assert "2 of 2 units of layer 1 have" in warned(check(point), "XC412").text


def test_one_saturated_unit_of_many_is_no_cause() -> None:
    """It is ordinary after training; -v counts it."""
    theta = np.concatenate([np.ones(16), [99.0, 0, 0, 0], np.random.default_rng(0).standard_normal(10)])
    report = check(problem(Dense(units=4, activation="tanh"), theta=theta))
    assert len(report.layers[0].saturated) == 1
    assert "XC412" not in codes(report)


@pytest.mark.parametrize("initializer", ["zeros", "normal"])
def test_equal_units_are_counted(initializer: str) -> None:
    """Zero initialisation makes all units of a layer the same; drawn ones are not."""
    layer = Dense(units=3, activation="sigmoid", initializer=initializer)  # type: ignore[arg-type] # one of the words
    report = check(problem(layer))
    assert ("XC414" in codes(report)) == (initializer == "zeros")
    if initializer == "zeros":
        text = warned(report, "XC414").text
        assert text.startswith("equal units: 3 of 3 in layer 1 (equal gradients in W2) compute the same as another")


def test_two_units_that_also_lead_on_equally_have_equal_rows() -> None:
    """Which the warning says, and the gradient shows."""
    rng = np.random.default_rng(0)
    W1, b1, W2 = rng.standard_normal((4, 4)), rng.standard_normal(4), rng.standard_normal((2, 4))
    W1[3], b1[3], W2[:, 3] = W1[1], b1[1], W2[:, 1]
    point = problem(Dense(units=4, activation="tanh"), theta=[*W1.ravel(), *b1, *W2.ravel(), 0, 0])
    report = check(point)
    assert "2 of 4 in layer 1 (equal gradients in W1, b1 and W2)" in warned(report, "XC414").text
    assert warned(report, "XC414").value == 2.0


def test_masks_tell_units_apart() -> None:
    """Equal weights with masks of their own do not compute the same."""
    layer = Dense(units=3, activation="sigmoid", initializer="zeros", keep_prob=0.5)
    assert "XC414" not in codes(check(problem(layer, inputs=X, targets=Y)))


def test_what_overflows_explodes() -> None:
    """Infinite activations are told, although there is no gradient to check."""
    report = check(problem(LINEAR, LINEAR, inputs=X[:, :2], theta=diagonal(1e150, 3)))
    assert (report.verdict, codes(report)) == ("UNDECIDED", ["XC411"])
    assert warned(report, "XC411").value == np.inf
