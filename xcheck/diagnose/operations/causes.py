"""Causes: what is wrong in the backward pass of one operation, by the rules for whole gradients.

With what has come in, ȳ, kept as it is, ⟨ȳ, f(x)⟩ is a loss of what the operation reads, and x̄ the gradient that is
claimed of it. So the oracle measures it, and whatever is known about mistakes in gradients is asked about this one.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import tolerance_for
from xcheck.diagnose.evidence import Evidence, Hypothesis, fit
from xcheck.diagnose.operations.blame import Blamed
from xcheck.diagnose.ranking import PATTERNS, Rule, explain_residual
from xcheck.diagnose.rules import factors, order, patterns, places, precision
from xcheck.diagnose.rules.factors import format_factor
from xcheck.dtypes import FLOAT64
from xcheck.findings import CAUSE_UNKNOWN, MISSING_PART, SCALED_PART, Finding
from xcheck.layout import Layout, Vector
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.function_gradient import measure_function
from xcheck.oracle.options import FunctionOptions
from xcheck.trace import Read

# Seconds for one operation, a guess: nobody has asked for it, and a sample of what it reads tells most causes.
_BUDGET = 2.0
# The relative tolerance of a check, as people have it by default.
_TOLERANCE = 1e-7


def missing_term(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that x̄ lacks a multiple of what the operation reads or returns, or a constant."""
    for tensor in evidence.wrong_tensors:
        span = tensor.span
        known = {"what it reads": evidence.theta[span], "a constant": np.ones(tensor.size)}
        known |= {name: array.ravel() for name, array in evidence.data.items() if array.size == tensor.size}
        residual = evidence.gradient[span] - evidence.trusted[span]
        for name, base in known.items():
            coefficients = fit(residual, base, weight=evidence.uncertainty[span])
            if coefficients is None:
                continue
            text = f"it lacks a term, or has one too many: it is off by {coefficients[0]:.6g} x {name}"
            predicted = evidence.trusted[span] + coefficients[0] * base
            yield Hypothesis(MISSING_PART, text, {tensor.name: predicted}, value=float(coefficients[0]), free=1, rank=1)


def scaled_run(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose that numbers which stand side by side in memory are one multiple of what they should be, or zero."""
    for tensor in evidence.wrong_tensors:
        wrong = np.flatnonzero(evidence.wrong[tensor.span])
        run = slice(int(wrong[0]), int(wrong[-1]) + 1)
        count = run.stop - run.start
        # One number is named by itself, all of them are a factor, and a sample has gaps.
        if tensor.places is not None or not 1 < count < tensor.size:
            continue
        g, r = evidence.gradient[tensor.span], evidence.trusted[tensor.span]
        factor = fit(g[run], r[run], weight=(evidence.uncertainty[tensor.span] + evidence.fine * np.abs(g))[run])
        if factor is None:
            continue
        # What is zero to rounding is zero.
        c = float(factor[0]) if np.any(g[run]) else 0.0
        predicted = r.copy()
        predicted[run] *= c
        text = (
            f"numbers {run.start + 1} to {run.stop} of {tensor.size}, in the order of memory, are {format_factor(c)} x "
            "what they should be, and the rest is right: look at which numbers are computed"
        )
        yield Hypothesis(SCALED_PART, text, {tensor.name: predicted}, value=c, free=1 if c else 0)


# What may be wrong in an operation: there are no penalties in one, no data and no other parameters. The more specific
# rules first, those last that would fit almost any residual.
_STAGES: tuple[tuple[Rule, ...], ...] = (
    (
        factors.data_factor,
        factors.constant_factor,
        order.transposition,
        order.swapped_tensors,
        order.reordering,
        patterns.reversal,
        order.missing_part,
        order.scaled_part,
        precision.clipping,
        missing_term,
    ),
    PATTERNS,
    (scaled_run,),
    (precision.rounding, order.few_components, places.wrong_part),
)


def name_of(read: Read) -> str:
    """Return what a read is called: by the name of the argument, or by its place.

    >>> none = np.zeros(0)
    >>> [name_of(Read(name, none, none)) for name in ("weight", "1", "")]
    ['weight', 'input 1', 'input']
    """
    if not read.name:
        return "input"
    return f"input {read.name}" if read.name.isdigit() else read.name


@dataclass(frozen=True, slots=True, eq=False)
class OperationLoss:
    """⟨ȳ, f(x)⟩ of one call as a loss of what it reads.

    Attributes:
        blamed: the call, and which of its reads are the parameters.
    """

    blamed: Blamed

    @property
    def layout(self) -> Layout:
        """Names and shapes of the reads."""
        names = self._names()
        return Layout.of({names[place]: self._reads[place].array.shape for place in self.blamed.reads})

    def _names(self) -> list[str]:
        """Return what the reads are called; where two have one name, the second is told by its place."""
        names: list[str] = []
        for read in self._reads:
            name = name_of(read)
            names.append(f"{name}, read {len(names) + 1}" if name in names else name)
        return names

    @property
    def theta(self) -> Vector:
        """What is read, shape (n,)."""
        return np.concatenate([self._reads[place].array.ravel() for place in self.blamed.reads])

    @property
    def gradient(self) -> Vector:
        """What the backward pass has handed down, shape (n,)."""
        return np.concatenate([self._reads[place].cotangent.ravel() for place in self.blamed.reads])

    def losses(self, thetas: Vector) -> Vector:
        """Return the loss at each row of `thetas`, less that at θ, shape (k, n) -> (k,)."""
        inputs, start = [], 0
        for place, read in enumerate(self._reads):
            if place in self.blamed.reads:
                inputs.append(thetas[:, start : start + read.array.size].reshape(-1, *read.array.shape))
                start += read.array.size
            else:
                inputs.append(np.broadcast_to(read.array, (len(thetas), *read.array.shape)))
        return self.blamed.run.responses_at(self.blamed.number, inputs)

    @property
    def _reads(self) -> Sequence[Read]:
        return self.blamed.call.reads

    def data(self) -> Mapping[str, NDArray[np.float64]]:
        """Return the arrays that a mistake may have come from, by what they are."""
        others = {name_of(read): read.array for place, read in enumerate(self._reads) if place not in self.blamed.reads}
        return {**others, **{f"output {n}": one.array for n, one in enumerate(self.blamed.call.writes)}}


@np.errstate(all="ignore")  # a step may lead out of the operation's domain
def causes_of(blamed: Blamed) -> list[Finding]:
    """Return what explains the wrong cotangents of a call; nothing where no rule does."""
    loss = OperationLoss(blamed)
    # That nothing is handed down says all; and beside infinite numbers there is nothing to be measured.
    if not blamed.reads or not loss.gradient.any() or not np.isfinite([loss.theta, loss.gradient]).all():
        return []
    theta, layout = loss.theta, loss.layout
    oracle = measure_function(
        Evaluator(loss.losses),
        theta,
        layout,
        roundoffs={tensor.name: FLOAT64 for tensor in layout},
        options=FunctionOptions(budget=_BUDGET),
    )
    comparer = Comparer(oracle.estimate(""), oracle.lines.layout, tolerance_for(_TOLERANCE, FLOAT64, extrapolates=True))
    claimed = Evaluation("", 0.0, oracle.lines.along(loss.gradient))
    if not len(comparer.wrong(claimed)):
        return []
    components = oracle.lines.components
    evidence = Evidence.against(
        claimed,
        comparer,
        theta=np.concatenate([theta[components], np.zeros(len(oracle.lines.directions))]),
        lengths=_lengths(blamed),
        data=loss.data(),
    )
    return [finding for finding in explain_residual(evidence, _STAGES) if finding.code != CAUSE_UNKNOWN]


def _lengths(blamed: Blamed) -> dict[int, str]:
    """Return the lengths of the axes of what the call reads and writes: what a factor may come from."""
    return {
        length: f"axis {axis} of {name_of(read)}"
        for read in blamed.call.reads
        for axis, length in enumerate(read.array.shape)
    }
