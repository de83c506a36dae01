"""Rows of a Jacobian by batches of backward passes, which must be what plain ones give."""

from typing import Any

import numpy as np
import pytest
import torch

from xcheck_torch import rows as module
from xcheck_torch.rows import gradient_rows

X = torch.linspace(0.1, 1.0, 300, dtype=torch.float64)


def wave(p: torch.Tensor) -> torch.Tensor:
    """Three hundred outputs, of which no gradient is like another."""
    return p[0] * torch.sin(p[1] * X)


def expected(p: torch.Tensor) -> Any:
    """Its Jacobian by hand."""
    a, b = p.tolist()
    return np.stack([np.sin(b * X.numpy()), a * X.numpy() * np.cos(b * X.numpy())], axis=1)


def made() -> tuple[torch.Tensor, torch.Tensor]:
    """Parameters, and one that nothing depends on."""
    return torch.tensor([0.5, 2.0], dtype=torch.float64, requires_grad=True), torch.ones(2, requires_grad=True)


def count_calls(outputs: torch.Tensor) -> list[int]:
    """The list that grows with every backward pass."""
    passes: list[int] = []
    outputs.register_hook(lambda _: passes.append(1))
    return passes


def test_rows_come_in_batches() -> None:
    """Three batches of a hundred backward passes and one pass more; what nothing depends on has none."""
    p, unused = made()
    outputs = wave(p)
    passes = count_calls(outputs)
    rows = gradient_rows(outputs, {"p": p, "unused": unused})
    np.testing.assert_allclose(rows["p"], expected(p), rtol=1e-14)  # type: ignore[arg-type]
    assert rows["unused"] is None
    assert len(passes) == 4


def test_a_hook_sees_one_gradient_at_a_time() -> None:
    """As it does in training: here one that clips, and looks at a number for it."""
    p, _ = made()
    p.register_hook(lambda gradient: gradient / max(1.0, gradient.norm().item()))
    plain = expected(p)
    # What arrives at a hook is -2 times the gradient.
    clipped = plain / np.maximum(1.0, 2 * np.linalg.norm(plain, axis=1, keepdims=True))
    np.testing.assert_allclose(gradient_rows(wave(p), {"p": p})["p"], clipped, rtol=1e-14)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "hook",
    [
        lambda gradient: gradient * (1.0 if gradient.sum().item() > 0 else 2.0),
        lambda gradient: gradient**3 / 4,
        lambda gradient: gradient + float("nan"),
    ],
    ids=["looks at numbers", "is not linear", "is not finite"],
)
def test_what_cannot_be_batched_is_differentiated_row_by_row(hook: Any) -> None:
    """A backward pass for each row: what torch gives then is what is checked."""
    p, _ = made()
    outputs = wave(p)
    inner = outputs * 1.0
    outputs.register_hook(hook)
    passes = count_calls(inner)
    found = gradient_rows(inner, {"p": p})["p"]
    assert len(passes) >= 300
    plain = [torch.autograd.grad(inner, [p], -2 * unit, retain_graph=True)[0] for unit in torch.eye(300).double()]
    np.testing.assert_array_equal(found, torch.stack(plain).numpy() / -2)


def test_rows_that_a_plain_backward_pass_contradicts_are_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    """One wrong row in three hundred is enough."""
    batched = module._in_batches  # noqa: SLF001 - what torch might do wrong, it does right

    def one_wrong(*arguments: Any) -> Any:
        found = batched(*arguments)
        found["p"][123, 1] *= 1.0 + 1e-9  # type: ignore[index]
        return found

    monkeypatch.setattr(module, "_in_batches", one_wrong)
    p, _ = made()
    np.testing.assert_allclose(gradient_rows(wave(p), {"p": p})["p"], expected(p), rtol=1e-14)  # type: ignore[arg-type]
