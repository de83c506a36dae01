"""FunctionCheck: people's own functions at one θ, read and validated; running it gives a completed check.

The functions are called and probed first (`xcheck.checks.functions.purity`), then the oracle differences one of them,
in 64 bits where it can, and every gradient is held against it. A second derivative is looked at only when the first is
right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from xcheck.backend import registry
from xcheck.checks.completed import CompletedCheck, Witness
from xcheck.checks.functions.answers import Answers, FunctionCheckOptions
from xcheck.checks.functions.implementations import (
    Implementation,
    Objectives,
    arguments_for,
    implementations_from,
    oracle_of,
    parameters_of,
)
from xcheck.checks.functions.report import build_report
from xcheck.checks.functions.run import comparers, run_functions
from xcheck.checks.report import Report
from xcheck.checks.settings import FunctionSettings, Scope
from xcheck.compare.comparer import Comparer
from xcheck.errors import Complaint, DefinitionError
from xcheck.findings import Finding
from xcheck.functions.arguments import Arguments
from xcheck.functions.forms import forms_of
from xcheck.functions.function import Function
from xcheck.layout import Layout
from xcheck.networks.layers import LayeredNetwork
from xcheck.oracle.engines.lines import DIRECTIONS_ALONE
from xcheck.oracle.options import FunctionOptions
from xcheck.progress import Progress, count_progress
from xcheck.text import did_you_mean
from xcheck.verdict import Verdict


@dataclass(frozen=True, slots=True, eq=False)
class FunctionCheck:
    """Functions at one θ, ready to be checked.

    Attributes:
        implementations: the functions.
        arguments: θ and the data.
        options: how to check.
        name: how the report calls it.
        order: 2 checks Hessian-vector products, too.
        about: what the report says of the model beside its size.
        warnings: what is known before anything is checked.
        command: what was typed, for the report.
        network: the network of any layers that the functions compute, if they are made of a definition.
    """

    implementations: Sequence[Implementation]
    arguments: Arguments
    options: FunctionCheckOptions
    name: str
    order: int = 1
    about: Sequence[str] = ()
    warnings: Sequence[Finding] = ()
    command: Sequence[str] = ()
    network: LayeredNetwork | None = None

    @property
    def layout(self) -> Layout:
        """Names of θ."""
        return self.arguments.layout

    def run(self, progress: Progress | None = None, including: int | None = None) -> CompletedCheck:
        """Check the functions; a sample includes the component that is wanted.

        Raises:
            DefinitionError: a function does not fit its parameters.
        """
        # Six differences per component is what the estimators take where nothing goes wrong.
        options = replace(
            self.options,
            progress=count_progress(progress, 6 * self.layout.size) or self.options.progress,
            proof_progress=progress or self.options.proof_progress,
        )
        if including is not None:
            options = replace(options, differences=replace(options.differences, including=(including,)))
        found = run_functions(self.implementations, self.arguments, options)
        oracle = found.run.oracle
        comparing = comparers(found, options)
        return CompletedCheck(
            report=self._report(found, options, comparing),
            layout=self.layout,
            theta=self.arguments.theta,
            lines=found.run.lines,
            estimate=found.estimate,
            # A row of a Jacobian is no gradient of the whole: there is nothing to explain or to spoil.
            witnesses=() if found.outputs else _witnesses(found, *comparing),
            # Made when it is asked for: only `explain` looks at the real loss again.
            engine=None if oracle is None else lambda: oracle.engine,
            # Where nothing could be measured, even a witness that answers is undecided.
            own=(*(answer.verdict for answer in found.answers), *([] if oracle else [Verdict.UNDECIDED])),
            kinks=None if oracle is None else oracle.kink_distance,
            arguments=self.arguments,
            network=self.network,
            prover=found.prover,
            outputs=len(found.outputs),
        )

    def _report(self, found: Answers, options: FunctionCheckOptions, comparing: tuple[Comparer, Comparer]) -> Report:
        made = build_report(
            self.implementations,
            found,
            self.arguments,
            options,
            comparers=comparing,
            name=self.name,
            order=self.order,
        )
        return replace(
            made,
            summary=", ".join([made.summary, *self.about]),
            warnings=(*self.warnings, *made.warnings),
            command=tuple(self.command),
        )


def _witnesses(found: Answers, native: Comparer, float64: Comparer) -> tuple[Witness, ...]:
    evaluations = [answer.evaluation for answer in found.answers if answer.evaluation is not None]
    return (
        *(Witness(name=each.name, whole=each, comparer=native) for each in evaluations),
        *(Witness(name=each.name, whole=each, comparer=float64, rerun_of=each.rerun_of) for each in found.whole_reruns),
    )


def prepare_functions(
    objectives: Objectives, params: Any, data: Any, given: Mapping[str, Any], only: Sequence[str] = ()
) -> FunctionCheck:
    """Read and validate functions with the point that they are to be checked at.

    Args:
        objectives: as in `xcheck.check`.
        params: as in `xcheck.check`.
        data: as in `xcheck.check`.
        given: what `xcheck.check` takes by name; the rest has its defaults.
        only: frameworks or labels of the functions to check; empty for all of them.

    Raises:
        DefinitionError: the arguments cannot be used, or no function is left; all mistakes that were found.
        BackendError: a framework that was asked for is not installed.
    """
    settings = FunctionSettings.read(given)
    forms = forms_of(given)
    implementations = implementations_from(objectives, params, backend=settings.backend, forms=forms)
    params, frozen = parameters_of(implementations, params)
    # Selected before the parameters are laid out, but after they are read: they may come from a module left out.
    if only:
        implementations = _select(implementations, only)
        objectives = {implementation.label: implementation.function for implementation in implementations}
    arguments = arguments_for(params, data, implementations, inputs=settings.inputs, frozen=frozen)
    oracle, scope = settings.oracle, settings.scope
    options = FunctionCheckOptions(
        differences=FunctionOptions(
            epsilon=settings.epsilon,
            tolerance=settings.tolerance,
            # A Jacobian is as many whole gradients as there are outputs.
            scope="all" if scope == "jacobian" else scope,
            budget=settings.budget,
            seed=settings.seed,
        ),
        jacobian=_whole_jacobian(implementations, scope),
        device=settings.device,
        worst=settings.worst,
        cotangent=settings.cotangent,
        oracle=oracle if isinstance(oracle, str) else oracle_of(oracle, params, settings.backend),
        proof=settings.proof,
        proof_progress=settings.progress,
        progress=count_progress(
            settings.progress, 2 * DIRECTIONS_ALONE if scope == "directions" else 6 * arguments.layout.size
        ),
    )
    # Whoever writes a second derivative wants it checked.
    order = 2 if any(one.function.curved for one in implementations) else settings.order
    return FunctionCheck(implementations, arguments, options, settings.name or _name(objectives), order)


def _whole_jacobian(implementations: Sequence[Implementation], scope: Scope) -> bool | None:
    """Return whether all outputs of a loss are looked at one by one; None if that is so where they are few."""
    # Whoever writes a Jacobian wants to know of each of its entries.
    tells_all = any(one.function.tells_all for one in implementations)
    return None if scope == "auto" and tells_all else scope == "jacobian"


def _select(implementations: Sequence[Implementation], names: Sequence[str]) -> list[Implementation]:
    """Return the functions of these frameworks, or with these labels.

    Raises:
        DefinitionError: there is none, or a name is neither.
    """
    labels = [implementation.label for implementation in implementations]
    known = list(dict.fromkeys((*labels, *registry.names())))
    unknown = [name for name in names if name not in known]
    if unknown:
        texts = (f"--backend {name} is no framework and no label{did_you_mean(name, known)}" for name in unknown)
        raise DefinitionError(map(Complaint, texts))
    kept = [one for one in implementations if one.label in names or one.backend.name in names]
    if not kept:
        there = ", ".join(f"{one.label} ({one.backend.name})" for one in implementations)
        asked = " ".join(f"--backend {name}" for name in names)
        raise DefinitionError(Complaint(f"{asked} leaves no function to check; there are {there}"))
    return kept


def _name(objectives: Objectives) -> str:
    """Return what a person would call it: the function's own name."""
    if isinstance(objectives, Function) and objectives.name is not None:
        return objectives.name
    # A module is better known by its class than by the loss around it.
    function = getattr(objectives, "module", None) or getattr(objectives, "loss", None) or objectives
    if isinstance(function, dict):
        return " and ".join(str(label) for label in function)
    name = getattr(function, "__name__", None) or type(function).__name__
    return "function" if name == "<lambda>" else str(name)
