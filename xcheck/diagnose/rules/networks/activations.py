"""Activations: the derivative of an activation is another one, in one layer or in all that have the activation."""

from collections.abc import Callable, Iterator

import numpy as np

from xcheck.compare.bounds import Flags
from xcheck.diagnose.evidence import Evidence, Hypothesis, fit
from xcheck.diagnose.rules.factors import format_factor
from xcheck.diagnose.rules.networks.backprop import Backprop, Steps, hypothesis_of_steps
from xcheck.diagnose.rules.networks.derivatives import PIECEWISE, mistaken_slopes
from xcheck.findings import ACTIVATION_SLOPE, CONVENTION, NEIGHBOURS_SLOPE
from xcheck.layout import Vector
from xcheck.networks.network import ActivationName
from xcheck.oracle.estimate import CERTAIN

# Thresholds of relu that are tried: each runs the backward pass. A guess.
_MOST_THRESHOLDS = 64
# How closely a sum over examples must match a bias gradient, relative to the mean of its terms. A guess above rounding.
_MATCHES = 1e-9


def mistaken_derivative(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose each derivative that people write in the place of g', and that of a neighbouring unit or example."""
    for name, numbers, place in _layers_by_activation(backprop, layers):
        with np.errstate(all="ignore"):
            wrong = {number: mistaken_slopes(name, backprop.z(number), backprop.a(number)) for number in numbers}
        for what in wrong[numbers[0]]:
            text = f"the derivative of {name} is taken to be {what}"
            steps = Steps(slope={number: wrong[number][what] for number in numbers})
            yield hypothesis_of_steps(evidence, backprop, ACTIVATION_SLOPE, place, text, steps)
        for axis, whose in ((1, "unit"), (0, "example")):
            for shift in (1, -1):
                rolled = {number: np.roll(backprop.slope(number), shift, axis=axis) for number in numbers}
                text = f"the derivative of {name} is that of the neighbouring {whose}"
                yield hypothesis_of_steps(evidence, backprop, NEIGHBOURS_SLOPE, place, text, Steps(slope=rolled))


def mistaken_piece(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
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
            yield hypothesis_of_steps(evidence, backprop, code, place, text, steps, free=1)


# Where the slope of a piecewise linear activation may be another constant.
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
    weight = evidence.uncertainty[places] + evidence.fine * np.abs(evidence.gradient[places])
    coefficients = fit(target, one - zero, weight=weight)
    return None if coefficients is None else float(coefficients[0])


def mistaken_threshold(evidence: Evidence, backprop: Backprop, layers: list[int]) -> Iterator[Hypothesis]:
    """Propose relu'(z) = z > t: one bias shows t, for its gradient is a sum over the examples with z > t."""
    for name, numbers, place in _layers_by_activation(backprop, layers):
        if name != "relu":
            continue
        for t in _thresholds(evidence, backprop, numbers[-1]):
            text = f"the derivative of relu has its threshold near {t:.2g} and not at 0"
            steps = Steps(slope={number: np.where(backprop.z(number) > t, 1.0, 0.0) for number in numbers})
            yield hypothesis_of_steps(evidence, backprop, ACTIVATION_SLOPE, place, text, steps, free=1)


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
    close = CERTAIN * evidence.uncertainty[bias][unit] + _MATCHES * np.abs(upstream[:, unit]).mean()
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
