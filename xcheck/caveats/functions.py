"""Remarks on people's own functions: what the check does not prove, and where two losses part."""

from collections.abc import Mapping, Sequence

import numpy as np

from xcheck.compare.coverage import TensorCoverage
from xcheck.findings import (
    AT_A_KINK,
    BELOW_NOISE,
    CONJUGATED,
    COTANGENT,
    FLOAT32_INSIDE,
    ILL_CONDITIONED,
    SAMPLED,
    SHARED_PARAMETERS,
    TRAINING_MODE,
    UNDECIDED_COMPONENTS,
    ZERO_GRADIENT,
    Finding,
)
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS, Lines, unseen


def at_kinks(estimate: Estimate, layout: Layout, kinks: Sequence[int]) -> list[Finding]:
    """Name the widest of the kinks that θ sits on."""
    if not len(kinks):
        return []
    widest = max(kinks, key=lambda flat: float(estimate.upper[flat] - estimate.lower[flat]))
    interval = f"subgradient [{estimate.lower[widest]:.5g}, {estimate.upper[widest]:.5g}]"
    count = f"{len(kinks)} components sit" if len(kinks) > 1 else "one component sits"
    text = f"{count} on a kink, where every slope between the two sides is right: {layout.locate(widest)}: {interval}"
    return [Finding(code=AT_A_KINK, text=text, tensor=layout.locate(widest).name, value=float(len(kinks)))]


def nothing_proved(proofs: Sequence[TensorCoverage]) -> list[Finding]:
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
