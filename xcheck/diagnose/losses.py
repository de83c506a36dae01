"""Findings about losses, and about numbers that are not finite: losses are compared before gradients."""

from collections.abc import Sequence

import numpy as np

from xcheck import findings as codes
from xcheck.compare.evaluation import largest_intermediate
from xcheck.compare.pair import ORACLE, Pair
from xcheck.findings import Finding
from xcheck.oracle import Estimate


def loss_findings(pairs: Sequence[Pair], estimate: Estimate, *, differenced: str = "") -> list[Finding]:
    """Return why a comparison with the oracle failed before any gradient could be compared.

    Args:
        pairs: what was compared; those among the witnesses are left aside.
        estimate: the oracle's gradient.
        differenced: the witness whose own loss the oracle differences, if it is one's.
    """
    if not np.isfinite(estimate.loss):
        text = f"the loss is {estimate.loss} at this θ: there is no gradient to check"
        return [Finding(code=codes.NOTHING_TO_JUDGE, text=text, value=estimate.loss)]
    return [finding for pair in pairs if pair.b == ORACLE for finding in _pair_findings(pair, estimate, differenced)]


def _pair_findings(pair: Pair, estimate: Estimate, differenced: str) -> list[Finding]:
    mine, theirs = pair.losses
    what = pair.output or "the loss"
    findings = []
    if pair.overflows:
        largest = largest_intermediate(estimate)
        text = (
            f"{pair.a}: {what} is {mine:.9g}, but intermediate results reach {largest:.1g}, more than its dtype "
            "holds: no gradient can be compared"
        )
        return [Finding(code=codes.NOTHING_TO_JUDGE, text=text, value=mine)]
    if not np.isfinite(mine):
        text = f"{pair.a}: {what} is {mine}, the oracle's is {theirs:.9g}"
        findings.append(Finding(code=codes.LOSS_NOT_FINITE, text=text, value=mine))
    # Two draws of a random function are different losses of one function.
    elif not pair.losses_agree and not pair.spread:
        findings.append(_different_losses(pair, differenced))
    # The worst components come first, and none is worse than one that is no number.
    for component in pair.worst:
        if not np.isfinite(component.a):
            text = f"{pair.a}: the gradient is {component.a} at {component.location}"
            tensor = component.location.name
            findings.append(Finding(code=codes.GRADIENT_NOT_FINITE, text=text, tensor=tensor, value=component.a))
            break
    return findings


def _different_losses(pair: Pair, differenced: str) -> Finding:
    mine, theirs = pair.losses
    what, they = (pair.output, "outputs") if pair.output else ("the loss", "losses")
    if pair.a == differenced:
        text = (
            f"{pair.a}: {what} is {mine:.12g} where it is differentiated, and {theirs:.12g} where it is only called: "
            "the forward pass of a derivative rule (`fwd` of custom_vjp) returns another value than the function"
        )
        return Finding(code=codes.LOSSES_PART, text=text, value=mine - theirs)
    # The oracle knows no loss but the one that it differences, which may be the wrong one of two.
    whose = f"that of {differenced}, which the oracle differences," if differenced else "the oracle's"
    text = f"{pair.a}: {what} is {mine:.12g}, {whose} is {theirs:.12g}: "
    text += f"different functions have different gradients, so make the {they} equal first"
    return Finding(code=codes.LOSSES_DIFFER, text=text, value=mine - theirs)
