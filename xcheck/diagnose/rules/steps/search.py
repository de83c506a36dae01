"""Search: which mistake in one step of a backward pass gives the wrong gradient, of a loss that can be traced.

The trace has its own backward pass, which is right where it gives the oracle's gradient; if it does not, nothing is
said. Each change is carried out in all calls of its line, in every k-th of them (one gate of several, in each step of a
sequence), and in each call alone. One that gives the wrong numbers is named: since thousands are tried, they must be
met in so many digits together that none of them would be by chance.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from xcheck.diagnose.evidence import Evidence, Hypothesis, fits
from xcheck.diagnose.rules.steps.products import mistaken_factors
from xcheck.diagnose.rules.steps.program import Change, Program
from xcheck.diagnose.rules.steps.shares import missing_shares
from xcheck.diagnose.rules.steps.slopes import mistaken_slopes_of_steps
from xcheck.diagnose.rules.steps.statistics import mistaken_statistics
from xcheck.diagnose.rules.steps.sums import mistaken_sums
from xcheck.layout import Vector
from xcheck.oracle.estimate import CERTAIN
from xcheck.text import joined
from xcheck.trace.tape import Step, Tape

# Binary digits in which a wrong gradient must be met, over all components: those of three components to rounding. A
# guess, far beyond the twelve that a search among some thousand changes gives away.
_BITS = 64
# Components that must be wrong: fewer are not met in so many digits.
_LEAST = 3
# What all backward passes together may take, in operations on small arrays: a guess, three seconds. An operation on so
# many elements, or a matrix product of so many terms, takes twice as long as one on a small array.
_WORK, _ELEMENTS, _TERMS = 300_000, 5_000, 50_000
# Calls of one line that are tried one by one, or every k-th. A guess.
_MOST_CALLS = 64
# So few calls are tried one by one although there are many changes of them. A guess.
_FEW_CALLS = 4
# Numbers of calls that are written out. A guess.
_MOST_NAMED = 4


def mistaken_step(evidence: Evidence) -> Iterator[Hypothesis]:
    """Propose mistakes in single steps of the backward pass of a person's function."""
    if evidence.problem is not None or evidence.wrong.sum() < _LEAST or (traced := evidence.probes.traced()) is None:
        return
    try:
        with np.errstate(all="ignore"):
            program = Program(Tape(traced.trace, traced.arrays), traced.names)
            right = traced.along(program.tape.gradient())
            if not _is_right(evidence, right):
                return
            for change, steps, which in _candidates(program):
                predicted = traced.along(program.tape.gradient(steps))
                hypothesis = _hypothesis(evidence, change, which, predicted)
                if hypothesis is None:
                    continue
                yield hypothesis
                if all(tensor.name in hypothesis.predicted for tensor in evidence.wrong_tensors):
                    return  # rules come in the order in which their causes are believed
    except Exception:  # noqa: BLE001 - a person's operations are carried out: what fails is kept from no report
        return


def _is_right(evidence: Evidence, gradient: Vector) -> bool:
    """Return whether the backward pass of the trace gives the oracle's gradient."""
    allowed = CERTAIN * evidence.uncertainty + evidence.fine * np.abs(evidence.trusted).max(initial=0.0)
    return bool(np.all(np.abs(gradient - evidence.trusted) <= allowed))


def _candidates(program: Program) -> Iterator[tuple[Change, dict[int, Step], str]]:
    """Yield changes with the steps to replace, and in which calls of the line that is."""
    groups: dict[tuple[str, str], list[Change]] = {}
    for rule in (mistaken_slopes_of_steps, mistaken_factors, mistaken_sums, mistaken_statistics, missing_shares):
        for change in rule(program):
            groups.setdefault((change.code, change.key or change.text), []).append(change)
    left = int(_WORK / _work(program))
    for calls in groups.values():
        for some, which in _selections(len(calls), alone=not calls[0].key):
            steps = dict(program.silent)
            for number in some:
                steps |= calls[number].steps
            left -= 1
            if left < 0:
                return
            # The last call of a line is the one that starts from nothing special, such as a state of zeros.
            yield calls[some[-1]], steps, which


def _work(program: Program) -> float:
    """Return what one backward pass takes, in operations on small arrays."""
    work = 1.0
    for operation, given, written in zip(program.operations, program.tape.given, program.tape.written, strict=True):
        work += 1 + sum(array.size for array in (*given, *written)) / _ELEMENTS
        work += given[0].size * given[1].shape[-1] / _TERMS if operation.name == "dot" else 0.0
    return work


def _selections(count: int, *, alone: bool) -> Iterator[tuple[Sequence[int], str]]:
    """Yield which calls of a line are changed: all, every k-th, one."""
    yield range(count), ""
    if count > _MOST_CALLS:
        return
    most = count if alone or count <= _FEW_CALLS else count // 2
    for stride in (k for k in range(2, most + 1) if count % k == 0):
        for first in range(stride):
            some = range(first, count, stride)
            numbers = joined([number + 1 for number in some], _MOST_NAMED)
            yield some, f" (in call{'s' * (len(some) > 1)} {numbers} of {count})"


def _hypothesis(evidence: Evidence, change: Change, which: str, gradient: Vector) -> Hypothesis | None:
    """Return the hypothesis about the tensors that a change makes another gradient of; None where it explains none."""
    allowed = CERTAIN * evidence.uncertainty + evidence.fine * np.abs(evidence.trusted)
    moved = np.abs(gradient - evidence.trusted) > allowed + 2 * evidence.tolerance * np.abs(evidence.trusted)
    predicted: dict[str, Vector] = {}
    bits = 0.0
    for tensor in evidence.layout:
        if not moved[tensor.span].any():
            continue
        if not fits(evidence, tensor.span, gradient[tensor.span], None):
            return None
        predicted[tensor.name] = gradient[tensor.span]
        bits += _bits(evidence, tensor.span, gradient[tensor.span])
    if bits < _BITS:
        return None
    return Hypothesis(change.code, change.text + which, predicted, rank=change.rank + 10 * bool(which))


def _bits(evidence: Evidence, span: slice, predicted: Vector) -> float:
    """Return in how many binary digits of the residual it is explained, over all components together."""
    g, r = evidence.gradient[span], evidence.trusted[span]
    noise = evidence.uncertainty[span] + evidence.fine * np.abs(predicted).max(initial=0.0) + np.abs(g - predicted)
    return float(np.log2(np.maximum(1.0, np.abs(g - r) / noise)).sum())
