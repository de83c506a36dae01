"""Narrow dtypes in a loss of float64 arrays: whatever JAX computes is seen, what leaves JAX is not."""

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.checks.functions.layer import codes
from xcheck import check
from xcheck.dtypes import BFLOAT16, FLOAT32
from xcheck_jax.narrow import coarsest_inside, coarsest_of, coarsest_roundoff
from xcheck_jax.settings import own_settings

X = np.array([0.1234, 0.5678, 1.91])


def _callback(x: Any) -> Any:
    return jax.pure_callback(np.asarray, jax.ShapeDtypeStruct((3,), jnp.float64), x).sum()


@pytest.mark.parametrize(
    ("loss", "coarsest"),
    [
        (lambda x: jnp.sin(x).sum(), 0.0),
        (lambda x: x.astype(jnp.bfloat16).astype(jnp.float64).sum(), BFLOAT16),
        (lambda x: jax.lax.scan(lambda c, y: (c + y.astype(jnp.float32).astype(y.dtype), None), 0.0, x)[0], FLOAT32),
        (lambda x: x[jnp.argsort(x)].sum(), 0.0),
        (_callback, None),
    ],
    ids=["wide", "narrow", "in a loop", "indices", "leaves JAX"],
)
def test_narrow_results_are_seen(loss: Any, coarsest: float | None) -> None:
    """Also inside of loops; indices are no floating numbers."""
    with own_settings(jax.devices("cpu")[0]):
        assert coarsest_roundoff(loss, jnp.asarray(X)) == coarsest


def test_what_an_operation_computes_inside_counts() -> None:
    """A loop of wide numbers may be narrow inside; so may what it reads."""
    with own_settings(jax.devices("cpu")[0]):

        def loop(x: Any) -> Any:
            return jax.lax.scan(lambda c, y: (c + y.astype("float32").astype("float64"), None), x[0], x)[0]

        (scan,) = [each for each in jax.make_jaxpr(loop)(jnp.asarray(X)).jaxpr.eqns if each.primitive.name == "scan"]
        assert coarsest_inside(scan) == FLOAT32
        assert coarsest_of([scan]) == 0.0
        assert coarsest_inside(jax.make_jaxpr(lambda x: x.astype("float64"))(jnp.ones(2, "float32")).eqns[0]) == FLOAT32


def test_zero_is_right_on_a_stair() -> None:
    """It is said that it proves little."""
    report = check(lambda x: jnp.round(x, 3).sum(), X, backend="jax")
    assert report.verdict == "AGREE"
    assert {"XC408", "XC437"} <= codes(report)
