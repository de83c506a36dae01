"""The forward pass: the formulas, in NumPy and JAX, and branches continued past their kink."""

from typing import Any

import jax
import numpy as np
import pytest

from tests.oracle.conftest import loss_of
from xcheck.networks.network import ActivationName, LossName
from xcheck.oracle.engines.network import keeps_of, tensors_of
from xcheck.oracle.network.forward import JAX, LOSSES, NATURAL, NUMPY, evaluate_branch, losses, trace
from xcheck.testing import scenario

Z = np.linspace(-4, 4, 33)
PLAIN: dict[ActivationName, Any] = {
    "identity": Z,
    "sigmoid": 1 / (1 + np.exp(-Z)),
    "tanh": np.sinh(Z) / np.cosh(Z),
    "softplus": np.log(1 + np.exp(Z)),
    "silu": Z / (1 + np.exp(-Z)),
    "relu": np.where(Z > 0, Z, 0),
    "leaky_relu": np.where(Z > 0, Z, 0.01 * Z),
    "elu": np.where(Z > 0, Z, np.exp(Z) - 1),
}


@pytest.mark.parametrize("name", PLAIN)
def test_activations(name: ActivationName) -> None:
    """As in any book."""
    np.testing.assert_allclose(NATURAL[name](NUMPY, Z), PLAIN[name], atol=1e-14)


@pytest.mark.parametrize("name", NATURAL)
def test_both_libraries_say_the_same(name: ActivationName) -> None:
    """With the normal distribution of gelu among them."""
    with jax.enable_x64(True):
        found = np.asarray(NATURAL[name](JAX, jax.numpy.asarray(Z)))
    np.testing.assert_allclose(found, NATURAL[name](NUMPY, Z), rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize(("name", "piece", "at"), [("relu", 1.0, -2.0), ("leaky_relu", 0.01, 0.03), ("elu", 1.0, -3.0)])
def test_a_piece_goes_on_beyond_its_kink(name: ActivationName, piece: float, at: float) -> None:
    """As if the kink were not there."""
    expected = {"relu": at, "leaky_relu": 0.01 * at, "elu": at}[name]
    assert evaluate_branch(NUMPY, name, np.array([at]), np.array([piece])) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("mean_squared_error", 0.5 * (0.25 + 4.0)),
        ("binary_cross_entropy", np.log(1 + np.exp(-1.5)) + np.log(1 + np.exp(-2.0))),
        ("softmax_cross_entropy", -1.5 + np.log(np.exp(1.5) + np.exp(-2.0))),
    ],
)
def test_losses_of_one_example(name: LossName, expected: float) -> None:
    """z = (1.5, −2), y = (1, 0)."""
    found = LOSSES[name](NUMPY, np.array([[1.5, -2.0]]), np.array([[1.0, 0.0]]))
    np.testing.assert_allclose(found, [expected], rtol=1e-14)


@pytest.mark.parametrize("number", [0, 7, 10, 20])
def test_a_trace_holds_the_losses_of_the_witness(number: int) -> None:
    """On the branches that are active at θ, the loss is that of the network as it is."""
    problem = scenario(number)
    parameters, keeps = tensors_of(problem.layout, problem.theta), keeps_of(problem)
    traced = trace(problem.network, parameters, problem.inputs, problem.targets, keeps)
    smooth = [layer.activation not in ("relu", "leaky_relu", "elu") for layer in problem.network.layers]
    if all(smooth):
        again = losses(NUMPY, problem.network, parameters, problem.inputs, problem.targets, keeps, [None] * len(smooth))
        np.testing.assert_allclose(again, traced.losses, rtol=1e-14)
    if not (problem.network.l1 or problem.network.l2):
        assert traced.losses.mean() == pytest.approx(float(loss_of(problem)(problem.theta)), rel=1e-12)
    for z, bound in zip(traced.z, traced.magnitude_bound, strict=True):
        assert (np.abs(z) <= bound * (1 + 1e-14)).all()
