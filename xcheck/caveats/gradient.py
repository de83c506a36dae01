"""Caveats about the gradient of a network: units and inputs that pass none, and a penalty that hides the data."""

import numpy as np

from xcheck.caveats.point import CheckedPoint
from xcheck.compare.bounds import Flags
from xcheck.compare.coverage import FAULT
from xcheck.findings import BLANK_INPUTS, DEAD_UNITS, PENALTY_DOMINATES, Finding
from xcheck.layout import Tensor
from xcheck.oracle.network.penalty import Penalty
from xcheck.text import joined

_SHOWN = 4  # units or inputs that are named; beyond them their number says more


def dead_units(point: CheckedPoint) -> Finding | None:
    """Name the units that pass no gradient back in any example: relu of z ≤ 0, or always dropped.

    A few are ordinary in a relu network. A mistake in the backward pass through them is multiplied by zero.
    """
    layers = [layer for layer in point.layers if layer.dead]
    if not layers:
        return None
    counts = [
        f"{len(layer.dead)} of {layer.units} in layer {layer.number} ({joined(layer.dead, _SHOWN)})" for layer in layers
    ]
    text = (
        f"dead units: {', '.join(counts)}: no gradient passes through them in {_all_examples(point)} (relu of z ≤ 0, "
        "or dropped), so a mistake there does not show; more examples, or another θ, may wake them"
    )
    return Finding(code=DEAD_UNITS, text=text, value=float(sum(len(layer.dead) for layer in layers)))


def blank_inputs(point: CheckedPoint) -> Finding | None:
    """Name the inputs that are zero in every example, unless they were called constant when the data were read."""
    blank = np.flatnonzero(~np.any(np.asarray(point.estimate.trace.a[0]), axis=0))
    # Constant features of a file are blank inputs once they are normalised.
    if len(blank) <= point.constant:
        return None
    text = (
        f"blank inputs: {len(blank)} of {point.problem.network.inputs} ({joined(blank.tolist(), _SHOWN)}): zero, or "
        f"dropped, in {_all_examples(point)}, so the data say nothing about their weights; more examples may say more"
    )
    return Finding(
        code=BLANK_INPUTS, text=text, tensor=point.problem.layout.tensor(1, "weight").name, value=float(len(blank))
    )


def penalty_dominates(point: CheckedPoint) -> Finding | None:
    """Name the weights whose gradient is so nearly the penalty that a mistake of 1 % in the data's share is tolerated.

    With D the data's share of a component, P the penalty's and τ the tolerance, a mistake of 1 % of D is accepted where
    it is less than τ |P|, that is where |D| < 100 τ |P|. A tensor is named if that holds for most of the components
    that the data move at all, or if the data move none.
    """
    lost, least = _lost_behind_penalty(point), point.tolerance / FAULT
    hidden = []
    if least >= 1:
        return None  # in few bits a fault of 1 % is not seen in any data, penalty or not: XC409 says so
    for tensor in point.problem.layout:
        considered = _moved_by_data(point, tensor)
        # Where the data move nothing (all inputs blank), everything there is the penalty's.
        considered = considered if considered.any() else np.ones_like(considered)
        count = int((lost[tensor.span] & considered).sum())
        # Most of them: a few components in which the data cancel are hidden in any network.
        if 2 * count > considered.sum():
            hidden.append((tensor.name, f"{tensor.name} ({count} of {tensor.size})"))
    if not hidden:
        return None
    text = (
        f"the penalty hides the data in {', '.join(where for _, where in hidden)}: there the data contribute less than "
        f"{least:.0e} of a component, and an error of {FAULT:.0%} in that is tolerated; check with less l2 or l1, too"
    )
    return Finding(code=PENALTY_DOMINATES, text=text, tensor=hidden[0][0], value=float(len(hidden)))


def _lost_behind_penalty(point: CheckedPoint) -> Flags:
    """Return where |D| < 100 τ |P|, shape (n,)."""
    problem = point.problem
    share = Penalty.at(problem.network, problem.layout, problem.theta, problem.examples).slope
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(point.estimate.value - share) < point.tolerance / FAULT * np.abs(share))


def _moved_by_data(point: CheckedPoint, tensor: Tensor) -> Flags:
    """Return the weights between an input that is not always zero and a unit that passes some gradient back."""
    layer = tensor.layer or 1  # of a declared network every tensor belongs to a layer
    passing = point.estimate.magnitude[point.problem.layout.tensor(layer, "bias").span] > 0
    if tensor.role == "bias":
        return passing
    # The slope along a weight is that of its unit times its input, example by example.
    return np.outer(passing, np.any(np.asarray(point.estimate.trace.a[layer - 1]), axis=0)).ravel()


def _all_examples(point: CheckedPoint) -> str:
    count = point.problem.examples
    return f"all {count} examples" if count > 1 else "the only example"
