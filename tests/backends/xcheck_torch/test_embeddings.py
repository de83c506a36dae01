"""Embeddings whose options change the gradient by design: they are named, and every other mistake is still found."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

import xcheck
from tests.checks.functions.layer import codes
from xcheck import Report, Verdict

W = torch.linspace(0.1, 1.3, 12, dtype=torch.float64).reshape(4, 3)
IDS = torch.tensor([[0, 2], [1, 2]])
WEIGHTS = torch.arange(1.0, 13.0, dtype=torch.float64).reshape(2, 2, 3)


def cubes(**options: Any) -> Callable[[torch.Tensor], torch.Tensor]:
    """A loss that depends on every row that is looked up."""
    return lambda w: (WEIGHTS * F.embedding(IDS, w, **options) ** 3).sum()


def said(report: Report) -> str:
    """What XC436 says."""
    return " ".join(warning.text for warning in report.warnings if warning.code == "XC436")


# PyTorch before 2.13 says in its own backward pass that it does not check sparse tensors.
@pytest.mark.filterwarnings("ignore:Sparse invariant checks are implicitly disabled")
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"padding_idx": 0}, "padding_idx=0 leaves the lookups of w[0] out"),
        ({"padding_idx": -2}, "padding_idx=2 leaves the lookups of w[2] out"),
        ({"padding_idx": 2, "sparse": True}, "padding_idx=2 leaves the lookups of w[2] out"),
        ({"scale_grad_by_freq": True}, "divides each row of the gradient of w by the number of its lookups"),
    ],
)
def test_what_an_option_does_by_design_is_named_and_not_wrong(options: Any, words: str) -> None:
    """With the tensor and the row; the rest is checked."""
    report = xcheck.check(cubes(**options), W)
    assert report.verdict is Verdict.AGREE
    assert words in said(report)


def test_without_an_effect_of_the_option_nothing_is_said() -> None:
    """No option, a row that is not looked up, a row that is masked in the loss, no row twice."""
    assert "XC436" not in codes(xcheck.check(cubes(), W))
    assert "XC436" not in codes(xcheck.check(cubes(padding_idx=3), W))
    mask = (IDS != 0)[..., None]
    report = xcheck.check(lambda w: (mask * F.embedding(IDS, w, padding_idx=0) ** 3).sum(), W)
    assert (report.verdict, "XC436" in codes(report)) == ("AGREE", False)
    once = torch.tensor([0, 1, 2])
    report = xcheck.check(lambda w: (F.embedding(once, w, scale_grad_by_freq=True) ** 3).sum(), W)
    assert (report.verdict, "XC436" in codes(report)) == ("AGREE", False)


def test_bags_leave_the_row_out_of_their_values_too() -> None:
    """So the gradient is that of the loss, but for the frequencies."""
    report = xcheck.check(lambda w: (F.embedding_bag(IDS, w, padding_idx=0) ** 3).sum(), W)
    assert (report.verdict, "XC436" in codes(report)) == ("AGREE", False)
    bag = lambda w: (F.embedding_bag(IDS, w, mode="sum", scale_grad_by_freq=True) ** 3).sum()  # noqa: E731
    report = xcheck.check(bag, W)
    assert (report.verdict, "XC436" in codes(report)) == ("AGREE", True)


@pytest.mark.parametrize("layer", [torch.nn.Embedding, torch.nn.EmbeddingBag])
def test_modules_have_the_same_options(layer: Any) -> None:
    """The parameter is named as the module names it."""
    module = torch.nn.Sequential(layer(4, 3, padding_idx=0), torch.nn.Linear(3, 2)).double()
    with torch.no_grad():
        module[0].weight += 0.1  # the row of padding begins with zeros
    report = xcheck.check(xcheck.objective(module, "torch", loss=lambda y: (y**3).sum()), data=(IDS,))
    assert report.verdict is Verdict.AGREE
    assert ("the lookups of 0.weight[0] out" in said(report)) == (layer is torch.nn.Embedding)


def test_a_weight_that_is_used_twice_is_checked_in_every_use() -> None:
    """An embedding and the output layer share it: the row has the gradient of the latter."""
    report = xcheck.check(lambda w: (F.embedding(IDS, w, padding_idx=0) @ w.T).tanh().sum(), W)
    assert (report.verdict, "XC436" in codes(report)) == ("AGREE", True)


def test_a_narrow_weight_and_one_that_is_computed() -> None:
    """Reruns in float64 are undone, too; what is no parameter has no name."""
    assert xcheck.check(cubes(padding_idx=0), W.float()).verdict is Verdict.AGREE
    report = xcheck.check(lambda w: cubes(padding_idx=0)(w.tanh()), W)
    assert report.verdict is Verdict.AGREE
    assert "the lookups of a weight[0] out" in said(report)


def test_second_derivatives_are_those_of_the_loss() -> None:
    """The option is undone in the first derivative that is differentiated."""
    assert xcheck.check(cubes(padding_idx=0), W, order=2).verdict is Verdict.AGREE


def test_outputs_of_a_jacobian() -> None:
    """Each of them is undone."""
    report = xcheck.check(lambda w: F.embedding(IDS, w, padding_idx=0) ** 3, W, scope="jacobian")
    assert (report.verdict, "XC436" in codes(report)) == ("AGREE", True)


class Spoiled(torch.autograd.Function):  # type: ignore[misc]  # torch has no types here
    """The identity, whose backward pass changes the gradient of the weight."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, row: int, what: str) -> torch.Tensor:
        ctx.row, ctx.what = row, what
        return x.clone()

    @staticmethod
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        spoiled = grads[0].clone()
        spoiled[ctx.row] = 0 if ctx.what == "zero" else 1.001 * spoiled[ctx.row] + (ctx.what == "added")
        return spoiled, None, None


@pytest.mark.parametrize("row", [0, 1, 2])
@pytest.mark.parametrize("what", ["zero", "scaled", "added"])
def test_any_other_mistake_is_found(row: int, what: str) -> None:
    """A test of the tester: in the row of padding as in others, also where another row is zeroed."""
    report = xcheck.check(lambda w: cubes(padding_idx=0)(Spoiled.apply(w, row, what)), W)
    assert report.verdict is Verdict.DISAGREE
    assert {component.location.index[0] for component in report.pairs[0].worst[: report.pairs[0].wrong]} == {row}


@pytest.mark.parametrize("value", [0.0, 5.0])
def test_a_hook_that_writes_into_a_row_is_found(value: float) -> None:
    """Zeroing another row by hand looks like padding, and is none; nor is a row of padding that is not zero."""
    weight = W.clone().requires_grad_()
    weight.register_hook(lambda g: g.index_fill(0, torch.tensor([0 if value else 2]), value))
    report = xcheck.check(cubes(padding_idx=0), weight)
    assert report.verdict is Verdict.DISAGREE
