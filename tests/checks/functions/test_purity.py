"""Purity: what is no function, or writes where it should not, is found before its gradient is judged."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Verdict

W = np.arange(6.0) / 7 + 0.1


def test_a_random_loss_is_undecided_with_its_spread() -> None:
    """Never a mismatch."""
    rng = np.random.default_rng(0)
    report = xcheck.check(lambda p: float((p**2).sum() + rng.normal()), W, gradient=lambda p: 2 * p)
    assert report.verdict is Verdict.UNDECIDED
    assert "XC416" in codes(report)
    assert report.pairs[0].spread > 0
    assert not report.pairs[0].wrong


def test_randomness_that_jit_would_freeze() -> None:
    """Numbers drawn in Python while JAX traces differ from trace to trace."""
    rng = np.random.default_rng(0)
    report = xcheck.check(lambda p: jnp.sum(p**2) * (1 + rng.random()), W, backend="jax")
    assert report.verdict is Verdict.UNDECIDED
    assert "XC416" in codes(report)


def test_where_the_loss_jumps_no_gradient_is_right_or_wrong() -> None:
    """A step of one beside a slope of three: neither 3 nor 50 is called a subgradient."""
    for claimed in (3.0, 50.0):
        report = xcheck.check(
            lambda x: float(x[0] != 0) + 3 * x[0], np.zeros(1), gradient=lambda p, c=claimed: np.where(p == 0, c, 3.0)
        )
        assert report.verdict is Verdict.UNDECIDED
        assert report.pairs[0].reasons == {"jump": 1}
        assert "at a jump of the loss" in report.warnings[0].text
        assert codes(report) == {"XC405"}


def test_near_a_jump_the_slope_is_decided() -> None:
    """A ten-millionth away steps are shorter than that."""
    near = np.array([1 - 1e-7, 2.5])
    assert xcheck.check(lambda x: float((x - np.floor(x)).sum()), near, gradient=np.ones_like).ok
    wrong = xcheck.check(lambda x: float((x - np.floor(x)).sum()), near, gradient=lambda p: 1.001 * np.ones_like(p))
    assert wrong.verdict is Verdict.DISAGREE


def test_a_gradient_that_accumulates() -> None:
    """The first call is right, the second is twice as large."""
    calls = 0

    def gradient(p: Any) -> Any:
        nonlocal calls
        calls += 1
        return 2 * p * calls

    report = xcheck.check(lambda p: float((p**2).sum()), W, gradient=gradient)
    assert report.verdict is Verdict.DISAGREE
    assert "XC107" in codes(report)
    assert "only the first agrees" in report.headline


def test_a_mask_that_backward_draws_anew() -> None:
    """The loss is the same in both calls, the gradient is not."""

    class Dropped(torch.autograd.Function):  # type: ignore[misc] # torch is not analysed
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.keep = 0.5
            return 3 * x

        @staticmethod
        def backward(ctx: Any, *grads: torch.Tensor) -> Any:
            return 6 * grads[0] * (torch.rand_like(grads[0]) < ctx.keep)

    torch.manual_seed(0)
    report = xcheck.check(lambda p: Dropped.apply(p).sum(), torch.tensor(W))
    assert report.verdict is Verdict.DISAGREE
    assert "XC107" in codes(report)


@pytest.mark.parametrize("what", ["data[0]", "p", "data[1].mask"])
def test_what_is_written_into_is_named(what: str) -> None:
    """Undecided even if the gradient is right: the next call would be another function."""

    def loss(p: Any, x: Any, more: Any) -> float:
        value = float((p * x).sum()) + float(more["mask"].sum())
        {"data[0]": x, "p": p, "data[1].mask": more["mask"]}[what][:] = 7.0
        return value

    data = (np.ones(6), {"mask": np.zeros(2)})
    report = xcheck.check(loss, W, data, gradient=lambda p, x, more: np.ones(6))
    assert not report.ok
    assert "XC109" in codes(report)
    assert report.headline.startswith(f"numpy: the function writes into {what}")
    assert np.array_equal(data[0], np.ones(6))


@pytest.mark.parametrize(
    ("other", "said"),
    [
        (lambda p: float((p["u"] ** 2).sum() + 2 * p["v"].sum()), "moving v changes them differently"),
        (lambda p: float((p["u"] ** 2).sum() + p["v"].sum() + 1), "they differ by a constant"),
        (lambda p: 3 * float((p["u"] ** 2).sum() + p["v"].sum()), "the first is 3 x the second wherever"),
    ],
    ids=["one parameter", "constant", "scale"],
)
def test_different_losses_are_not_compared_further(other: Any, said: str) -> None:
    """Not the gradients, but where the losses part."""

    def gradient(p: Any) -> Any:
        return {"u": 5 * p["u"], "v": np.ones(2)}

    def loss(p: Any) -> float:
        return float((p["u"] ** 2).sum() + p["v"].sum())

    objectives = {
        "a": xcheck.objective(other, "numpy", gradient=gradient),
        "b": xcheck.objective(loss, "numpy", gradient=lambda p: {"u": 2 * p["u"], "v": np.ones(2)}),
    }
    report = xcheck.check(objectives, {"u": W, "v": np.ones(2)}, oracle="b")
    assert report.verdict is Verdict.DISAGREE
    assert {"XC101", "XC110"} <= codes(report)
    assert said in report.headline
    assert report.pairs[0].wrong == 0
    assert report.odd_one_out == ()


OTHER = np.ones((4, 5))


@pytest.mark.parametrize(
    "function",
    [
        lambda: xcheck.objective(lambda t, x: (t * torch.tensor(OTHER)).sum(), "torch"),
        lambda: xcheck.objective(lambda t, x: jnp.sum(t * OTHER), "jax"),
        lambda: xcheck.objective(lambda t, x: float((t * OTHER).sum()), "numpy", gradient=lambda t, x: t),
        lambda: xcheck.objective(lambda t, x: (t @ torch.tensor(OTHER).T).sum(), "torch"),
        lambda: xcheck.objective(lambda t, x: jnp.sum(t @ OTHER.T), "jax"),
        lambda: xcheck.objective(lambda t, x: float((t @ OTHER.T).sum()), "numpy", gradient=lambda t, x: t),
    ],
)
def test_a_function_of_other_shapes_is_told_what_it_was_handed(function: Any) -> None:
    """Before the framework's words, which name one shape, or none."""
    report = xcheck.check({"mine": function()}, np.ones((5, 4)), (np.ones(7),))
    assert report.verdict is Verdict.ERROR
    assert report.headline.startswith("mine: the function fails with what it was handed, t (5, 4), data[0] (7,): ")
    assert [finding.code for finding in report.findings] == ["XC104"]


def test_other_errors_stand_alone() -> None:
    """A division by zero has nothing to do with shapes; and what the oracle meets too is said once."""
    report = xcheck.check(lambda p: 1 / 0, W, gradient=lambda p: p)
    assert report.headline == "numpy: ZeroDivisionError: division by zero"
    # It names a shape, but not one that does not fit.
    report = xcheck.check(lambda p: jnp.sum(np.sin(p)), jnp.asarray(W))
    assert report.headline.startswith("jax: TracerArrayConversionError: ")
    wrong = xcheck.objective(lambda p: (p * np.ones(7)).sum(), "numpy", gradient=lambda p: p)
    assert [finding.code for finding in xcheck.check({"mine": wrong}, W, oracle="mine").findings] == ["XC104"]


@pytest.mark.parametrize(
    ("subject", "params", "handed"),
    [
        (lambda: torch.nn.Linear(3, 2), None, "0 of data"),
        (lambda: xcheck.objective(lambda p, x: (p * x).sum(), "torch"), W, "params and 0 of data"),
        (lambda: xcheck.objective(lambda p, x: (p * x).sum(), "jax"), W, "params and 0 of data"),
        (lambda: xcheck.objective(lambda p, x: p.sum(), "numpy", gradient=lambda p, x: p), W, "params and 0 of data"),
    ],
)
def test_data_that_were_forgotten(subject: Any, params: Any, handed: str) -> None:
    """How many were handed over, and by which argument."""
    report = xcheck.check(subject(), params)
    assert f": the function is called with {handed}, which are given as data=(...): TypeError: " in report.headline
