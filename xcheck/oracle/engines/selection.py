"""Selection of the engine: the most direct one that is predicted to fit a time budget."""

from collections.abc import Mapping
from itertools import pairwise

from xcheck.networks.problem import Problem
from xcheck.oracle.engines.base import EngineName
from xcheck.oracle.engines.batched import BatchedEngine
from xcheck.oracle.engines.loop import NetworkLoopEngine
from xcheck.oracle.engines.network import NetworkEngine
from xcheck.oracle.engines.node import NodeEngine
from xcheck.oracle.engines.structured import StructuredEngine

# From the most direct to the fastest.
ENGINES: dict[EngineName, type[NetworkEngine]] = {
    "loop": NetworkLoopEngine,
    "batched": BatchedEngine,
    "structured": StructuredEngine,
    "node": NodeEngine,
}

# What two cores of a present-day machine do; on faster ones a slower engine is taken a little too seldom.
_FLOPS_PER_SECOND = 1.5e10
_BYTES_PER_SECOND = 5e9
_SECONDS_PER_ACTIVATION, _SECONDS_PER_MOVE = 3e-9, 1.5e-9


def choose(name: EngineName, predicted: Mapping[str, float], budget: float, *, nodes: bool) -> type[NetworkEngine]:
    """Return the engine called `name`; for "auto" the most direct compiled one that is predicted to fit the budget.

    Args:
        name: of an engine, or "auto".
        predicted: seconds that the batched and the structured engine will take; see `predict`.
        budget: seconds.
        nodes: whether the node engine may be chosen: it needs automatic steps.
    """
    if name != "auto":
        return ENGINES[name]
    # Of the compiled engines the batched one is the most direct: it runs the whole network.
    if predicted["batched"] <= budget:
        return BatchedEngine
    if not nodes or predicted["structured"] <= budget:
        return StructuredEngine
    return NodeEngine


def predict(problem: Problem, differences: int) -> dict[str, float]:
    """Return an estimate of the seconds that the engines take for `differences` differences on two cores."""
    return {
        "batched": differences * _batched_seconds(problem),
        "structured": differences * _structured_seconds(problem),
    }


def more_direct(engine: type[NetworkEngine]) -> type[NetworkEngine] | None:
    """Return the engine that an audit falls back on; None for the most direct one."""
    ladder = list(ENGINES.values())
    # An engine may be a subclass of more than one of them: its own is the fastest of these.
    own = max(i for i, known in enumerate(ladder) if issubclass(engine, known))
    return ladder[own - 1] if own else None


def _batched_seconds(problem: Problem) -> float:
    """Return an estimate of the seconds for one difference when the whole network is run on both sides."""
    # A multiplication and an addition per weight and example, on both sides.
    flops = 2 * 2 * problem.examples * problem.layout.size
    activations = 2 * problem.examples * sum(problem.network.widths[1:])
    copied = 2 * 8 * problem.layout.size
    return flops / _FLOPS_PER_SECOND + activations * _SECONDS_PER_ACTIVATION + copied / _BYTES_PER_SECOND


def _structured_seconds(problem: Problem) -> float:
    """Return an estimate of the mean seconds for one difference when only units that move are computed."""
    widths, seconds = problem.network.widths, 0.0
    for number, (inputs, units) in enumerate(pairwise(widths)):
        # The layer right above takes a rank-one increment; full products begin one layer further up.
        above = widths[number + 2 :]
        moves = 1 + sum(above)
        flops = 2 * sum(low * high for low, high in pairwise(above))
        each = moves * _SECONDS_PER_MOVE + flops / _FLOPS_PER_SECOND
        seconds += (inputs + 1) * units * 2 * problem.examples * each
    return seconds / problem.layout.size
