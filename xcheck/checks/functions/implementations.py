"""Implementations: what a person hands over to `xcheck.check`, as labelled functions with a framework each."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.backend.function_objective import FunctionObjective
from xcheck.errors import BackendError, Complaint, DefinitionError
from xcheck.functions.arguments import Arguments, read_arguments
from xcheck.functions.function import Function, first_argument, objective
from xcheck.functions.tree import ROOT, children, leaves
from xcheck.text import did_you_mean

Loss: TypeAlias = Callable[..., Any]
Objectives: TypeAlias = "Loss | Function | Mapping[str, Loss | Function]"
# What reports call other things: an output of a Jacobian is y[2], a piece of the data is data[0].
_TAKEN = ("y", "data")


@contextmanager
def complaints_under(label: str) -> Iterator[None]:
    """Say of which function a complaint is."""
    try:
        yield
    except DefinitionError as error:
        raise DefinitionError(complaint.under(label) for complaint in error.complaints) from error


@dataclass(frozen=True, slots=True, eq=False)
class Implementation:
    """One labelled function.

    Attributes:
        label: its name in this check.
        function: what is computed.
        backend: its framework.
    """

    label: str
    function: Function
    backend: Backend
    _made: dict[tuple[int, str, bool], FunctionObjective] = field(default_factory=dict)

    def objective(
        self, arguments: Arguments, *, device: str, wide: bool = False, cotangent: Any = None
    ) -> FunctionObjective:
        """Return the function of θ, seen through a cotangent if its value is an array.

        Args:
            arguments: θ and the data.
            device: "cpu" or "gpu".
            wide: whether narrow parameters are widened to 64 bits.
            cotangent: v, of the shape of the value y: the function is Re Σ v̄ y.

        Raises:
            BackendError: the framework knows declared networks only, or cannot be used.
            DefinitionError: names or shapes do not fit.
        """
        # Where nothing is narrow, the wide function is the same.
        wide = wide and arguments.is_narrow
        key = (id(arguments), device, wide)
        if key in self._made:
            # The same function through another cotangent: what has been compiled serves again, but each keeps its own.
            self._made[key] = self._made[key].through(cotangent)
            return self._made[key]
        with complaints_under(self.label):
            made = self.backend.function_objective(
                self.function, arguments, device=device, wide=wide, cotangent=cotangent
            )
        # A backend of a third party may know declared networks only, or be older than functions.
        if not isinstance(made, FunctionObjective):
            raise BackendError(self.backend.name, "function_objective returned no FunctionObjective")
        self._made[key] = made
        return made


def implementations_from(
    objectives: Objectives, params: Any, *, backend: str | None = None, forms: Mapping[str, Loss] | None = None
) -> list[Implementation]:
    """Return labelled functions with their frameworks.

    Args:
        objectives: a function, an objective, or a dict of them.
        params: the parameters, which the framework of a bare function is read off.
        backend: the framework of bare functions.
        forms: derivatives of a bare function that are written by hand, by name; see `xcheck.functions.forms`.

    Raises:
        DefinitionError: there is none, a framework cannot be told, or NumPy has no gradient.
        BackendError: a framework is not installed.
    """
    if isinstance(objectives, Mapping):
        # A check of nothing would agree.
        if not objectives:
            raise DefinitionError(Complaint("objectives is empty: there is nothing to check"))
        if forms:
            form = next(iter(forms))
            text = f"{form}= belongs to a single function; here: xcheck.objective(loss, backend, {form}=...)"
            raise DefinitionError(Complaint(text))
        return [_implementation(str(label), given, params, backend) for label, given in objectives.items()]
    if forms and isinstance(objectives, Function):
        objectives = replace(objectives, forms={**objectives.forms, **forms})
    elif forms:
        objectives = _bare(objectives, params, backend, forms)
    return [_implementation(None, objectives, params, backend)]


def parameters_of(implementations: list[Implementation], params: Any) -> tuple[Any, Collection[str]]:
    """Return the parameters: what was handed over, a module's own, or those of the one module that is checked.

    With them come the names of those that are frozen in the module: the functions are given them, and nothing more.

    Raises:
        DefinitionError: there are none.
    """
    modules = [one.function.module for one in implementations if one.function.module is not None]
    if params is not None and registry.parameters(params) is None:
        if modules and children(params) is None and registry.read(params) is not None:
            text = (
                f"one array came, and {type(modules[0]).__name__} has parameters of its own: hand over what it takes "
                "as data=(x,)"
            )
            raise DefinitionError(Complaint(text, ("params",)))
        return _named(params, implementations), ()
    module = params if params is not None else next(iter(modules), None)
    trained = registry.parameters(module)
    if trained is None:
        raise DefinitionError(Complaint("params is missing: a function needs the parameters that it is checked at"))
    frozen = registry.frozen_parameters(module)
    return {**trained, **frozen}, tuple(frozen)


def _named(params: Any, implementations: Sequence[Implementation]) -> Any:
    """Return a tuple of parameters as a dict, if a function says what they are called."""
    names = next((one.function.takes for one in implementations if one.function.takes), ())
    if not names or isinstance(params, Mapping) or (children(params) is None and registry.read(params) is None):
        return params
    given = params if isinstance(params, tuple | list) else (params,)
    if len(given) > len(names):
        text = f"{len(given)} arrays came, and the function takes {', '.join(names)}"
        raise DefinitionError(Complaint(text, ("params",)))
    return dict(zip(names, given, strict=False))


def arguments_for(
    params: Any,
    data: Any,
    implementations: Sequence[Implementation] = (),
    *,
    inputs: bool = False,
    frozen: Collection[str] = (),
) -> Arguments:
    """Return parameters and data as arguments.

    Args:
        params: the parameters.
        data: further arguments.
        implementations: functions of them; where these agree, they name parameters that are one array alone.
        inputs: whether the inputs of the functions are parameters, too.
        frozen: names of parameters that are only handed on.

    Raises:
        DefinitionError: there is nothing to differentiate with respect to.
    """
    # A single array is meant as one argument, not as its rows.
    given = tuple(data) if isinstance(data, tuple | list) else (data,)
    root = _name_of_one_array(implementations)
    if not inputs:
        return read_arguments(params, given, registry.read, root=root, frozen=frozen)
    by_hand = [one.label for one in implementations if one.function.hand_written]
    if by_hand:
        text = (
            f"{', '.join(by_hand)}: a hand-written gradient is that of params: hand the data over among these to "
            "check them, too"
        )
        raise DefinitionError(Complaint(text, ("inputs",)))
    # Behind the inputs of a module come the targets of its loss.
    taken = [one.function.inputs if one.function.calls_module else len(given) for one in implementations]
    return read_arguments(params, given, registry.read, inputs=min(taken, default=0), root=root, frozen=frozen)


def _name_of_one_array(implementations: Sequence[Implementation]) -> str:
    """Return what the functions call their first argument; "params" where they do not tell, or do not agree."""
    # A function with names of its own is given a tree, and not the array.
    given = [one.function for one in implementations if not one.function.rename and one.function.like is None]
    losses = [function.loss for function in given if not function.calls_module]
    names = {name for loss in losses if loss is not None and (name := first_argument(loss)) is not None}
    name = names.pop() if len(names) == 1 else ROOT
    return ROOT if name in _TAKEN or name.startswith("_") else name


def framework_of(params: Any) -> str | None:
    """Return the framework whose arrays the parameters are, None if there are none, or of several."""
    found = {leaf.framework for value in leaves(params).values() if (leaf := registry.read(value)) is not None}
    # Python numbers among arrays of torch or JAX are nothing special.
    found = found - {"numpy"} or found
    return found.pop() if len(found) == 1 else None


def oracle_of(given: Loss, params: Any, backend: str | None) -> Implementation:
    """Return a function that is only differenced: it needs no gradient.

    Raises:
        DefinitionError: its framework cannot be told.
    """
    return _implementation("oracle", given, params, backend, judges=True)


def _implementation(
    label: str | None, given: Any, params: Any, backend: str | None, *, judges: bool = False
) -> Implementation:
    function = given if isinstance(given, Function) else _bare(given, params, backend, {})
    found = None if function.backend is None else registry.loaded(function.backend)
    if function.backend is None or (found is None and function.backend not in registry.names()):
        text = f"there is no backend {function.backend!r}{did_you_mean(function.backend, registry.names())}"
        raise DefinitionError(Complaint(text))
    found = found or registry.get(function.backend)
    # Asked here, where the person's own choice of a framework can still be named.
    why_not = found.available()
    if why_not is not None:
        raise BackendError(found.name, f"{why_not}; to install it: {found.install}")
    if not (found.differentiates or function.hand_written or judges):
        text = (
            f"{found.name} has no autodiff: give the backward pass as gradient=, vjp= or jacobian=, or, if the "
            'function is one of another framework, say so: xcheck.objective(loss, "torch")'
        )
        raise DefinitionError(Complaint(text if label is None else f"{label}: {text}"))
    return Implementation(label or found.name, _hand_module(function, params, found.name), found)


def _hand_module(function: Function, params: Any, framework: str) -> Function:
    """Return a function that is called with the module which came as `params`, if it is one of the same framework.

    Others, and those with a gradient by hand or names of their own, are called with the tree of its parameters.
    """
    held = registry.parameters(params)
    plain = function.module is None and not (function.hand_written or function.rename or function.layout)
    if held is None or not plain or function.like is not None or framework_of(held) != framework:
        return function
    return replace(function, module=params, handed=True)


def _bare(given: Any, params: Any, backend: str | None, forms: Mapping[str, Any]) -> Function:
    if isinstance(given, Mapping) or not callable(given):
        text = f"expected a function or an xcheck.objective, {type(given).__name__} came"
        raise DefinitionError(Complaint(text))
    # A module carries its parameters, which tell the framework when none are handed over.
    is_module = registry.parameters(given) is not None
    # So does a module that stands for the parameters.
    params = registry.parameters(given) if is_module else registry.parameters(params) or params
    framework = backend or framework_of(params)
    if framework is None:
        kinds = sorted({type(leaf).__name__ for leaf in leaves(params).values()})
        text = (
            f"params holds no array of an installed framework (found {', '.join(kinds) or 'nothing'}): hand over an "
            "array, a tree of arrays, or a module"
            if not any(registry.read(value) for value in leaves(params).values())
            else "params holds arrays of several frameworks: say with backend= which one this function belongs to"
        )
        raise DefinitionError(Complaint(text))
    return objective(given, framework, **forms)
