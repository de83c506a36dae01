"""The referee: what no difference can decide is decided by a proved slope, and mistakes there are found."""

from dataclasses import replace
from typing import Any, cast

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import xcheck
from xcheck import Verdict
from xcheck.backend import registry
from xcheck.checks.prover import Candidate, Prover
from xcheck.checks.referee import decide
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import read_arguments
from xcheck.layout import Layout, Tensor
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.function_estimate import nothing_measured
from xcheck.report.text import render

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


def narrow_inside(x: Any) -> Any:
    """Σ tanh² in float32, and Σ exp in float64."""
    return jnp.sum(jnp.tanh(x.astype(jnp.float32)).astype(jnp.float64) ** 2) + jnp.sum(jnp.exp(x))


def test_a_part_in_float32_is_proved_without_its_rounding() -> None:
    """Differences once called the right gradient wrong; a wrong one is not proved to be wrong, which they may say."""
    with jax.enable_x64(True):
        x = jnp.asarray(np.random.default_rng(0).normal(size=5))
        right = xcheck.check(narrow_inside, x, proof=True)
        twice = xcheck.check(narrow_inside, x, gradient=lambda x: 2 * jax.grad(narrow_inside)(x), proof=True)
    assert right.verdict is Verdict.AGREE
    assert right.proof is not None
    assert right.proof.narrow == "float32"
    assert [one.claim for one in right.proof.witnesses] == ["right"]
    assert right.proof.witnesses[0].allowed < 1e-5
    assert "the rounding of the loss to float32 is left out of them" in render(right)
    assert twice.verdict is Verdict.DISAGREE
    assert twice.proof is not None
    assert [one.claim for one in twice.proof.witnesses] == ["inaccurate"]
    assert any("without its rounding to float32" in warning.text for warning in twice.warnings)


def test_what_only_confirms_refutes_nothing() -> None:
    """A line whose proved slope is not the claimed one stays as differences have left it."""
    with jax.enable_x64(True):
        arguments = read_arguments(np.array([0.5, 2.0]), (), registry.read)
        function = xcheck.objective(lambda x: jnp.sum(x**2), "jax")
        one = Candidate("jax", registry.get("jax").function_objective(function, arguments, wide=True))
        layout = Layout((Tensor("x", (2,), 0),))
        estimate = replace(nothing_measured(layout), loss=4.25)
        claimed = [np.array([1.0, 7.0])]
        prover = Prover(one, [one], arguments.theta)
        decided, count = decide(estimate, Lines.all_of(layout), np.array([0, 1]), prover, FLOAT64, claimed)
    assert count == 1
    assert decided.value[0] == 1.0
    assert np.isnan(decided.value[1])
