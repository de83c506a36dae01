"""Call the backends' networks: each gives loss and gradient at θ, twice, and one that fails, fails alone."""

import time
from collections.abc import Sequence

from xcheck.backend import registry
from xcheck.backend.contract import Backend, Objective
from xcheck.checks.answer import Answer, evaluate_twice
from xcheck.errors import BackendError, DeviceError, quote
from xcheck.findings import BACKEND_NOT_INSTALLED, Finding
from xcheck.networks.definition import CheckSettings
from xcheck.networks.problem import Problem


def call_witnesses(
    problem: Problem, check: CheckSettings, backends: Sequence[str | Backend] | None = None
) -> list[Answer[Objective]]:
    """Ask every witness for its gradient; one that fails, fails alone.

    Args:
        problem: the network at θ.
        check: dtype and device; and who is asked, unless `backends` says so.
        backends: names or objects. One that was named must be there; of those that nobody named, a missing one is
            only warned about.
    """
    asked = backends or check.backends
    answers: list[Answer[Objective]] = []
    # A backend that is named twice is asked once, and the order is the person's.
    for backend in dict.fromkeys(asked or registry.DEFAULTS):
        try:
            found = registry.get(backend) if isinstance(backend, str) else backend
        except BackendError as error:
            answers.append(Answer(error.backend))
            answers[-1].fail(error.text)
        else:
            answers.append(_call(found, problem, check, asked_for=bool(asked)))
    return answers


def _call(backend: Backend, problem: Problem, check: CheckSettings, *, asked_for: bool) -> Answer[Objective]:
    answer: Answer[Objective] = Answer(backend.name)
    start = time.perf_counter()
    try:
        text = unusable(backend, check)
        if text is not None and asked_for:
            answer.fail(text)
        elif text is not None:
            answer.warnings.append(Finding(code=BACKEND_NOT_INSTALLED, text=f"{backend.name}: {text}"))
        else:
            objective = backend.network_objective(problem, device=check.device, dtype=check.dtype)
            evaluation = evaluate_twice(backend.name, objective, problem.theta)
            answer.versions = backend.versions()
            # Together and last: half an answer must not be compared.
            answer.objective, answer.evaluation = objective, evaluation
    except BackendError as error:
        answer.fail(error.text)
    except DeviceError as error:
        answer.fail(error.complaints[0].text)
    except Exception as error:  # noqa: BLE001 - a plug-in may fail in any way while it sets up; it fails alone
        answer.fail(quote(error))
    answer.seconds = time.perf_counter() - start
    return answer


def unusable(backend: Backend, check: CheckSettings) -> str | None:
    """Return why a witness cannot be asked, and what to do about it; None if it can."""
    why_not = backend.available()
    if why_not is not None:
        return f"{why_not}; to install it: {backend.install}"
    if check.dtype not in backend.dtypes:
        known = " and ".join(backend.dtypes)
        return f"it computes in {known}, not in {check.dtype}: ask others (--backend torch --backend jax)"
    return None
