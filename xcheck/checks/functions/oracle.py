"""The oracle of a check of functions: which of them is differenced, in which arithmetic, and what came of it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from xcheck.backend.function_objective import FunctionObjective
from xcheck.checks.answer import Answer, failure
from xcheck.checks.functions.implementations import Implementation
from xcheck.checks.functions.purity import is_steady, trace_of
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.findings import ORACLE_NOT_FLOAT64, Finding
from xcheck.functions.arguments import Arguments
from xcheck.oracle import Estimate
from xcheck.oracle.bisection.directional import LOSSES_EACH
from xcheck.oracle.bisection.search import SearchResult
from xcheck.oracle.engines.evaluator import Evaluator, TimedLoss, chunk_for
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.estimators.confirmation import Claim
from xcheck.oracle.function_estimate import nothing_measured
from xcheck.oracle.function_gradient import FunctionOracle, measure_function
from xcheck.oracle.options import FunctionOptions

# A batch takes about a tenth of the time of calls one by one: a guess.
_FEW_OUTPUTS = 8


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class OracleRun:
    """What the oracle says of one function.

    Attributes:
        estimate: slopes along the lines.
        lines: what was differenced.
        label: of the function that was differenced.
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
    computed_in: float = FLOAT64
    findings: Sequence[Finding] = ()
    warnings: Sequence[Finding] = ()
    located: Sequence[tuple[str, SearchResult]] = ()

    @property
    def roundoff(self) -> float:
        """Unit roundoff of what the losses are really computed in."""
        return max(self.computed_in, 0.0 if self.oracle is None else self.oracle.computed_in)

    @property
    def is_narrow(self) -> bool:
        """Whether part of the losses is computed in less than they are asked for."""
        return self.roundoff > self.computed_in

    def along(self, evaluation: Evaluation) -> Evaluation:
        """Return what a witness says along the lines: the same, where these are all components and nothing else."""
        if self.lines.complete and not len(self.lines.directions):
            return evaluation
        # The second call is projected like the first: which of the two is right is told along the same lines.
        again = None if evaluation.again is None else self.along(evaluation.again)
        return replace(evaluation, gradient=self.lines.along(evaluation.gradient), again=again)


def differentiable_candidates(
    implementations: Sequence[Implementation],
    answers: Sequence[Answer[FunctionObjective]],
    oracle: Any,
    roundoff: float,
) -> list[Implementation]:
    """Return the functions that may be differenced, the preferred one first.

    Args:
        implementations: the functions.
        answers: what came of calling them.
        oracle: "auto", the label of one of them, or a function of its own.
        roundoff: unit roundoff of the coarsest parameter.

    Raises:
        DefinitionError: the one that was asked for is not there.
    """
    if isinstance(oracle, Implementation):
        return [oracle]
    if oracle != "auto":
        chosen = [implementation for implementation in implementations if implementation.label == oracle]
        if not chosen:
            labels = ", ".join(implementation.label for implementation in implementations)
            raise DefinitionError(Complaint(f"there is no function called {oracle!r}; there are {labels}", ("oracle",)))
        return chosen
    pairs = zip(implementations, answers, strict=True)
    steady = [implementation for implementation, answer in pairs if is_steady(answer, roundoff)]
    # A framework that evaluates many θ at once is quicker by far.
    return sorted(steady, key=lambda implementation: -implementation.backend.batches)


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
    # The next framework may be able to evaluate what the preferred one cannot.
    for implementation in candidates:
        try:
            objective, here, roundoff, warnings = _in_float64(implementation, arguments, device, cotangent)
            oracle = _oracle(objective, here, arguments, options, roundoff, progress)
        except BackendError as error:
            failures.append(failure(implementation.label, error.text, trace_of(error)))
            continue
        return OracleRun(
            estimate=oracle.estimate(f"{implementation.label}: {oracle.name_engine(objective.engine)}"),
            lines=oracle.lines,
            label=implementation.label,
            oracle=oracle,
            computed_in=roundoff,
            warnings=warnings,
        )
    # A report needs names even where nothing has been measured.
    lines = Lines.all_of(arguments.layout)
    return OracleRun(estimate=nothing_measured(arguments.layout), lines=lines, findings=failures)


def remeasure_disputes(
    run: OracleRun, comparer: Callable[[OracleRun], Comparer], witnesses: Sequence[Evaluation]
) -> OracleRun:
    """Return the run after what witnesses dispute was measured again, with shorter steps.

    Args:
        run: what the oracle says.
        comparer: holds witnesses against a run.
        witnesses: their whole gradients.
    """
    for witness in witnesses:
        if run.oracle is None:
            return run
        seen = run.along(witness)
        # Only what would be called wrong is worth more losses.
        disputed = comparer(run).wrong(seen)
        if run.oracle.reconsider(disputed, seen.gradient):
            run = replace(run, estimate=run.oracle.estimate(run.estimate.engine))
    return run


def confirm_undecided(
    run: OracleRun, comparer: Callable[[OracleRun], Comparer], witnesses: Sequence[Evaluation]
) -> OracleRun:
    """Return the run after polynomials were fitted along what is undecided, to show that witnesses are right there.

    Args:
        run: what the oracle says.
        comparer: holds witnesses against a run.
        witnesses: their whole gradients.
    """
    for witness in witnesses:
        if run.oracle is None:
            return run
        held, seen = comparer(run), run.along(witness)
        claim = Claim(seen.gradient, held.tolerance, held.widest, held.closeness.resolution)
        if run.oracle.confirm(held.undecided(seen), claim):
            run = replace(run, estimate=run.oracle.estimate(run.estimate.engine))
    return run


def locate_errors(
    run: OracleRun, comparer: Callable[[OracleRun], Comparer], witnesses: Sequence[Evaluation]
) -> OracleRun:
    """Return the run after wrong components were looked for in the witnesses that are wrong along a direction.

    Args:
        run: what the oracle says.
        comparer: holds witnesses against a run.
        witnesses: their whole gradients.
    """
    for witness in witnesses:
        for call in witness.calls:
            if run.oracle is None:
                return run
            # Where every component was measured by itself, the wrong ones are known already.
            if _is_wrong_along_a_direction(run, comparer(run), call):
                run = _locate(run, run.oracle, comparer(run), call)
    return run


def _is_wrong_along_a_direction(run: OracleRun, comparer: Comparer, call: Evaluation) -> bool:
    seen = run.along(call)
    # Directions come after the components.
    along_directions = comparer.wrong(seen) >= len(run.lines.components)
    return bool(along_directions.any() and not comparer.spread(seen) and comparer.with_oracle(seen).losses_agree)


def _locate(run: OracleRun, oracle: FunctionOracle, comparer: Comparer, call: Evaluation) -> OracleRun:
    """Return the run with what was located in one call of a witness."""
    located = list(run.located)
    with suppress(BackendError):  # a step may lead where the function fails: then nothing is located
        found = oracle.locate(call.gradient, comparer.tolerance, comparer.roundoff)
        if found is not None:
            located.append((call.name, found))
    return replace(run, lines=oracle.lines, estimate=oracle.estimate(run.estimate.engine), located=located)


def _in_float64(
    implementation: Implementation, arguments: Arguments, device: str, cotangent: Any
) -> tuple[FunctionObjective, TimedLoss, float, list[Finding]]:
    """Return the function in 64 bits, J(θ) and its roundoff; or as it is, with a warning, where it does not allow that.

    Raises:
        BackendError: it cannot be evaluated at all.
    """
    wide = implementation.objective(arguments, device=device, wide=True, cotangent=cotangent)
    native = implementation.objective(arguments, device=device, cotangent=cotangent)
    # A function that writes into its arguments is given a copy of them for every call.
    wide.overwritten |= native.overwritten
    try:
        return wide, TimedLoss.of(wide.losses, arguments.theta), FLOAT64, []
    except BackendError as error:
        here = TimedLoss.of(native.losses, arguments.theta)
        text = (
            f"{implementation.label}: the loss cannot be computed in float64 ({error.text.splitlines()[0]}), so the "
            "oracle differences it in its own dtype: its error bars are as wide as rounding in that dtype makes them, "
            "and small mistakes do not show"
        )
        warning = Finding(code=ORACLE_NOT_FLOAT64, text=text, value=arguments.roundoff)
        return native, here, arguments.roundoff, [warning]


def _oracle(
    objective: FunctionObjective,
    here: TimedLoss,
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
    # Beside several outputs the calls that give all of them, which are kept, are quicker than batches for each.
    kept = objective.table is not None and objective.table.batches and objective.cotangent.size > _FEW_OUTPUTS
    moved = None if kept else objective.moved
    # Several outputs are differenced together, and what is narrow is measured where its own dtype shows.
    nodes = objective.nodes if objective.table is None and roundoff == FLOAT64 else None
    evaluator = Evaluator(
        objective.losses, moved, arguments.data_size, roundoff, objective.narrow, objective.pads, nodes
    )
    return measure_function(
        evaluator, arguments.theta, layout, roundoffs=roundoffs, options=options, progress=progress, here=here
    )
