"""Steps: rules for declared networks that try one wrong step of backpropagation after the other.

A mistake in layer l shows in layers l, l − 1, ..., 1 and in none above. So only steps whose first layer is wrong are
tried, and each guess must account for every tensor that it changes.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis, fit
from xcheck.diagnose.rules.backprop import Backprop, Change, Steps, apply_mask
from xcheck.diagnose.rules.derivatives import LOSS_MISTAKES, PIECEWISE, mistaken_slopes
from xcheck.diagnose.rules.factors import number as written
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

_MOST_THRESHOLDS = 64


def wrong_steps(evidence: Evidence) -> Iterator[Hypothesis]:
    """Try every step that may be wrong."""
    if evidence.problem is None or not evidence.wrong_tensors:
        return
    backprop = Backprop(evidence, evidence.problem)
    layers = sorted({tensor.layer for tensor in evidence.wrong_tensors if tensor.layer is not None}, reverse=True)
    for rule in (_loss, _slopes, _piecewise, _threshold, _dropout, _down, _detached, _bias_of_one, _one_less):
        yield from rule(evidence, backprop, layers)


def _guess(
    evidence: Evidence, backprop: Backprop, code: str, place: str, text: str, steps: Steps, *, free: int = 0
) -> Hypothesis:
    """Return the guess about all tensors that the steps change; about none if nothing but the penalty is left there."""
    flat = backprop.gradient(steps)
    blur = 4 * evidence.blur + evidence.fine * evidence.magnitude
    with np.errstate(invalid="ignore"):
        moved = ~(np.abs(flat - evidence.trusted) <= blur + 2 * evidence.tolerance * np.abs(evidence.trusted))
    spans = {tensor.name: tensor.span for tensor in evidence.layout if moved[tensor.span].any()}
    nothing = all(np.array_equal(flat[span], evidence.penalty[span]) for span in spans.values())
    changed = {} if nothing and code != DETACHED else {name: flat[span] for name, span in spans.items()}
    return Hypothesis(code, text, changed, {}, free=free, rank=free, place=place)


def _loss(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    if layers[0] != backprop.depth:
        return
    z, y = backprop.trace.a[-1], backprop.problem.targets
    for what, formula in LOSS_MISTAKES[backprop.network.loss].items():
        with np.errstate(all="ignore"):
            steps = Steps(loss=formula(z, y))
        text = f"the derivative of {backprop.network.loss} is taken to be {what}"
        yield _guess(evidence, backprop, LOSS_SLOPE, "loss", text, steps)


def _alike(backprop: Backprop, layers: list[int]) -> Iterator[tuple[ActivationName, list[int], str]]:
    """Yield groups of layers of which one derivative may serve: each alone, and all with the same activation."""
    everywhere: dict[ActivationName, list[int]] = {}
    for number, layer in enumerate(backprop.network.layers, start=1):
        everywhere.setdefault(layer.activation, []).append(number)
    for name, numbers in everywhere.items():
        if len(numbers) > 1 and numbers[-1] in layers:
            yield name, numbers, f"layers {', '.join(map(str, numbers))}"
        for number in numbers:
            if number in layers:
                yield name, [number], f"layer {number}"


def _slopes(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    for name, numbers, place in _alike(backprop, layers):
        with np.errstate(all="ignore"):
            found = {number: mistaken_slopes(name, backprop.z(number), backprop.a(number)) for number in numbers}
        for what in found[numbers[0]]:
            text = f"the derivative of {name} is taken to be {what}"
            steps = Steps(slope={number: found[number][what] for number in numbers})
            yield _guess(evidence, backprop, ACTIVATION_SLOPE, place, text, steps)
        for axis, whose in ((1, "unit"), (0, "example")):
            for shift in (1, -1):
                rolled = {number: np.roll(backprop.slope(number), shift, axis=axis) for number in numbers}
                text = f"the derivative of {name} is that of the neighbouring {whose}"
                yield _guess(evidence, backprop, NEIGHBOURS_SLOPE, place, text, Steps(slope=rolled))


def _piecewise(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """The slope below 0, or exactly at 0, is another number: g is linear in it, as far as the uppermost layer goes."""
    for name, numbers, place in _alike(backprop, layers):
        if name not in PIECEWISE:
            continue
        number = numbers[-1]
        z, right = backprop.z(number), backprop.slope(number)
        for where, side in _SIDES.items():
            code, there = (CONVENTION if where == "exactly at 0" else ACTIVATION_SLOPE), side(z)
            if not there.any() or (name == "elu" and where == "below 0"):
                continue
            c = _linear(evidence, backprop, number, np.where(there, 0.0, right), np.where(there, 1.0, 0.0))
            if c is None or (where == "above 0" and abs(c) <= evidence.fine):
                continue  # with a slope of 0 it is detached
            text = f"the derivative of {name} is taken to be {written(c)} {where}"
            places = {n: side(backprop.z(n)) for n in numbers}
            steps = Steps(slope={n: np.where(places[n], c, backprop.slope(n)) for n in numbers})
            yield _guess(evidence, backprop, code, place, text, steps, free=1)


_SIDES: dict[str, Callable[[Vector], Flags]] = {
    "exactly at 0": lambda z: z == 0,
    "below 0": lambda z: z <= 0,
    "above 0": lambda z: z > 0,
}


def _linear(evidence: Evidence, backprop: Backprop, number: int, without: Vector, unit: Vector) -> float | None:
    """Return c of the slope without + c unit that fits g best in its own layer."""
    own = np.concatenate([np.arange(evidence.layout.size)[tensor.span] for tensor in backprop.tensors(number)])
    zero, one = (backprop.gradient(Steps(slope={number: slope}))[own] for slope in (without, without + unit))
    target = evidence.gradient[own] - zero
    if not np.isfinite(target).all():
        return None
    weight = evidence.blur[own] + evidence.fine * np.abs(evidence.gradient[own])
    found = fit(target, one - zero, weight=weight)
    return None if found is None else float(found[0])


def _threshold(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """relu'(z) = z > t: t is found from one bias, whose gradient is a sum over the examples with z > t."""
    for name, numbers, place in _alike(backprop, layers):
        if name != "relu":
            continue
        for t in _thresholds(evidence, backprop, numbers[-1]):
            text = f"the derivative of relu has its threshold near {t:.2g} and not at 0"
            steps = Steps(slope={number: np.where(backprop.z(number) > t, 1.0, 0.0) for number in numbers})
            yield _guess(evidence, backprop, ACTIVATION_SLOPE, place, text, steps, free=1)


def _thresholds(evidence: Evidence, backprop: Backprop, number: int) -> list[float]:
    """Return candidates of t: between two z of the unit whose bias tells most; z of others may lie between these."""
    z, bias = backprop.z(number), evidence.layout.tensor(number, "bias").span
    upstream = backprop.dropped(_upstream(backprop, number), number)
    unit = int(np.argmax(np.abs(evidence.gradient[bias])))
    order = np.argsort(-z[:, unit], kind="stable")
    sums = np.concatenate([[0.0], np.cumsum(upstream[order, unit])]) / len(z)
    close = 4 * evidence.blur[bias][unit] + 1e-9 * np.abs(upstream[:, unit]).mean()
    edges = np.concatenate([[z.max() + 1], z[order, unit], [z.min() - 1]])
    found: list[float] = []
    for taken in np.flatnonzero(np.abs(sums - evidence.gradient[bias][unit]) <= close):
        upper, lower = edges[taken], edges[taken + 1]
        inside = np.sort(z[(z > lower) & (z < upper)])
        between = np.concatenate([[lower], inside, [upper]])
        found += ((between[1:] + between[:-1]) / 2).tolist()
    # Above every z nothing would pass: that is detached.
    return [t for t in found if (z > t).any()][:_MOST_THRESHOLDS]


def _upstream(backprop: Backprop, number: int) -> Vector:
    """Return u of a layer, before its mask."""
    if number == backprop.depth:
        return backprop.loss_slope
    return np.asarray(backprop.deltas[number + 1] @ backprop.weights(number + 1))


def _dropout(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    dropping = [n for n in range(1, backprop.depth + 1) if backprop.problem.masks[n] is not None]
    groups = [[number] for number in dropping if number in layers]
    if len(dropping) > 1 and dropping[-1] in layers:
        groups.insert(0, dropping)
    for numbers in groups:
        place = f"layer{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
        keep = {number: backprop.network.keep_probs[number] for number in numbers}
        masks = {number: np.asarray(backprop.problem.masks[number]) for number in numbers}
        for power, text in ((0, "1/keep_prob is missing in the backward pass"), (2, "1/keep_prob is applied twice")):
            scaled = {n: apply_mask(masks[n], keep[n] ** power) for n in numbers}
            yield _guess(evidence, backprop, KEEP_PROB, place, text, Steps(drop=scaled))
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
            yield _guess(evidence, backprop, DROPOUT_BACKWARD, place, text, Steps(drop=drop))


def _passing(factor: float) -> Change:
    return lambda upstream: upstream * factor


def _down(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """δ W with another matrix: the transposed one, or that of another layer."""
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
        yield _guess(evidence, backprop, TRANSPOSED_BACKWARD, place, text, Steps(down=down))


def _through(W: Vector) -> Change:
    return lambda delta: delta @ W


def _detached(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """What some units get from above is cut off: their biases have no gradient. In one layer, or wherever it is so."""
    cuts: dict[int, Flags] = {}
    for number in layers:
        bias = evidence.layout.tensor(number, "bias").span
        cut = evidence.gradient[bias] == 0
        if number < backprop.depth and (cut & evidence.wrong[bias]).any():
            cuts[number] = cut
    groups = [[number] for number in cuts] + ([list(cuts)] if len(cuts) > 1 else [])
    for numbers in groups:
        steps = Steps(drop={number: _cut(backprop, number, cuts[number]) for number in numbers})
        place = f"layer{'s' * (len(numbers) > 1)} {', '.join(map(str, numbers))}"
        if all(cuts[number].all() for number in numbers):
            text = "detached: nothing is passed down to it, nor to the layers below"
            yield _guess(evidence, backprop, DETACHED, place, text, steps)
            continue
        units = "; ".join(_listed(np.flatnonzero(cuts[number]).tolist()) for number in numbers)
        text = f"some units are detached ({units}): nothing is passed down to them"
        yield _guess(evidence, backprop, DETACHED_BRANCH, place, text, steps)


def _listed(units: Sequence[int]) -> str:
    return ", ".join(str(unit) for unit in units[:6]) + (" ..." if len(units) > 6 else "")


def _cut(backprop: Backprop, number: int, cut: Flags) -> Change:
    return lambda upstream: np.where(cut, 0.0, backprop.dropped(upstream, number))


def _bias_of_one(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """∂J/∂b is that of one example, averaged or not."""
    if not all(tensor.role == "bias" for tensor in evidence.wrong_tensors):
        return
    m, top = backprop.problem.examples, backprop.layout.tensor(layers[0], "bias").span
    delta = backprop.deltas[layers[0]]
    for factor, averaged in ((1.0, ""), (1 / m, "divided by m")):
        off = np.abs(factor * delta - evidence.gradient[top]).max(axis=1)
        example = int(np.argmin(off))
        bias = {number: _of_one(example, factor) for number in layers}
        text = f"the bias gradient is that of example {example} alone{', ' if averaged else ''}{averaged}"
        yield _guess(evidence, backprop, BIAS_SUM, f"layers {', '.join(map(str, layers))}", text, Steps(bias=bias))


def _of_one(example: int, factor: float) -> Change:
    return lambda delta: factor * delta[example]


def _one_less(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """One example is not counted: it is found from the last bias, from which its share is missing."""
    if layers[0] != backprop.depth or backprop.problem.examples < 2:
        return
    m, last = backprop.problem.examples, backprop.layout.tensor(backprop.depth, "bias").span
    delta = backprop.deltas[backprop.depth]
    for divisor in (m, m - 1):
        missing = delta.sum(0) - divisor * evidence.gradient[last]
        example = int(np.argmin(np.abs(delta - missing).max(axis=1)))
        weights = np.full(m, m / divisor)
        weights[example] = 0.0
        text = f"example {example} of {m} is not counted (the sum is divided by {divisor})"
        yield _guess(evidence, backprop, MISCOUNTED, "examples", text, Steps(examples=weights))
