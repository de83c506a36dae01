"""Read whatever can be checked: a declared network, a case, or functions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeAlias

from xcheck.backend.contract import Backend
from xcheck.checks.case import Case
from xcheck.checks.functions.check import FunctionCheck
from xcheck.checks.functions.layered import prepare_layers
from xcheck.checks.networks.check import Model, NetworkCheck, load_any_model
from xcheck.functions.function import Function
from xcheck.networks.definition import LoadedLayers

Check: TypeAlias = NetworkCheck | FunctionCheck


def prepare(
    model: Any, params: Any, data: Any, backends: Sequence[str | Backend] | None, settings: Mapping[str, Any]
) -> Check:
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
    # A string is a sequence of strings, too: "numpy" would be asked for five witnesses.
    backends = [backends] if isinstance(backends, str) else backends
    named = [backend for backend in backends or () if isinstance(backend, str)]
    # A dict may be a definition or labelled functions; what is in it tells.
    if not isinstance(model, Case) and not _are_functions(model):
        return prepare_model(model, backends, **settings)
    case = model if isinstance(model, Case) else Case(model, params, data)
    return replace(case, settings={**case.settings, **settings}).prepared(named)


def prepare_model(
    model: Model,
    backends: Sequence[str | Backend] | None = None,
    *,
    worst: int = 10,
    command: Sequence[str] = (),
    **settings: Any,
) -> Check:
    """Read and validate a declared network: one of any layers is checked as a function.

    Arguments and errors are those of `xcheck.verify`.
    """
    named = [backend for backend in backends or () if isinstance(backend, str)]
    loaded = load_any_model(model, backends=named, **settings)
    if isinstance(loaded, LoadedLayers):
        return replace(prepare_layers(loaded, backends, worst), command=command)
    return NetworkCheck(loaded, backends, worst, command)


def _are_functions(model: Any) -> bool:
    if isinstance(model, Mapping):
        return bool(model) and all(callable(one) or isinstance(one, Function) for one in model.values())
    return callable(model) or isinstance(model, Function)
