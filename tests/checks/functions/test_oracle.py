"""Which function the oracle differences, and how."""

from collections.abc import Callable
from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from tests.checks.functions.layer import B, W, X, codes, numpy_gradient, numpy_loss, torch_loss
from xcheck import Verdict

# Not on the edges of the stairs that they are rounded to.
ON_STAIRS = np.array([0.12343456, 0.56781234])


@pytest.mark.parametrize(("oracle", "engine"), [("torch", "torch: torch.func.vmap"), ("numpy", "numpy: loop")])
def test_the_oracle_can_be_chosen(oracle: str, engine: str) -> None:
    """By label."""
    objectives = {
        "numpy": xcheck.objective(numpy_loss, "numpy", gradient=numpy_gradient),
        "torch": xcheck.objective(torch_loss, "torch"),
    }
    report = xcheck.check(objectives, {"W": W, "b": B}, (X,), oracle=oracle)
    assert report.ok
    assert report.oracle.engine == engine


def test_the_oracle_can_be_a_function() -> None:
    """One that needs no gradient; if it is another function, the losses differ."""
    params = {"W": W, "b": B}
    same = xcheck.check(numpy_loss, params, (X,), gradient=numpy_gradient, oracle=numpy_loss)
    assert same.ok
    assert same.oracle.engine == "oracle: loop"
    other = xcheck.check(numpy_loss, params, (X,), gradient=numpy_gradient, oracle=lambda p, x: 2 * numpy_loss(p, x))
    assert other.verdict is Verdict.DISAGREE
    assert "XC101" in codes(other)


@pytest.mark.parametrize(
    "loss",
    [
        lambda p: (p if p.sum() > -1e9 else -p).sin().sum(),
        lambda p: p.clone().mul_(2).sin().sum(),
        lambda p: torch.stack([value.sin() for value in p.reshape(-1) if value > -9]).sum(),
    ],
    ids=["branch", "in place", "loop"],
)
def test_what_torch_cannot_batch_is_looped(loss: Callable[..., Any]) -> None:
    """Control flow on values, writing in place: no batching rule is no reason to give up."""
    assert xcheck.check(loss, torch.tensor(W)).ok


def test_what_jax_cannot_trace_is_run_as_it_is() -> None:
    """Python control flow on values."""
    report = xcheck.check(lambda p: jnp.sum(jnp.sin(p if p[0] < 9 else -p)), B, backend="jax")
    assert report.ok
    assert report.oracle.engine.startswith("jax: loop")


def rounded_out_of_sight(x: np.ndarray) -> float:
    """Rounding to thousandths of numbers that leave NumPy on the way."""
    return float(np.round(np.frombuffer(x.tobytes()), 3).sum())


@pytest.mark.parametrize("claimed", [0.0, 1.0])
def test_nobody_knows_whether_stairs_are_meant_where_a_loss_of_numpy_is_not_followed(claimed: float) -> None:
    """Neither the derivative nor the slope over the stairs is called wrong, and neither passes."""
    report = xcheck.check(rounded_out_of_sight, ON_STAIRS, gradient=lambda x: np.full(2, claimed))
    assert report.verdict == "UNDECIDED"
    assert {"XC405", "XC437"} <= {warning.code for warning in report.warnings}


@pytest.mark.parametrize("digits", [2, 3, 5, 6, 8])
def test_in_numpy_stairs_are_meant_where_all_is_computed_in_64_bits(digits: int) -> None:
    """However fine they are: zero is right, and the slope over the stairs is not."""
    right = xcheck.check(lambda x: float(np.round(x, digits).sum()), ON_STAIRS, gradient=lambda x: np.zeros(2))
    assert right.verdict == "AGREE"
    wrong = xcheck.check(lambda x: float(np.round(x, digits).sum()), ON_STAIRS, gradient=lambda x: np.ones(2))
    assert wrong.verdict == "DISAGREE"


def test_in_numpy_the_stairs_of_float32_are_not_meant() -> None:
    """The slope over them is right as far as float32 goes."""
    report = xcheck.check(lambda x: float(x.astype(np.float32).sum()), ON_STAIRS, gradient=lambda x: np.ones(2))
    assert report.verdict == "AGREE"
    assert "XC417" in {warning.code for warning in report.warnings}


@pytest.mark.parametrize("digits", [4, 5, 9])
def test_stairs_along_a_component_that_no_noise_was_measured_along_are_found(digits: int) -> None:
    """Beside six smooth ones; half of the slope over the stairs is wrong as well."""
    theta = np.linspace(0.12343456, 2.3456, 7)

    def check(slope: float) -> Verdict:
        return xcheck.check(
            lambda x: float(np.round(x[0], digits) + np.sin(x[1:]).sum()),
            theta,
            gradient=lambda x: np.concatenate([[slope], np.cos(x[1:])]),
        ).verdict

    assert check(0.0) is Verdict.AGREE
    assert check(1.0) is Verdict.DISAGREE
    assert check(0.5) is Verdict.DISAGREE


def test_zero_is_not_called_wrong_where_nobody_knows_whether_fine_stairs_are_meant() -> None:
    """They may be those of float32: then the slope over them is right, as far as float32 goes."""

    def check(slope: float) -> Verdict:
        return xcheck.check(
            lambda x: float(np.round(np.frombuffer(x.tobytes()), 6).sum()),
            ON_STAIRS,
            gradient=lambda x: np.full(2, slope),
        ).verdict

    assert check(0.0) is Verdict.UNDECIDED
    assert check(1.0) is Verdict.AGREE
    assert check(1.5) is Verdict.DISAGREE
