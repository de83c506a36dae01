"""Backward pass: one wrong step of backpropagation after the other is tried in a declared network.

A mistake in layer l shows in layers l, l − 1, ..., 1 and in none above. So a step is tried only in layers that are
wrong, and a hypothesis must explain every tensor that the step changes.
"""

from collections.abc import Iterator

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.diagnose.rules.networks.activations import mistaken_derivative, mistaken_piece, mistaken_threshold
from xcheck.diagnose.rules.networks.backprop import Backprop, Change, Steps, apply_mask, hypothesis_of_steps
from xcheck.diagnose.rules.networks.derivatives import LOSS_MISTAKES
from xcheck.findings import (
    BIAS_SUM,
    DETACHED,
    DETACHED_BRANCH,
    DROPOUT_BACKWARD,
    KEEP_PROB,
    LOSS_SLOPE,
    MISCOUNTED,
    TRANSPOSED_BACKWARD,
    WRONG_AXIS,
)
from xcheck.layout import Vector
from xcheck.text import joined

# Units that are named by number. A guess: what fits into half a line.
_MOST_UNITS = 6


def wrong_steps(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose each wrong step of backpropagation that may have been taken."""
    if evidence.problem is None or not evidence.wrong_tensors:
        return
    backprop = Backprop(evidence, evidence.problem)
    # The uppermost layer first: a mistake has entered there.
    layers = sorted({tensor.layer for tensor in evidence.wrong_tensors if tensor.layer is not None}, reverse=True)
    activation_rules = (mistaken_derivative, mistaken_piece, mistaken_threshold)
    for rule in (_loss, *activation_rules, _dropout, _down, _detached, _bias_of_one, _bias_over_units, _one_less):
        yield from rule(evidence, backprop, layers)


def _loss(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    # A wrong slope of the loss makes the last layer wrong; if that is right, so is the slope.
    if layers[0] != backprop.depth:
        return
    z, y = backprop.trace.a[-1], backprop.problem.targets
    for what, formula in LOSS_MISTAKES[backprop.network.loss].items():
        with np.errstate(all="ignore"):
            steps = Steps(loss=formula(z, y))
        text = f"the derivative of {backprop.network.loss} is taken to be {what}"
        yield hypothesis_of_steps(evidence, backprop, LOSS_SLOPE, "loss", text, steps)


def _dropout(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    dropping = [n for n in range(1, backprop.depth + 1) if backprop.problem.masks[n] is not None]
    # The same mistake in all layers that drop, which share their code, and in each alone.
    groups = [[number] for number in dropping if number in layers]
    if len(dropping) > 1 and dropping[-1] in layers:
        groups.insert(0, dropping)
    for numbers in groups:
        place = f"layer{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
        keep = {number: backprop.network.keep_probs[number] for number in numbers}
        masks = {number: np.asarray(backprop.problem.masks[number]) for number in numbers}
        for power, text in ((0, "1/keep_prob is missing in the backward pass"), (2, "1/keep_prob is applied twice")):
            # u d/p with p⁰ or p² in the place of p.
            scaled = {n: apply_mask(masks[n], keep[n] ** power) for n in numbers}
            yield hypothesis_of_steps(evidence, backprop, KEEP_PROB, place, text, Steps(drop=scaled))
        for text, drop in (
            ("the dropout mask is not applied in the backward pass", {n: _passing(1.0) for n in numbers}),
            (
                "the dropout mask is not applied in the backward pass, 1/keep_prob is",
                {n: _passing(1 / keep[n]) for n in numbers},
            ),
            ("the dropout mask is inverted in the backward pass", {n: apply_mask(~masks[n], keep[n]) for n in numbers}),
            (
                "the dropout mask is that of the neighbouring example",
                {n: apply_mask(np.roll(masks[n], 1, axis=0), keep[n]) for n in numbers},
            ),
        ):
            yield hypothesis_of_steps(evidence, backprop, DROPOUT_BACKWARD, place, text, Steps(drop=drop))


def _passing(factor: float) -> Change:
    return lambda upstream: upstream * factor


def _down(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose δ Wᵀ in the place of δ W, where W is square: in one layer, or in all such layers."""
    # δ Wᵀ has the right shape only where W is square; W of the first layer passes nothing down.
    square = [
        number
        for number in range(2, backprop.depth + 1)
        if len(set(backprop.weights(number).shape)) == 1 and len(backprop.weights(number)) > 1
    ]
    groups = [[number] for number in square if number - 1 in layers]
    if len(square) > 1:
        groups.insert(0, square)
    for numbers in groups:
        place = f"layer{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
        down = {number: _through(backprop.weights(number).T) for number in numbers}
        text = "the matrix of the backward pass is transposed: δ Wᵀ stands where δ W belongs"
        yield hypothesis_of_steps(evidence, backprop, TRANSPOSED_BACKWARD, place, text, Steps(down=down))


def _through(W: Vector) -> Change:
    return lambda delta: delta @ W


def _detached(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose that nothing is passed down to units whose bias gradient is zero: in one layer, or in all of them."""
    cuts: dict[int, Flags] = {}
    for number in layers:
        bias = evidence.layout.tensor(number, "bias").span
        # Exactly zero: what is passed down as a small number was not cut off.
        cut = evidence.gradient[bias] == 0
        if number < backprop.depth and (cut & evidence.wrong[bias]).any():
            cuts[number] = cut
    groups = [[number] for number in cuts] + ([list(cuts)] if len(cuts) > 1 else [])
    for numbers in groups:
        steps = Steps(drop={number: _cut(backprop, number, cuts[number]) for number in numbers})
        place = f"layer{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
        if all(cuts[number].all() for number in numbers):
            text = "detached: nothing is passed down to it, nor to the layers below"
            yield hypothesis_of_steps(evidence, backprop, DETACHED, place, text, steps)
            continue
        units = "; ".join(joined(np.flatnonzero(cuts[number]).tolist(), _MOST_UNITS) for number in numbers)
        text = f"some units are detached ({units}): nothing is passed down to them"
        yield hypothesis_of_steps(evidence, backprop, DETACHED_BRANCH, place, text, steps)


def _cut(backprop: Backprop, number: int, cut: Flags) -> Change:
    return lambda upstream: np.where(cut, 0.0, backprop.dropped(upstream, number))


def _bias_of_one(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose that ∂J/∂b is that of one example, divided by m or not."""
    # A mistake in this sum leaves all weights right.
    if not all(tensor.role == "bias" for tensor in evidence.wrong_tensors):
        return
    m, top = backprop.problem.examples, backprop.layout.tensor(layers[0], "bias").span
    delta = backprop.deltas[layers[0]]
    for factor, averaged in ((1.0, ""), (1 / m, "divided by m")):
        # The uppermost wrong bias shows which example it is.
        off = np.abs(factor * delta - evidence.gradient[top]).max(axis=1)
        example = int(np.argmin(off))
        bias = {number: _of_one(example, factor) for number in layers}
        text = f"the bias gradient is that of example {example} alone{', ' if averaged else ''}{averaged}"
        yield hypothesis_of_steps(
            evidence, backprop, BIAS_SUM, f"layers {', '.join(map(str, layers))}", text, Steps(bias=bias)
        )


def _bias_over_units(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose that ∂J/∂b is summed over the units, or over the units as well as the examples."""
    if not all(tensor.role == "bias" for tensor in evidence.wrong_tensors):
        return
    m = backprop.problem.examples
    for axis, over in ((1, "over the units and not over the examples"), (None, "over the examples and over the units")):
        bias = {number: _summed(axis, m) for number in layers}
        place = f"layer{'s' * (len(layers) > 1)} {', '.join(map(str, layers))}"
        text = f"the bias gradient is summed {over}"
        yield hypothesis_of_steps(evidence, backprop, WRONG_AXIS, place, text, Steps(bias=bias))


def _summed(axis: int | None, m: int) -> Change:
    # What does not fit is cut off, or repeated, as broadcasting does with a single number.
    return lambda delta: np.resize(delta.sum(axis) / m, delta.shape[1])


def _of_one(example: int, factor: float) -> Change:
    return lambda delta: factor * delta[example]


def _one_less(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose that one example is not counted: the one whose share is missing from the last bias gradient."""
    if layers[0] != backprop.depth or backprop.problem.examples < 2:
        return
    m, last = backprop.problem.examples, backprop.layout.tensor(backprop.depth, "bias").span
    delta = backprop.deltas[backprop.depth]
    for divisor in (m, m - 1):
        # m ∂J/∂b is Σ δₑ over all examples: what is missing of it must be one of the δₑ.
        missing = delta.sum(0) - divisor * evidence.gradient[last]
        example = int(np.argmin(np.abs(delta - missing).max(axis=1)))
        # `Backprop.gradient` divides by m; this turns it into the divisor.
        weights = np.full(m, m / divisor)
        weights[example] = 0.0
        text = f"example {example} of {m} is not counted (the sum is divided by {divisor})"
        yield hypothesis_of_steps(evidence, backprop, MISCOUNTED, "examples", text, Steps(examples=weights))
