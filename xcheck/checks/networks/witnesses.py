"""Call the witnesses: each gives loss and gradient at θ, twice, and one that fails, fails alone."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from xcheck.backend import registry
from xcheck.backend.contract import Backend, Objective
from xcheck.compare.evaluation import Evaluation
from xcheck.errors import BackendError, DeviceError
from xcheck.findings import BACKEND_FAILED, BACKEND_NOT_INSTALLED, Finding
from xcheck.layout import Vector
from xcheck.networks.definition import CheckSettings
from xcheck.networks.problem import Problem


@dataclass(slots=True)
class Witnesses:
    """What came of calling the witnesses."""

    evaluations: list[Evaluation] = field(default_factory=list)
    objectives: dict[str, Objective] = field(default_factory=dict)
    failures: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)

    def fail(self, name: str, text: str) -> None:
        """Note that a witness has failed."""
        self.failures.append(Finding(code=BACKEND_FAILED, text=f"{name}: {text}"))


def call_witnesses(
    problem: Problem, check: CheckSettings, backends: Sequence[str | Backend] | None = None
) -> Witnesses:
    """Ask every witness for its gradient; one that fails, fails alone.

    Args:
        problem: the network at θ.
        check: dtype and device; and who is asked, unless `backends` says so.
        backends: names or objects. One that was named must be there; of those that nobody named, a missing one is
            only warned about.
    """
    asked = backends or check.backends
    witnesses = Witnesses()
    for backend in dict.fromkeys(asked or registry.DEFAULTS):
        try:
            found = registry.get(backend) if isinstance(backend, str) else backend
        except BackendError as error:
            witnesses.fail(error.backend, error.text)
        else:
            _call(witnesses, found, problem, check, asked_for=bool(asked))
    return witnesses


def _call(witnesses: Witnesses, backend: Backend, problem: Problem, check: CheckSettings, *, asked_for: bool) -> None:
    name, start = backend.name, time.perf_counter()
    try:
        text = unusable(backend, check)
        if text is not None:
            if asked_for:
                witnesses.fail(name, text)
            else:
                witnesses.warnings.append(Finding(code=BACKEND_NOT_INSTALLED, text=f"{name}: {text}"))
            return
        objective = backend.network_objective(problem, device=check.device, dtype=check.dtype)
        evaluation = _called_twice(name, objective, problem.theta)
        witnesses.versions.update(backend.versions())
    except BackendError as error:
        witnesses.fail(name, error.text)
    except DeviceError as error:
        witnesses.fail(name, error.complaints[0].text)
    except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way while it sets up; it fails alone
        witnesses.fail(name, f"{type(error).__name__}: {error}")
    else:
        witnesses.evaluations.append(evaluation)
        witnesses.objectives[name] = objective
        witnesses.seconds[name] = time.perf_counter() - start


def unusable(backend: Backend, check: CheckSettings) -> str | None:
    """Return why a witness cannot be asked, and what to do about it; None if it can."""
    why_not = backend.available()
    if why_not is not None:
        return f"{why_not}; to install it: {backend.install}"
    if check.dtype not in backend.dtypes:
        known = " and ".join(backend.dtypes)
        return f"it computes in {known}, not in {check.dtype}: ask others (--backend torch --backend jax)"
    return None


def _called_twice(name: str, objective: Objective, theta: Vector) -> Evaluation:
    """Call a witness twice at the same θ; the second answer is kept where it is not bitwise the first.

    Raises:
        BackendError: one of the calls fails.
    """
    loss, gradient = objective.loss_and_gradient(theta)
    first = Evaluation(name, loss, gradient.copy())  # a second call may write into the same buffer
    try:
        again = Evaluation(name, *objective.loss_and_gradient(theta))
    except BackendError as error:
        raise BackendError(name, f"a second call at the same θ fails: {error.text}") from error
    return first if again.repeats(first) else replace(first, again=again)
