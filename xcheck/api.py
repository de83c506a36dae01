"""The verbs: check, verify, train, explain, selftest. Each reads, runs and returns a result."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from xcheck.backend.contract import Backend
from xcheck.checks.explain.component import component_of
from xcheck.checks.explain.explain import explain_component
from xcheck.checks.explain.explanation import Explanation
from xcheck.checks.functions.check import prepare_functions
from xcheck.checks.functions.implementations import Loss, Objectives
from xcheck.checks.networks.check import Model, load_model
from xcheck.checks.prepare import prepare, prepare_model
from xcheck.checks.report import Report
from xcheck.checks.selftest.plant import run_selftest
from xcheck.checks.selftest.score import SelfTest
from xcheck.checks.settings import Scope
from xcheck.progress import Progress
from xcheck.training.report import TrainingReport
from xcheck.training.run import train_loaded
from xcheck.training.trainer import CheckpointCallback, TrainingProgress


def check(  # noqa: PLR0913 - the public signature: everything but the first three is optional and by name
    objectives: Objectives,
    params: Any = None,
    data: Any = (),
    *,
    backend: str | None = None,
    gradient: Loss | None = None,
    vjp: Loss | None = None,
    jvp: Loss | None = None,
    jacobian: Loss | None = None,
    hessian: Loss | None = None,
    hvp: Loss | None = None,
    oracle: str | Loss = "auto",
    scope: Scope = "auto",
    epsilon: float | Literal["auto"] = "auto",
    tolerance: float = 1e-7,
    order: Literal[1, 2] = 1,
    inputs: bool = False,
    proof: bool = False,
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
        params: any tree of NumPy, torch or JAX arrays, one array, or a module, which functions of its framework are
            called with. For a module its own parameters by default. Reports name its leaves, such as `encoder.0.W`,
            and one array alone after the first argument of the functions: `x` in `loss(x)`, or `params`.
        data: further arguments, a tuple.
        backend: the framework of a bare function; by default that of the arrays in params.
        gradient: the hand-written gradient of a bare function, `gradient(params, *data)`; NumPy needs one, or another
            form of the first derivative.
        vjp: `vjp(params, *data, cotangent)`, a backward pass; this and the next four as in `xcheck.objective`.
        jvp: `jvp(params, *data, tangent)`, forward mode.
        jacobian: `jacobian(params, *data)`, dense or sparse, of which every entry is checked.
        hessian: `hessian(params, *data)`; the order is then 2.
        hvp: `hvp(params, *data, vector)`; the order is then 2.
        oracle: which function is differenced: "auto" (JAX, else torch, else the first), a label, or a function.
        scope: "all" components, a "sample" with random directions, "directions" alone (about 25 losses, however many
            parameters there are), "auto" for what fits the budget, or "jacobian" for every output of a loss that
            returns an array. What is wrong along a direction is searched for.
        epsilon: "auto", or a fixed step.
        tolerance: relative, per component, on top of the error bar.
        order: 2 checks Hessian-vector products, too, once the first derivatives agree.
        inputs: whether the gradient with respect to floating arrays of data is checked, too: of a module those that it
            takes, of a function all. Their names are `data[0]` and so on.
        proof: whether gradients are held against slopes with proved bounds, too, which show errors of 10⁻¹⁴ of the
            gradient's norm; `pip install 'xcheck-grad[proof]'`.
        device: where arrays of other frameworks are put, "cpu" or "gpu"; arrays of a function's own framework stay.
        seed: of everything random.
        worst: how many components to name per pair.
        cotangent: v, of the loss's shape, for a loss y that is an array: Re Σ v̄ y is checked. By default drawn.
        budget: seconds that scope "auto" may take, and a proof: of six directions as many are proved as fit.
        name: how the report calls it.
        progress: called with (differences done, differences planned), then, in a proof, with operations.

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
    settings: dict[str, Any] = {"backend": backend, "gradient": gradient, "vjp": vjp, "jvp": jvp, "jacobian": jacobian}
    settings |= {"hessian": hessian, "hvp": hvp, "oracle": oracle, "scope": scope, "epsilon": epsilon}
    settings |= {
        "tolerance": tolerance,
        "order": order,
        "inputs": inputs,
        "proof": proof,
        "device": device,
        "seed": seed,
        "worst": worst,
    }
    settings |= {"cotangent": cotangent, "budget": budget, "name": name, "progress": progress}
    return prepare_functions(objectives, params, data, settings).run().report


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
    ready = prepare_model(model, backends, worst=worst, command=command, **settings)
    return ready.run(progress).report


def explain(
    model: Any,
    component: str | int,
    params: Any = None,
    data: Any = (),
    *,
    backends: Sequence[str | Backend] | None = None,
    **settings: Any,
) -> Explanation:
    """Look at one component of a gradient from close up.

    Args:
        model: as in `xcheck.verify`; an `xcheck.Case`; or functions as in `xcheck.check`.
        component: such as "W2[3, 1]", or a flat index of θ.
        params: of functions.
        data: of functions.
        backends: the witnesses; of functions their frameworks or labels.
        **settings: of `xcheck.verify` or `xcheck.check`.

    Returns:
        What all witnesses say, the oracle's value, the differences of the real loss for steps from long to short, the
        nearest kink, and the verdict in words.

    Raises:
        DefinitionError: there is no such component, or the model cannot be used.
        BackendError: a framework that was asked for is not installed.

    >>> import numpy as np
    >>> found = explain(lambda x: (x**3).sum(), "x[1]", np.array([1.0, 2.0]), gradient=lambda x: 2 * x**2)
    >>> found.statements[0].text
    'wrong: 0.6667 x the oracle'
    """
    ready = prepare(model, params, data, backends, settings)
    flat = component_of(ready.layout, str(component))
    return explain_component(ready.run(including=flat), flat)


def selftest(
    model: Any,
    params: Any = None,
    data: Any = (),
    *,
    backends: Sequence[str | Backend] | None = None,
    **settings: Any,
) -> SelfTest:
    """Plant faults in the gradients of a model, and tell which of them a check would find.

    Args:
        model: as in `xcheck.verify`; an `xcheck.Case`; or functions as in `xcheck.check`.
        params: of functions.
        data: of functions.
        backends: the witnesses; of functions their frameworks or labels.
        **settings: of `xcheck.verify` or `xcheck.check`.

    Returns:
        The score per class of faults, which slip through, and how small an error of a component is still seen.

    Raises:
        DefinitionError: the model cannot be used.
        BackendError: a framework that was asked for is not installed.

    >>> import numpy as np
    >>> found = selftest(lambda x: (x**3).sum(), np.array([1.0, 2.0]), gradient=lambda x: 3 * x**2)
    >>> found.score, found.slipping
    (1.0, ())
    """
    ready = prepare(model, params, data, backends, settings)
    start = time.perf_counter()
    done = ready.run()
    return run_selftest(done, time.perf_counter() - start)


def train(
    model: Model,
    *,
    backends: Sequence[str | Backend] | None = None,
    worst: int = 10,
    save_weights: Path | str | None = None,
    progress: TrainingProgress | None = None,
    tell: CheckpointCallback | None = None,
    **settings: Any,
) -> TrainingReport:
    """Train a declared network, and check its gradients along the way.

    Args:
        model: path of a TOML definition with `[training]`, or a dict of the same shape.
        backends: the witnesses, as in `verify`.
        worst: how many components to name per pair.
        save_weights: .npz or .safetensors; θ of each checkpoint goes there, its step before the suffix.
        progress: called with (steps taken, steps planned, cost).
        tell: called with every `Checkpoint` as soon as it is there.
        **settings: as in `verify`.

    Returns:
        A row for each checkpoint; one that disagrees is a result, not an exception, and training goes on.

    Raises:
        DefinitionError: the definition cannot be used, or has no `[training]`.
        BackendError: the witness that drives the training is not there, or fails before anything was checked.
    """
    names = [backend for backend in backends or () if isinstance(backend, str)]
    others = [backend.name for backend in backends or () if not isinstance(backend, str)]
    loaded = load_model(model, backends=names, others=others, **settings)
    saved = None if save_weights is None else Path(save_weights)
    return train_loaded(loaded, backends=backends, worst=worst, save_weights=saved, progress=progress, tell=tell)
