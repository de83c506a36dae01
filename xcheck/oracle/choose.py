"""Which engine: the most direct one that fits a time budget."""

from xcheck.oracle.batched import BatchedEngine
from xcheck.oracle.engine import EngineName
from xcheck.oracle.network_engine import NetworkEngine
from xcheck.oracle.structured import StructuredEngine
from xcheck.problem import Problem

ENGINES: dict[EngineName, type[NetworkEngine]] = {"batched": BatchedEngine, "structured": StructuredEngine}

# What two cores of a present-day machine do; on faster ones a slower engine is taken a little too seldom.
_FLOPS_PER_SECOND = 1.5e10
_BYTES_PER_SECOND = 5e9


def choose(name: EngineName, problem: Problem, differences: int, budget: float) -> type[NetworkEngine]:
    """Return the engine called `name`; "auto" runs the whole network each time if that fits the budget.

    Args:
        name: "batched", "structured" or "auto".
        problem: the network.
        differences: how many will be taken.
        budget: seconds.
    """
    if name != "auto":
        return ENGINES[name]
    return BatchedEngine if _batched_seconds(problem) * differences <= budget else StructuredEngine


def _batched_seconds(problem: Problem) -> float:
    """Return about how long one difference takes when the whole network is run on both sides."""
    flops = 2 * 2 * problem.examples * problem.layout.size
    copied = 2 * 8 * problem.layout.size
    return flops / _FLOPS_PER_SECOND + copied / _BYTES_PER_SECOND
