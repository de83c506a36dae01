"""Findings about people's own functions: components that a search located, and how two losses differ.

Two losses are called at θ, and with each tensor moved by itself. Moves that change both alike say nothing; a tensor
whose move changes them differently enters them in different ways.
"""

from collections.abc import Sequence

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.diagnose.rules.factors import format_factor
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.findings import DENSE, LOCATED, LOSSES_PART, Finding
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.blocks import name_of
from xcheck.oracle.bisection.search import SearchResult
from xcheck.seeds import FIXED, Stream, generator
from xcheck.text import join_names

# How far a tensor is moved to see what two losses make of it, relative to each component, or to 1 where that is larger.
# A guess: large enough that a term that is quadratic in it shows, and small enough that exponentials do not overflow.
_STEP = 0.1
# Changes of two losses that differ by more than the first are different, whatever the rest of the tensors does. Where
# none does, those that differ by more than the second, or by more than so many roundings, are. Guesses: a hundred
# roundings of float32 (6e-8 each), and what differences of losses in float64 are known to.
_CLEAR, _EXACT, _EXACT_ROUNDINGS = 1e-5, 1e-9, 2.0**7
# How much of the loss itself rounding may change, beside a change that is smaller: some thousand roundings of float64,
# and sixteen of what is coarser. Guesses.
_ROUNDING, _ROUNDINGS = 1e-12, 16
# Two losses have a constant ratio if it varies by less than this from tensor to tensor, and by less than a thousandth
# of its distance from 1. Guesses.
_CONSTANT, _OF_DISTANCE = 1e-6, 1e-3


def location_findings(name: str, found: SearchResult, layout: Layout) -> list[Finding]:
    """Return a finding on the wrong components that a search located, on dense tensors, and on what is left."""
    names = [str(layout.locate(flat)) for flat in (*found.components, *found.known)]
    tensor = layout.locate(found.components[0]).name if found.components else None
    if found.dense:
        what, most = ", ".join(found.dense), "most" if found.solid else "very many"
        text = (
            f"{name}: {most} components of {what} are wrong; the search stopped after {found.losses} losses; "
            f"located: {', '.join(names)}; a sample of {len(found.drawn)} components was measured beside them"
        )
        return [Finding(code=DENSE, text=text, tensor=tensor, value=float(found.losses))]
    count = f"{len(names)} wrong component{'s' * (len(names) != 1)}"
    if found.components:
        text = f"{name}: {count} located in {found.losses} losses: {', '.join(names)}"
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
        text += (
            f"; an error remains{where} whose components were not located: each is too small, they are too many, or "
            "the time was up"
        )
    return [Finding(code=LOCATED, text=text, tensor=tensor, value=float(found.losses))]


def parting_findings(
    label: str, objective: Objective, other: str, reference: Objective, arguments: Arguments, *, what: str = "losses"
) -> list[Finding]:
    """Return a finding on the tensors in which two losses differ: if one is moved, the losses change differently.

    Args:
        label: of the first loss.
        objective: computes it.
        other: label of the second one.
        reference: computes that.
        arguments: θ, and the names in it.
        what: how what differs is called; an output of a Jacobian has a name.
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
    # What is added to infinity changes nothing.
    if not np.isfinite([first[0], second[0]]).all():
        return []
    names = [tensor.name for tensor in tensors]
    where, parted = compare_changes(names, first, second, roundoff=arguments.roundoff)
    # Losses that look the same in nine digits are written with all that they have.
    digits = 9 if f"{first[0]:.9g}" != f"{second[0]:.9g}" else 17
    losses = f"{first[0]:.{digits}g} and {second[0]:.{digits}g}"
    text = f"{label} and {other} compute different {what}, {losses}: {where}"
    return [Finding(code=LOSSES_PART, text=text, tensor=parted[0] if parted else None)]


@np.errstate(all="ignore")  # a loss may overflow where θ was moved to
def compare_changes(
    names: Sequence[str], mine: Vector, theirs: Vector, *, roundoff: float = FLOAT64
) -> tuple[str, list[str]]:
    """Return how two losses differ, and the names of the tensors concerned.

    Args:
        names: of the tensors that were moved, one after the other.
        mine: the first loss at θ, and with each tensor moved, shape (k + 1,).
        theirs: the second one at the same places.
        roundoff: unit roundoff of what they are computed in.
    """
    changes, others = mine[1:] - mine[0], theirs[1:] - theirs[0]
    size = np.maximum(np.abs(changes), np.abs(others))
    rounding = max(_ROUNDING, _ROUNDINGS * roundoff if roundoff > FLOAT64 else 0.0) * np.abs(mine[0])
    # By how much of itself a change differs, beyond what rounding of the losses explains.
    relative = (np.abs(changes - others) - rounding) / np.maximum(size, np.finfo(float).tiny)
    exact = max(_EXACT, _EXACT_ROUNDINGS * roundoff)
    apart = relative > (_CLEAR if (relative > _CLEAR).any() else exact)
    parted = [name for name, differs in zip(names, apart, strict=True) if differs]
    # A factor makes the ratio of the losses constant; their changes alone are also proportional if a constant is added.
    ratios = mine / np.where(theirs == 0, np.nan, theirs)
    if not parted:
        where = "moving any parameter changes both alike: they differ by a constant, and must have equal gradients"
    elif len(parted) == len(names) and np.ptp(ratios) <= _constant(ratios[0]):
        where = f"the first is {format_factor(ratios[0])} x the second wherever θ is"
    else:
        most = int(np.argmax(np.where(apart, relative, -np.inf)))
        by = _describe_changes(float(changes[most]), float(others[most]))
        where = _describe_moves(names, parted, by if len(parted) == 1 else f"{names[most]} most: {by}")
        left = np.max(relative[~apart], initial=0.0)
        where += f", to {left:.0e} of the change" if left > exact else ""
    return where, parted


def _constant(ratio: float) -> float:
    """Return by how much a constant ratio of two losses may vary."""
    return float(min(_CONSTANT, _OF_DISTANCE * np.abs(ratio - 1)) * np.abs(ratio) + _ROUNDING)


def _describe_changes(mine: float, theirs: float) -> str:
    """Return by how much a move changes two losses; where six digits do not tell them apart, how far they are apart."""
    first, second = f"{mine:.6g}", f"{theirs:.6g}"
    return f"by {first} and {second}" if first != second else f"by {first}, and {abs(mine - theirs):.1g} more or less"


def _describe_moves(names: Sequence[str], parted: Sequence[str], by: str) -> str:
    """Return which tensors change two losses differently, and by how much."""
    if len(parted) < len(names):
        return f"moving {join_names(parted)} changes them differently ({by}); moving any other changes both alike"
    if len(names) == 1:
        return f"moving {names[0]} changes them differently ({by})"
    return f"moving any of the parameters changes them differently ({by})"
