"""What is measured: witnesses of functions and of networks, with the dtype of each tensor."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck.checks.accuracy.subject import Subject, subject_of
from xcheck.checks.prepare import prepare

DEFINITION = {
    "data": {"synthetic": {"inputs": 2, "examples": 4}},
    "network": {"layers": [{"units": 1}], "loss": "mean_squared_error"},
    "check": {"backends": ["numpy"], "dtype": "float32"},
}


def read(model: Any, params: Any = None, **settings: Any) -> Subject:
    """The subject of a model."""
    return subject_of(prepare(model, params, (), None, settings))


def test_each_tensor_has_its_own_dtype() -> None:
    """As it was handed over."""
    params = {"a": jnp.ones(2, "bfloat16"), "b": jnp.ones(1, "float32")}
    subject = read(lambda p: p["a"].sum() + p["b"].sum(), params)
    assert subject.dtypes == {"a": "bfloat16", "b": "float32"}
    assert subject.roundoff == 2.0**-8
    assert [candidate.name for candidate in subject.candidates()] == ["jax"]


def test_a_network_has_one_dtype() -> None:
    """That of its check; JAX evaluates the loss."""
    subject = read(DEFINITION)
    assert set(subject.dtypes.values()) == {"float32"}
    assert [one.name for one in subject.evaluations] == ["numpy"]
    assert [candidate.name for candidate in subject.candidates()] == ["jax"]


def test_what_differs_from_call_to_call_is_left_out() -> None:
    """By name."""
    random = np.random.default_rng(0)
    subject = read(lambda x: (x * random.normal()).sum(), np.ones(2), gradient=lambda x: x * random.normal())
    assert subject.random == ["numpy"]
    assert subject.evaluations == []


def test_one_gradient_is_measured() -> None:
    """A Jacobian has several."""
    with pytest.raises(xcheck.DefinitionError, match="every output has a gradient of its own"):
        read(lambda x: x**2, jnp.ones(2), scope="jacobian")
