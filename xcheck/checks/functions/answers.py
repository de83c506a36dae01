"""Answers: what all functions and the oracle say at one θ, and how they are to be asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xcheck.checks.functions.oracle import OracleRun
from xcheck.checks.functions.purity import Answer
from xcheck.compare.evaluation import Evaluation
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.function_gradient import FunctionOptions


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionCheckOptions:
    """How to check.

    Attributes:
        differences: how the oracle measures.
        jacobian: whether every output of an array-valued loss is checked.
        device: where arrays of other frameworks are put.
        worst: how many components to name per pair.
        cotangent: v, or None to draw it.
        oracle: "auto", a label, or a contender of its own.
        progress: called with the number of differences after each batch.
    """

    differences: FunctionOptions
    jacobian: bool = False
    device: str = "cpu"
    worst: int = 10
    cotangent: Any = None
    oracle: Any = "auto"
    progress: Callable[[int], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What everybody says about one function at one θ, along the same lines.

    Attributes:
        layout: names of the lines.
        estimate: the oracle's slopes.
        evaluations: the witnesses' slopes.
        wide: those of witnesses that were asked again in float64, because their own dtype is narrower; none where part
            of the loss is narrow whatever it is given.
        wide_whole: the same with their whole gradients, of a scalar loss.
        examined: the functions.
        judgement: how the oracle came to its slopes; of several outputs that of the first.
        roundoff: the coarsest among the parameters.
        outputs: how many outputs were checked one by one; 0 for a scalar loss.
    """

    layout: Layout
    estimate: Estimate
    evaluations: list[Evaluation]
    wide: list[Evaluation]
    examined: list[Answer]
    judgement: OracleRun
    roundoff: float
    wide_whole: Sequence[Evaluation] = ()
    outputs: int = 0
