"""Patterns: g is another function of r that people write: moved along an axis, made symmetric, or by log θ for θ."""

from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis
from xcheck.findings import OTHER_PARAMETER, REORDERED, SHIFTED, SYMMETRISED
from xcheck.layout import Tensor, Vector

# How far a gradient may be moved along its axes. A guess: off by one, by two, or by a padding of three.
_MOST_STEPS = 3
# Wrong components away from the edge that have to be what stands beside them in r. A guess: each of them has to be met
# to some nine digits.
_LEAST_MOVED = 6
# Axes beyond this are not looked at. A guess.
_MOST_AXES = 5


def reversal(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g is r reversed along several axes, as a kernel is where correlation stands for convolution."""
    for tensor in evidence.wrong_tensors:
        axes = [axis for axis, length in enumerate(tensor.shape) if length > 1]
        if tensor.places is not None or len(axes) > _MOST_AXES:
            continue
        # Along one axis it is an order of slices, and along all one of components: these have a rule.
        for along in (each for count in range(2, len(axes)) for each in combinations(axes, count)):
            flipped, bar = (
                np.flip(values[tensor.span].reshape(tensor.shape), along).reshape(-1)
                for values in (evidence.trusted, evidence.uncertainty)
            )
            axes_text = " and ".join(map(str, along))
            text = f"reversed along axes {axes_text}: convolution stands for correlation, or the other way round"
            yield Hypothesis(REORDERED, text, {tensor.name: flipped}, {tensor.name: bar})


def shift(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g is r moved along some axes; at the edge it is zero or what nobody knows."""
    for tensor in evidence.wrong_tensors:
        if tensor.places is not None or not 0 < len(tensor.shape) <= _MOST_AXES:
            continue
        axes = [axis for axis, length in enumerate(tensor.shape) if length > 1]
        for count in range(1, len(axes) + 1):
            for along, size, sign in product(combinations(axes, count), range(1, _MOST_STEPS + 1), (1, -1)):
                yield from _moved(evidence, tensor, along, sign * size)


def _moved(evidence: Evidence, tensor: Tensor, along: tuple[int, ...], step: int) -> Iterator[Hypothesis]:
    """Propose that g[i] = r[i − step] along these axes."""
    # What is moved by more than half of an axis is mostly edge.
    if any(2 * abs(step) > tensor.shape[axis] for axis in along):
        return
    g, r, bar, wrong = (
        values[tensor.span].reshape(tensor.shape)
        for values in (evidence.gradient, evidence.trusted, evidence.uncertainty, evidence.wrong)
    )
    here, there = [slice(None)] * g.ndim, [slice(None)] * g.ndim
    for axis in along:
        n = tensor.shape[axis]
        here[axis] = slice(max(0, step), n + min(0, step))
        there[axis] = slice(max(0, -step), n + min(0, -step))
    inside, beside = tuple(here), tuple(there)
    if wrong[inside].sum() < _LEAST_MOVED:
        return
    edge = np.ones(tensor.shape, dtype=bool)
    edge[inside] = False
    empty = not g[edge].any()
    predicted, uncertainty = np.where(edge, g, 0.0), np.where(edge, 0.0, bar)
    predicted[inside] = r[beside]
    uncertainty[inside] += bar[beside]
    name = f"axis {along[0]}" if len(along) == 1 else "axes " + " and ".join(map(str, along))
    places = f"{abs(step)} place{'s' * (abs(step) > 1)} {'forward' if step > 0 else 'back'}"
    text = (
        f"moved along {name} by {places}, with {'zeros' if empty else 'other numbers'} at the edge: look for an index, "
        "a padding or a slice that is off by that"
    )
    yield Hypothesis(
        SHIFTED,
        text,
        {tensor.name: predicted.reshape(-1)},
        {tensor.name: uncertainty.reshape(-1)},
        float(step),
        # Nothing explains what stands at the edge, unless it is zero.
        free=0 if empty else 1,
        rank=len(along),
    )


def symmetry(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that a square gradient was made symmetric, or has one triangle only."""
    for tensor in evidence.wrong_tensors:
        shape = tensor.shape
        if tensor.places is not None or len(shape) < 2 or shape[-1] != shape[-2] or shape[-1] < 2:
            continue
        r, bar = (values[tensor.span].reshape(shape) for values in (evidence.trusted, evidence.uncertainty))
        mirrored, sum_of_bars = np.swapaxes(r, -1, -2), (bar + np.swapaxes(bar, -1, -2)).reshape(-1)
        diagonal = np.eye(shape[-1], dtype=bool)
        both = r + mirrored
        ways = {
            "it is made symmetric, (r + rᵀ)/2 of what it should be": both / 2,
            "it is r + rᵀ of what it should be": both,
            "it is r + rᵀ of what it should be, with the diagonal once": np.where(diagonal, r, both),
            "only its lower triangle is there": np.tril(r),
            "only its upper triangle is there": np.triu(r),
            "its lower triangle is there, and has the other one's share": np.tril(np.where(diagonal, r, both)),
            "its upper triangle is there, and has the other one's share": np.triu(np.where(diagonal, r, both)),
            "the lower triangle stands in both": np.tril(r) + np.swapaxes(np.tril(r, -1), -1, -2),
            "the upper triangle stands in both": np.triu(r) + np.swapaxes(np.triu(r, 1), -1, -2),
        }
        for text, predicted in ways.items():
            yield Hypothesis(
                SYMMETRISED, text, {tensor.name: predicted.reshape(-1)}, {tensor.name: sum_of_bars}, rank=2
            )


# With θ = f(φ), ∂L/∂φ = f'(φ) ∂L/∂θ: each is a common way to keep a parameter positive, or between 0 and 1.
_PARAMETERS: dict[str, Callable[[Vector], Vector]] = {
    "multiplied by {}, as if it were by log {}": lambda theta: theta,
    "divided by {}, as if {} were the logarithm of the parameter, or its chain rule were divided out": lambda t: 1 / t,
    "multiplied by exp({}), as if it were by the exponential of {}": np.exp,
    "divided by exp({}): the chain rule through exp({}) is missing": lambda theta: np.exp(-theta),
    "divided by sigmoid'({}): the chain rule through sigmoid({}) is missing": lambda t: 2 + np.exp(t) + np.exp(-t),
    "divided by sigmoid({}): the chain rule through softplus({}) is missing": lambda theta: 1 + np.exp(-theta),
    "multiplied by 2 {}, as if it were by the root of {}": lambda theta: 2 * theta,
    "divided by 2 {}: the chain rule through the square of {} is missing": lambda theta: 1 / (2 * theta),
}


@np.errstate(all="ignore")
def other_parameter(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that g is r times a function of θ: a chain rule between two parameters is missing, or too much."""
    # Of a network the parameters are declared, and there is no other one.
    for tensor in evidence.wrong_tensors if evidence.problem is None else ():
        theta = evidence.theta[tensor.span]
        # Where all θ are alike this is a factor.
        if theta.size < 2 or np.ptp(theta) == 0:
            continue
        for text, function in _PARAMETERS.items():
            factor = function(theta)
            if np.isfinite(factor).all():
                yield Hypothesis(
                    OTHER_PARAMETER,
                    text.format(tensor.name, tensor.name),
                    {tensor.name: factor * evidence.trusted[tensor.span]},
                    {tensor.name: np.abs(factor) * evidence.uncertainty[tensor.span]},
                    rank=1,
                )
