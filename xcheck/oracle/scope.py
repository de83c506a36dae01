"""Scope: the lines along which a function is differenced, chosen so that they fit the budget.

They are all components if the predicted time is within the budget; else a sample of each tensor with a few random
directions through all of θ; or, if not even that fits, directions alone. What such a check can miss is stated in the
report (`xcheck.oracle.engines.lines.unseen`).
"""

import time

import numpy as np

from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator, chunk_for
from xcheck.oracle.engines.lines import Lines, directions_alone, sample_lines
from xcheck.oracle.options import FunctionOptions
from xcheck.seeds import Stream, generator

# Two sides of h, 2h and 4h; and a guess: half of the components are measured once more.
_LOSSES_EACH = 6
_REFINEMENT = 1.5
# Losses are timed in batches that grow by this factor, while one takes less than this share of the budget: guesses.
_GROWTH, _TRIAL = 8, 0.05
# Components that the least sample of a tensor costs, with what it takes to measure its noise.
_WITH_NOISE = 10


def choose_lines(
    evaluator: Evaluator, theta: Vector, layout: Layout, options: FunctionOptions, seconds: float
) -> tuple[Lines, float]:
    """Return the lines to difference, and the predicted seconds for all components; 0 where they were not predicted.

    Args:
        evaluator: the function.
        theta: θ, shape (n,).
        layout: names of its components.
        options: with the scope and the budget.
        seconds: that one loss by itself has taken.
    """
    if options.scope == "directions":
        return directions_alone(layout, options.seed, options.including), 0.0
    if options.scope == "all":
        return Lines.all_of(layout), 0.0
    predicted = _seconds_for_all(layout, seconds)
    # A batch is hardly slower than losses one by one: where these fit, no batch is evaluated in vain.
    if options.scope == "auto" and predicted <= options.budget:
        return Lines.all_of(layout), predicted
    return _affordable(evaluator, theta, layout, options)


def _seconds_for_all(layout: Layout, each: float) -> float:
    """Return how long all components will take, if a loss takes so long."""
    return _REFINEMENT * _LOSSES_EACH * layout.size * each


def _affordable(evaluator: Evaluator, theta: Vector, layout: Layout, options: FunctionOptions) -> tuple[Lines, float]:
    """Time some losses, and return the lines that fit the budget, with the predicted seconds for all components.

    Two losses are timed first. A larger batch is faster per loss, but a whole one costs as much as the differences of
    a small function: larger ones are timed only if all components do not fit by the time of smaller ones. Each is timed
    again if they do not fit by the first time, in which something may have been compiled.
    """
    chunk = min(chunk_for(layout.size, evaluator.data), _LOSSES_EACH * layout.size)
    points = np.repeat(theta[None], chunk, axis=0)
    # Not θ alone, which needs no batch; but θ as well, as the function may have no value elsewhere.
    points[1::2, : min(layout.size, 1)] *= 1 + 2.0**-20
    for size in _trial_sizes(chunk, evaluator.pads):
        for _ in range(2):
            start = time.perf_counter()
            evaluator.losses(points[:size])
            taken = time.perf_counter() - start
            each = taken / max(1, min(size, chunk))
            predicted = _seconds_for_all(layout, each)
            if options.scope == "auto" and predicted <= options.budget:
                return Lines.all_of(layout), predicted
        # What fills up its batches takes as long for two as for all.
        if taken > _TRIAL * options.budget and not evaluator.pads:
            break
    # A loss takes a nanosecond at least, so that nothing is divided by zero.
    affordable = options.budget / (_REFINEMENT * _LOSSES_EACH * max(each, 1e-9))
    tensors = sum(1 for tensor in layout if tensor.size)
    if options.scope == "auto" and affordable < _WITH_NOISE * (tensors + 1):
        return directions_alone(layout, options.seed, options.including), predicted
    rng = generator(options.seed, Stream.SAMPLE)
    return sample_lines(layout, int(min(affordable, 1e6)), rng, options.including), predicted


def _trial_sizes(chunk: int, pads: bool) -> list[int]:
    """Return how many losses to time at once, fewer first: 2, 16, 128 and so on, and a whole batch."""
    sizes = [2]
    while not pads and sizes[-1] * _GROWTH < chunk:
        sizes.append(sizes[-1] * _GROWTH)
    return [*sizes, chunk]
