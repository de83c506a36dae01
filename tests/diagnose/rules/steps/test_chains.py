"""Functions of one value, whatever operations they are written with."""

import numpy as np
import pytest

from tests.diagnose.rules.steps.programs import program_of
from xcheck.diagnose.rules.steps.chains import activation_of, find_activations, find_chains

X = np.array([0.3, -1.7, 2.5, 0.9])


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("sigmoid", lambda x: 1 / (1 + np.exp(-x))),
        ("tanh", lambda x: (np.exp(x) - np.exp(-x)) / (np.exp(x) + np.exp(-x))),
        ("silu", lambda x: x / (1 + np.exp(-x))),
        ("relu", lambda x: np.maximum(x, 0)),
        ("softplus", lambda x: np.logaddexp(0, x)),
    ],
)
def test_an_activation_is_known_by_what_it_does(name: str, function: object) -> None:
    """Its slope is a product and a sum along the chain."""
    program = program_of(lambda p: np.sum(function(p["x"]) * X), {"x": X})  # type: ignore[operator]
    assert name in find_activations(program.tape, find_chains(program.tape)).values()


def test_a_chain_has_its_slope() -> None:
    """∂/∂x of exp(x)·x, although it is a product."""
    program = program_of(lambda p: np.sum(np.exp(p["x"]) * p["x"] + p["y"]), {"x": X, "y": X})
    x = program.tape.trace.inputs[0]
    product = next(operation for operation in program.operations if operation.name == "mul")
    chain = program.chains[product.outputs[0]][x]
    np.testing.assert_allclose(chain.slope, np.exp(X) * (1 + X))
    assert chain.starts


def test_a_function_of_two_values_is_no_chain() -> None:
    """Neither is what sums over an axis."""
    program = program_of(lambda p: np.sum(p["x"] * p["y"]), {"x": X, "y": X})
    assert not any(program.chains[operation.outputs[0]] for operation in program.operations)


def test_few_numbers_tell_no_activation() -> None:
    """Of one number every function could be any."""
    assert activation_of(np.array([0.5, 0.5]), np.tanh([0.5, 0.5])) is None
    assert activation_of(np.array([0.5, 0.1, 2.0]), np.array([0.5, 0.1, 2.0])) is None
    assert activation_of(X, np.tanh(X)) == "tanh"
