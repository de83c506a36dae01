"""Run the check of functions: every function is called and probed, the oracle measures one of them, both are compared.

A loss that returns an array y is seen through a cotangent v, as Re Σ v̄ y; or, for the whole Jacobian, once for every
output, with v a unit vector.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from xcheck.backend.function_objective import FunctionObjective
from xcheck.backend.output_table import OutputTable
from xcheck.certificates.claims import Proof
from xcheck.certificates.pace import Pace
from xcheck.checks.answer import Answer
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import Implementation, complaints_under
from xcheck.checks.functions.jacobian.outputs import cotangents_for, join_outputs, output_name
from xcheck.checks.functions.jacobian.settled import answer_settled_outputs
from xcheck.checks.functions.kinks.hidden import widen_at_hidden_kinks
from xcheck.checks.functions.kinks.ties import refute_at_ties
from xcheck.checks.functions.oracle import (
    OracleRun,
    confirm_undecided,
    differentiable_candidates,
    locate_errors,
    remeasure_disputes,
    run_oracle,
)
from xcheck.checks.functions.purity import call_and_probe
from xcheck.checks.proof import prove, refute
from xcheck.checks.prover import Candidate, Prover
from xcheck.checks.referee import decide
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import FLOAT64
from xcheck.errors import BackendError
from xcheck.functions.arguments import Arguments, Numbers
from xcheck.layout import Layout
from xcheck.oracle import Estimate
from xcheck.oracle.estimators.rounding import Rounding


def run_functions(
    implementations: Sequence[Implementation], arguments: Arguments, options: FunctionCheckOptions
) -> Answers:
    """Call every function and the oracle at θ, and return what they say.

    Raises:
        DefinitionError: a function does not fit its parameters, or an array-valued loss is asked for what it is not.
    """
    cotangents = cotangents_for(implementations, arguments, options)
    if len(cotangents) > 1:
        _share_outputs(implementations, arguments, options.device, cotangents)
    parts = [_run_one(cotangents[0], implementations, arguments, options)]
    if len(cotangents) > 1:
        settled = answer_settled_outputs(parts[0], implementations, cotangents, arguments, options)
        parts += [
            settled.get(number) or _run_one(cotangent, implementations, arguments, options)
            for number, cotangent in enumerate(cotangents[1:], start=1)
        ]
    # A scalar loss has one output, and its Jacobian is its gradient.
    whole = options.jacobian or (options.jacobian is None and len(cotangents) > 1)
    return join_outputs(parts) if whole and cotangents[0] is not None else parts[0]


def _share_outputs(
    implementations: Sequence[Implementation],
    arguments: Arguments,
    device: str,
    cotangents: Sequence[Numbers | None],
) -> None:
    """Let every function answer for all its outputs at once."""
    # Of complex outputs each is two, which are not shared.
    if any(cotangent is not None and np.iscomplexobj(cotangent) for cotangent in cotangents):
        return
    for implementation in implementations:
        for wide in (False, True):
            objective = implementation.objective(arguments, device=device, wide=wide, cotangent=cotangents[0])
            objective.table = OutputTable(len(cotangents), arguments.layout.size)


def _run_one(
    cotangent: Numbers | None,
    implementations: Sequence[Implementation],
    arguments: Arguments,
    options: FunctionCheckOptions,
) -> Answers:
    answers = [_call(implementation, arguments, options, cotangent) for implementation in implementations]
    run = run_oracle(
        differentiable_candidates(implementations, answers, options.oracle, arguments.roundoff),
        arguments,
        options.differences,
        device=options.device,
        cotangent=cotangent,
        progress=options.progress,
    )
    witnesses = [answer.evaluation for answer in answers if answer.evaluation is not None]
    native, float64 = _comparers_of_runs(arguments, options)
    # Before anything is called wrong the oracle has its second chance, with shorter steps.
    run = remeasure_disputes(run, native, witnesses)
    run = confirm_undecided(run, native, witnesses)
    run = widen_at_hidden_kinks(run, native, answers)
    reruns = []
    # Where the noise of the loss is that of their own dtype, float64 would show no more.
    if arguments.roundoff > max(FLOAT64, run.roundoff):
        reruns = _rerun_in_float64(implementations, answers, arguments, options.device, cotangent)
    # Only now is it certain what is wrong; what one witness makes the oracle measure serves the next.
    run = locate_errors(run, native, witnesses)
    run = locate_errors(run, float64, reruns)
    proof, prover = None, None
    if options.proof:
        claims = [(one, arguments.roundoff) for one in witnesses] + [(one, FLOAT64) for one in reruns]
        candidates = candidates_of(implementations, arguments, options.device, cotangent)
        pace = Pace(options.differences.budget, options.proof_progress)
        proof, prover = prove(candidates, claims, arguments.theta, options.differences.seed, pace)
        if prover is not None:
            run, proof = _referee(run, native(run), witnesses, prover, proof)
        refute(proof, arguments.layout, answers, reruns)
    refute_at_ties(run, native(run), answers)
    return Answers(
        answers=answers,
        run=run,
        layout=run.lines.layout,
        estimate=run.estimate,
        evaluations=[run.along(witness) for witness in witnesses],
        reruns=[run.along(rerun) for rerun in reruns],
        whole_reruns=reruns,
        proof=proof,
        prover=prover,
        roundoff=max(arguments.roundoff, run.roundoff),
        cotangent=cotangent,
        comparer=native(run),
    )


def _call(
    implementation: Implementation, arguments: Arguments, options: FunctionCheckOptions, cotangent: Any
) -> Answer[FunctionObjective]:
    objective = implementation.objective(arguments, device=options.device, cotangent=cotangent)
    with complaints_under(implementation.label):
        return call_and_probe(implementation, objective, arguments.theta)


def _rerun_in_float64(
    implementations: Sequence[Implementation],
    answers: Sequence[Answer[FunctionObjective]],
    arguments: Arguments,
    device: str,
    cotangent: Numbers | None,
) -> list[Evaluation]:
    """Return what functions of narrow parameters say in 64 bits, where they can: rounding then hides nothing."""
    found = []
    for implementation, answer in zip(implementations, answers, strict=True):
        # What differs from call to call, or writes into its arguments, would say nothing more in float64.
        if answer.evaluation is None or answer.evaluation.again is not None or answer.overwrites:
            continue
        try:
            wide = implementation.objective(arguments, device=device, wide=True, cotangent=cotangent)
            loss, gradient = wide.loss_and_gradient(arguments.theta)
        except BackendError:
            continue  # the oracle says so where it matters
        name = f"{implementation.label} in float64"
        found.append(Evaluation(name, loss, gradient, rerun_of=implementation.label))
    return found


def _referee(
    run: OracleRun,
    comparer: Comparer,
    witnesses: Sequence[Evaluation],
    prover: Prover,
    proof: Proof,
) -> tuple[OracleRun, Proof]:
    """Return the run with proved slopes where differences leave a gradient undecided, or call it wrong."""
    if run.oracle is None:
        return run, proof
    rows: list[int] = []
    for witness in witnesses:
        seen = run.along(witness)
        rows += [*comparer.wrong(seen).tolist(), *np.flatnonzero(comparer.bounds(seen.gradient).undecided).tolist()]
        # What is smaller than the noise of the loss is right whatever it is; its slope says more.
        rows += np.flatnonzero((run.estimate.error_bar > np.abs(seen.gradient)) & (seen.gradient != 0)).tolist()
    open_lines = np.array(list(dict.fromkeys(rows)), np.intp)
    # Where part of the loss is rounded, a gradient may be that of what this makes of it: nothing is refuted then.
    claimed = [run.along(witness).gradient for witness in witnesses] if proof.narrow else []
    estimate, count = decide(run.estimate, run.lines, open_lines, prover, comparer.roundoff, claimed)
    return replace(run, estimate=estimate), replace(proof, refereed=count)


def candidates_of(
    implementations: Sequence[Implementation], arguments: Arguments, device: str, cotangent: Numbers | None
) -> list[Candidate]:
    """Return the functions in 64 bits, the one whose trace is tried first first."""
    return [
        Candidate(one.label, one.objective(arguments, device=device, wide=True, cotangent=cotangent))
        for one in sorted(implementations, key=lambda one: -one.backend.batches)
    ]


# --- comparers ------------------------------------------------------------------------------------------------------


def comparers(found: Answers, options: FunctionCheckOptions) -> tuple[Comparer, Comparer]:
    """Return what compares the witnesses, and what compares those that were asked again in float64."""
    parts = [(part.estimate, float64_estimate(part)) for part in found.outputs]
    # What it knows already serves the report.
    native = found.comparer or _comparer(found.estimate, found.layout, options, found.roundoff)
    float64 = _comparer(float64_estimate(found), found.layout, options, _at_least_float64(found.run))
    if not found.outputs:
        return native, float64
    names = [output_name(part.cotangent) for part in found.outputs]
    return (
        replace(native, outputs=[estimate for estimate, _ in parts], output_names=names),
        replace(float64, outputs=[estimate for _, estimate in parts], output_names=names),
    )


def float64_estimate(found: Answers) -> Estimate:
    """Return the estimate for those that were asked again in float64: their rounding is that of float64."""
    return _rescaled(found.run, found.estimate, found.roundoff)


def _comparers_of_runs(
    arguments: Arguments, options: FunctionCheckOptions
) -> tuple[Callable[[OracleRun], Comparer], Callable[[OracleRun], Comparer]]:
    """Return the same two, as functions of what the oracle says so far, each of them made once for every run."""

    @cache
    def native(run: OracleRun) -> Comparer:
        return _comparer(run.estimate, run.lines.layout, options, max(arguments.roundoff, run.roundoff))

    @cache
    def float64(run: OracleRun) -> Comparer:
        estimate = _rescaled(run, run.estimate, max(arguments.roundoff, run.roundoff))
        return _comparer(estimate, run.lines.layout, options, _at_least_float64(run))

    return native, float64


def _at_least_float64(run: OracleRun) -> float:
    return max(FLOAT64, run.roundoff)


def _rescaled(run: OracleRun, estimate: Estimate, roundoff: float) -> Estimate:
    """Return the estimate with the rounding of float64, which is proportional to the unit roundoff."""
    factor = _at_least_float64(run) / roundoff
    if factor == 1.0:
        return estimate
    rounding = Rounding(estimate.rounding.gradient * factor, estimate.rounding.loss * factor)
    return replace(estimate, rounding=rounding)


def _comparer(estimate: Estimate, layout: Layout, options: FunctionCheckOptions, roundoff: float) -> Comparer:
    # One fixed step is taken as it is, and decides less.
    extrapolates = options.differences.epsilon == "auto"
    tolerance = tolerance_for(options.differences.tolerance, roundoff, extrapolates=extrapolates)
    return Comparer(estimate, layout, tolerance, worst=options.worst, despite_losses=False)
