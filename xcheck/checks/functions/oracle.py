"""Judge: which function is differenced, in which arithmetic, and what came of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.purity import Answer, failure
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.findings import ORACLE_NOT_FLOAT64, Finding
from xcheck.functions.arguments import Arguments
from xcheck.oracle import Estimate
from xcheck.oracle.bisection.directional import LOSSES_EACH
from xcheck.oracle.bisection.search import Located
from xcheck.oracle.engines.function import Evaluator, chunk_for
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.function_estimate import nothing_measured
from xcheck.oracle.function_gradient import FunctionOptions, FunctionOracle


@dataclass(slots=True)
class OracleRun:
    """What the oracle says.

    Attributes:
        estimate: slopes along the lines.
        lines: what was differenced.
        label: of the function that was.
        oracle: what measured it; None where nothing could be measured.
        computed_in: unit roundoff of what the losses are asked for in.
        findings: why nothing could be measured.
        warnings: what it could not do.
        located: what was looked for in witnesses that are wrong along a direction, by name.
    """

    estimate: Estimate
    lines: Lines
    label: str = ""
    oracle: FunctionOracle | None = None
    computed_in: float = 2.0**-53
    findings: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    located: list[tuple[str, Located]] = field(default_factory=list)

    @property
    def roundoff(self) -> float:
        """Unit roundoff of what the losses are really computed in."""
        return max(self.computed_in, 0.0 if self.oracle is None else self.oracle.narrow)

    @property
    def is_narrow(self) -> bool:
        """Whether part of the losses is computed in less than they are asked for."""
        return self.roundoff > self.computed_in

    def along(self, evaluation: Evaluation) -> Evaluation:
        """Return what a witness says along the lines."""
        again = None if evaluation.again is None else self.along(evaluation.again)
        slopes = self.lines.along(evaluation.gradient)
        return Evaluation(evaluation.name, evaluation.loss, slopes, again, evaluation.elsewhere)


def differentiable_candidates(
    contenders: Sequence[Implementation], examined: Sequence[Answer], oracle: Any
) -> list[Implementation]:
    """Return the functions that may be differenced, the preferred one first.

    Raises:
        DefinitionError: the one that was asked for is not there.
    """
    if isinstance(oracle, Implementation):
        return [oracle]
    if oracle != "auto":
        chosen = [contender for contender in contenders if contender.label == oracle]
        if not chosen:
            labels = ", ".join(contender.label for contender in contenders)
            raise DefinitionError(Complaint(f"there is no function called {oracle!r}; there are {labels}", ("oracle",)))
        return chosen
    sound = [contender for contender, found in zip(contenders, examined, strict=True) if found.steady]
    return sorted(sound, key=lambda contender: -contender.backend.batches)


def run_oracle(
    candidates: Sequence[Implementation],
    arguments: Arguments,
    options: FunctionOptions,
    *,
    device: str,
    cotangent: Any,
    progress: Callable[[int], None] | None = None,
) -> OracleRun:
    """Difference the first candidate that can be evaluated.

    Args:
        candidates: functions, the preferred one first.
        arguments: θ and the data.
        options: how.
        device: where.
        cotangent: v, for a loss that returns an array.
        progress: called with the number of differences after each batch.
    """
    failures: list[Finding] = []
    for contender in candidates:
        warnings: list[Finding] = []
        try:
            objective, roundoff = _wide(contender, arguments, device, cotangent, warnings)
            oracle = _oracle(objective, arguments, options, roundoff, progress)
        except BackendError as error:
            failures.append(failure(contender.label, error))
            continue
        estimate = oracle.estimate(f"{contender.label}: {objective.engine}")
        return OracleRun(estimate, oracle.lines, contender.label, oracle, roundoff, [], warnings)
    lines = Lines.all_of(arguments.layout)
    return OracleRun(nothing_measured(arguments.layout), lines, findings=failures)


def remeasure_disputes(
    judgement: OracleRun, comparer: Callable[[Estimate], Comparer], witnesses: Sequence[Evaluation]
) -> None:
    """Measure again, with shorter steps, what witnesses dispute; the judgement is updated."""
    for witness in witnesses:
        if judgement.oracle is None:
            return
        seen = judgement.along(witness)
        disputed = comparer(judgement.estimate).wrong(seen)
        if judgement.oracle.reconsider(disputed, seen.gradient):
            judgement.estimate = judgement.oracle.estimate(judgement.estimate.engine)


def locate_errors(
    judgement: OracleRun, comparer: Callable[[OracleRun], Comparer], witnesses: Sequence[Evaluation]
) -> None:
    """Look for the components in which witnesses are wrong, where random directions tell; the judgement is updated."""
    for witness in witnesses:
        for call in witness.calls:
            if judgement.oracle is None:
                return
            against, seen = comparer(judgement), judgement.along(call)
            told = against.wrong(seen) >= len(judgement.lines.components)
            if not told.any() or against.spread(seen) or not against.with_oracle(seen).losses_agree:
                continue
            with suppress(BackendError):  # a step may lead where the function fails: then nothing is located
                found = judgement.oracle.locate(call.gradient, against.tolerance, against.roundoff)
                if found is not None:
                    judgement.located.append((witness.name, found))
            judgement.lines = judgement.oracle.lines
            judgement.estimate = judgement.oracle.estimate(judgement.estimate.engine)


def _wide(
    contender: Implementation, arguments: Arguments, device: str, cotangent: Any, warnings: list[Finding]
) -> tuple[FunctionObjective, float]:
    """Return the function in 64 bits with its roundoff, or as it is where it does not allow that.

    Raises:
        BackendError: it cannot be evaluated at all.
    """
    wide = contender.objective(arguments, device=device, wide=True, cotangent=cotangent)
    native = contender.objective(arguments, device=device, cotangent=cotangent)
    # Who writes into what he is given gets a copy for every call.
    wide.overwritten |= native.overwritten
    try:
        wide.losses(arguments.theta[None])
    except BackendError as error:
        native.losses(arguments.theta[None])
        text = (
            f"{contender.label}: the loss cannot be computed in float64 ({error.text.splitlines()[0]}), so the oracle "
            f"differences it as it is: noise is measured, and what can be decided is less"
        )
        warnings.append(Finding(code=ORACLE_NOT_FLOAT64, text=text, value=arguments.roundoff))
        return native, arguments.roundoff
    return wide, FLOAT64


def _oracle(
    objective: FunctionObjective,
    arguments: Arguments,
    options: FunctionOptions,
    roundoff: float,
    progress: Callable[[int], None] | None,
) -> FunctionOracle:
    layout = arguments.layout
    roundoffs = {part: leaf.roundoff for name, leaf in arguments.leaves.items() for part in arguments.parts(name)}
    objective.width = chunk_for(layout.size, arguments.data_size)
    if options.scope == "directions":
        objective.width = min(objective.width, LOSSES_EACH)  # more than that never come at a time
    evaluator = Evaluator(objective.losses, objective.moved, arguments.data_size, roundoff)
    return FunctionOracle(evaluator, arguments.theta, layout, roundoffs=roundoffs, options=options, progress=progress)
