"""Caveats about a check of people's own functions: what was sampled, converted, shared or contracted on the way."""

from collections.abc import Mapping, Sequence

import numpy as np

from xcheck.findings import (
    CONJUGATED,
    COTANGENT,
    EMBEDDING_OPTION,
    HOOKED,
    INPUTS_NOT_CHECKED,
    SAMPLED,
    SHARED_PARAMETERS,
    TRAINING_MODE,
    UNUSED_PARAMETERS,
    Finding,
)
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.engines.lines import DIRECTIONS, Lines, unseen
from xcheck.oracle.estimate import CERTAIN
from xcheck.text import join_names, joined

# Names that a sentence lists before it counts the others: a guess at what is read.
_MOST_NAMES = 4


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
        f"{len(lines.components)} of {lines.whole.size} components were measured{every}, and the slopes along "
        f"{directions.stop - directions.start} random directions through all of them: an error of the gradient whose "
        f"norm is {norm:.2g} or more ({norm / size if size else np.inf:.1g} of the gradient's) would have been seen "
        "with probability 1 − 10⁻⁶"
    )
    return [Finding(code=SAMPLED, text=text, value=norm)]


def shared_arrays(arguments: Arguments) -> list[Finding]:
    """Name the parameters that are one array."""
    return [
        Finding(
            code=SHARED_PARAMETERS,
            text=f"{join_names(names)} are one array: each name is varied alone, and has a gradient of its own",
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


def inputs_not_checked(label: str, names: Sequence[str], own_code: Sequence[str]) -> list[Finding]:
    """Say that what a module gives back to the layer before it was not looked at, though own code computes it.

    Args:
        label: of the function.
        names: of the inputs that were not checked.
        own_code: what of a person's own code their gradient passes through.
    """
    if not names or not own_code:
        return []
    text = (
        f"{label}: the gradient with respect to the module's inputs ({joined(names, _MOST_NAMES)}) passes through "
        f"{joined(own_code, _MOST_NAMES)} and was not checked, and a layer below would be trained by it; inputs=True "
        "(--inputs) checks it, too"
    )
    return [Finding(code=INPUTS_NOT_CHECKED, text=text)]


def hooked(label: str, said: str) -> Finding:
    """Say whose gradient a hook changes."""
    return Finding(code=HOOKED, text=f"{label}: {said}")


def embedding_option(label: str, said: str) -> Finding:
    """Say which option changes the gradient of an embedding by design."""
    text = f"{label}: {said}: that is by design; it was undone, and the gradient of the loss itself was checked"
    return Finding(code=EMBEDDING_OPTION, text=text)


def unused_parameters(
    label: str, tensors: Mapping[str, Sequence[str]], estimate: Estimate, layout: Layout, *, by_hand: bool
) -> list[Finding]:
    """Name the parameters without a gradient, and say whether the loss depends on them.

    Args:
        label: of the function.
        tensors: the tensors of θ that make up each of these parameters, by its name.
        estimate: the oracle's gradient.
        layout: names of its components; it may lack those that were not measured.
        by_hand: whether the gradient is the person's own code, which has left them out.
    """
    groups: dict[bool | None, list[str]] = {}
    for name, parts in tensors.items():
        groups.setdefault(_depends(parts, estimate, layout), []).append(name)
    return [_unused(label, names, moves, by_hand=by_hand) for moves, names in groups.items()]


def _depends(parts: Sequence[str], estimate: Estimate, layout: Layout) -> bool | None:
    """Return whether the loss depends on these tensors; None where the oracle does not know."""
    spans = [tensor.span for tensor in layout if tensor.name in parts]
    if any((np.abs(estimate.value[span]) > CERTAIN * estimate.error_bar[span]).any() for span in spans):
        return True
    measured = len(spans) == len(parts) and all(np.isfinite(estimate.error_bar[span]).all() for span in spans)
    return False if measured and not any(estimate.magnitude[span].any() for span in spans) else None


def _unused(label: str, names: Sequence[str], depends: bool | None, *, by_hand: bool) -> Finding:
    what = f"the gradient that was returned has no {', '.join(names)}"
    if not by_hand:
        what = f"the gradient of {join_names(names)} is None"
    why = {
        True: "although the loss depends on it",
        False: f"and the loss does not depend on {join_names(names)}",
        None: "which is right only if the loss does not depend on it",
    }[depends]
    text = f"{label}: {what}, which is taken for zero, {why}"
    if depends is None:
        text = f"{label}: {what}: it is taken for zero, {why}"
    return Finding(code=UNUSED_PARAMETERS, text=text, tensor=names[0])


def contracted_outputs(shape: tuple[int, ...] | None, seed: int) -> list[Finding]:
    """Say that a loss with several outputs was checked through one random combination of them."""
    if shape is None:
        return []
    text = (
        f"the loss has shape {shape}: one random combination of its outputs was checked (seed {seed}); "
        'scope="jacobian" checks each of them'
    )
    return [Finding(code=COTANGENT, text=text)]
