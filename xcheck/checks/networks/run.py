"""verify: definition -> problem -> witnesses and oracle -> comparison -> report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.caveats import Point, doubts_at
from xcheck.caveats.check import findings_of, warnings_of
from xcheck.caveats.layers import layers_of
from xcheck.checks.environment import environment_of
from xcheck.checks.networks.witnesses import Witnesses, call_witnesses
from xcheck.checks.report import OracleSummary, Report
from xcheck.compare.comparer import Comparer, Tolerance
from xcheck.compare.coverage import prove
from xcheck.compare.pair import ORACLE, Pair
from xcheck.compare.precision import precisions
from xcheck.diagnose import Circumstances, Forward, consensus, diagnosis_of, odd_one_out, outcome, parted, shown
from xcheck.diagnose.determinism import differing_calls, unsteady_gradients
from xcheck.findings import CONSTANT_FEATURE, Finding
from xcheck.layout import Vector
from xcheck.networks.definition import Check, Loaded, load, settings_for_problem
from xcheck.networks.problem import Problem, largest_of, roundoff_of
from xcheck.oracle import Estimate, OracleOptions, numerical_gradient, planned_differences
from xcheck.oracle.extended_precision import settled
from xcheck.progress import Progress, counted
from xcheck.verdict import Verdict

Model = str | Path | Mapping[str, Any] | Problem


def verify(
    model: Model,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    progress: Progress | None = None,
    command: Sequence[str] = (),
    **settings: Any,
) -> Report:
    """Check the gradients of a declared network.

    Args:
        model: path of a TOML definition, a dict of the same shape, or a `Problem`.
        backends: the witnesses, by name or as objects; by default what the definition says, else all of xcheck's.
        worst: how many components to name per pair.
        progress: called with (differences done, differences planned) while the oracle works.
        command: what was typed, for the report.
        **settings: keys of `[check]`, and `examples`; they override the definition.

    Returns:
        The report; disagreement is a result, not an exception.

    Raises:
        DefinitionError: the definition, its data or its weights cannot be used.
        DeviceError: the device is not there.
    """
    if isinstance(backends, str):
        backends = [backends]
    names = [backend for backend in backends or () if isinstance(backend, str)]
    loaded = load_model(model, backends=names, **settings)
    return verify_loaded(loaded, backends=backends, worst=worst, progress=progress, command=command)


def load_model(model: Model, *, backends: Sequence[str] = (), others: Sequence[str] = (), **settings: Any) -> Loaded:
    """Read and validate what `verify` will check; see there.

    Args:
        model: see there.
        backends: names of the witnesses; empty where the definition decides.
        others: names of witnesses that are given as objects: the definition may speak of them.
        **settings: see there.

    Raises:
        DefinitionError: all mistakes at once.
    """
    flags = {name: value for name, value in settings.items() if value is not None}
    if backends:
        flags["backends"] = list(backends)
    if isinstance(model, Problem):
        check = settings_for_problem(flags, backends=registry.names())
        return Loaded(problem=model.rounded(check.dtype), check=check, warnings=())
    source = Path(model) if isinstance(model, str) else model
    return load(source, flags=flags, backends=[*registry.names(), *others])


def verify_loaded(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    progress: Progress | None = None,
    command: Sequence[str] = (),
) -> Report:
    """Check what `load_model` returned; see `verify`."""
    return checked(loaded, backends=backends, worst=worst, progress=progress).report(command)


@dataclass(frozen=True, slots=True, eq=False)
class Checked:
    """A check of a declared network that is done.

    Attributes:
        loaded: what was checked.
        witnesses: what they say.
        comparer: holds it against the oracle.
        point: what is known at θ.
    """

    loaded: Loaded
    witnesses: Witnesses
    comparer: Comparer
    point: Point

    def report(self, command: Sequence[str] = ()) -> Report:
        """Return the report."""
        return _report(self.loaded, self.witnesses, self.comparer, self.point, command)


@np.errstate(all="ignore")  # a network that overflows at θ is a result
def checked(
    loaded: Loaded,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    progress: Progress | None = None,
) -> Checked:
    """Ask the witnesses and the oracle; see `verify`."""
    problem, check = loaded.problem, loaded.check
    options = _options(check)
    witnesses = call_witnesses(problem, check, backends)
    estimate = numerical_gradient(problem, options, progress=counted(progress, planned_differences(problem, options)))
    tolerance = _tolerance(check, options)
    comparer = Comparer(estimate, problem.layout, tolerance, worst=worst)
    if options.extrapolates:
        disputes = [comparer.disputes(evaluation) for evaluation in witnesses.evaluations]
        estimate = _settled(problem, estimate, disputes, tolerance.relative)
        comparer = comparer.given(estimate)
    point = Point(
        problem=problem,
        estimate=estimate,
        layers=layers_of(problem, estimate),
        tensors=prove(problem.layout, estimate, comparer.settled(witnesses.evaluations)),
        evaluations=witnesses.evaluations,
        dtype=check.dtype,
        tolerance=tolerance.effective,
        constant=sum(int(warning.value or 0) for warning in loaded.warnings if warning.code == CONSTANT_FEATURE),
    )
    return Checked(loaded, witnesses, comparer, point)


def _options(check: Check) -> OracleOptions:
    return OracleOptions(
        epsilon=check.epsilon,
        difference=check.difference,
        tolerance=check.tolerance,
        device=check.device,
        dtype=check.dtype,
        engine=check.engine,
        budget=check.budget,
    )


def _tolerance(check: Check, options: OracleOptions) -> Tolerance:
    """Plain differences, and narrow dtypes, are blurred: they can decide less, and the report says how much."""
    roundoff = roundoff_of(check.dtype)
    if check.dtype == "bfloat16":  # the thousand roundings of the others would be everything: here it is 32
        return Tolerance(check.tolerance, roundoff / 32, 1.0, largest_of(check.dtype))
    resolution = 1e-2 if check.dtype == "float32" else 1e-6 if options.extrapolates else 1e-3
    return Tolerance(check.tolerance, roundoff, resolution, largest_of(check.dtype))


def _settled(problem: Problem, estimate: Estimate, disputes: Sequence[Vector], tolerance: float) -> Estimate:
    """Return the estimate after the referee has had its say on what is in dispute."""
    return settled(problem, estimate, np.max(disputes, axis=0), tolerance=tolerance) if disputes else estimate


@np.errstate(all="ignore")
def _report(loaded: Loaded, witnesses: Witnesses, comparer: Comparer, point: Point, command: Sequence[str]) -> Report:
    problem, estimate, evaluations = point.problem, point.estimate, witnesses.evaluations
    pairs = [comparer.with_oracle(evaluation) for evaluation in evaluations]
    pairs += [comparer.between(a, b) for a, b in combinations(evaluations, 2)]
    found = diagnosis_of(evaluations, pairs, comparer, Circumstances(theta=problem.theta, problem=problem))
    errors = [Verdict.ERROR] if witnesses.failures or not evaluations else []
    return Report(
        model=problem.name,
        summary=_summary(problem, point.dtype),
        verdict=Verdict.worst([*errors, *(pair.verdict for pair in pairs)]),
        parameters=problem.layout.size,
        seed=problem.seed,
        losses={evaluation.name: evaluation.loss for evaluation in evaluations},
        pairs=tuple(pairs),
        odd_one_out=odd_one_out(pairs),
        consensus=consensus(pairs),
        starts=found.starts,
        findings=(
            *witnesses.failures,
            *unsteady_gradients(evaluations, comparer),
            *findings_of(pairs, estimate),
            *_forward(pairs, witnesses, point),
            *outcome(pairs, estimate),
            *found.findings,
        ),
        warnings=(*loaded.warnings, *witnesses.warnings, *_doubts(pairs, comparer, point)),
        tensors=tuple(point.tensors),
        layers=tuple(point.layers),
        oracle=OracleSummary.of(estimate, scope="all", budget=loaded.check.budget),
        dtype=point.dtype,
        tolerance=point.tolerance,
        resolution=comparer.resolution,
        seconds=witnesses.seconds,
        precision=() if point.dtype == "float64" else precisions(evaluations, estimate, problem.layout),
        environment=environment_of(witnesses.versions, loaded.check.device),
        command=tuple(command),
    )


def _forward(pairs: Sequence[Pair], witnesses: Witnesses, point: Point) -> list[Finding]:
    """Return where the losses part of those witnesses that compute another one."""
    found = []
    for pair in pairs:
        if pair.b != ORACLE or pair.losses_agree or pair.spread or not np.isfinite(pair.losses).all():
            continue
        try:
            activations = shown(witnesses.objectives[pair.a].activations(point.problem.theta))
        except Exception:  # noqa: BLE001 - a plug-in that cannot show them is none the worse as a witness
            activations = None
        roundoff = roundoff_of(point.dtype)
        finding = parted(Forward(pair.a, pair.losses[0], activations, roundoff), point.problem, point.estimate)
        found += [finding] if finding else []
    return found


def _doubts(pairs: Sequence[Pair], comparer: Comparer, point: Point) -> list[Finding]:
    """Return what this check does not prove."""
    calls = differing_calls(point.evaluations, comparer)
    return [*warnings_of(pairs, point.estimate, point.problem.layout), *calls, *doubts_at(point)]


def _summary(problem: Problem, dtype: str) -> str:
    network = problem.network
    parts = [
        f"{problem.layout.size} parameters",
        f"{problem.examples} examples",
        "-".join(str(width) for width in network.widths),
        " ".join(dict.fromkeys(layer.activation for layer in network.layers[:-1])),
        network.loss,
        *(f"{name} {value:g}" for name, value in (("l2", network.l2), ("l1", network.l1)) if value),
        "" if dtype == "float64" else dtype,
        "dropout pinned" if any(mask is not None for mask in problem.masks) else "",
    ]
    return ", ".join(part for part in parts if part)
