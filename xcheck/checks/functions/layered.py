"""Check of a declared network of any layers: each witness's own function, and the engine of functions for the oracle.

The engines of declared networks know fully connected layers only. With others the loss is differenced as a function of
θ is: JAX evaluates it for many θ at once, or it is measured along random directions where all of θ would take too long.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from xcheck.backend import registry
from xcheck.backend.contract import Backend
from xcheck.checks.functions.answers import FunctionCheckOptions
from xcheck.checks.functions.check import FunctionCheck
from xcheck.checks.functions.implementations import Implementation, arguments_for
from xcheck.errors import BackendError, Complaint, DeviceError
from xcheck.findings import BACKEND_NOT_INSTALLED, Finding
from xcheck.networks.definition import CheckSettings, LoadedLayers
from xcheck.networks.layers import LayeredProblem
from xcheck.oracle.options import FunctionOptions


def prepare_layers(
    loaded: LoadedLayers, backends: Sequence[str | Backend] | None = None, worst: int = 10
) -> FunctionCheck:
    """Return the check of a network of any layers.

    Args:
        loaded: the network, and how it is to be checked.
        backends: the witnesses; None for what the definition says. One that was named must be there; of those that
            nobody named, a missing one is only warned about.
        worst: how many components to name per pair.

    Raises:
        BackendError: a witness that was named is not installed, or knows fully connected layers only.
        DeviceError: a witness that was named has no such device.
    """
    problem, check = loaded.problem, loaded.check
    witnesses, missing = _witnesses(check, backends)
    implementations = [
        Implementation(witness.name, witness.layered_function(problem.network), witness) for witness in witnesses
    ]
    # In the dtype of the check: the oracle widens what it is given, and so is asked about the very same point.
    theta = {name: _cast(array, check) for name, array in problem.theta.items()}
    data = (_cast(problem.inputs, check), _cast(problem.targets, check), dict(problem.masks))
    differences = FunctionOptions(
        epsilon=check.epsilon, tolerance=check.tolerance, scope="auto", budget=check.budget, seed=check.seed
    )
    return FunctionCheck(
        implementations,
        arguments_for(theta, data, implementations),
        FunctionCheckOptions(differences=differences, device=check.device, worst=worst, proof=check.proof),
        problem.name,
        about=_describe(problem),
        warnings=(*loaded.warnings, *missing),
        network=problem.network,
    )


def _witnesses(check: CheckSettings, backends: Sequence[str | Backend] | None) -> tuple[list[Backend], list[Finding]]:
    """Return the witnesses that can be asked, and a warning for each missing one that nobody named."""
    asked = backends or check.backends
    found: list[Backend] = []
    missing: list[Finding] = []
    for name in dict.fromkeys(asked or registry.DEFAULTS):
        backend = registry.get(name) if isinstance(name, str) else name
        why_not = backend.available()
        if why_not is None:
            found.append(backend)
        elif asked:
            raise BackendError(backend.name, f"{why_not}; to install it: {backend.install}")
        else:
            text = f"{backend.name}: {why_not}; to install it: {backend.install}"
            missing.append(Finding(code=BACKEND_NOT_INSTALLED, text=text))
    # NumPy computes on the CPU whatever the others use.
    if check.device != "cpu" and not any(check.device in backend.devices() for backend in found):
        raise DeviceError(Complaint(f"no witness has a device '{check.device}' here; use cpu", ("check", "device")))
    return found, missing


def _cast(array: NDArray[Any], check: CheckSettings) -> NDArray[Any]:
    return array.astype(np.float32 if check.dtype == "float32" else np.float64)


def _describe(problem: LayeredProblem) -> list[str]:
    """Return what the report says of the network beside the number of its parameters."""
    network = problem.network
    return [
        f"{problem.examples} examples",
        " - ".join(layer.title for layer in network.layers),
        network.loss,
        *(f"{name} {value:g}" for name, value in (("l2", network.l2), ("l1", network.l1)) if value),
        *(["dropout pinned"] if problem.masks else []),
        "engine of functions: the structured ones know fully connected layers only",
    ]
