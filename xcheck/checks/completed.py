"""A check that is done, with what it was done with, so that more can be asked about it.

Declared networks and people's own functions look alike from here: witnesses with whole gradients, an oracle with
slopes along lines, and the real loss J, kinks and all.
"""

from collections.abc import Callable
from dataclasses import dataclass

from xcheck.checks.prover import Prover
from xcheck.checks.report import Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import ORACLE, Pair
from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Arguments
from xcheck.layout import Layout, Vector
from xcheck.networks.layers import LayeredNetwork
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate
from xcheck.oracle.engines.function import FunctionEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Witness:
    """What one witness says.

    Attributes:
        name: of the witness.
        whole: its loss and gradient at θ, shape (n,).
        comparer: holds slopes along the lines against the oracle.
        rerun_of: name of the witness of narrow numbers that was asked again in float64, if this is its second answer.
    """

    name: str
    whole: Evaluation
    comparer: Comparer
    rerun_of: str | None = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class CompletedCheck:
    """A check that is done.

    Attributes:
        report: on the check.
        layout: of θ.
        theta: shape (n,).
        lines: what was differenced.
        estimate: the oracle's slopes along the lines.
        witnesses: who was asked.
        engine: differences of the real loss along the lines; None where it cannot be evaluated.
        own: what is to be said whatever the gradients are: of witnesses that fail, or are no functions of θ.
        kinks: distance within which there is a kink, along each line; None for a network, whose kinks can be found.
        problem: the network; None for functions.
        arguments: of the functions; None for a network.
        prover: proves slopes of the loss; None where no proof was asked for, or none can be had.
        network: the network of any layers that the functions compute, if they are made of a definition.
        outputs: how many outputs were checked one by one; 0 unless it is a check of a whole Jacobian.
    """

    report: Report
    layout: Layout
    theta: Vector
    lines: Lines
    estimate: Estimate
    witnesses: tuple[Witness, ...]
    engine: Callable[[], FunctionEngine] | None
    own: tuple[Verdict, ...] = ()
    kinks: Vector | None = None
    problem: Problem | None = None
    arguments: Arguments | None = None
    prover: Prover | None = None
    network: LayeredNetwork | None = None
    outputs: int = 0

    def pair(self, witness: Witness) -> Pair:
        """Return what the check says of a witness and the oracle."""
        # There is one for every witness that has answered, and only those are in `witnesses`.
        return next(pair for pair in self.report.pairs if (pair.a, pair.b) == (witness.name, ORACLE))


def require_one_gradient(check: CompletedCheck) -> None:
    """Refuse a check of a whole Jacobian, whose witnesses have a gradient for every output.

    Raises:
        DefinitionError: it is one.
    """
    if check.outputs:
        raise DefinitionError(several_gradients())


def several_gradients() -> Complaint:
    """Return what is said where one gradient is needed, and the whole Jacobian was asked for."""
    text = "every output has a gradient of its own; leave scope at 'auto' to look at one combination of them"
    return Complaint(text, ("scope",))
