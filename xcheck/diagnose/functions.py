"""Findings on people's own functions: which components were located, and in which tensors two losses part."""

from collections.abc import Sequence

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.errors import BackendError
from xcheck.findings import DENSE, LOCATED, LOSSES_PART, Finding
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout, Vector
from xcheck.oracle.bisection.blocks import name_of
from xcheck.oracle.bisection.search import Located

_STEP = 0.1


def located(name: str, found: Located, layout: Layout) -> list[Finding]:
    """Say which components were found to be wrong, what is dense, and what is left."""
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


def parting(label: str, objective: Objective, other: str, reference: Objective, arguments: Arguments) -> list[Finding]:
    """Say in which tensors two losses that differ part: whose move changes them differently."""
    theta, layout = arguments.theta, arguments.layout
    rng = np.random.default_rng(0)
    points = [theta]
    tensors = [tensor for tensor in layout if tensor.size]
    for tensor in tensors:
        moved = theta.copy()
        moved[tensor.span] += _STEP * rng.standard_normal(tensor.size) * np.maximum(1.0, np.abs(theta[tensor.span]))
        points.append(moved)
    try:
        mine, theirs = (each.losses(np.stack(points)) for each in (objective, reference))
    except BackendError:
        return []
    return _parted(label, other, [tensor.name for tensor in tensors], mine, theirs)


def _parted(label: str, other: str, names: Sequence[str], mine: Vector, theirs: Vector) -> list[Finding]:
    changes, others = mine[1:] - mine[0], theirs[1:] - theirs[0]
    size = np.maximum(np.abs(changes), np.abs(others))
    apart = np.abs(changes - others) > 1e-5 * size + 1e-12 * np.abs(mine[0])
    parted = [name for name, differs in zip(names, apart, strict=True) if differs]
    ratios = mine / np.where(theirs == 0, np.nan, theirs)
    if not parted:
        where = "by the same wherever θ is: a term that is constant; the gradients are those of the same function"
    elif len(parted) == len(names) and np.ptp(ratios) <= 1e-6 * np.abs(ratios[0]):
        where = f"by a factor of {ratios[0]:.6g} wherever θ is"
    elif len(parted) == len(names):
        where = "in what every parameter does"
    else:
        where = f"in what {', '.join(parted)} does; moving any other parameter changes both alike"
    text = f"{label} and {other} compute different losses, {mine[0]:.9g} and {theirs[0]:.9g}, and part {where}"
    return [Finding(code=LOSSES_PART, text=text, tensor=parted[0] if parted else None)]
