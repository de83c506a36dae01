"""The verb `accuracy`: everything that can be checked can be measured."""

from pathlib import Path

import jax
import jax.numpy as jnp

import xcheck

EXAMPLES = Path(xcheck.__file__).parent / "examples"


def cube(x: jax.Array) -> jax.Array:
    """Its slopes at whole numbers are exact."""
    return (x**3).sum()


def test_functions_cases_and_definitions_are_read() -> None:
    """By labels, too; settings are those of a check."""
    with jax.enable_x64(True):
        params = jnp.array([1.0, 2.0])
        assert xcheck.accuracy(cube, params, name="mine").model == "mine"
        both = xcheck.accuracy({"a": cube, "b": cube}, params, backends=["b"])
        assert [(witness.name, witness.worst) for witness in both.witnesses] == [("b", 0.0)]
        assert xcheck.accuracy(xcheck.Case(cube, params)).witnesses[0].worst == 0
    found = xcheck.accuracy(EXAMPLES / "logistic_regression.toml", backends="numpy", most=3, seed=5)
    assert found.model.endswith("logistic_regression.toml")
    assert (found.looked, found.seed, found.ok) == (3, 5, True)
