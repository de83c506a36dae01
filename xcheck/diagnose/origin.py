"""Origin: the step of the backward pass in which a fault has entered."""

from collections.abc import Sequence

import numpy as np

from xcheck.diagnose.evidence import Evidence
from xcheck.diagnose.ranking import _listed
from xcheck.layout import Tensor


def origin(evidence: Evidence) -> str:
    """Say where in the backward pass of a network the fault entered; nothing of what is no network.

    Backpropagation runs from the last layer to the first, and what is passed down is right if what is below is.
    """
    if evidence.problem is None:
        return ""
    depth = len(evidence.problem.network.layers)
    wrong = [tensor for tensor in evidence.layout if evidence.wrong[tensor.span].any()]
    layers = sorted({tensor.layer for tensor in wrong if tensor.layer is not None})
    top = max(layers, default=0)
    if not top:
        return ""
    passed_on = all(number in layers or _silent(evidence, number) for number in range(1, top))
    own = [tensor for tensor in wrong if tensor.layer == top]
    if (top > 1 and not passed_on) or len(own) == 1:
        return _local(wrong) if _would_show(evidence, wrong, top) else ""
    if top == depth:
        plain = evidence.problem.network.layers[-1].activation == "identity" and evidence.problem.masks[-1] is None
        own_slope = "" if plain else "that of its own activation, its mask, "
        return (
            f"layer {top}, the last one: the derivative of the loss, {own_slope}the mean over the examples, or a factor"
        )
    right = f"layer {depth}" if top + 1 == depth else f"layers {top + 1} to {depth}"
    verb = "is" if top + 1 == depth else "are"
    return (
        f"between layer {top + 1} and layer {top}: {right} {verb} right, {_whole(layers)} wrong; look at δ W of layer "
        f"{top + 1}, and at the mask and the derivative of layer {top}"
    )


def _would_show(evidence: Evidence, wrong: Sequence[Tensor], top: int) -> bool:
    """Return whether a wrong δ of the uppermost layer would show in more than is wrong: in what is right there."""
    rest = [tensor.span for tensor in evidence.layout if (tensor.layer or 0) <= top and tensor not in wrong]
    data = evidence.trusted - evidence.penalty
    return any((np.abs(data[span]) > 4 * evidence.blur[span]).any() for span in rest)


def _local(wrong: Sequence[Tensor]) -> str:
    biases, weights = (all(tensor.role == role for tensor in wrong) for role in ("bias", "weight"))
    what = (
        "the sum over the examples, or a penalty" if biases else "the product δᵀ a, or the penalty" if weights else ""
    )
    reason = f": {what}" if what else ""
    names = _listed([tensor.name for tensor in wrong])
    return f"in {names} alone{reason}; everything else is right, so what is passed down is"


def _silent(evidence: Evidence, number: int) -> bool:
    """Return whether a layer has no gradient that could be wrong."""
    spans = [tensor.span for tensor in evidence.layout if tensor.layer == number]
    return not any((np.abs(evidence.trusted[s]) > 4 * evidence.blur[s]).any() for s in spans)


def _whole(layers: Sequence[int]) -> str:
    return f"layer {layers[0]} is" if len(layers) == 1 else f"layers {layers[0]} to {layers[-1]} are"
