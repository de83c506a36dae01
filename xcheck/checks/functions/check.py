"""check: functions -> examination -> oracle -> comparison -> report, for people's own functions.

The functions are examined first (`xcheck.checks.functions.purity`), then the oracle differences one of them, in 64
bits where it can, and every gradient is held against it. A second derivative is looked at only when the first is right.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from inspect import Parameter, signature
from typing import Any, Literal

import numpy as np

from xcheck.checks.functions.implementations import (
    Contender,
    Loss,
    Objectives,
    arguments_for,
    contenders_of,
    oracle_of,
    parameters_of,
)
from xcheck.checks.functions.report import report_of
from xcheck.checks.functions.run import Heard, HearingOptions, heard
from xcheck.checks.report import Report
from xcheck.errors import Complaint, DefinitionError
from xcheck.functions.arguments import Arguments
from xcheck.networks.definition.messages import did_you_mean
from xcheck.oracle.engines.lines import FEW
from xcheck.oracle.function_gradient import FunctionOptions
from xcheck.progress import Progress, counted

Scope = Literal["auto", "all", "sample", "jacobian", "directions"]
_SCOPES = ("auto", "all", "sample", "jacobian", "directions")


class GradientMismatch(AssertionError):  # noqa: N818 - the name says what it is; pytest shows it
    """Gradients do not agree; raised by `assert_gradients`, and by the fixture `xcheck` in pytest.

    Attributes:
        report: everything that was found.
    """

    def __init__(self, report: Report) -> None:
        self.report = report
        super().__init__(f"{report.headline}\n\n{report}")

    def __reduce__(self) -> tuple[type["GradientMismatch"], tuple[Report]]:
        # An exception would be made again from its text alone.
        return type(self), (self.report,)


def check(  # noqa: PLR0913 - the public signature: everything but the first three is optional and by name
    objectives: Objectives,
    params: Any = None,
    data: Any = (),
    *,
    backend: str | None = None,
    gradient: Loss | None = None,
    oracle: str | Loss = "auto",
    scope: Scope = "auto",
    epsilon: float | Literal["auto"] = "auto",
    tolerance: float = 1e-7,
    order: Literal[1, 2] = 1,
    device: str = "cpu",
    seed: int = 0,
    worst: int = 10,
    cotangent: Any = None,
    budget: float = 10.0,
    name: str | None = None,
    progress: Progress | None = None,
) -> Report:
    """Check gradients of your own functions against float64 differences, and against each other.

    Args:
        objectives: a loss `loss(params, *data)`, an `xcheck.objective`, or a dict label -> either.
        params: any tree of NumPy, torch or JAX arrays, or one array. For a module its own parameters by default.
        data: further arguments, a tuple.
        backend: the framework of a bare function; by default that of the arrays in params.
        gradient: the hand-written gradient of a bare function, `gradient(params, *data)`; NumPy needs one.
        oracle: which function is differenced: "auto" (JAX, else torch, else the first), a label, or a function.
        scope: "all" components, a "sample" with random directions, "directions" alone (about 25 losses, however many
            parameters there are), "auto" for what fits the budget, or "jacobian" for every output of a loss that
            returns an array. What is wrong along a direction is located by bisection.
        epsilon: "auto", or a fixed step.
        tolerance: relative, per component, on top of the error bar.
        order: 2 checks Hessian-vector products, too, once the first derivatives agree.
        device: where arrays of other frameworks are put, "cpu" or "gpu"; arrays of a function's own framework stay.
        seed: of everything random.
        worst: how many components to name per pair.
        cotangent: v, of the loss's shape, for a loss y that is an array: Re Σ v̄ y is checked. By default drawn.
        budget: seconds that scope "auto" may take.
        name: how the report calls it.
        progress: called with (differences done, differences planned).

    Returns:
        The report; disagreement is a result, not an exception.

    Raises:
        DefinitionError: the arguments cannot be used; all mistakes that were found.
        BackendError: a framework that was asked for is not installed.

    >>> import numpy as np
    >>> report = check(lambda x: (x**3).sum(), np.array([1.0, 2.0]), gradient=lambda x: 3 * x**2)
    >>> report.ok
    True
    """
    settings = {"backend": backend, "gradient": gradient, "oracle": oracle, "scope": scope, "epsilon": epsilon}
    settings |= {"tolerance": tolerance, "order": order, "device": device, "seed": seed, "worst": worst}
    settings |= {"cotangent": cotangent, "budget": budget, "name": name, "progress": progress}
    ready = prepared(objectives, params, data, settings)
    return ready.report(ready.heard())


def assert_gradients(objectives: Objectives, params: Any = None, data: Any = (), **settings: Any) -> Report:
    """Check gradients as `check` does, and raise if they are not plainly right.

    Args:
        objectives: as in `check`.
        params: as in `check`.
        data: as in `check`.
        **settings: as in `check`.

    Returns:
        The report, if everything agrees.

    Raises:
        GradientMismatch: something disagrees, cannot be decided, or fails; its first line says what.
        DefinitionError: the arguments cannot be used.
    """
    __tracebackhide__ = True  # pytest shows the line that called
    report = check(objectives, params, data, **settings)
    if not report.ok:
        raise GradientMismatch(report)
    return report


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """Functions at one θ, ready to be heard.

    Attributes:
        contenders: the functions.
        arguments: θ and the data.
        options: how to check.
        name: how the report calls it.
        order: 2 checks Hessian-vector products, too.
    """

    contenders: Sequence[Contender]
    arguments: Arguments
    options: HearingOptions
    name: str
    order: int

    def including(self, component: int) -> "Prepared":
        """Return the same with a component that is looked at even where others are left out."""
        differences = replace(self.options.differences, including=(component,))
        return replace(self, options=replace(self.options, differences=differences))

    def heard(self, progress: Progress | None = None) -> Heard:
        """Ask everybody.

        Raises:
            DefinitionError: a function does not fit its parameters.
        """
        advance = counted(progress, 6 * self.arguments.layout.size) or self.options.progress
        return heard(self.contenders, self.arguments, replace(self.options, progress=advance))

    def report(self, found: Heard) -> Report:
        """Return the report on what was heard."""
        return report_of(found, self.arguments, self.options, name=self.name, order=self.order)


def prepared(objectives: Objectives, params: Any, data: Any, given: Mapping[str, Any]) -> Prepared:
    """Read and validate what `check` will check; see there.

    Args:
        objectives: as in `check`.
        params: as in `check`.
        data: as in `check`.
        given: what `check` takes by name; the rest is as there by default.

    Raises:
        DefinitionError: the arguments cannot be used; all mistakes that were found.
        BackendError: a framework that was asked for is not installed.
    """
    complaints = complaints_about(given)
    if complaints:
        raise DefinitionError(complaints)
    settings = {**SETTINGS, **given}
    backend, oracle, scope = settings["backend"], settings["oracle"], settings["scope"]
    contenders = contenders_of(objectives, params, backend=backend, gradient=settings["gradient"])
    arguments = arguments_for(parameters_of(contenders, params), data)
    options = HearingOptions(
        differences=FunctionOptions(
            epsilon=settings["epsilon"],
            tolerance=settings["tolerance"],
            scope="all" if scope == "jacobian" else scope,
            budget=settings["budget"],
            seed=settings["seed"],
        ),
        jacobian=scope == "jacobian",
        device=settings["device"],
        worst=settings["worst"],
        cotangent=settings["cotangent"],
        oracle=oracle if isinstance(oracle, str) else oracle_of(oracle, params, backend),
        progress=counted(settings["progress"], 2 * FEW if scope == "directions" else 6 * arguments.layout.size),
    )
    return Prepared(contenders, arguments, options, settings["name"] or _name(objectives), settings["order"])


def complaints_about(settings: Mapping[str, Any]) -> list[Complaint]:
    """Return what is wrong with settings of a check, as far as they tell without its functions."""
    complaints = [
        Complaint(f"unknown setting{did_you_mean(name, SETTINGS)}", (str(name),))
        for name in settings
        if name not in SETTINGS
    ]
    for name, (allowed, expected) in _EXPECTED.items():
        if name in settings and not allowed(settings[name]):
            complaints.append(Complaint(f"{settings[name]!r} is {expected}", (name,)))
    return complaints


def _positive(value: Any) -> bool:
    return isinstance(value, int | float) and 0 < value < float("inf")


def _counts(value: Any, *, least: int) -> bool:
    return isinstance(value, int | np.integer) and not isinstance(value, bool) and bool(value >= least)


_EXPECTED: dict[str, tuple[Callable[[Any], bool], str]] = {
    "scope": (lambda value: isinstance(value, str) and value in _SCOPES, f"none of {', '.join(_SCOPES)}"),
    "order": (lambda value: isinstance(value, int) and value in (1, 2), "neither 1 nor 2"),
    "device": (lambda value: isinstance(value, str) and value in ("cpu", "gpu"), "neither cpu nor gpu"),
    "epsilon": (
        lambda value: _positive(value) or (isinstance(value, str) and value == "auto"),
        "neither 'auto' nor a positive number",
    ),
    "tolerance": (_positive, "not a positive number"),
    "budget": (_positive, "not a positive number"),
    "seed": (partial(_counts, least=0), "not a whole number from 0"),
    "worst": (partial(_counts, least=1), "not a whole number from 1"),
}

# Everything that `check` takes by name, as it is by default.
SETTINGS: dict[str, Any] = {
    name: parameter.default
    for name, parameter in signature(check).parameters.items()
    if parameter.kind is Parameter.KEYWORD_ONLY
}


def _name(objectives: Objectives) -> str:
    """Return what a person would call it: the function's own name."""
    function = getattr(objectives, "module", None) or getattr(objectives, "loss", None) or objectives
    if isinstance(function, dict):
        return " and ".join(str(label) for label in function)
    name = getattr(function, "__name__", None) or type(function).__name__
    return "function" if name == "<lambda>" else str(name)
