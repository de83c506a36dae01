"""Mistakes in one step of a hand-written gradient that are named, and other faults that are not taken for one."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from xcheck import check
from xcheck.findings import Finding

Params = dict[str, np.ndarray]
RNG = np.random.default_rng(5)
X, T = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 4))
P: Params = {"W": RNG.standard_normal((3, 4)), "b": RNG.standard_normal(4), "V": RNG.standard_normal((4, 4))}


def loss(p: Params) -> float:
    """Four examples, four units: sums over either axis fit."""
    h = np.tanh(X @ p["W"] + p["b"])
    return float(np.sum((h @ p["V"] - T) ** 2) / 2)


def gradient_with(
    slope: Callable[[np.ndarray], np.ndarray] = lambda h: 1 - h**2,
    bias: Callable[[np.ndarray], np.ndarray] = lambda dz: dz.sum(0),
    down: Callable[[np.ndarray], np.ndarray] = lambda V: V.T,
) -> Callable[[Params], Params]:
    """Return the gradient with its steps."""

    def gradient(p: Params) -> Params:
        h = np.tanh(X @ p["W"] + p["b"])
        dy = h @ p["V"] - T
        dz = (dy @ down(p["V"])) * slope(h)
        return {"W": X.T @ dz, "b": bias(dz), "V": h.T @ dy}

    return gradient


def causes(
    gradient: Callable[[Params], Params], loss: Callable[[Params], float] = loss, params: Params = P
) -> list[Finding]:
    """Return the causes that a check names."""
    return [finding for finding in check(loss, params, gradient=gradient).findings if finding.code >= "XC2"]


@pytest.mark.parametrize(
    ("mistake", "code", "text"),
    [
        ({"slope": np.ones_like}, "XC241", "the derivative of tanh at {} is taken to be 1: no derivative at all"),
        ({"slope": lambda h: (1 - h**2) ** 2}, "XC241", "the derivative of tanh at {} is taken to be (1 − a²)²"),
        ({"bias": lambda dz: dz.sum(1)}, "XC239", "is summed over axis 1; it should be summed over axis 0"),
        ({"bias": lambda dz: np.full(4, dz.sum())}, "XC239", "is summed over axes 0 and 1"),
        ({"bias": lambda dz: dz[0]}, "XC239", "is not the sum over all of axis 0: the first alone is there"),
        ({"down": lambda V: V}, "XC224", "the other factor is not transposed"),
    ],
)
def test_a_mistake_in_one_step_is_named(mistake: dict[str, Callable[..., np.ndarray]], code: str, text: str) -> None:
    """With the line of the loss, and without another cause."""
    (finding,) = causes(gradient_with(**mistake))
    assert finding.code == code
    assert all(part in finding.text for part in text.split("{}"))
    assert "test_search.py:" in finding.text


def test_the_right_gradient_has_no_cause() -> None:
    """Nor has it any other finding."""
    assert not check(loss, P, gradient=gradient_with()).findings


@pytest.mark.parametrize(
    "change",
    [
        lambda g: {**g, "W": g["W"] * np.exp(0.1 * g["W"])},
        lambda g: {**g, "W": g["W"] + 0.01 * RNG.standard_normal((3, 4))},
        lambda g: {**g, "b": np.sort(np.abs(g["b"])) + 0.3},
        lambda g: {name: array * (1 + 0.1 * RNG.random(array.shape)) for name, array in g.items()},
        lambda g: {**g, "W": np.where(np.arange(4) == 2, 0, g["W"])},
        lambda g: {name: 2 * array for name, array in g.items()},
    ],
    ids=["distorted", "noise", "another vector", "noise in all", "a column", "a factor"],
)
def test_other_faults_are_not_taken_for_it(change: Callable[[Params], Params]) -> None:
    """What no step of the backward pass gives is given no step."""
    right = gradient_with()
    codes = {finding.code for finding in causes(lambda p: change(right(p)))}
    assert not codes & {"XC239", "XC241", "XC248", "XC244", "XC224"}


def test_one_gate_of_several_in_every_step_of_a_sequence() -> None:
    """The sigmoid's line is carried out twice in each of three steps; the second one's derivative is forgotten."""
    params = {"U": 0.5 * RNG.standard_normal((4, 4)), "R": 0.5 * RNG.standard_normal((4, 4)), "h": T}

    def sigmoid(z: np.ndarray) -> np.ndarray:
        return 1 / (1 + np.exp(-z))

    def states(p: Params) -> list[tuple[np.ndarray, ...]]:
        found, h = [], p["h"]
        for _ in range(3):
            r, u = sigmoid(h @ p["R"]), sigmoid(h @ p["U"])
            found.append((h, r, u))
            h = r * h + u
        return [*found, (h,)]

    def gradient(p: Params) -> Params:
        *steps, (last,) = states(p)
        dh, dU, dR = 2 * last, np.zeros((4, 4)), np.zeros((4, 4))
        for h, r, u in reversed(steps):
            dr, du = dh * h * r * (1 - r), dh
            dR, dU = dR + h.T @ dr, dU + h.T @ du
            dh = dh * r + dr @ p["R"].T + du @ p["U"].T
            assert u.shape == du.shape
        return {"U": dU, "R": dR, "h": dh}

    (finding,) = causes(gradient, lambda p: float(np.sum(states(p)[-1][0] ** 2)), params)
    assert finding.code == "XC241"
    assert finding.text.endswith("is taken to be 1: no derivative at all (in calls 2, 4, 6 of 6)")


@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_the_loss_may_be_of_any_framework(framework: str) -> None:
    """What JAX repeats without an operation of its own is summed, too."""

    def of_any(p: dict[str, Any]) -> Any:
        tanh, x = (torch.tanh, torch.from_numpy(X)) if framework == "torch" else (jnp.tanh, X)
        return (tanh(x @ p["W"] + p["b"]) ** 2).sum()

    def gradient(p: dict[str, Any]) -> dict[str, Any]:
        W, b = np.asarray(p["W"]), np.asarray(p["b"])
        h = np.tanh(X @ W + b)
        dz = 2 * h * (1 - h**2)
        found = {"W": X.T @ dz, "b": dz.sum(1)}
        return {name: torch.from_numpy(array) for name, array in found.items()} if framework == "torch" else found

    params = {name: torch.from_numpy(P[name]) if framework == "torch" else P[name] for name in ("W", "b")}
    found = check(of_any, params, gradient=gradient, backend=framework).findings
    (finding,) = [each for each in found if each.code >= "XC2"]
    assert finding.code == "XC239"
    assert finding.text.endswith("is summed over axis 1; it should be summed over axis 0")


def test_two_numbers_are_too_few() -> None:
    """They could be met by chance; where they are is said, and no step."""
    params = {"W": P["W"][:, :2], "b": P["b"][:2]}

    def gradient(p: Params) -> Params:
        h = np.tanh(X @ p["W"] + p["b"])
        dz = 2 * h * (1 - h**2)
        return {"W": X.T @ dz, "b": dz[0]}

    found = causes(gradient, lambda p: float(np.sum(np.tanh(X @ p["W"] + p["b"]) ** 2)), params)
    assert {finding.code for finding in found} <= {"XC233", "XC235", "XC238"}


def test_without_a_trace_nothing_is_proposed() -> None:
    """A loss that cannot be followed keeps its other causes."""

    def followed_by_nobody(p: Params) -> float:
        h = np.tanh(np.frombuffer((X @ p["W"] + p["b"]).tobytes()).reshape(4, 4))
        return float(np.sum((h @ p["V"] - T) ** 2) / 2)

    found = causes(gradient_with(slope=np.ones_like), followed_by_nobody)
    assert not {finding.code for finding in found} & {"XC241", "XC248"}
