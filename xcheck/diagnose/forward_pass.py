"""Forward pass: the layer, or the term of the loss, in which a witness first differs from the oracle.

The activations of a witness are compared with those of the oracle's own forward pass, from the inputs on. The first
layer that differs is the one to look at, for the layers above it differ because of it. Where no layer differs, the
formula of the loss does: J = D + P, D the mean of the examples' losses and P the penalty.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from xcheck.findings import FORWARD_PARTS, LOSS_FORMULA, Finding
from xcheck.layout import Vector
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate
from xcheck.oracle.network.forward import NATURAL, NUMPY
from xcheck.oracle.network.penalty import Penalty

Arrays = Sequence[ArrayLike]

# How far activations and losses may differ by rounding, in units of the roundoff and of the largest of them: 16,384. A
# guess, chosen so that a thousand layers of float32 are the same, and a mistake of 1e-3 is not.
_SAME = 2.0**14


@dataclass(frozen=True, eq=False)
class Forward:
    """The forward pass of a witness.

    Attributes:
        witness: its name.
        loss: J, as it computes it.
        activations: A⁽⁰⁾..A⁽ᴸ⁾ after dropout, shapes (m, nₗ); None where it does not show them.
        roundoff: unit roundoff of the dtype that it computes in.
    """

    witness: str
    loss: float
    activations: Arrays | None
    roundoff: float


def locate_difference(forward: Forward, problem: Problem, estimate: Estimate) -> Finding | None:
    """Return where the forward pass of a witness first differs from the oracle's; None where that is not known."""
    if forward.activations is not None:
        shapes = [a.shape for a in estimate.trace.a]
        # Activations of other shapes cannot be compared layer by layer, and the formula of the loss is not to blame.
        if [np.shape(a) for a in forward.activations] != shapes:
            return None
        for layer, (mine, theirs) in enumerate(zip(forward.activations, estimate.trace.a, strict=True)):
            if not _same(np.asarray(mine), np.asarray(theirs), forward.roundoff):
                return _in_layer(forward, problem, estimate, layer)
    return _in_loss(forward, problem, estimate)


def activations_of(activations: Any) -> list[Vector] | None:
    """Return the activations that a witness shows as arrays of float64; None where it shows none."""
    if activations is None:
        return None
    return [np.asarray(a, dtype=np.float64) for a in activations]


def _same(mine: Vector, theirs: Vector, roundoff: float) -> bool:
    with np.errstate(all="ignore"):
        # A layer that is zero throughout has no scale: next to nothing is allowed then.
        allowed = _SAME * roundoff * np.abs(theirs).max(initial=1e-300)
        return bool((np.abs(mine - theirs) <= allowed).all())


def _in_layer(forward: Forward, problem: Problem, estimate: Estimate, layer: int) -> Finding:
    mine, theirs = np.asarray(forward.activations[layer] if forward.activations else ()), estimate.trace.a[layer]
    with np.errstate(all="ignore"):
        # nan is the largest difference of all.
        worst = np.unravel_index(np.argmax(np.nan_to_num(np.abs(mine - theirs), nan=np.inf)), mine.shape)
    example, unit = (int(i) for i in worst)
    allowed = _SAME * forward.roundoff * np.abs(theirs).max(initial=1e-300)
    # Not `>`: nan has to count as different.
    count = int((~(np.abs(mine - theirs) <= allowed)).sum())
    where = f"layer {layer}" if layer else "the inputs"
    reason = "; ".join(_reasons(mine, problem, estimate, layer, forward.roundoff))
    text = (
        f"{forward.witness}: the forward pass first differs from the oracle's in {where}: unit {unit} of example "
        f"{example} is {mine[example, unit]:.6g}, not {theirs[example, unit]:.6g} ({count} of {mine.size} differ); "
        f"{'all layers before it are the same' if layer else 'look at dropout of the inputs, and at the data'}"
    )
    return Finding(code=FORWARD_PARTS, text=f"{text}; {reason}" if reason else text, value=float(layer))


def _reasons(mine: Vector, problem: Problem, estimate: Estimate, layer: int, roundoff: float) -> Iterator[str]:
    """Yield the mistakes that would give just these activations."""
    # Inputs have no activation and no bias.
    if layer == 0:
        return
    dense, z = problem.network.layers[layer - 1], np.asarray(estimate.trace.z[layer - 1])
    keep, mask = problem.network.keep_probs[layer], problem.masks[layer]
    b = problem.theta[problem.layout.tensor(layer, "bias").span]
    activate = NATURAL[dense.activation]
    # Inverted dropout: the activations that are shown are a d/p.
    scale = 1.0 if mask is None else np.asarray(mask) / keep
    with np.errstate(all="ignore"):
        candidates = {
            f"the activation is {name}, not {dense.activation}": NATURAL[name](NUMPY, z) * scale
            for name in NATURAL
            if name != dense.activation
        }
        candidates["the bias is missing"] = activate(NUMPY, z - b) * scale
        candidates["the bias is added twice"] = activate(NUMPY, z + b) * scale
        candidates["the activation is the tanh approximation of gelu"] = _gelu_by_tanh(z) * scale
        if mask is not None:
            candidates["the 1/keep_prob of dropout is missing"] = activate(NUMPY, z) * mask
            candidates["dropout is not applied"] = activate(NUMPY, z)
    yield from (text for text, values in candidates.items() if _same(mine, np.asarray(values), roundoff))


def _gelu_by_tanh(z: Vector) -> Vector:
    # Source: Hendrycks & Gimpel, "Gaussian error linear units", 2016.
    return np.asarray(z / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))))


def _in_loss(forward: Forward, problem: Problem, estimate: Estimate) -> Finding | None:
    """Return which formula of the loss gives the number: a D + b P for the a and b of common mistakes."""
    data, m = float(np.mean(estimate.trace.losses)), float(problem.examples)
    penalty = Penalty.at(problem.network, problem.layout, problem.theta, problem.examples).value
    # Data and penalty may cancel in the loss: their sizes, not that of the sum, are what rounding is in proportion to.
    allowed = _SAME * forward.roundoff * (abs(data) + abs(penalty) + abs(forward.loss))
    said = _formula(forward.loss, data, penalty, m, float(problem.network.widths[-1]), allowed)
    if said is None:
        return None
    same = "all activations are right, so" if forward.activations is not None else "by the value of the loss"
    text = f"{forward.witness}: {same} the mistake is in the formula of the loss: {said}"
    return Finding(code=LOSS_FORMULA, text=text, value=forward.loss - data - penalty)


def _formula(loss: float, data: float, penalty: float, m: float, outputs: float, allowed: float) -> str | None:
    if not np.isfinite([loss, data, penalty]).all():
        return None
    candidates = {f"the penalty {what}": data + share * penalty for share, what in _shares(m).items() if penalty}
    for factor, what in _factors(m, outputs).items():
        candidates[f"the loss of the examples is {what}"] = factor * data + penalty
        if penalty:
            candidates[f"the whole loss is {what}"] = factor * (data + penalty)
    return next((said for said, value in candidates.items() if abs(loss - value) <= allowed), None)


def _shares(m: float) -> dict[float, str]:
    shares = {
        0.0: "is missing",
        2.0: "is counted twice",
        0.5: "is halved",
        -1.0: "is subtracted",
        2 * m: "lacks 1/(2m)",
    }
    return shares | ({m: "lacks its 1/m", 1 / m: "is divided by m twice"} if m > 1 else {})


def _factors(m: float, outputs: float) -> dict[float, str]:
    factors = {2.0: "doubled", 0.5: "halved", 1 / np.log(2): "a logarithm to base 2", 1 / np.log(10): "one to base 10"}
    if outputs > 1:
        factors |= {1 / outputs: "averaged over the outputs", outputs: "summed over outputs that are averaged"}
    return factors | ({m: "summed over the examples", 1 / m: "averaged over the examples twice"} if m > 1 else {})
