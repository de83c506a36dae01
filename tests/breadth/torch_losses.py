"""torch: losses."""

from typing import Any

import torch
import torch.nn.functional as F

from tests.breadth.entry import Collection, Draw, Params, constant, integers, normal, one_hot, signs, uniform

COLLECTION = Collection("torch")
add = COLLECTION.add
MAP: dict[str, Draw] = {"W": normal(3, 4), "b": normal(3)}
INPUT = normal(6, 4)


def logits(p: Params, x: Any) -> Any:
    """Outputs of the linear map that all losses are composed with, shape (6, 3)."""
    return F.linear(x, p["W"], p["b"])


@add(MAP, INPUT, normal(6, 3))
def mse_loss(p: Params, x: Any, y: Any) -> Any:
    """Mean squared error."""
    return F.mse_loss(logits(p, x), y)


@add(MAP, INPUT, normal(6, 3))
def l1_loss(p: Params, x: Any, y: Any) -> Any:
    """Mean absolute error."""
    return F.l1_loss(logits(p, x), y)


@add(MAP, INPUT, normal(6, 3))
def smooth_l1_loss(p: Params, x: Any, y: Any) -> Any:
    """Quadratic below beta."""
    return F.smooth_l1_loss(logits(p, x), y, beta=0.7)


@add(MAP, INPUT, normal(6, 3))
def huber_loss(p: Params, x: Any, y: Any) -> Any:
    """Quadratic below delta."""
    return F.huber_loss(logits(p, x), y, delta=1.3)


@add(MAP, INPUT, integers(3, 6))
def cross_entropy(p: Params, x: Any, y: Any) -> Any:
    """Softmax and the logarithm of the right class."""
    return F.cross_entropy(logits(p, x), y)


@add(MAP, INPUT, integers(3, 6), uniform(0.5, 2.0, 3))
def cross_entropy_weighted_smoothed(p: Params, x: Any, y: Any, weight: Any) -> Any:
    """Class weights and label smoothing."""
    return F.cross_entropy(logits(p, x), y, weight=weight, label_smoothing=0.1)


@add(MAP, INPUT, constant(0, -100, 2, 1, -100, 1))
def cross_entropy_ignore_index(p: Params, x: Any, y: Any) -> Any:
    """Two of six targets are ignored."""
    return F.cross_entropy(logits(p, x), y)


@add(MAP, INPUT, uniform(0.1, 1.0, 6, 3))
def cross_entropy_probabilities(p: Params, x: Any, y: Any) -> Any:
    """Targets that are distributions."""
    return F.cross_entropy(logits(p, x), y / y.sum(1, keepdim=True), reduction="sum")


@add(MAP, INPUT, integers(3, 6))
def nll_loss(p: Params, x: Any, y: Any) -> Any:
    """Of a log-softmax."""
    return F.nll_loss(F.log_softmax(logits(p, x), dim=1), y)


@add(MAP, INPUT, integers(2, 6, 3))
def binary_cross_entropy(p: Params, x: Any, y: Any) -> Any:
    """Of probabilities."""
    return F.binary_cross_entropy(torch.sigmoid(logits(p, x)), y.double())


@add(MAP, INPUT, integers(2, 6, 3), uniform(0.5, 1.5, 3))
def binary_cross_entropy_with_logits(p: Params, x: Any, y: Any, weight: Any) -> Any:
    """Of logits, with a weight of the positives (torch can't differentiate with respect to it)."""
    return F.binary_cross_entropy_with_logits(logits(p, x), y.double(), pos_weight=weight)


@add(MAP, INPUT, uniform(0.1, 1.0, 6, 3))
def kl_div(p: Params, x: Any, y: Any) -> Any:
    """Between two distributions."""
    target = y / y.sum(1, keepdim=True)
    return F.kl_div(F.log_softmax(logits(p, x), dim=1), target, reduction="batchmean")


@add(MAP, INPUT, integers(5, 6, 3))
def poisson_nll_loss(p: Params, x: Any, y: Any) -> Any:
    """Logarithmic rates."""
    return F.poisson_nll_loss(logits(p, x), y.double())


@add({**MAP, "spread": normal(3)}, INPUT, normal(6, 3))
def gaussian_nll_loss(p: Params, x: Any, y: Any) -> Any:
    """A mean and a variance."""
    return F.gaussian_nll_loss(logits(p, x), y, p["spread"].exp().expand(6, 3))


@add(MAP, INPUT, signs(6, 3))
def hinge_embedding_loss(p: Params, x: Any, y: Any) -> Any:
    """The output itself, or a hinge of it."""
    return F.hinge_embedding_loss(logits(p, x), y)


@add(MAP, INPUT, INPUT, signs(6))
def margin_ranking_loss(p: Params, a: Any, b: Any, y: Any) -> Any:
    """Which of two should be larger."""
    return F.margin_ranking_loss(logits(p, a)[:, 0], logits(p, b)[:, 1], y, margin=0.3)


@add(MAP, INPUT, INPUT, INPUT)
def triplet_margin_loss(p: Params, a: Any, b: Any, c: Any) -> Any:
    """Anchor, positive, negative."""
    return F.triplet_margin_loss(logits(p, a), logits(p, b), logits(p, c), margin=2.0)


@add(MAP, INPUT, INPUT, signs(6))
def cosine_embedding_loss(p: Params, a: Any, b: Any, y: Any) -> Any:
    """Angles between outputs."""
    return F.cosine_embedding_loss(logits(p, a), logits(p, b), y, margin=-0.5)


@add(MAP, normal(7, 2, 4), constant(1, 2, 1, 1), constant(7, 5), constant(2, 2))
def ctc_loss(p: Params, x: Any, targets: Any, lengths: Any, target_lengths: Any) -> Any:
    """Two sequences, one with a repeated label."""
    return F.ctc_loss(logits(p, x).log_softmax(-1), targets, lengths, target_lengths)


@add(MAP, INPUT, integers(3, 6))
def multi_margin_loss(p: Params, x: Any, y: Any) -> Any:
    """A margin between the right class and the others."""
    return F.multi_margin_loss(logits(p, x), y)


@add(MAP, INPUT, one_hot(6, 3))
def multilabel_soft_margin_loss(p: Params, x: Any, y: Any) -> Any:
    """Several labels for one example."""
    return F.multilabel_soft_margin_loss(logits(p, x), y)


@add(MAP, INPUT, signs(6, 3))
def soft_margin_loss(p: Params, x: Any, y: Any) -> Any:
    """log(1 + exp(−y z))."""
    return F.soft_margin_loss(logits(p, x), y)


@add(MAP, INPUT, normal(6, 3), array_valued=True)
def mse_loss_unreduced(p: Params, x: Any, y: Any) -> Any:
    """One loss for each example."""
    return F.mse_loss(logits(p, x), y, reduction="none").mean(1)
