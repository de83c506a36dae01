"""Findings about people's own functions: components that bisection located, and tensors in which two losses differ."""

from collections.abc import Sequence

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.errors import BackendError
from xcheck.findings import DENSE, LOCATED, LOSSES_PART, Finding
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.blocks import name_of
from xcheck.oracle.bisection.search import SearchResult
from xcheck.seeds import FIXED, Stream, generator

# How far a tensor is moved to see what two losses make of it, relative to each component, or to 1 where that is larger.
# A guess: large enough that a term that is quadratic in it shows, and small enough that exponentials do not overflow.
_STEP = 0.1
# Changes of two losses that differ by less than the first are alike; by less than the second, the same to rounding.
# Guesses: a hundred roundings of float32 (6e-8 each), and what differences of losses in float64 are known to.
_ALIKE, _EXACT = 1e-5, 1e-9
# How much of the loss itself rounding may change, beside a change that is smaller: some thousand roundings of float64.
_ROUNDING = 1e-12
# Two losses have a constant ratio if it varies by less than this from tensor to tensor. A guess.
_CONSTANT = 1e-6


def location_findings(name: str, found: SearchResult, layout: Layout) -> list[Finding]:
    """Return a finding on the wrong components that bisection located, on dense tensors, and on what is left."""
    names = [str(layout.locate(flat)) for flat in (*found.components, *found.known)]
    tensor = layout.locate(found.components[0]).name if found.components else None
    if found.dense:
        what, most = ", ".join(found.dense), "most" if found.solid else "very many"
        text = (
            f"{name}: {most} components of {what} are wrong; bisection stopped after {found.losses} losses; "
            f"located: {', '.join(names)}; a sample of {len(found.drawn)} components follows"
        )
        return [Finding(code=DENSE, text=text, tensor=tensor, value=float(found.losses))]
    count = f"{len(names)} wrong component{'s' * (len(names) != 1)}"
    if found.components:
        text = f"{name}: {count} located in {found.losses} losses by bisection: {', '.join(names)}"
    elif names:
        text = f"{name}: {count} explain what the random directions show: {', '.join(names)}"
    else:
        text = f"{name}: the random directions show an error, and no component was located in {found.losses} losses"
    if found.not_finite:
        count = f"{found.not_finite} component{'s' * (found.not_finite != 1)}"
        text = f"{name}: not finite in {count}, which hides everything else: {', '.join(names)}"
    elif found.left is None:
        text += f"; no other error of norm {found.beyond:.2g} or more remains (probability 1 − 10⁻⁶)"
    else:
        where = "" if found.left.size == layout.size else f" in {name_of(layout, found.left)}"
        text += f"; an error is left{where} that was not located: too little in each component, too many, or no time"
    return [Finding(code=LOCATED, text=text, tensor=tensor, value=float(found.losses))]


def parting_findings(
    label: str, objective: Objective, other: str, reference: Objective, arguments: Arguments
) -> list[Finding]:
    """Return a finding on the tensors in which two losses differ: if one is moved, the losses change differently.

    Args:
        label: of the first loss.
        objective: computes it.
        other: label of the second one.
        reference: computes that.
        arguments: θ, and the names in it.
    """
    theta, layout = arguments.theta, arguments.layout
    rng = generator(FIXED, Stream.PARTING)
    # All tensors are moved, each alone, by the same numbers in both losses.
    points = [theta]
    tensors = [tensor for tensor in layout if tensor.size]
    for tensor in tensors:
        moved = theta.copy()
        moved[tensor.span] += _STEP * rng.standard_normal(tensor.size) * np.maximum(1.0, np.abs(theta[tensor.span]))
        points.append(moved)
    try:
        first, second = (each.losses(np.stack(points)) for each in (objective, reference))
    except BackendError:
        return []  # the losses differ at θ, and that is said; away from it one of them fails
    where, parted = compare_changes([tensor.name for tensor in tensors], first, second)
    text = f"{label} and {other} compute different losses, {first[0]:.9g} and {second[0]:.9g}, and part {where}"
    return [Finding(code=LOSSES_PART, text=text, tensor=parted[0] if parted else None)]


@np.errstate(all="ignore")  # a loss may overflow where θ was moved to
def compare_changes(names: Sequence[str], mine: Vector, theirs: Vector) -> tuple[str, list[str]]:
    """Return in what two losses differ, and the names of the tensors concerned.

    Args:
        names: of the tensors that were moved, one after the other.
        mine: the first loss at θ, and with each tensor moved, shape (k + 1,).
        theirs: the second one at the same places.
    """
    changes, others = mine[1:] - mine[0], theirs[1:] - theirs[0]
    size = np.maximum(np.abs(changes), np.abs(others))
    difference, rounding = np.abs(changes - others), _ROUNDING * np.abs(mine[0])
    apart = difference > _ALIKE * size + rounding
    parted = [name for name, differs in zip(names, apart, strict=True) if differs]
    # A factor makes the ratio of the losses constant; their changes alone are also proportional if a constant is added.
    ratios = mine / np.where(theirs == 0, np.nan, theirs)
    if not parted:
        where = "by the same wherever θ is: a term that is constant; the gradients are those of the same function"
    elif len(parted) == len(names) and np.ptp(ratios) <= _CONSTANT * np.abs(ratios[0]):
        where = f"by a factor of {ratios[0]:.6g} wherever θ is"
    elif len(parted) == len(names):
        where = "in what every parameter does"
    else:
        where = f"in what {', '.join(parted)} does; moving any other parameter changes both alike"
        relative = np.max((difference - rounding)[~apart] / np.maximum(size[~apart], np.finfo(float).tiny), initial=0.0)
        where += f", to {relative:.0e} of the change" if relative > _EXACT else ""
    return where, parted
