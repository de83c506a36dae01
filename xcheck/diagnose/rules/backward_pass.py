"""Backward pass: one wrong step of backpropagation after the other is tried in a declared network.

A mistake in layer l shows in layers l, l − 1, ..., 1 and in none above. So a step is tried only in layers that are
wrong, and a hypothesis must explain every tensor that the step changes.
"""

from collections.abc import Callable, Iterator

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import CERTAIN, Evidence, Hypothesis, fit
from xcheck.diagnose.rules.backprop import Backprop, Change, Steps, apply_mask
from xcheck.diagnose.rules.derivatives import LOSS_MISTAKES, PIECEWISE, mistaken_slopes
from xcheck.diagnose.rules.factors import format_factor
from xcheck.findings import (
    ACTIVATION_SLOPE,
    BIAS_SUM,
    CONVENTION,
    DETACHED,
    DETACHED_BRANCH,
    DROPOUT_BACKWARD,
    KEEP_PROB,
    LOSS_SLOPE,
    MISCOUNTED,
    NEIGHBOURS_SLOPE,
    TRANSPOSED_BACKWARD,
)
from xcheck.layout import Vector
from xcheck.networks.network import ActivationName
from xcheck.text import joined

# Thresholds of relu that are tried: each runs the backward pass. A guess.
_MOST_THRESHOLDS = 64
# How closely a sum over examples must match a bias gradient, relative to the mean of its terms. A guess above rounding.
_MATCHES = 1e-9
# Units that are named by number. A guess: what fits into half a line.
_MOST_UNITS = 6


def wrong_steps(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose each wrong step of backpropagation that may have been taken."""
    if evidence.problem is None or not evidence.wrong_tensors:
        return
    backprop = Backprop(evidence, evidence.problem)
    layers = sorted({tensor.layer for tensor in evidence.wrong_tensors if tensor.layer is not None}, reverse=True)
    for rule in (_loss, _slopes, _piecewise, _threshold, _dropout, _down, _detached, _bias_of_one, _one_less):
        yield from rule(evidence, backprop, layers)


def _hypothesis(
    evidence: Evidence, backprop: Backprop, code: str, place: str, text: str, steps: Steps, *, free: int = 0
) -> Hypothesis:
    """Return the hypothesis about all tensors that the steps change; about none if they leave the penalty alone."""
    flat = backprop.gradient(steps)
    # Whatever is within the noise of r is not changed, and the hypothesis is not about it.
    blur = CERTAIN * evidence.blur + evidence.fine * evidence.magnitude
    with np.errstate(invalid="ignore"):
        moved = ~(np.abs(flat - evidence.trusted) <= blur + 2 * evidence.tolerance * np.abs(evidence.trusted))
    spans = {tensor.name: tensor.span for tensor in evidence.layout if moved[tensor.span].any()}
    # A step that leaves no gradient of the data is a detached layer under another name.
    nothing = all(np.array_equal(flat[span], evidence.penalty[span]) for span in spans.values())
    changed = {} if nothing and code != DETACHED else {name: flat[span] for name, span in spans.items()}
    return Hypothesis(code, text, changed, {}, free=free, rank=free, place=place)


def _loss(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    # A wrong slope of the loss makes the last layer wrong; if that is right, so is the slope.
    if layers[0] != backprop.depth:
        return
    z, y = backprop.trace.a[-1], backprop.problem.targets
    for what, formula in LOSS_MISTAKES[backprop.network.loss].items():
        with np.errstate(all="ignore"):
            steps = Steps(loss=formula(z, y))
        text = f"the derivative of {backprop.network.loss} is taken to be {what}"
        yield _hypothesis(evidence, backprop, LOSS_SLOPE, "loss", text, steps)


def _layers_by_activation(backprop: Backprop, layers: list[int]) -> Iterator[tuple[ActivationName, list[int], str]]:
    """Yield layers that may share one wrong derivative: all with the same activation, and each alone."""
    everywhere: dict[ActivationName, list[int]] = {}
    for number, layer in enumerate(backprop.network.layers, start=1):
        everywhere.setdefault(layer.activation, []).append(number)
    for name, numbers in everywhere.items():
        # One function serves all layers with the activation, so that the uppermost of them must be wrong as well.
        if len(numbers) > 1 and numbers[-1] in layers:
            yield name, numbers, f"layers {', '.join(map(str, numbers))}"
        for number in numbers:
            if number in layers:
                yield name, [number], f"layer {number}"


def _slopes(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    for name, numbers, place in _layers_by_activation(backprop, layers):
        with np.errstate(all="ignore"):
            wrong = {number: mistaken_slopes(name, backprop.z(number), backprop.a(number)) for number in numbers}
        for what in wrong[numbers[0]]:
            text = f"the derivative of {name} is taken to be {what}"
            steps = Steps(slope={number: wrong[number][what] for number in numbers})
            yield _hypothesis(evidence, backprop, ACTIVATION_SLOPE, place, text, steps)
        for axis, whose in ((1, "unit"), (0, "example")):
            for shift in (1, -1):
                rolled = {number: np.roll(backprop.slope(number), shift, axis=axis) for number in numbers}
                text = f"the derivative of {name} is that of the neighbouring {whose}"
                yield _hypothesis(evidence, backprop, NEIGHBOURS_SLOPE, place, text, Steps(slope=rolled))


def _piecewise(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose another slope on one side of 0, or exactly at 0: the uppermost layer's gradient is linear in it."""
    for name, numbers, place in _layers_by_activation(backprop, layers):
        if name not in PIECEWISE:
            continue
        # Below the uppermost of these layers the gradient is a product of several slopes, and not linear in c.
        number = numbers[-1]
        z, right = backprop.z(number), backprop.slope(number)
        for where, side in _SIDES.items():
            code, inside = (CONVENTION if where == "exactly at 0" else ACTIVATION_SLOPE), side(z)
            # elu has no constant slope below 0.
            if not inside.any() or (name == "elu" and where == "below 0"):
                continue
            c = _fit_slope(evidence, backprop, number, np.where(inside, 0.0, right), np.where(inside, 1.0, 0.0))
            if c is None or (where == "above 0" and abs(c) <= evidence.fine):
                continue  # a layer whose slope is 0 is detached, and that has a rule
            text = f"the derivative of {name} is taken to be {format_factor(c)} {where}"
            places = {n: side(backprop.z(n)) for n in numbers}
            steps = Steps(slope={n: np.where(places[n], c, backprop.slope(n)) for n in numbers})
            yield _hypothesis(evidence, backprop, code, place, text, steps, free=1)


_SIDES: dict[str, Callable[[Vector], Flags]] = {
    "exactly at 0": lambda z: z == 0,
    "below 0": lambda z: z <= 0,
    "above 0": lambda z: z > 0,
}


def _fit_slope(evidence: Evidence, backprop: Backprop, number: int, without: Vector, unit: Vector) -> float | None:
    """Return the c for which the slope `without` + c `unit` fits the gradient of its own layer best."""
    # The gradient is affine in c: two backward passes give both coefficients.
    places = np.concatenate([np.arange(evidence.layout.size)[tensor.span] for tensor in backprop.tensors(number)])
    zero, one = (backprop.gradient(Steps(slope={number: slope}))[places] for slope in (without, without + unit))
    target = evidence.gradient[places] - zero
    if not np.isfinite(target).all():
        return None
    weight = evidence.blur[places] + evidence.fine * np.abs(evidence.gradient[places])
    coefficients = fit(target, one - zero, weight=weight)
    return None if coefficients is None else float(coefficients[0])


def _threshold(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose relu'(z) = z > t: one bias shows t, for its gradient is a sum over the examples with z > t."""
    for name, numbers, place in _layers_by_activation(backprop, layers):
        if name != "relu":
            continue
        for t in _thresholds(evidence, backprop, numbers[-1]):
            text = f"the derivative of relu has its threshold near {t:.2g} and not at 0"
            steps = Steps(slope={number: np.where(backprop.z(number) > t, 1.0, 0.0) for number in numbers})
            yield _hypothesis(evidence, backprop, ACTIVATION_SLOPE, place, text, steps, free=1)


def _thresholds(evidence: Evidence, backprop: Backprop, number: int) -> list[float]:
    """Return candidates of t, each between two z of one unit: the one whose bias has the largest gradient.

    Other units may have a z between these two, so that there are several candidates for one interval.
    """
    z, bias = backprop.z(number), evidence.layout.tensor(number, "bias").span
    # Sorted by z, the partial sums of u are the gradients of the bias for each threshold.
    upstream = backprop.dropped(_upstream(backprop, number), number)
    unit = int(np.argmax(np.abs(evidence.gradient[bias])))
    order = np.argsort(-z[:, unit], kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(upstream[order, unit])]) / len(z)
    close = CERTAIN * evidence.blur[bias][unit] + _MATCHES * np.abs(upstream[:, unit]).mean()
    # One more on either side: a threshold above all z, or below all of them.
    edges = np.concatenate([[z.max() + 1], z[order, unit], [z.min() - 1]])
    thresholds: list[float] = []
    for taken in np.flatnonzero(np.abs(sums - evidence.gradient[bias][unit]) <= close):
        upper, lower = edges[taken], edges[taken + 1]
        inside = np.sort(z[(z > lower) & (z < upper)])
        between = np.concatenate([[lower], inside, [upper]])
        thresholds += ((between[1:] + between[:-1]) / 2).tolist()
    # Above every z nothing would pass: such a layer is detached, and that has a rule.
    return [t for t in thresholds if (z > t).any()][:_MOST_THRESHOLDS]


def _upstream(backprop: Backprop, number: int) -> Vector:
    """Return u of a layer, before its mask."""
    if number == backprop.depth:
        return backprop.loss_slope
    return np.asarray(backprop.deltas[number + 1] @ backprop.weights(number + 1))


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
            scaled = {n: apply_mask(masks[n], keep[n] ** power) for n in numbers}
            yield _hypothesis(evidence, backprop, KEEP_PROB, place, text, Steps(drop=scaled))
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
            yield _hypothesis(evidence, backprop, DROPOUT_BACKWARD, place, text, Steps(drop=drop))


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
        yield _hypothesis(evidence, backprop, TRANSPOSED_BACKWARD, place, text, Steps(down=down))


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
            yield _hypothesis(evidence, backprop, DETACHED, place, text, steps)
            continue
        units = "; ".join(joined(np.flatnonzero(cuts[number]).tolist(), _MOST_UNITS) for number in numbers)
        text = f"some units are detached ({units}): nothing is passed down to them"
        yield _hypothesis(evidence, backprop, DETACHED_BRANCH, place, text, steps)


def _cut(backprop: Backprop, number: int, cut: Flags) -> Change:
    return lambda upstream: np.where(cut, 0.0, backprop.dropped(upstream, number))


def _bias_of_one(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose that ∂J/∂b is that of one example, divided by m or not."""
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
        yield _hypothesis(evidence, backprop, BIAS_SUM, f"layers {', '.join(map(str, layers))}", text, Steps(bias=bias))


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
        weights = np.full(m, m / divisor)
        weights[example] = 0.0
        text = f"example {example} of {m} is not counted (the sum is divided by {divisor})"
        yield _hypothesis(evidence, backprop, MISCOUNTED, "examples", text, Steps(examples=weights))
