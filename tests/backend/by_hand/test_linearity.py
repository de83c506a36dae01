"""A vjp by hand is tried with other cotangents than the one that it was checked with."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

import xcheck
from xcheck.verdict import Verdict

X = np.linspace(-1.0, 2.0, 6).reshape(2, 3)


def by_memory(x: Any, v: Any) -> Any:
    """Right for contiguous cotangents only."""
    memory = v if v.base is None or v.flags.c_contiguous else v.base.ravel()[: v.size].reshape(v.shape)
    return np.cos(x) * memory


def writing(x: Any, v: Any) -> Any:
    """Right, and writes into the cotangent."""
    v *= np.cos(x)
    return v.copy()


@pytest.mark.parametrize(
    ("vjp", "words"),
    [
        (lambda x, v: np.cos(x) * v + (0.0 if v.any() else 1.0), "when that is zero"),
        (lambda x, v: np.cos(x) * np.where(np.arange(6).reshape(2, 3) > 2, v, v * (1 + 1e-3 * np.abs(v))), "2 a − 3 b"),
        (by_memory, "has gaps in memory"),
        (writing, "writes into its grad_output"),
        (lambda x, v: np.cos(x) * v / np.sqrt(v.any() or np.nan), "when that is zero"),
    ],
    ids=["not zero", "not linear", "memory", "writes", "nan at zero"],
)
def test_what_the_next_loss_would_meet_is_found(vjp: Any, words: str) -> None:
    """Each is a finding, in the words of what arrived."""
    report = xcheck.check(np.sin, X, vjp=vjp)
    assert not report.ok
    assert words in " ".join(str(report).split())


def test_a_right_one_is_not_accused() -> None:
    """In float64 and float32, and in torch, whatever the memory."""
    assert xcheck.check(np.sin, X, vjp=lambda x, v: np.cos(x) * v).verdict is Verdict.AGREE
    narrow = xcheck.check(np.sin, X.astype(np.float32), vjp=lambda x, v: np.cos(x) * v)
    assert narrow.verdict is Verdict.AGREE, narrow
    assert xcheck.check(torch.sin, torch.tensor(X), vjp=lambda x, v: torch.cos(x) * v).verdict is Verdict.AGREE


def test_torch_lies_in_memory_in_other_ways() -> None:
    """One that takes the storage for the numbers is found."""

    def of_storage(x: Any, v: Any) -> Any:
        return torch.cos(x) * torch.as_strided(v, x.shape, x.stride())

    report = xcheck.check(torch.sin, torch.tensor(X), vjp=of_storage)
    assert report.verdict is Verdict.DISAGREE
    assert "grad_output has" in " ".join(str(report).split())


def test_numbers_that_do_not_suit_it_are_no_fault() -> None:
    """In JAX, where no other memory is tried: one that raises for the second cotangent that it is tried with."""
    raised = []

    def vjp(x: Any, v: Any) -> Any:
        if abs(float(v[0, 0]) - np.sin(7.0)) < 1e-6:
            raised.append(v)
            raise ValueError("unsuited")
        return jnp.cos(x) * v

    assert xcheck.check(jnp.sin, jnp.asarray(X), vjp=vjp, backend="jax").ok
    assert raised


def test_one_that_fails_for_zeros() -> None:
    """It is a crash that waits for the next loss."""

    def vjp(x: Any, v: Any) -> Any:
        if not v.any():
            raise ZeroDivisionError("nothing to divide by")
        return np.cos(x) * v

    report = xcheck.check(np.sin, X, vjp=vjp)
    assert report.verdict is Verdict.ERROR
    assert "nothing to divide by" in str(report)
