"""Answers: what all functions and the oracle say at one θ, and how they are to be asked."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from xcheck.backend.function_objective import FunctionObjective
from xcheck.certificates.claims import Proof
from xcheck.checks.answer import Answer
from xcheck.checks.functions.oracle import OracleRun
from xcheck.checks.prover import Prover
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.functions.arguments import Numbers
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.options import FunctionOptions
from xcheck.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FunctionCheckOptions:
    """How to check.

    Attributes:
        differences: how the oracle measures.
        jacobian: whether every output of an array-valued loss is checked; None: if they are not too many.
        device: where arrays of other frameworks are put.
        worst: how many components to name per pair.
        cotangent: v, or None to draw it.
        oracle: "auto", a label, or an implementation of its own.
        progress: called with the number of differences after each batch.
        proof: whether slopes with proved bounds are wanted.
        proof_progress: called with the numbers of operations that are evaluated, and that are expected, for these.
    """

    differences: FunctionOptions
    jacobian: bool | None = False
    device: str = "cpu"
    worst: int = 10
    cotangent: Any = None
    oracle: Any = "auto"
    progress: Callable[[int], None] | None = None
    proof: bool = False
    proof_progress: Progress | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Answers:
    """What all functions and the oracle say at one θ, along the same lines.

    Attributes:
        answers: what came of calling each function; of several outputs that of the first.
        run: how the oracle came to its slopes; of several outputs that of the first.
        layout: names of the lines.
        estimate: the oracle's slopes.
        evaluations: the functions' slopes.
        reruns: those of functions that were asked again in float64, because their own dtype is narrower; none where
            part of the loss is as narrow whatever it is given.
        whole_reruns: the same with their whole gradients, of a scalar loss.
        roundoff: the coarsest among the parameters.
        cotangent: v that the loss was seen through; None for a scalar loss.
        outputs: of a whole Jacobian, what is said of each output; empty otherwise.
        proof: what slopes with proved bounds say; None where they were not asked for.
        prover: what has proved them; None where nothing could be.
        comparer: what has held the functions against the oracle; None of several outputs, which have one each.
    """

    answers: Sequence[Answer[FunctionObjective]]
    run: OracleRun
    layout: Layout
    estimate: Estimate
    evaluations: Sequence[Evaluation]
    reruns: Sequence[Evaluation]
    roundoff: float
    whole_reruns: Sequence[Evaluation] = ()
    cotangent: Numbers | None = None
    outputs: Sequence["Answers"] = ()
    proof: Proof | None = None
    prover: Prover | None = None
    comparer: Comparer | None = None

    @property
    def differenced(self) -> str:
        """Name of the witness whose own loss the oracle differences; empty where the oracle has a loss of its own."""
        return self.run.label if self.run.label in {evaluation.name for evaluation in self.evaluations} else ""
