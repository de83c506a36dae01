"""Determinism: what two calls of one witness at the same θ say about it.

The contract demands that both give bitwise the same. Where they do not, there are three cases:

- the losses differ by more than rounding: the function is random (dropout that draws anew), it has no gradient that
  could be checked, and the witness is undecided, never wrong;
- the losses are the same, the gradients differ, and one of them is wrong: something is kept between calls (a stale
  cache, a gradient that accumulates), or the backward pass draws again what the forward pass has drawn already;
- both are the same to rounding: sums were taken in another order. That is harmless, and a warning says so.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.diagnose.evidence import Evidence, fits
from xcheck.findings import ACCUMULATED, DEPENDS_ON_HISTORY, NOT_DETERMINISTIC, UNSTEADY_GRADIENT, Finding


def unsteady_gradients(evaluations: Sequence[Evaluation], comparer: Comparer) -> list[Finding]:
    """Return a finding for each witness of which only one call is right, or both are wrong and differ."""
    return [_two_gradients(evaluation, comparer) for evaluation in evaluations if _is_unsteady(evaluation, comparer)]


def differing_calls(evaluations: Sequence[Evaluation], comparer: Comparer) -> list[Finding]:
    """Return a warning for each witness whose calls differ in another way, by how much they do."""
    return [
        _random_loss(evaluation, comparer.spread(evaluation)) if comparer.spread(evaluation) else _rounding(evaluation)
        for evaluation in evaluations
        if evaluation.again and not _is_unsteady(evaluation, comparer)
    ]


def accumulated_gradient(evaluation: Evaluation, evidence: Evidence) -> list[Finding]:
    """Return a finding if the second call gave the first gradient plus the right one: it adds instead of replacing.

    Args:
        evaluation: what the witness said, in both calls.
        evidence: against the first of them.
    """
    if evaluation.again is None or evaluation.elsewhere or not np.any(evidence.trusted):
        return []
    first, second = (call.gradient for call in evaluation.calls)
    # `replace` leaves out what is cached: wrong_tensors of the first gradient are not those of the second.
    against_second = replace(evidence, gradient=second)
    if not fits(against_second, slice(0, len(first)), first + evidence.trusted, None):
        return []
    text = (
        f"{evaluation.name}: the gradient accumulates: the second call returns the gradient of the first plus its own"
    )
    return [Finding(code=ACCUMULATED, text=text, value=2.0)]


def _is_unsteady(evaluation: Evaluation, comparer: Comparer) -> bool:
    # A random loss has no gradient that could be right once.
    if evaluation.again is None or comparer.spread(evaluation):
        return False
    # Where both calls are right, or differ by rounding only, the difference is harmless.
    wrong = any(pair.wrong for pair in comparer.each_call(evaluation))
    return wrong and comparer.between(evaluation, evaluation.again).wrong > 0


def _two_gradients(evaluation: Evaluation, comparer: Comparer) -> Finding:
    first, second = comparer.each_call(evaluation)
    apart = comparer.between(*evaluation.calls).worst[0]
    who = "neither" if first.wrong and second.wrong else "only the second" if first.wrong else "only the first"
    wrong = " and ".join(str(pair.wrong) for pair in (first, second) if pair.wrong)
    occasion = "a call after one at another θ" if evaluation.elsewhere else "the second call at the same θ"
    text = (
        f"{evaluation.name}: {occasion} gives another gradient, and {who} agrees with the oracle "
        f"({wrong} of {first.of} wrong): {apart.location} is {apart.a:.6g}, then {apart.b:.6g}; look for a stale "
        "cache, a gradient that accumulates, or a mask drawn anew"
    )
    code = DEPENDS_ON_HISTORY if evaluation.elsewhere else UNSTEADY_GRADIENT
    return Finding(code=code, text=text, tensor=apart.location.name, value=apart.b - apart.a)


def _random_loss(evaluation: Evaluation, spread: float) -> Finding:
    first, second = (call.loss for call in evaluation.calls)
    text = (
        f"{evaluation.name}: the loss is not deterministic: {first:.9g}, then {second:.9g} at the same θ, a spread of "
        f"{spread:.2g}; nothing can be said about its gradient: switch dropout off or pin its mask, and seed every "
        "call alike"
    )
    return Finding(code=NOT_DETERMINISTIC, text=text, value=spread)


def _rounding(evaluation: Evaluation) -> Finding:
    first, second = evaluation.calls
    with np.errstate(all="ignore"):
        gradient = float(np.nan_to_num(np.abs(first.gradient - second.gradient), nan=np.inf).max(initial=0.0))
    text = (
        f"{evaluation.name}: two calls at the same θ differ by {abs(first.loss - second.loss):.1e} in the loss and "
        f"{gradient:.1e} in the gradient: too little to matter for this check, but they are not the same to the last "
        "bit"
    )
    return Finding(code=NOT_DETERMINISTIC, text=text, value=gradient)
