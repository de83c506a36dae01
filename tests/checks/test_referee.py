"""The referee: what no difference can decide is decided by a proved slope, and mistakes there are found."""

from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck import Verdict
from xcheck.checks.referee import decide
from xcheck.layout import Layout, Tensor
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.function_estimate import nothing_measured

LOSSES: dict[str, tuple[Any, list[float]]] = {
    "beside a pole": (lambda x: jnp.sum(1 / (x - 1)), [1 + 1e-12, 1 - 2e-12, 1 + 3e-12]),
    "at a barrier": (lambda x: -1e-3 * jnp.sum(jnp.log(x)) + 1e8 * jnp.sum(x), [1e-9, 0.5, 3.0]),
    "large constant": (lambda x: jnp.sum(x**2) + 1e12, [1.0, 2.0, 3e-3]),
}


def checked(name: str, factor: float = 1.0, **settings: Any) -> xcheck.Report:
    """A check of a loss at a point where differences see little; the second component of the gradient is scaled."""
    loss, x = LOSSES[name]
    with jax.enable_x64(True):
        return xcheck.check(
            loss,
            jnp.array(x),
            gradient=lambda x: jax.grad(loss)(x) * jnp.array([1, factor, 1]),
            **settings,
        )


@pytest.mark.parametrize("name", list(LOSSES))
def test_what_differences_leave_open_is_decided(name: str) -> None:
    """A right gradient agrees, one that is off by 1e-6 in one component does not."""
    assert checked(name).verdict is Verdict.UNDECIDED
    report = checked(name, proof=True)
    assert report.verdict is Verdict.AGREE
    assert report.verified == 3
    assert report.proof is not None
    assert report.proof.refereed > 0
    assert checked(name, 1 + 1e-6, proof=True).verdict is Verdict.DISAGREE


def test_kinks_stay_as_they_are() -> None:
    """The slopes on both sides are the oracle's business."""
    with jax.enable_x64(True):
        report = xcheck.check(lambda x: jnp.abs(x).sum() + 1e9, jnp.zeros(1), proof=True)
    assert report.proof is not None
    assert report.proof.refereed == 0


def test_another_function_decides_nothing() -> None:
    """Its slopes are others; and nothing is proved where nothing is open."""
    layout = Layout((Tensor("x", (2,), 0),))
    estimate, lines = nothing_measured(layout), Lines.all_of(layout)

    class Other:
        loss = 1.0

    other = cast("Any", Other())
    assert decide(estimate, lines, np.array([], np.intp), other, 1e-16) == (estimate, 0)
    assert decide(estimate, lines, np.array([0]), other, 1e-16) == (estimate, 0)
