"""Losses of torch.nn.functional, with their options."""

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F

from tests.backends.xcheck_torch.traced import assert_traced, between_0_and_1, randn

LABELS, WEIGHTS = torch.tensor([0, 3, 1]), torch.arange(1.0, 5, dtype=torch.float64)
Y, P, SIGNS = randn(3, 4, seed=3), between_0_and_1(3, 4), torch.sign(randn(3, 4, seed=4))

LOSSES: dict[str, Callable[[Any], Any]] = {
    "cross entropy": lambda x: F.cross_entropy(x, LABELS),
    "with weights": lambda x: F.cross_entropy(x, LABELS, WEIGHTS, label_smoothing=0.1, ignore_index=3),
    "summed": lambda x: F.cross_entropy(x, LABELS, reduction="sum") + F.cross_entropy(x, LABELS, reduction="none")[1],
    "of probabilities": lambda x: F.cross_entropy(x, P / P.sum(1, keepdim=True)),
    "of images": lambda x: F.cross_entropy(x.T.reshape(1, 4, 3, 1), LABELS.reshape(1, 3, 1)),
    "of one": lambda x: F.nll_loss(x[0].log_softmax(0), LABELS[1]),
    "logits": lambda x: F.binary_cross_entropy_with_logits(x, P, WEIGHTS, pos_weight=WEIGHTS.flip(0)),
    "binary": lambda x: F.binary_cross_entropy(x.sigmoid(), P, WEIGHTS),
    "squares": lambda x: F.mse_loss(x, Y) + F.mse_loss(x, Y, reduction="none")[0, 0],
    "sizes": lambda x: F.l1_loss(x, Y),
    "smooth": lambda x: F.smooth_l1_loss(x, Y, beta=0.5) + F.smooth_l1_loss(x, Y, beta=0.0),
    "huber": lambda x: F.huber_loss(x, Y, delta=0.5, reduction="sum"),
    "poisson": lambda x: F.poisson_nll_loss(x, P),
    "gaussian": lambda x: F.gaussian_nll_loss(x, Y, x.exp()),
    "soft margin": lambda x: F.soft_margin_loss(x, SIGNS) + F.multilabel_soft_margin_loss(x, (SIGNS > 0).double()),
    "margins": lambda x: F.margin_ranking_loss(x, x.flip(0), SIGNS) + F.multi_margin_loss(x, LABELS),
    "hinge": lambda x: F.hinge_embedding_loss(x, SIGNS),
    "divergence": lambda x: F.kl_div(F.log_softmax(x, 1), P, reduction="batchmean"),
    "triplet": lambda x: F.triplet_margin_loss(x, x.flip(0), x.roll(1, 0)),
    "cosine": lambda x: F.cosine_embedding_loss(x, x.flip(0) ** 2, torch.tensor([1, -1, 1])),
    "distances": lambda x: torch.cdist(x, Y).sum() + torch.cdist(x, Y, p=1).sum() + torch.cdist(x, Y, p=3).sum(),
    "largest distance": lambda x: torch.cdist(x, Y, p=float("inf")).sum() + torch.pdist(x).sum(),
}


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    """Loss and slopes."""
    assert_traced(LOSSES[name], randn(3, 4))
