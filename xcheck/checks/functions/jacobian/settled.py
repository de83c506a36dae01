"""Outputs of a Jacobian that nothing is to be asked about: all of them at once.

Each output of a Jacobian is a function of its own, and most are in plain agreement: the function repeats itself there,
the first step says all that the oracle wants to know (`xcheck.oracle.output_gradients`), and no gradient is wrong. For
these the answers are put together here, as they would come of asking for each output by itself. All others take that
way, beginning with the first output, whose calls of the function answer for all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.backend.output_table import OutputTable
from xcheck.checks.answer import Answer
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.oracle import OracleRun
from xcheck.checks.functions.purity import contradicts
from xcheck.compare.bounds import OracleBounds
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import FLOAT64
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout, Vector
from xcheck.oracle import Estimate
from xcheck.oracle.columns import Flags
from xcheck.oracle.engines.evaluator import Evaluator
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.output_gradients import measure_settled_outputs

# Calls with which a function is probed: at θ, at θ, elsewhere, at θ (`xcheck.checks.functions.purity`).
_PROBES = 4


@dataclass(frozen=True, slots=True, eq=False)
class _Called:
    """What one function says of all its outputs, shapes (outputs,) and (outputs, n), and where it repeats itself."""

    implementation: Implementation
    outputs: Vector
    gradients: Vector
    steady: Flags
    reruns: tuple[Vector, Vector] | None


def answer_settled_outputs(
    first: Answers,
    implementations: Sequence[Implementation],
    cotangents: Sequence[Numbers | None],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> dict[int, Answers]:
    """Return by number what is said of the outputs that need no question of their own.

    Args:
        first: what is said of the first output.
        implementations: the functions.
        cotangents: unit vectors, one for each output.
        arguments: θ and the data.
        options: how to check.
    """
    called = [
        _read_calls(implementation, answer, arguments, options)
        for implementation, answer in zip(implementations, first.answers, strict=True)
    ]
    known = [each for each in called if each is not None]
    if len(known) < len(called) or not _is_plain(first, options):
        return {}
    estimates = _measure(first, implementations, len(cotangents), arguments, options)
    steady = np.all([each.steady for each in known], axis=0)
    numbers = [number for number in estimates if number and steady[number]]
    lines = Lines.all_of(arguments.layout)
    return {
        number: _answers(number, known, estimates[number], first, lines, cotangents[number], arguments, options.device)
        for number in _agreeing(numbers, estimates, known, arguments, options)
    }


def _is_plain(first: Answers, options: FunctionCheckOptions) -> bool:
    """Return whether one of the functions is differenced, in 64 bits."""
    run = first.run
    of_its_own = isinstance(options.oracle, Implementation)
    return run.oracle is not None and not of_its_own and run.computed_in == FLOAT64 and not run.warnings


def _read_calls(
    implementation: Implementation,
    answer: Answer[FunctionObjective],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> _Called | None:
    """Return what the calls for the first output have said of all; None where each output must be asked for."""
    objective, fails = answer.objective, answer.failed or answer.crashes or answer.overwrites
    table = None if objective is None or fails else objective.table
    if objective is None or table is None or len(table.calls) < _PROBES:
        return None
    (once, outputs, gradients), (twice, *again), (there, _, elsewhere), (thrice, *last) = table.calls[:_PROBES]
    if not all(np.array_equal(theta, arguments.theta) for theta in (once, twice, thrice)):
        return None
    steady = np.ones(len(outputs), dtype=bool)
    for losses, rows in (again, last):
        steady &= _same(outputs, losses) & _same(gradients, rows).all(axis=-1)
    # The same gradient elsewhere may be kept from the first call.
    kept = gradients.any(axis=-1) & (gradients == elsewhere).all(axis=-1)
    if (kept & steady).any():
        losses_at = _all_losses(table, objective, len(outputs))
        kept &= contradicts(losses_at, gradients, arguments.theta, there, arguments.roundoff)
    reruns = None
    if arguments.roundoff > FLOAT64:
        wide = implementation.objective(arguments, device=options.device, wide=True, cotangent=objective.cotangent)
        reruns = _rerun(wide.table, arguments)
        if reruns is None:
            return None
    return _Called(implementation, outputs, gradients, steady & ~kept, reruns)


def _all_losses(table: OutputTable, objective: FunctionObjective, outputs: int) -> Callable[[Vector], Vector]:
    """Return Θ, shape (k, n), -> all outputs (outputs, k); nan where the function cannot give all at once."""

    def losses(thetas: Vector) -> Vector:
        found = table.all_losses(objective, thetas)
        return np.full((outputs, len(thetas)), np.nan) if found is None else found.T

    return losses


def _same(a: Vector, b: Vector) -> Flags:
    return np.asarray((a == b) | (np.isnan(a) & np.isnan(b)))


def _rerun(table: OutputTable | None, arguments: Arguments) -> tuple[Vector, Vector] | None:
    """Return all outputs and gradients in 64 bits, if they were asked for at θ."""
    if table is None or not table.calls:
        return None
    theta, outputs, gradients = table.calls[0]
    return (outputs, gradients) if np.array_equal(theta, arguments.theta) else None


def _measure(
    first: Answers,
    implementations: Sequence[Implementation],
    outputs: int,
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> dict[int, Estimate]:
    """Return the estimates of all outputs that are settled by the function that the oracle differences."""
    chosen = next(each for each in implementations if each.label == first.run.label)
    objective = chosen.objective(arguments, device=options.device, wide=True, cotangent=first.cotangent)
    table = objective.table
    # Asked once at θ, so that a function which cannot give all outputs at once is known.
    if table is None or table.all_losses(objective, arguments.theta[None]) is None:
        return {}

    roundoffs = {part: leaf.roundoff for name, leaf in arguments.leaves.items() for part in arguments.parts(name)}
    return measure_settled_outputs(
        Evaluator(_all_losses(table, objective, outputs), None, arguments.data_size, FLOAT64),
        arguments.theta,
        arguments.layout,
        outputs,
        roundoffs=roundoffs,
        options=options.differences,
        name=first.run.estimate.engine,
        progress=options.progress,
    )


def _agreeing(
    numbers: Sequence[int],
    estimates: dict[int, Estimate],
    called: Sequence[_Called],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> list[int]:
    """Return those of some outputs in which no gradient is wrong."""
    if not numbers:
        return []
    joined = Estimate.concatenate([estimates[number] for number in numbers])
    layout = Layout.of({"outputs": (len(numbers), arguments.layout.size)})
    tolerance = tolerance_for(options.differences.tolerance, arguments.roundoff, extrapolates=True)
    bounds, wrong = OracleBounds(joined, layout, tolerance), np.zeros(layout.size, dtype=bool)
    for each in called:
        wrong |= bounds.of(each.gradients[numbers].ravel()).wrong
    return np.array(numbers)[~wrong.reshape(len(numbers), -1).any(axis=-1)].tolist()


def _answers(
    number: int,
    called: Sequence[_Called],
    estimate: Estimate,
    first: Answers,
    lines: Lines,
    cotangent: Numbers | None,
    arguments: Arguments,
    device: str,
) -> Answers:
    """Return what is said of one output."""
    answers, reruns = [], []
    for each, own in zip(called, first.answers, strict=True):
        objective = each.implementation.objective(arguments, device=device, cotangent=cotangent)
        evaluation = Evaluation(own.name, float(each.outputs[number]), each.gradients[number].copy())
        answers.append(Answer(own.name, objective, evaluation, versions=own.versions))
        if each.reruns is not None:
            outputs, gradients = each.reruns
            name = f"{own.name} in float64"
            reruns.append(Evaluation(name, float(outputs[number]), gradients[number].copy(), rerun_of=own.name))
    return Answers(
        answers=answers,
        run=OracleRun(estimate=estimate, lines=lines, label=first.run.label),
        layout=lines.layout,
        estimate=estimate,
        evaluations=[answer.evaluation for answer in answers if answer.evaluation is not None],
        reruns=reruns,
        roundoff=max(arguments.roundoff, FLOAT64),
        cotangent=cotangent,
    )
