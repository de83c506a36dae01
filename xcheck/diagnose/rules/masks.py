"""Recover: what was really passed down, where the gradient tells it.

With δ of shape (m, nₗ) what a layer's gradient was made of, and a the inputs of the layer with a column of ones,

    aᵀ δ = m [∂J/∂W − penalty, ∂J/∂b]ᵀ

are n + 1 equations for the m numbers δₑᵢ of each unit. Where m ≤ n + 1 and the examples are independent they have one
solution; divided by what arrives from above and by g'(z) it is the mask, times 1/keep_prob, that was applied. If it is
0 or 1/keep_prob everywhere, and not where it should be, the mask was drawn anew.
"""

from collections.abc import Iterator

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.diagnose.rules.backprop import Backprop, Steps, apply_mask
from xcheck.findings import DROPOUT_BACKWARD
from xcheck.layout import Vector

_CLOSE = 1e-5
_CONDITION = 1e8


def redrawn_mask(evidence: Evidence) -> Iterator[Hypothesis]:
    """The mask of the backward pass is another one than that of the forward pass."""
    if evidence.problem is None:
        return
    backprop, masks = Backprop(evidence, evidence.problem), dict[int, Flags]()
    for number in range(backprop.depth, 0, -1):
        if (
            backprop.problem.masks[number] is None
            or not evidence.wrong[evidence.layout.tensor(number, "bias").span].any()
        ):
            continue
        mask = _mask(evidence, backprop, number, masks)
        if mask is not None:
            masks[number] = mask
    if masks:
        flat = backprop.gradient(_steps(backprop, masks))
        names = [tensor.name for tensor in evidence.wrong_tensors if (tensor.layer or 0) <= max(masks)]
        place = f"layer{'s' * (len(masks) > 1)} {', '.join(str(number) for number in masks)}"
        text = "the dropout mask of the backward pass is not that of the forward pass: it was drawn anew"
        yield Hypothesis(DROPOUT_BACKWARD, text, {n: flat[evidence.layout[n].span] for n in names}, place=place)


def _steps(backprop: Backprop, masks: dict[int, Flags]) -> Steps:
    return Steps(drop={number: apply_mask(mask, backprop.network.keep_probs[number]) for number, mask in masks.items()})


def _mask(evidence: Evidence, backprop: Backprop, number: int, above: dict[int, Flags]) -> Flags | None:
    """Return the mask that a layer's gradient was made with, None where it cannot be told or is no mask."""
    delta = _delta(evidence, backprop, number)
    if delta is None:
        return None
    keep, arrived = backprop.network.keep_probs[number], _arriving(backprop, number, above)
    with np.errstate(all="ignore"):
        factor = delta / (arrived * backprop.slope(number)) * keep
    told = np.abs(arrived * backprop.slope(number)) > 1e-6 * np.abs(delta).max()
    mask = np.where(told, np.round(factor), 0)
    is_mask = np.abs(np.where(told, factor, 0) - mask).max() <= _CLOSE and np.isin(mask, (0, 1)).all()
    found, forward = np.asarray(mask == 1), np.asarray(backprop.problem.masks[number])
    # One that was drawn anew keeps what the other dropped, and about as many; the same with gaps is no draw.
    fresh = (found & ~forward).any() and abs(found[told].mean() - keep) <= 4 * np.sqrt(keep * (1 - keep) / told.sum())
    return found if is_mask and told.sum() >= 8 and fresh else None


def _delta(evidence: Evidence, backprop: Backprop, number: int) -> Vector | None:
    """Return the δ that the gradient of a layer was made of, shape (m, nₗ), where there is but one."""
    m, W, b = (
        backprop.problem.examples,
        evidence.layout.tensor(number, "weight"),
        evidence.layout.tensor(number, "bias"),
    )
    a = np.column_stack([backprop.trace.a[number - 1], np.ones(m)])
    if m > a.shape[1] or np.linalg.cond(a) > _CONDITION:
        return None
    weights = (evidence.gradient[W.span] - evidence.penalty[W.span]).reshape(W.shape)
    sums = m * np.column_stack([weights, evidence.gradient[b.span]])
    return np.asarray(np.linalg.lstsq(a.T, sums.T, rcond=None)[0])


def _arriving(backprop: Backprop, number: int, masks: dict[int, Flags]) -> Vector:
    """Return what arrives at a layer from above, with the masks that were found there."""
    found: list[Vector] = []

    def keep(upstream: Vector) -> Vector:
        found.append(upstream)
        return upstream

    steps = _steps(backprop, masks)
    backprop.gradient(Steps(drop={**steps.drop, number: keep}))
    return found[0]
