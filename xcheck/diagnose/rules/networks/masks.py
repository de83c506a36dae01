"""Masks: the dropout mask that a backward pass was made with, where the gradient determines it.

With δ of shape (m, nₗ), from which the gradient of a layer was made, and a its inputs with a column of ones,

    aᵀ δ = m [∂J/∂W − penalty, ∂J/∂b]ᵀ

are n + 1 equations for the m numbers δₑᵢ of each unit. Where m ≤ n + 1 and the examples are independent they have one
solution. Divided by what arrives from above and by g'(z) it is the mask that was applied, times 1/keep_prob. If that is
0 or 1/keep_prob everywhere, but differs from the mask of the forward pass, the mask was drawn anew.
"""

from collections.abc import Iterator

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.diagnose.rules.networks.backprop import Backprop, Steps, apply_mask
from xcheck.findings import DROPOUT_BACKWARD
from xcheck.layout import Vector

# How close to 0 or 1 each element of a mask must come. A guess, between what solving the equations costs (`_CONDITION`
# roundings, 1e-8) and the deviations of other mistakes.
_CLOSE = 1e-5
# Worst condition number of the equations: half of the digits of float64 are left.
_CONDITION = 1e8
# Elements whose upstream gradient is smaller than this part of the largest δ say nothing about the mask.
_SILENT = 1e-6
# Fewest elements that must say something. A guess: eight zeros and ones are right by chance once in 2⁸.
_FEWEST = 8
# How far the share of kept elements may be from keep_prob, in standard deviations of a draw.
_DEVIATIONS = 4


def redrawn_mask(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that the mask of the backward pass is not that of the forward pass."""
    if evidence.problem is None:
        return
    backprop, masks = Backprop(evidence, evidence.problem), dict[int, Flags]()
    # From the last layer down: what arrives at a layer depends on the masks above it.
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
    """Return the mask that a layer's gradient was made with; None where it is not determined, or is no new draw."""
    delta = _delta(evidence, backprop, number)
    if delta is None:
        return None
    keep, arrived = backprop.network.keep_probs[number], _arriving(backprop, number, above)
    with np.errstate(all="ignore"):
        factor = delta / (arrived * backprop.slope(number)) * keep
    known = np.abs(arrived * backprop.slope(number)) > _SILENT * np.abs(delta).max()
    rounded = np.where(known, np.round(factor), 0)
    is_mask = np.abs(np.where(known, factor, 0) - rounded).max() <= _CLOSE and np.isin(rounded, (0, 1)).all()
    mask, forward = np.asarray(rounded == 1), np.asarray(backprop.problem.masks[number])
    # A new draw keeps some units that the other dropped, and about as many; the same mask with gaps is no draw.
    deviation = np.sqrt(keep * (1 - keep) / known.sum())
    is_new = (mask & ~forward).any() and abs(mask[known].mean() - keep) <= _DEVIATIONS * deviation
    return mask if is_mask and known.sum() >= _FEWEST and is_new else None


def _delta(evidence: Evidence, backprop: Backprop, number: int) -> Vector | None:
    """Return the δ from which the gradient of a layer was made, shape (m, nₗ); None where several δ would give it."""
    m, W, b = (
        backprop.problem.examples,
        evidence.layout.tensor(number, "weight"),
        evidence.layout.tensor(number, "bias"),
    )
    # The column of ones makes the bias gradient one more equation.
    a = np.column_stack([backprop.trace.a[number - 1], np.ones(m)])
    if m > a.shape[1] or np.linalg.cond(a) > _CONDITION:
        return None
    weights = (evidence.gradient[W.span] - evidence.penalty[W.span]).reshape(W.shape)
    sums = m * np.column_stack([weights, evidence.gradient[b.span]])
    return np.asarray(np.linalg.lstsq(a.T, sums.T, rcond=None)[0])


def _arriving(backprop: Backprop, number: int, masks: dict[int, Flags]) -> Vector:
    """Return what arrives at a layer from above, if the layers above it have these masks."""
    arrived: list[Vector] = []

    def keep(upstream: Vector) -> Vector:
        arrived.append(upstream)
        return upstream

    steps = _steps(backprop, masks)
    # The backward pass itself computes it: the layer's own step only takes note of what it is given.
    backprop.gradient(Steps(drop={**steps.drop, number: keep}))
    return arrived[0]
