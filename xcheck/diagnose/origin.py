"""Origin: the step of a network's backward pass in which a fault has entered.

Backpropagation runs from the last layer to the first. If the gradient of a layer is right, so is the δ that is passed
down to it; a fault has entered in the uppermost layer that is wrong.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.diagnose.evidence import Evidence
from xcheck.diagnose.ranking import MOST_NAMES
from xcheck.layout import Tensor
from xcheck.oracle.estimate import CERTAIN
from xcheck.text import joined


def origin(evidence: Evidence) -> str:
    """Return where in the backward pass of a network the fault entered; empty for people's own functions."""
    if evidence.problem is None:
        return ""
    network, masks = evidence.problem.network, evidence.problem.masks
    depth = len(network.layers)
    wrong = [tensor for tensor in evidence.layout if evidence.wrong[tensor.span].any()]
    layers = sorted({tensor.layer for tensor in wrong if tensor.layer is not None})
    top = max(layers, default=0)
    if not top:
        return ""
    # A wrong δ makes every layer below wrong, but for those that have no gradient at all.
    passed_on = all(number in layers or _has_no_gradient(evidence, number) for number in range(1, top))
    alone = len([tensor for tensor in wrong if tensor.layer == top]) == 1
    if (top > 1 and not passed_on) or alone:
        # Where no other tensor has a gradient to speak of, it cannot be told from a wrong δ.
        return _in_tensors(wrong) if _would_show(evidence, wrong, top) else ""
    if top == depth:
        plain = network.layers[-1].activation == "identity" and masks[-1] is None
        own = "" if plain else "that of its own activation, its mask, "
        return f"layer {top}, the last one: the derivative of the loss, {own}the mean over the examples, or a factor"
    right = f"layer {depth} is" if top + 1 == depth else f"layers {top + 1} to {depth} are"
    below = f"layer {layers[0]} is" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]} are"
    return (
        f"between layer {top + 1} and layer {top}: {right} right, {below} wrong; look at δ W of layer "
        f"{top + 1}, and at the mask and the derivative of layer {top}"
    )


def _would_show(evidence: Evidence, wrong: Sequence[Tensor], top: int) -> bool:
    """Return whether a wrong δ of layer `top` would make other tensors wrong, too, of that layer or below it."""
    others = [tensor.span for tensor in evidence.layout if (tensor.layer or 0) <= top and tensor not in wrong]
    # δ has no part in the penalty.
    data = evidence.trusted - evidence.penalty
    return any((np.abs(data[span]) > CERTAIN * evidence.uncertainty[span]).any() for span in others)


def _in_tensors(wrong: Sequence[Tensor]) -> str:
    """Return the place of a fault that was made in some tensors, and not in what is passed down."""
    roles = {tensor.role for tensor in wrong}
    what = {"bias": "the sum over the examples, or a penalty", "weight": "the product δᵀ a, or the penalty"}
    (role,) = roles if len(roles) == 1 else (None,)
    reason = f": {what[role]}" if role in what else ""
    names = joined([tensor.name for tensor in wrong], MOST_NAMES)
    return f"in {names} alone{reason}; everything else is right, and so is the δ that is passed down"


def _has_no_gradient(evidence: Evidence, number: int) -> bool:
    """Return whether the gradient of a layer is zero to its uncertainty, so that it cannot be wrong."""
    spans = [tensor.span for tensor in evidence.layout if tensor.layer == number]
    return not any((np.abs(evidence.trusted[s]) > CERTAIN * evidence.uncertainty[s]).any() for s in spans)
