"""Run the check of a declared network: call the witnesses and the oracle, then compare."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcheck.backend import registry
from xcheck.backend.contract import Backend, Objective
from xcheck.caveats import CheckedPoint
from xcheck.caveats.layers import layers_of
from xcheck.certificates.claims import Proof
from xcheck.certificates.pace import Pace
from xcheck.checks.answer import Answer
from xcheck.checks.networks.witnesses import call_witnesses
from xcheck.checks.proof import prove, refute
from xcheck.checks.prover import Candidate, Prover
from xcheck.compare.comparer import Comparer
from xcheck.compare.coverage import tensor_coverage
from xcheck.compare.tolerance import tolerance_for
from xcheck.dtypes import largest_of, roundoff_of
from xcheck.findings import CONSTANT_FEATURE
from xcheck.networks.definition import CheckSettings, Loaded
from xcheck.oracle import OracleOptions, numerical_gradient, planned_differences
from xcheck.oracle.extended_precision import remeasure_worst
from xcheck.progress import Progress, count_progress


@dataclass(frozen=True, slots=True, eq=False)
class NetworkAnswers:
    """What all witnesses and the oracle say of a declared network at one θ.

    Attributes:
        answers: what came of calling each witness.
        comparer: holds them against the oracle.
        point: what is known at θ.
        proof: what slopes with proved bounds say; None where they were not asked for.
        prover: what has proved them; None where nothing could be.
    """

    answers: Sequence[Answer[Objective]]
    comparer: Comparer
    point: CheckedPoint
    proof: Proof | None = None
    prover: Prover | None = None


@np.errstate(all="ignore")  # a network that overflows at θ is a result
def run_network(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    progress: Progress | None = None,
) -> NetworkAnswers:
    """Call every witness and the oracle at θ, and return what they say.

    Args:
        loaded: the network, and how it is to be checked.
        backends: the witnesses; None for what the definition says.
        worst: how many components to name per pair.
        progress: called with (differences done, differences planned).
    """
    problem, check = loaded.problem, loaded.check
    options = oracle_options(check)
    answers = call_witnesses(problem, check, backends)
    evaluations = [answer.evaluation for answer in answers if answer.evaluation is not None]
    estimate = numerical_gradient(
        problem, options, progress=count_progress(progress, planned_differences(problem, options))
    )
    tolerance = tolerance_for(
        check.tolerance,
        roundoff_of(check.dtype),
        extrapolates=options.extrapolates,
        largest=largest_of(check.dtype),
    )
    comparer = Comparer(estimate, problem.layout, tolerance, worst=worst)
    # A fixed step is there to be looked at as it is; no better measurement is put in its place.
    if options.extrapolates:
        disputes = [comparer.disputes(evaluation) for evaluation in evaluations]
        if disputes:
            # One witness that disputes a component is enough.
            worst_dispute = np.max(disputes, axis=0)
            estimate = remeasure_worst(problem, estimate, worst_dispute, tolerance=tolerance.relative)
        comparer = comparer.with_estimate(estimate)
    proof, prover = None, None
    if check.proof:
        proof, prover = _prove(loaded, answers, Pace(check.budget, progress))
        refute(proof, problem.layout, answers)
    point = CheckedPoint(
        problem=problem,
        estimate=estimate,
        layers=layers_of(problem, estimate),
        tensors=tensor_coverage(problem.layout, estimate, comparer.confirmed(evaluations)),
        evaluations=evaluations,
        dtype=check.dtype,
        tolerance=tolerance.effective,
        # A feature that was called constant when the data were read need not be called blank once more.
        constant=sum(int(warning.value or 0) for warning in loaded.warnings if warning.code == CONSTANT_FEATURE),
    )
    return NetworkAnswers(answers, comparer, point, proof, prover)


def _prove(loaded: Loaded, answers: Sequence[Answer[Objective]], pace: Pace) -> tuple[Proof, Prover | None]:
    """Hold what the witnesses have said against proved slopes of the loss as JAX computes it in float64."""
    problem, check = loaded.problem, loaded.check
    evaluations = [answer.evaluation for answer in answers if answer.evaluation is not None]
    claims = [(evaluation, roundoff_of(check.dtype)) for evaluation in evaluations]
    return prove(candidates_of(loaded), claims, problem.theta, check.seed, pace)


def candidates_of(loaded: Loaded) -> list[Candidate]:
    """Return the networks in float64 whose loss, or whose gradient's program, may be traced."""
    return [Candidate("jax", registry.get("jax").network_objective(loaded.problem, device=loaded.check.device))]


def oracle_options(check: CheckSettings) -> OracleOptions:
    """Return the options of the oracle that a check asks for."""
    return OracleOptions(
        epsilon=check.epsilon,
        difference=check.difference,
        tolerance=check.tolerance,
        device=check.device,
        dtype=check.dtype,
        engine=check.engine,
        budget=check.budget,
    )
