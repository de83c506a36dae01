"""Losses that are arrays."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import B, W, X, codes
from xcheck import Verdict
from xcheck.errors import DefinitionError


def test_a_loss_that_is_an_array() -> None:
    """Through a cotangent, drawn or given; a wrong shape is said."""
    loss, params = (lambda p, x: torch.tanh(x @ p)), torch.tensor(W.T)
    drawn = xcheck.check(loss, params, (torch.tensor(X),))
    assert drawn.ok
    assert "XC426" in codes(drawn)
    given = xcheck.check(loss, params, (torch.tensor(X),), cotangent=np.ones((5, 3)))
    assert given.ok
    assert "XC426" not in codes(given)
    assert given.losses["torch"] == pytest.approx(np.tanh(X @ W.T).sum())
    with pytest.raises(DefinitionError, match=r"the cotangent has shape \(2,\), the loss \(5, 3\)"):
        xcheck.check(loss, params, (torch.tensor(X),), cotangent=np.ones(2))


def test_the_whole_jacobian() -> None:
    """Every output against every parameter; what is wrong in one output alone is named."""
    right = xcheck.check(lambda p: jnp.sin(p) * p.sum(), B, backend="jax", scope="jacobian")
    assert right.ok
    assert right.oracle.scope == "jacobian"
    assert right.components == 9

    @jax.custom_vjp  # type: ignore[untyped-decorator]  # JAX has no types here
    def odd(p: Any) -> Any:
        return jnp.sin(p)

    odd.defvjp(lambda p: (jnp.sin(p), p), lambda p, v: (v * jnp.cos(p) * jnp.array([1.0, 1.0, 1.1]),))
    wrong = xcheck.check(odd, B, backend="jax", scope="jacobian")
    assert wrong.verdict is Verdict.DISAGREE
    assert str(wrong.pairs[0].worst[0].location) == "y[2] params[2]"
    assert wrong.pairs[0].wrong == 1
