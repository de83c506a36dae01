"""NetworkCheck: a declared network, read and validated; running it gives a completed check."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.checks.completed import CompletedCheck, Witness
from xcheck.checks.networks.report import build_report
from xcheck.checks.networks.run import run_network
from xcheck.layout import Layout, Vector
from xcheck.networks.definition import Loaded, LoadedLayers, load, load_definition, settings_for_problem
from xcheck.networks.problem import Problem
from xcheck.oracle.engines.function import FunctionEngine, LoopEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.engines.network import keeps_of, tensors_of
from xcheck.oracle.network.forward import trace
from xcheck.oracle.network.penalty import Penalty
from xcheck.progress import Progress
from xcheck.verdict import Verdict

Model = str | Path | Mapping[str, Any] | Problem


def load_model(model: Model, *, backends: Sequence[str] = (), others: Sequence[str] = (), **settings: Any) -> Loaded:
    """Read and validate a fully connected network; see `load_any_model`.

    Raises:
        DefinitionError: as there, or there are layers of other kinds.
    """
    if isinstance(model, Problem):
        return _of_problem(model, backends, settings)
    return load(_source_of(model), flags=_flags(backends, settings), backends=[*registry.names(), *others])


def load_any_model(
    model: Model, *, backends: Sequence[str] = (), others: Sequence[str] = (), **settings: Any
) -> Loaded | LoadedLayers:
    """Read and validate what `verify` will check; see there.

    Args:
        model: see there.
        backends: names of the witnesses; empty where the definition decides.
        others: names of witnesses that are given as objects: the definition may speak of them.
        **settings: see there.

    Raises:
        DefinitionError: all mistakes at once.
    """
    if isinstance(model, Problem):
        return _of_problem(model, backends, settings)
    return load_definition(_source_of(model), flags=_flags(backends, settings), backends=[*registry.names(), *others])


def _of_problem(problem: Problem, backends: Sequence[str], settings: Mapping[str, Any]) -> Loaded:
    """Return a problem made in Python: it has no file and no project around it, only flags and defaults count."""
    check = settings_for_problem(_flags(backends, settings), backends=registry.names())
    return Loaded(problem=problem.rounded(check.dtype), check=check, warnings=())


def _source_of(model: str | Path | Mapping[str, Any]) -> Path | Mapping[str, Any]:
    return Path(model) if isinstance(model, str) else model


def _flags(backends: Sequence[str], settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the flags that were given: one that was not must not override what the definition says."""
    flags = {name: value for name, value in settings.items() if value is not None}
    return {**flags, "backends": list(backends)} if backends else flags


@dataclass(frozen=True, slots=True, eq=False)
class NetworkCheck:
    """A declared network, ready to be checked.

    Attributes:
        loaded: the network.
        backends: the witnesses; None for what the definition says.
        worst: how many components to name per pair.
        command: what was typed, for the report.
    """

    loaded: Loaded
    backends: Sequence[str | Backend] | None = None
    worst: int = 10
    command: Sequence[str] = ()

    @property
    def layout(self) -> Layout:
        """Names of θ."""
        return self.loaded.problem.layout

    def run(self, progress: Progress | None = None, including: int | None = None) -> CompletedCheck:
        """Check the network; every component is looked at, so the one that is wanted is included."""
        found = run_network(self.loaded, backends=self.backends, worst=self.worst, progress=progress)
        problem, evaluations = found.point.problem, found.point.evaluations
        return CompletedCheck(
            report=build_report(self.loaded, found.answers, found.comparer, found.point, self.command, found.proof),
            layout=problem.layout,
            theta=problem.theta,
            lines=Lines.all_of(problem.layout),
            estimate=found.point.estimate,
            witnesses=tuple(
                Witness(name=evaluation.name, whole=evaluation, comparer=found.comparer) for evaluation in evaluations
            ),
            # Made when it is asked for: only `explain` looks at the real loss again.
            engine=lambda: natural_engine(problem),
            own=tuple(answer.verdict for answer in found.answers) if evaluations else (Verdict.ERROR,),
            problem=problem,
            prover=found.prover,
        )


def natural_engine(problem: Problem) -> FunctionEngine:
    """Return differences of J as it is: relu has its kinks, and no piece is continued beyond them."""
    network, layout, keeps = problem.network, problem.layout, keeps_of(problem)

    def loss(theta: Vector) -> float:
        found = trace(network, tensors_of(layout, theta), problem.inputs, problem.targets, keeps)
        with np.errstate(all="ignore"):  # a loss that overflows is a result
            return float(found.losses.mean()) + Penalty.at(network, layout, theta, problem.examples).value

    return LoopEngine(loss, problem.theta, layout)
