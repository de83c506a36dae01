"""The slope of a cross entropy in people's own functions: which loss it is, and which mistake."""

from collections.abc import Callable

import numpy as np
import pytest

from tests.diagnose.rules.conftest import evidence_of, texts
from xcheck import check
from xcheck.diagnose import Evidence
from xcheck.diagnose.rules.logits import mistaken_loss
from xcheck.layout import Vector

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal((7, 4)), RNG.standard_normal((4, 3)), RNG.standard_normal(3)
IDS = RNG.integers(0, 3, 7)
Y = np.eye(3)[IDS]


def softmax(z: Vector) -> Vector:
    """Probabilities."""
    e = np.exp(z)
    return np.asarray(e / e.sum(axis=1, keepdims=True))


def sigmoid(z: Vector) -> Vector:
    """1 / (1 + e⁻ᶻ)."""
    return np.asarray(1 / (1 + np.exp(-z)))


def evidence(right: Vector, wrong: Vector, *, turned: bool = False, labels: Vector = Y) -> Evidence:
    """Against a linear layer whose logits have the wrong slope."""
    of_W = [X.T @ slope for slope in (right, wrong)]
    trusted, gradient = (
        {"W": of.T.copy() if turned else of, "b": slope.sum(axis=0)}
        for of, slope in zip(of_W, (right, wrong), strict=True)
    )
    theta = {"W": W.T.copy() if turned else W, "b": B}
    return evidence_of(gradient, trusted, theta, data={"data[0]": X, "data[1]": labels})


P, S = softmax(X @ W + B), sigmoid(X @ W + B)


@pytest.mark.parametrize("turned", [False, True])
@pytest.mark.parametrize("labels", [Y, IDS], ids=["one hot", "numbers"])
@pytest.mark.parametrize(
    ("right", "wrong", "what"),
    [
        (P - Y, -Y, "−t, without what the sum over the classes gives; it is softmax(z) − t"),
        (P - Y, P, "softmax(z), without the labels; it is softmax(z) − t"),
        (P - Y, -Y * (1 - P), "−t (1 − p), with the diagonal of the Jacobian of softmax only; it is softmax(z) − t"),
        (P - 0.9 * Y - 0.1 / 3, P - Y, "softmax(z) − y, with labels that are not smoothed; it is softmax(z) − t"),
        (S - Y, -Y * (1 - S), "−t (1 − p), without the other half of the cross entropy; it is sigmoid(z) − t"),
        (S - Y, (S - Y) * S * (1 - S), "(p − t) p (1 − p), with a slope too many; it is sigmoid(z) − t"),
    ],
)
def test_the_slope_is_named(right: Vector, wrong: Vector, what: str, *, labels: Vector, turned: bool) -> None:
    """With what it should be; the mean over the examples is no part of it."""
    wrongly = evidence(right / 7, wrong / 7, turned=turned, labels=labels)
    z = f"data[0] W{'ᵀ' if turned else ''} + b"
    assert texts(wrongly, mistaken_loss(wrongly)) == [
        f"∂L/∂z is taken to be {what}, with z = {z} and labels t from data[1]"
    ]


@pytest.mark.parametrize("change", [lambda d: d * np.exp(d), lambda d: np.roll(d, 1, axis=0), np.sin, lambda d: d**3])
def test_another_error_is_no_slope_of_a_loss(change: Callable[[Vector], Vector]) -> None:
    """The loss is known, and the mistake is none of these."""
    wrongly = evidence((P - Y) / 7, change((P - Y) / 7))
    assert texts(wrongly, mistaken_loss(wrongly)) == []


def test_of_another_loss_nothing_is_said() -> None:
    """The labels have the right shape, and the oracle says that it is not their cross entropy."""
    wrongly = evidence((X @ W + B - Y) / 7, -Y / 7)
    assert texts(wrongly, mistaken_loss(wrongly)) == []
    assert list(mistaken_loss(evidence_of({"W": 2 * W}, {"W": W}))) == []


def test_a_logistic_regression_is_checked() -> None:
    """From the loss to the finding."""

    def loss(p: dict[str, Vector], x: Vector, ids: Vector) -> float:
        q = softmax(x @ p["W"] + p["b"])
        return float(-np.log(q[np.arange(len(x)), ids]).mean())

    def gradient(p: dict[str, Vector], x: Vector, ids: Vector) -> dict[str, Vector]:
        d = -np.eye(3)[ids] * (1 - softmax(x @ p["W"] + p["b"])) / len(x)
        return {"W": x.T @ d, "b": d.sum(axis=0)}

    (finding,) = check(loss, {"W": W, "b": B}, (X, IDS), gradient=gradient).findings
    assert finding.code == "XC242"
    assert finding.text.startswith("numpy: W, b: ∂L/∂z is taken to be −t (1 − p), with the diagonal")
