"""The loss of alignments is that of torch, with the slopes of autograd."""

from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from tests.backends.xcheck_torch.traced import assert_traced, made, randn

X = randn(7, 3, 4)
ROWS = torch.tensor([[1, 2, 2], [3, 1, 0], [2, 0, 0]])
ONE_BY_ONE = torch.tensor([1, 2, 2, 3, 1, 2])


def loss(x: Tensor, targets: Tensor, *lengths: Any, **settings: Any) -> Tensor:
    """The loss of logits."""
    return F.ctc_loss(x.log_softmax(2), targets, *lengths, **settings)


@pytest.mark.parametrize("targets", [ROWS, ONE_BY_ONE], ids=["rows", "one after the other"])
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_texts_of_several_lengths(targets: Tensor, reduction: str) -> None:
    """A label twice in a row needs a blank between; signals end at their own steps."""
    assert_traced(lambda x: loss(x, targets, (7, 5, 6), (3, 2, 1), reduction=reduction), X)


def test_lengths_in_tensors() -> None:
    """As data loaders give them."""
    assert_traced(lambda x: loss(x, ROWS, torch.tensor([7, 7, 7]), torch.tensor([3, 2, 1])), X)


def test_an_empty_text_and_another_blank() -> None:
    """Of nothing but blanks."""
    assert_traced(lambda x: loss(x, torch.zeros(3, 2, dtype=torch.int64), (7, 7, 2), (2, 0, 1), blank=3).sin(), X)


def test_one_signal_alone() -> None:
    """Without an axis for the batch."""
    assert_traced(lambda x: F.ctc_loss(x.log_softmax(1), ROWS[0], (7,), (3,)), X[:, 0])


def test_what_cannot_be_aligned_counts_for_nothing_where_it_is_asked_for() -> None:
    """Three labels, one of them twice, do not fit into three steps."""
    assert_traced(lambda x: loss(x, ROWS, (3, 7, 7), (3, 2, 1), zero_infinity=True), X)


def test_the_operation_is_put_together() -> None:
    """It is no longer one that nothing is known of."""
    names = {operation.name for operation in made(lambda x: loss(x, ROWS, (7, 7, 7), (3, 2, 1)), X).trace().operations}
    assert "torch _ctc_loss" not in names
