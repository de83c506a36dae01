"""Remarks on people's own functions: what the check does not prove, and where two losses part."""

from collections.abc import Mapping, Sequence

import numpy as np

from xcheck.backend.contract import Objective
from xcheck.compare.coverage import TensorProof
from xcheck.errors import BackendError
from xcheck.findings import (
    AT_A_KINK,
    BELOW_NOISE,
    CONJUGATED,
    COTANGENT,
    DENSE,
    FLOAT32_INSIDE,
    ILL_CONDITIONED,
    LOCATED,
    LOSSES_PART,
    SAMPLED,
    SHARED_PARAMETERS,
    TRAINING_MODE,
    UNDECIDED_COMPONENTS,
    ZERO_GRADIENT,
    Finding,
)
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.bisection.blocks import name_of
from xcheck.oracle.bisection.search import Located
from xcheck.oracle.engines.lines import DIRECTIONS, Lines, unseen

_STEP = 0.1


def at_kinks(estimate: Estimate, layout: Layout, kinks: Sequence[int]) -> list[Finding]:
    """Name the widest of the kinks that θ sits on."""
    if not len(kinks):
        return []
    widest = max(kinks, key=lambda flat: float(estimate.upper[flat] - estimate.lower[flat]))
    interval = f"subgradient [{estimate.lower[widest]:.5g}, {estimate.upper[widest]:.5g}]"
    count = f"{len(kinks)} components sit" if len(kinks) > 1 else "one component sits"
    text = f"{count} on a kink, where every slope between the two sides is right: {layout.locate(widest)}: {interval}"
    return [Finding(code=AT_A_KINK, text=text, tensor=layout.locate(widest).name, value=float(len(kinks)))]


def nothing_proved(proofs: Sequence[TensorProof]) -> list[Finding]:
    """Name the tensors whose gradient is zero or below the noise."""
    zero = [proof.name for proof in proofs if proof.of and proof.zero == proof.of]
    noise = [proof.name for proof in proofs if proof.below_noise]
    found = []
    if zero:
        text = f"the loss does not move with {', '.join(zero)}: a gradient of zero is right there, and proves nothing"
        found.append(Finding(code=ZERO_GRADIENT, text=text, tensor=zero[0]))
    if noise:
        text = f"the gradient of {', '.join(noise)} is below the noise of the loss: nothing is proved about it"
        found.append(Finding(code=BELOW_NOISE, text=text, tensor=noise[0]))
    return found


def partial(lines: Lines, estimate: Estimate, tolerance: float, seconds: float) -> list[Finding]:
    """Say what was not looked at, and what would have been seen all the same."""
    if lines.complete:
        return []
    directions = lines.layout[DIRECTIONS].span
    value, floor = np.abs(estimate.value[directions]), estimate.rounding.gradient[directions]
    norm = unseen(estimate.error_bar[directions] + tolerance * value + floor)
    # A Gaussian v has E (∇J·v)² = ‖∇J‖².
    size = float(np.sqrt(np.mean(value**2)))
    every = f" (all of them would take about {seconds:.2g} s)" if seconds else ""
    text = (
        f"{len(lines.components)} of {lines.whole.size} components were differenced{every}, and "
        f"{directions.stop - directions.start} random directions through all: an error of the "
        f"gradient of norm {norm:.2g} or more ({norm / size if size else np.inf:.1g} of the gradient's) would have "
        "been seen with probability 1 − 10⁻⁶"
    )
    return [Finding(code=SAMPLED, text=text, value=norm)]


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


def undecided(name: str, count: int, of: int, where: Mapping[str, int]) -> Finding:
    """Say which components could not be decided."""
    tensors = ", ".join(f"{number} in {tensor}" for tensor, number in where.items())
    text = (
        f"{name}: {count} of {of} components cannot be decided ({tensors}): too small beside the noise of the loss, on "
        "a kink, or the loss is not finite nearby"
    )
    return Finding(code=UNDECIDED_COMPONENTS, text=text, tensor=next(iter(where), None), value=float(count))


def shared(arguments: Arguments) -> list[Finding]:
    """Say which names are one array."""
    return [
        Finding(
            code=SHARED_PARAMETERS,
            text=f"{' and '.join(names)} are one array: each name is varied alone, and has a gradient of its own",
            tensor=names[0],
        )
        for names in arguments.shared
    ]


def conventions(arguments: Arguments, labels: Sequence[str]) -> list[Finding]:
    """Say what was made of complex gradients."""
    complex_leaves = [name for name, leaf in arguments.leaves.items() if leaf.values.dtype.kind == "c"]
    if not complex_leaves or not labels:
        return []
    text = (
        f"gradients of complex parameters are ∂L/∂Re + i ∂L/∂Im; jax.grad gives the conjugate, which is converted "
        f"({', '.join(labels)})"
    )
    return [Finding(code=CONJUGATED, text=text, tensor=complex_leaves[0])]


def training_mode(label: str, caution: str) -> Finding:
    """Say what of a module depends on the mode it is in."""
    return Finding(code=TRAINING_MODE, text=f"{label}: the module is in training mode: {caution}")


def computed_narrowly(label: str, roundoff: float, estimate: Estimate) -> Finding:
    """Say that the loss is a staircase."""
    dtype = "float32" if roundoff < 2.0**-20 else "half precision"
    bar = float(np.nan_to_num(estimate.error_bar).max(initial=0.0))
    text = (
        f"{label}: part of the loss is computed in {dtype} although everything it is given has 64 bits: its noise is "
        f"that of {dtype} (bars up to {bar:.1g}), and so is the tolerance"
    )
    return Finding(code=FLOAT32_INSIDE, text=text, value=bar)


def ill_conditioned(label: str, count: int, of: int, apart: float) -> Finding:
    """Say that a gradient is right in float64 and off by more than a little in its own dtype."""
    text = (
        f"{label}: {count} of {of} components are off by more than rounding should be (up to {apart:.1g}); in float64 "
        "the same function agrees: it is ill-conditioned, or a part of it is computed in less than its own precision"
    )
    return Finding(code=ILL_CONDITIONED, text=text, value=apart)


def through_cotangent(shape: tuple[int, ...] | None, seed: int) -> list[Finding]:
    """Say that an array-valued loss was contracted."""
    if shape is None:
        return []
    text = (
        f"the loss has shape {shape}: it was checked through a random cotangent (seed {seed}), one number for all its "
        'outputs; scope="jacobian" checks each of them'
    )
    return [Finding(code=COTANGENT, text=text)]


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
