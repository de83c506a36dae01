"""Caveats about a check of people's own functions: what was sampled, converted, shared or contracted on the way."""

from collections.abc import Sequence

import numpy as np

from xcheck.findings import CONJUGATED, COTANGENT, SAMPLED, SHARED_PARAMETERS, TRAINING_MODE, Finding
from xcheck.functions.arguments import Arguments
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS, Lines, unseen


def partial(lines: Lines, estimate: Estimate, tolerance: float, seconds: float) -> list[Finding]:
    """Say how many components were not differenced, and which errors would have shown all the same."""
    if lines.complete:
        return []
    directions = lines.layout[DIRECTIONS].span
    value, floor = np.abs(estimate.value[directions]), estimate.rounding.gradient[directions]
    # Along each direction an error must exceed the error bar, the tolerance and the floor of rounding to be seen.
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


def shared_arrays(arguments: Arguments) -> list[Finding]:
    """Name the parameters that are one array."""
    return [
        Finding(
            code=SHARED_PARAMETERS,
            text=f"{' and '.join(names)} are one array: each name is varied alone, and has a gradient of its own",
            tensor=names[0],
        )
        for names in arguments.shared
    ]


def complex_convention(arguments: Arguments, labels: Sequence[str]) -> list[Finding]:
    """Say which convention complex gradients have, and whose were converted to it."""
    complex_leaves = [name for name, leaf in arguments.leaves.items() if leaf.values.dtype.kind == "c"]
    if not complex_leaves or not labels:
        return []
    text = (
        f"gradients of complex parameters are ∂L/∂Re + i ∂L/∂Im; jax.grad gives the conjugate, which is converted "
        f"({', '.join(labels)})"
    )
    return [Finding(code=CONJUGATED, text=text, tensor=complex_leaves[0])]


def training_mode(label: str, caution: str) -> Finding:
    """Say which layers of a module depend on its training mode."""
    return Finding(code=TRAINING_MODE, text=f"{label}: the module is in training mode: {caution}")


def contracted_outputs(shape: tuple[int, ...] | None, seed: int) -> list[Finding]:
    """Say that a loss with several outputs was checked through one random combination of them."""
    if shape is None:
        return []
    text = (
        f"the loss has shape {shape}: it was checked through a random cotangent (seed {seed}), one number for all its "
        'outputs; scope="jacobian" checks each of them'
    )
    return [Finding(code=COTANGENT, text=text)]
