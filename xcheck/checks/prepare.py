"""Subject: a check that is done, with what it was done with, so that more can be asked about it.

Declared networks and people's own functions look alike from here: witnesses with whole gradients, an oracle with slopes
along lines, and the real loss J, kinks and all.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import numpy as np

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.checks.case import Case
from xcheck.checks.functions.check import Prepared, prepared
from xcheck.checks.functions.implementations import Contender, contenders_of, parameters_of
from xcheck.checks.functions.run import Heard, comparers
from xcheck.checks.networks.run import Checked, checked, load_model
from xcheck.checks.report import Report
from xcheck.compare.comparer import Comparer
from xcheck.compare.evaluation import Evaluation
from xcheck.compare.pair import ORACLE, Pair
from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Arguments
from xcheck.functions.function import Function
from xcheck.layout import Layout, Vector
from xcheck.networks.definition import Loaded
from xcheck.networks.definition.messages import did_you_mean
from xcheck.networks.problem import Problem
from xcheck.oracle import Estimate
from xcheck.oracle.engines.function import FunctionEngine, LoopEngine
from xcheck.oracle.engines.lines import Lines
from xcheck.oracle.engines.network import keeps_of, tensors_of
from xcheck.oracle.engines.penalty import Penalty
from xcheck.oracle.network.forward import trace
from xcheck.progress import Progress
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Witness:
    """What one witness says.

    Attributes:
        name: of the witness.
        whole: its loss and gradient at θ, shape (n,).
        comparer: holds slopes along the lines against the oracle.
        again: whether this is a witness of narrow numbers, asked again in float64.
    """

    name: str
    whole: Evaluation
    comparer: Comparer
    again: bool = False


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Subject:
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

    def pair(self, witness: Witness) -> Pair:
        """Return what the check says of a witness and the oracle."""
        return next(pair for pair in self.report.pairs if (pair.a, pair.b) == (witness.name, ORACLE))


@dataclass(frozen=True, slots=True, eq=False)
class NetworkPreparation:
    """A declared network that was read.

    Attributes:
        loaded: the network.
        backends: the witnesses; None for what the definition says.
        worst: how many components to name per pair.
    """

    loaded: Loaded
    backends: Sequence[str | Backend] | None = None
    worst: int = 10

    @property
    def layout(self) -> Layout:
        """Names of θ."""
        return self.loaded.problem.layout

    def report(self, progress: Progress | None = None) -> Report:
        """Check it, and return the report."""
        return self.subject(progress).report

    def subject(self, progress: Progress | None = None, including: int | None = None) -> Subject:
        """Check it; every component is looked at."""
        return _of_network(checked(self.loaded, backends=self.backends, worst=self.worst, progress=progress))


@dataclass(frozen=True, slots=True, eq=False)
class FunctionPreparation:
    """Functions that were read.

    Attributes:
        ready: the functions.
    """

    ready: Prepared

    @property
    def layout(self) -> Layout:
        """Names of θ."""
        return self.ready.arguments.layout

    def report(self, progress: Progress | None = None) -> Report:
        """Check them, and return the report, which there is of whole Jacobians, too.

        Raises:
            DefinitionError: a function does not fit its parameters.
        """
        return self.ready.report(self.ready.heard(progress))

    def subject(self, progress: Progress | None = None, including: int | None = None) -> Subject:
        """Check them; a sample includes the component that is wanted.

        Raises:
            DefinitionError: a function does not fit its parameters.
        """
        ready = self.ready if including is None else self.ready.including(including)
        return _of_functions(ready, ready.heard(progress))


Preparation: TypeAlias = NetworkPreparation | FunctionPreparation


def preparation_of(
    model: Any, params: Any, data: Any, backends: Sequence[str | Backend] | None, settings: Mapping[str, Any]
) -> Preparation:
    """Read and validate whatever can be checked.

    Args:
        model: as in `xcheck.verify`; or a `Case`; or functions as in `xcheck.check`.
        params: of functions.
        data: of functions.
        backends: the witnesses; of functions their frameworks or labels.
        settings: of `xcheck.verify` or `xcheck.check`.

    Raises:
        DefinitionError: all mistakes at once.
        BackendError: a framework is not installed.
    """
    backends = [backends] if isinstance(backends, str) else backends
    named = [backend for backend in backends or () if isinstance(backend, str)]
    if not isinstance(model, Case) and not _are_functions(model):
        return NetworkPreparation(load_model(model, backends=named, **settings), backends)
    case = model if isinstance(model, Case) else Case(model, params, data)
    case = replace(case, settings={**case.settings, **settings})
    complaints = case.complaints()
    if complaints:
        raise DefinitionError(complaints)
    return FunctionPreparation(ready_case(case, named))


def _are_functions(model: Any) -> bool:
    if isinstance(model, Mapping):
        return bool(model) and all(callable(one) or isinstance(one, Function) for one in model.values())
    return callable(model) or isinstance(model, Function)


# --- networks -------------------------------------------------------------------------------------------------------


def _of_network(done: Checked) -> Subject:
    problem, point = done.point.problem, done.point
    return Subject(
        report=done.report(),
        layout=problem.layout,
        theta=problem.theta,
        lines=Lines.all_of(problem.layout),
        estimate=point.estimate,
        witnesses=tuple(
            Witness(name=evaluation.name, whole=evaluation, comparer=done.comparer) for evaluation in point.evaluations
        ),
        engine=lambda: natural_engine(problem),
        own=(Verdict.ERROR,) if done.witnesses.failures or not point.evaluations else (),
        problem=problem,
    )


def natural_engine(problem: Problem) -> FunctionEngine:
    """Return differences of J as it is: relu has its kinks, and no piece is continued beyond them."""
    network, layout, keeps = problem.network, problem.layout, keeps_of(problem)

    def loss(theta: Vector) -> float:
        found = trace(network, tensors_of(layout, theta), problem.inputs, problem.targets, keeps)
        with np.errstate(all="ignore"):  # a loss that overflows is a result
            return float(found.losses.mean()) + Penalty(network, layout, theta, problem.examples).value

    return LoopEngine(loss, problem.theta, layout)


# --- functions ------------------------------------------------------------------------------------------------------


def _of_functions(ready: Prepared, found: Heard) -> Subject:
    if found.outputs:
        text = "every output has a gradient of its own; leave scope at 'auto' to look at one combination of them"
        raise DefinitionError(Complaint(text, ("scope",)))
    comparer, strict = comparers(found, ready.options)
    judgement = found.judgement
    whole = [one.evaluation for one in found.examined if one.evaluation is not None]
    witnesses = [Witness(name=one.name, whole=one, comparer=comparer) for one in whole]
    witnesses += [Witness(name=one.name, whole=one, comparer=strict, again=True) for one in found.wide_whole]
    oracle = judgement.oracle
    return Subject(
        report=ready.report(found),
        layout=ready.arguments.layout,
        theta=ready.arguments.theta,
        lines=judgement.lines,
        estimate=found.estimate,
        witnesses=tuple(witnesses),
        engine=None if oracle is None else lambda: oracle.engine,
        own=(
            *(Verdict.ERROR for one in found.examined if one.failed),
            *(Verdict.DISAGREE for one in found.examined if one.stale),
            *(Verdict.UNDECIDED for one in found.examined if one.overwrites or oracle is None),
        ),
        kinks=None if oracle is None else oracle.kink_distance,
        arguments=ready.arguments,
    )


def ready_case(case: Case, backends: Sequence[str]) -> Prepared:
    """Return a case with those of its functions that were asked for, ready to be heard.

    Raises:
        DefinitionError: its arguments cannot be used, or no function is left.
        BackendError: a framework is not installed.
    """
    settings = dict(case.settings)
    framework, gradient = settings.get("backend"), settings.get("gradient")
    contenders = contenders_of(case.objectives, case.params, backend=framework, gradient=gradient)
    params = parameters_of(contenders, case.params)
    if not backends:
        return prepared(case.objectives, case.params, case.data, settings)
    settings.pop("gradient", None)  # a contender has its own already
    kept = {contender.label: contender.function for contender in _kept(contenders, backends)}
    return prepared(kept, params, case.data, settings)


def _kept(contenders: Sequence[Contender], backends: Sequence[str]) -> list[Contender]:
    """Return the functions of these frameworks, or with these labels.

    Raises:
        DefinitionError: there is none, or a name is neither.
    """
    labels = [contender.label for contender in contenders]
    known = list(dict.fromkeys((*labels, *registry.names())))
    unknown = [name for name in backends if name not in known]
    if unknown:
        texts = (f"--backend {name} is no framework and no label{did_you_mean(name, known)}" for name in unknown)
        raise DefinitionError(map(Complaint, texts))
    kept = [one for one in contenders if one.label in backends or one.backend.name in backends]
    if not kept:
        there = ", ".join(f"{one.label} ({one.backend.name})" for one in contenders)
        asked = " ".join(f"--backend {name}" for name in backends)
        raise DefinitionError(Complaint(f"{asked} leaves no function to check; there are {there}"))
    return kept
