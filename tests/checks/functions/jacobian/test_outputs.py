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
    assert str(wrong.pairs[0].worst[0].location) == "y[2] p[2]"
    assert wrong.pairs[0].wrong == 1


POINTS = np.arange(1.0, 9.0)
SIGNS = np.where(np.arange(8) == 3, -1.0, 1.0)


@pytest.mark.parametrize(
    ("other", "output", "how"),
    [
        (lambda p: p**2 * torch.tensor(SIGNS), "y[3], -16 and 16", "the first is -1 x the second wherever θ is"),
        (lambda p: (p**2).flip(0), "y[0], 64 and 1", "moving p changes them differently"),
        (
            lambda p: p**2 + 1e-5 * torch.tensor(SIGNS < 0),
            "y[3], 16.00001 and 16",
            "moving any parameter changes both alike",
        ),
    ],
    ids=["one of another sign", "the same sum", "far less than the sum"],
)
def test_every_output_of_two_functions_is_compared(other: Any, output: str, how: str) -> None:
    """Once their sums were, and the first output said in what they part."""
    functions = {"right": xcheck.objective(lambda p: p**2, "torch"), "other": xcheck.objective(other, "torch")}
    report = xcheck.check(functions, torch.tensor(POINTS), scope="jacobian")
    assert report.verdict is Verdict.DISAGREE
    assert f"other and right compute different {output}: {how}" in report.headline


def test_outputs_that_are_the_same_agree() -> None:
    """Also those of narrow parameters, whose reruns in float64 are known as such."""
    functions = {name: xcheck.objective(torch.sin, "torch") for name in "ab"}
    report = xcheck.check(functions, torch.tensor(POINTS, dtype=torch.float32), scope="jacobian")
    assert report.ok
    assert list(report.losses) == ["a", "b", "a in float64", "b in float64"]


def test_a_jacobian_calls_its_function_a_few_times_whatever_its_outputs() -> None:
    """All outputs come with every call: two hundred take as many calls as two."""
    calls = []

    def loss(p: Any, x: Any) -> Any:
        calls.append(1)
        return p[0] * torch.exp(-p[1] * x)

    counts = []
    for outputs in (2, 200):
        calls.clear()
        x = torch.linspace(0.1, 1.0, outputs, dtype=torch.float64)
        assert xcheck.check(loss, torch.tensor([0.5, 1.5], dtype=torch.float64), (x,), scope="jacobian").ok
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_so_does_one_of_a_large_tensor() -> None:
    """Its components were moved one by one, for each output again."""
    calls = []

    def loss(p: Any, x: Any) -> Any:
        calls.append(1)
        return torch.sin(torch.outer(x, p)).sum(1)

    counts = []
    for outputs in (10, 20):
        calls.clear()
        params, x = torch.linspace(0.1, 1.0, 70), torch.linspace(0.1, 1.0, outputs)
        assert xcheck.check(loss, params.double(), (x.double(),), scope="jacobian").ok
        counts.append(len(calls))
    assert counts[0] == counts[1]


def test_the_output_whose_values_differ_is_named() -> None:
    """Once it was called the loss, which it is not."""
    other = xcheck.objective(lambda p: p**2 * torch.tensor([1.0, 1.0, 1.01]), "torch")
    report = xcheck.check({"a": xcheck.objective(lambda p: p**2, "torch"), "b": other}, B, scope="jacobian")
    text = next(finding.text for finding in report.findings if finding.code == "XC101")
    assert text.startswith("b: y[")
    assert text.endswith("make the outputs equal first")
    assert [pair.output for pair in report.pairs if pair.a == "a" and pair.b == "oracle"] == [""]


def test_an_output_that_is_infinite_spoils_no_other() -> None:
    """Zero times infinity made all of them nan, and they were said to differ by a constant."""
    other = xcheck.objective(lambda p: p**2 * torch.tensor([1.0, 1.0, np.inf]), "torch")
    report = xcheck.check({"a": xcheck.objective(lambda p: p**2, "torch"), "b": other}, B, scope="jacobian")
    text = next(finding.text for finding in report.findings if finding.code == "XC102")
    assert text.startswith("b: y[2] is inf")
    assert "XC110" not in [finding.code for finding in report.findings]


@pytest.mark.parametrize("loss", [lambda p: p**2, lambda p: (p**2).sum()])
def test_a_cotangent_and_every_output_contradict_each_other(loss: Any) -> None:
    """Once the arrays were compared, and NumPy's own error came through."""
    with pytest.raises(DefinitionError, match="cotangent: with scope 'jacobian' every output is checked by itself"):
        xcheck.check(loss, torch.tensor(B), scope="jacobian", cotangent=np.ones(3))


def test_what_no_output_depends_on_is_named() -> None:
    """Not what one of them does without."""
    params = {name: torch.tensor([0.5, 2.0], dtype=torch.float64) for name in "abc"}
    report = xcheck.check(lambda p: torch.stack([p["a"].prod(), p["b"].prod()]), params, scope="jacobian")
    said = " ".join(finding.text for finding in report.warnings)
    assert "the gradient of c is None" in said
    assert "the gradient of b is None" not in said
