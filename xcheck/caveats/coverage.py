"""Caveats about coverage: tensors that agree and of which nothing, or not everything, is verified.

Zero or noise would look the same there; or, at a minimum, a factor on the whole gradient.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.compare.coverage import FAULT, TensorCoverage, steepest
from xcheck.findings import BELOW_NOISE, STATIONARY, ZERO_GRADIENT, Finding
from xcheck.layout import Layout
from xcheck.oracle import Estimate


def zero_gradient(tensors: Sequence[TensorCoverage]) -> Finding | None:
    """Name the tensors whose whole gradient is zero because neither loss nor penalty moves with them."""
    names = [tensor.name for tensor in tensors if tensor.of and tensor.zero == tensor.of]
    if not names:
        return None
    text = (
        f"zero gradient: the loss does not change with any component of {', '.join(names)}, and a wrong backward pass "
        "may return zero as well, so nothing of it counts as verified; look for dead units and factors of zero, or "
        "check at another θ"
    )
    return Finding(code=ZERO_GRADIENT, text=text, tensor=names[0], value=float(len(names)))


def below_noise(tensors: Sequence[TensorCoverage], estimate: Estimate, layout: Layout) -> Finding | None:
    """Name the tensors that agree, but of which no component is large enough for an error of 1 % to show.

    Args:
        tensors: what is covered of each.
        estimate: the oracle's gradient that this was worked out from.
        layout: its tensors.
    """
    names = [tensor.name for tensor in tensors if tensor.below_noise]
    if not names:
        return None
    # The best known component: even there an error of 1 % is less than the uncertainty.
    uncertainty = estimate.error_bar + estimate.rounding.gradient
    sizes = [
        f"{name} (at most {steepest(estimate)[span].max():.1e}, known to {uncertainty[span].min():.0e})"
        for name, span in ((name, layout[name].span) for name in names)
    ]
    text = (
        f"gradient below the noise: {', '.join(sizes)}: an error of {FAULT:.0%} would not show anywhere, so nothing of "
        "it counts as verified; the terms of the loss cancel, or θ is fitted already: check at another θ"
    )
    return Finding(code=BELOW_NOISE, text=text, tensor=names[0], value=float(len(names)))


@np.errstate(invalid="ignore", divide="ignore")
def stationary(tensors: Sequence[TensorCoverage], estimate: Estimate, layout: Layout) -> Finding | None:
    """Name the tensors whose gradient cancels to zero, though its terms do not: an error of the terms would have shown.

    Args:
        tensors: what is covered of each.
        estimate: the oracle's gradient that this was worked out from.
        layout: its tensors.
    """
    uncertainty = estimate.error_bar + estimate.rounding.gradient
    distinct = FAULT * steepest(estimate) > uncertainty
    spans = {tensor.name: layout[tensor.name].span for tensor in tensors if tensor.verified}
    zero = {name: span for name, span in spans.items() if not distinct[span].any()}
    if not zero:
        return None
    sizes = []
    for name, span in zero.items():
        terms, seen = float(estimate.terms[span].max()), float(uncertainty[span].max())
        sizes.append(f"{name} (zero to {seen:.0e}, {seen / terms:.0e} of {terms:.1e})")
    text = (
        f"stationary: the gradient cancels in {', '.join(sizes)}, the size of its terms or of the slope a step away: "
        "an error of these would have been seen, a factor on the whole gradient would not: check at another θ as well"
    )
    return Finding(code=STATIONARY, text=text, tensor=next(iter(zero)), value=float(len(zero)))
